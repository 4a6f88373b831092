# SPDX-License-Identifier: MIT
"""What the checks of throng-stress share: running it, an echo server beside it, and complaining.

Each check is called with programs and, after "--", what launches them: Wine, for those of Windows.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys

LIMIT_S = 60


def split_arguments():
    """The programs, and the launcher's words."""
    words = sys.argv[1:]
    if "--" not in words:
        return words, []
    place = words.index("--")
    return words[:place], words[place + 1:]


PROGRAMS, LAUNCHER = split_arguments()
# Wine makes a Ctrl-C of SIGINT, and of SIGTERM a sudden death.
STOP_SIGNAL = signal.SIGINT if LAUNCHER else signal.SIGTERM
# The backend that every system of the platform allows.
PLAIN_BACKEND = "iocp" if LAUNCHER else "epoll"


def scaled(full):
    """`full` brought down to THRONG_TEST_SCALE percent, as in tests/support/check.h."""
    return max(1, full * int(os.environ.get("THRONG_TEST_SCALE", "100")) // 100)


def in_time(attempt, *all_seconds):
    """attempt(seconds) answers None, or what there was too little of: a busy machine gets more time."""
    for seconds in all_seconds:
        complaint = attempt(seconds)
        if complaint is None:
            return
        print(f"in {seconds} s: {complaint}", flush=True)
    sys.exit(complaint)


def stress(program, address, *options, limit_s=LIMIT_S):
    """Runs the load client; answers its exit status and its report."""
    arguments = ["--connect", address, "--json", *options]
    print("+", " ".join(arguments), flush=True)
    result = subprocess.run([*LAUNCHER, program, *arguments], stdout=subprocess.PIPE, text=True, timeout=limit_s)
    return result.returncode, json.loads(result.stdout)


def run(program, address, *options, limit_s=LIMIT_S):
    """Runs the load client; answers its exit status and what it says on standard error."""
    result = subprocess.run([*LAUNCHER, program, "--connect", address, "--quiet", *options], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, timeout=limit_s)
    return result.returncode, result.stderr


class Echo:
    """throng-echo or another server program, for as long as the with statement lasts. STOP_SIGNAL must end it with 0."""

    def __init__(self, program, *options):
        command = [*LAUNCHER, program, "--listen", "tcp://127.0.0.1:0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on (tcp://127\.0\.0\.1:\d+)\n", line)
        if found is None:
            self.process.kill()
            sys.exit(f"the server said {line!r}")
        self.address = found.group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(STOP_SIGNAL)
        self.visit()
        try:
            status = self.process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            sys.exit(f"the server did not end within {LIMIT_S} s of a signal")
        if status != 0:
            sys.exit(f"the server exited with {status}")

    def visit(self):
        """ThreadSanitizer holds a signal's handler back until its thread is through with its wait: a
        visitor ends that. One who comes after the listener was closed is not needed."""
        try:
            host, port = self.address.removeprefix("tcp://").split(":")
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError:
            pass


def expect(report, **expected):
    """Exits, with a line, unless the report has these values."""
    wrong = [f"{key} is {report.get(key)}, expected {value}" for key, value in expected.items()
             if report.get(key) != value]
    if wrong:
        sys.exit("\n".join(wrong + [json.dumps(report)]))


def expect_status(status, expected):
    if status != expected:
        sys.exit(f"throng-stress exited with {status}, expected {expected}")
