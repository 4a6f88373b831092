# SPDX-License-Identifier: MIT
"""check_crash.py CRASHER WITHOUT_ITS_DLL -- LAUNCHER...: a crash ends with a status other than 0.

Under Wine that is not a matter of course: a debugger that it starts can end the process with 0. So
each crash is tried several times.
"""

import subprocess
import sys

CRASHES = ["null", "divide", "trap", "abort"]
STATUSES = [0, 1, 7, 77, 255]
TRIES = 5


def status_of(launcher, *command):
    process = subprocess.run([*launcher, *command], stdin=subprocess.DEVNULL, timeout=60,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return process.returncode, process.stdout.strip()


def check_statuses(launcher, crasher):
    for expected in STATUSES:
        status, output = status_of(launcher, crasher, str(expected))
        if status != expected:
            yield f"exit status {expected} became {status} {output}"


def check_crashes(launcher, crasher):
    for crash in CRASHES:
        seen = [status_of(launcher, crasher, crash)[0] for _ in range(TRIES)]
        print(f"{crash}: status {sorted(set(seen))}")
        if 0 in seen:
            yield f"{crash} ended with status 0 in {seen.count(0)} of {TRIES} runs"


def check_absence(launcher, crasher, without_its_dll):
    for what, program in (("a program whose DLL is missing", without_its_dll),
                          ("a missing program", crasher + ".is-not-there")):
        status, output = status_of(launcher, program)
        print(f"{what}: status {status} {output}")
        if status == 0:
            yield f"{what} ended with status 0"
    if "there is no program" not in output:
        yield f"the launcher does not say that the program is missing: {output}"


def main(crasher, without_its_dll, separator, *launcher):
    assert separator == "--"
    complaints = [*check_statuses(launcher, crasher), *check_crashes(launcher, crasher),
                  *check_absence(launcher, crasher, without_its_dll)]
    sys.exit("\n".join(complaints) or 0)


main(*sys.argv[1:])
