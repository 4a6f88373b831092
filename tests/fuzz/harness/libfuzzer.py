# SPDX-License-Identifier: MIT
"""Runs one target under libFuzzer and reads what it says."""

import os
import re
import subprocess
import time

from result import Result

COUNTERS = re.compile(r"Loaded \d+ modules\s+\((\d+) inline")
PROGRESS = re.compile(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+)")
DONE = re.compile(r"stat::number_of_executed_units:\s+(\d+)")

# Half of a run's time goes to the bookkeeping that these turn off: of how rare each feature is, and
# of smaller inputs for old ones. Corpora are made small by -merge=1, once.
QUICK = ["-entropic=0", "-reduce_inputs=0", "-reload=0", "-len_control=0"]

# For a run of microseconds. On a busy machine a fuzzer that is nice gets no processor for many
# seconds, and takes that for the target's slowness.
PATIENCE_SECONDS = 120


def command(program, target, folders, amount):
    line = [program, f"-max_len={target.length}", *QUICK, f"-timeout={PATIENCE_SECONDS}",
            f"-report_slow_units={PATIENCE_SECONDS}", "-print_final_stats=1",
            f"-artifact_prefix={folders.findings}/"]
    if target.dictionary:
        line.append(f"-dict={target.dictionary}")
    line.append(f"-runs={amount.runs}" if amount.runs else f"-max_total_time={amount.seconds}")
    return line + [folders.corpus, *target.seeds]


def read(lines, result, progress):
    for line in lines:
        if match := COUNTERS.search(line):
            result.edges_all = int(match.group(1))
        elif match := PROGRESS.match(line):
            result.executions = int(match.group(1))
            result.edges, result.features = int(match.group(2)), int(match.group(3))
            progress(result)
        elif match := DONE.search(line):
            result.executions = int(match.group(1))
        yield line


def wait(process):
    """Exit status, negative for a signal, and the processor time that was used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def run(program, target, folders, amount, progress):
    result = Result(target.name, "libfuzzer")
    before = set(os.listdir(folders.findings))
    environment = dict(os.environ, ASAN_OPTIONS="detect_stack_use_after_return=1",
                       UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
    start = time.monotonic()
    with open(folders.log, "w", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(command(program, target, folders, amount), text=True,
                                   errors="replace", stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
        for line in read(process.stdout, result, progress):
            log.write(line)
            log.flush()
        status, result.processor_seconds = wait(process)
    result.seconds = time.monotonic() - start
    result.findings = [os.path.join(folders.findings, name)
                       for name in sorted(set(os.listdir(folders.findings)) - before)]
    if status != 0 and not result.findings:
        result.failure = f"libFuzzer ended with {status}; see {folders.log}"
    return result
