# SPDX-License-Identifier: MIT
"""What the checks of the terminal programs share: programs whose lines are waited for, servers, a screen.

Each check is called with programs and, after "--", what launches them: Wine, for those of Windows.
"""

import itertools
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

LIMIT_S = 60
SCREEN_ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def split_arguments():
    words = sys.argv[1:]
    if "--" not in words:
        return words, []
    place = words.index("--")
    return words[:place], words[place + 1:]


PROGRAMS, LAUNCHER = split_arguments()
# Wine makes a Ctrl-C of SIGINT, and of SIGTERM a sudden death.
STOP_SIGNAL = signal.SIGINT if LAUNCHER else signal.SIGTERM


def wait_until(found, what, limit_s=LIMIT_S):
    """Answers the first true answer of `found`."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() > deadline:
            sys.exit(f"not within {limit_s} s: {what() if callable(what) else what}")
        time.sleep(0.01)


class Program:
    """A program with pipes, for as long as the with statement lasts; its lines come in as it prints them."""

    def __init__(self, program, *arguments):
        print("+", os.path.basename(program), *arguments, flush=True)
        self.process = subprocess.Popen([*LAUNCHER, program, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        encoding="utf-8", bufsize=1, env=SCREEN_ENVIRONMENT)
        self.lines = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()

    def type(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_for(self, pattern, count=1):
        """Waits until `count` lines match; answers the last of them."""
        def found():
            matches = [line for line in list(self.lines) if re.search(pattern, line)]
            return matches if len(matches) >= count else None
        return wait_until(found, lambda: "\n".join([f"{count} x {pattern}, but:", *self.lines]))[-1]

    def end(self, status, stop=True):
        """Ends it by a signal, or by the end of its input; it must exit with `status`."""
        if stop:
            self.process.send_signal(STOP_SIGNAL)
        else:
            self.process.stdin.close()
        self.wait(status)

    def wait(self, status):
        try:
            found = self.process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            sys.exit("\n".join([f"did not end within {LIMIT_S} s", *self.lines]))
        self.reader.join()
        if found != status:
            sys.exit("\n".join([f"exited with {found}, expected {status}", *self.lines]))


def serve(program, *options, port=0):
    """A server of ours that listens; its address is in .address."""
    server = Program(program, "--listen", f"tcp://127.0.0.1:{port}", *options)
    line = server.wait_for(r"^listening on ")
    server.address = line.removeprefix("listening on ")
    server.port = int(server.address.rsplit(":", 1)[1])
    return server


class HeldPort:
    """A port for a server that goes and comes back: a socket that is bound and does not listen keeps the system from
    giving it to anybody meanwhile, and not those who ask for it by number (both with SO_REUSEADDR)."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.number = self.socket.getsockname()[1]

    def __enter__(self):
        return self.number

    def __exit__(self, *_):
        self.socket.close()


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"{what} is {found!r}, expected {expected!r}")


class Screen:
    """A program on a terminal of tmux; each in a server of tmux of its own, as the one before may still be ending."""

    numbers = itertools.count()

    def __init__(self, columns, rows, *command):
        self.socket = f"throng-{os.getpid()}-{next(self.numbers)}"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                  shlex.join(command))

    def tmux(self, *words):
        command = ["tmux", "-u", "-L", self.socket, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True,
                              env=SCREEN_ENVIRONMENT).stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)

    def rows(self):
        return self.tmux("capture-pane", "-p").rstrip("\n").split("\n")

    def wait_for(self, pattern):
        """Waits until the screen shows it; answers the rows."""
        def found():
            rows = self.rows()
            return rows if re.search(pattern, "\n".join(rows), re.MULTILINE) else None
        return wait_until(found, lambda: "\n".join([pattern, *self.rows()]))

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def is_gone(self):
        return subprocess.run(["tmux", "-L", self.socket, "has-session"], capture_output=True,
                              check=False).returncode != 0


def need_tmux():
    if shutil.which("tmux") is None:
        print("skipped: no tmux, which shows what is on a terminal")
        sys.exit(77)
