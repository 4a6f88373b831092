# SPDX-License-Identifier: MIT
"""Live processes of a scenario: the server, and the programs that attack it or play on it."""

import ctypes
import json
import os
import queue
import re
import resource
import signal
import socket
import subprocess
import threading
import time

import machine

C_LIBRARY = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1

LIMIT_S = 60
PATIENCE_S = 2


class Failure(Exception):
    """The scenario cannot go on; the text says why."""


class Skip(Exception):
    """The scenario cannot run on this machine; the text says why."""


class Process:
    """A program with its standard streams: lines of its output, orders to its input."""

    def __init__(self, command, group, processor, log_path, descriptors=None):
        self.command, self.log_path = command, log_path
        self.name = os.path.basename(command[0])

        def before():
            C_LIBRARY.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # however we end, nobody is left behind
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, descriptors or (hard, hard))
            if processor is not None:
                os.sched_setaffinity(0, {processor})
            group.enter()

        with open(log_path, "w", encoding="utf-8") as log:
            log.write("+ " + " ".join(command) + "\n")
            log.flush()
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                            text=True, preexec_fn=before)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read_lines, daemon=True)
        self.reader.start()

    def read_lines(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def log(self):
        return machine.read(self.log_path)

    def line(self, limit_s=LIMIT_S):
        """The next line that it says."""
        try:
            line = self.lines.get(timeout=limit_s)
        except queue.Empty:
            raise Failure(f"{self.name} said nothing for {limit_s} s") from None
        if line is None:
            self.process.wait(LIMIT_S)
            raise Failure(f"{self.name} ended with {self.process.returncode}: {self.log()[-2000:].strip()}")
        return line

    def order(self, text):
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended; whoever reads its lines hears of it

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait(LIMIT_S)
        self.reader.join(LIMIT_S)
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Tool(Process):
    """A load: says "up" when it is connected (if it is of those that do), and its report, a JSON object, at
    its end. It ends by itself, or when it is told to."""

    def wait_up(self, limit_s=LIMIT_S):
        line = self.line(limit_s)
        if line != "up":
            raise Failure(f"{self.name} said {line!r} instead of \"up\"")

    def result(self, limit_s=LIMIT_S):
        """Waits for its end; answers its report. Its exit status is in `status`."""
        deadline = time.monotonic() + limit_s
        text = self.line(limit_s)
        while text == "up":
            text = self.line(max(0.1, deadline - time.monotonic()))
        while (line := self.lines.get(timeout=max(0.1, deadline - time.monotonic()))) is not None:
            text += "\n" + line
        self.process.wait(LIMIT_S)
        try:
            return json.loads(text)
        except ValueError:
            raise Failure(f"{self.name} ended with {self.status} and said {text[-500:]!r}") from None

    def stop(self, limit_s=LIMIT_S):
        """Ends it early; answers its report."""
        self.order("stop")
        return self.result(limit_s)

    @property
    def status(self):
        return self.process.returncode


class Server(Process):
    """attack_server (or another program that says "listening on" and drains at SIGTERM)."""

    def __init__(self, command, group, processor, log_path, descriptors=None):
        self.ended_as_asked = None
        self.group = group
        super().__init__(command, group, processor, log_path, descriptors)
        self.addresses = []
        for _ in range(command.count("--listen")):
            found = re.fullmatch(r"listening on (tcp://.+:(\d+))", self.line())
            self.addresses.append(found.group(1))
        self.address = self.addresses[0]
        self.host, _, port = self.address.removeprefix("tcp://").rpartition(":")
        self.port = int(port)

    # ---- what it says of itself ----

    def ask(self, text, limit_s=LIMIT_S):
        self.order(text)
        return self.line(limit_s)

    def counters(self):
        """All counters by name; in it `closed_by` (reason: count) and `game`."""
        return json.loads(self.ask("counters"))

    def broadcast(self, size, count, per_s):
        if self.ask(f"broadcast {size} {count} {per_s}") != "ok":
            raise Failure("the server does not broadcast")

    def stall(self, ms):
        """The logic thread does nothing for so long, from now on."""
        if self.ask(f"stall {ms}") != "ok":
            raise Failure("the server does not stall")

    def wait(self, condition, limit_s=LIMIT_S, every_s=0.05):
        """Asks for the counters until condition(counters) holds; answers (counters, seconds it took),
        or (counters, None) when the time is over."""
        start = time.monotonic()
        while True:
            counters = self.counters()
            took = time.monotonic() - start
            if condition(counters):
                return counters, took
            if took > limit_s:
                return counters, None
            time.sleep(every_s)

    # ---- what the system says of it ----

    def rss(self):
        return machine.status_bytes(self.pid, "VmRSS")

    def rss_peak(self):
        return machine.status_bytes(self.pid, "VmHWM")

    def descriptors(self):
        return machine.descriptors(self.pid)

    def cpu_seconds(self):
        return machine.cpu_seconds(self.pid)

    def ends(self):
        """Its sockets by state, of those with the first listener's port."""
        return machine.ends_of(self.port)

    # ---- its end ----

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, limit_s=LIMIT_S):
        """SIGTERM: drains and ends. Answers the exit status; -9 if it had to be killed."""
        if self.running():
            self.signal(signal.SIGTERM)
            try:
                self.await_end(limit_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait(LIMIT_S)
        self.ended_as_asked = self.process.returncode == 0
        return self.process.returncode

    def await_end(self, limit_s):
        """ThreadSanitizer holds a signal back until the thread is through with its wait: a visitor ends that."""
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            try:
                socket.create_connection((self.host.strip("[]"), self.port), timeout=1).close()
            except OSError:
                pass  # it does not listen any more: it drains
            self.process.wait(limit_s)

    def __exit__(self, kind, *_):
        """The with statement ends it in order; how it ended is a check of every scenario. What a scenario
        has killed on purpose is not: it says so with `expect_death`."""
        if self.ended_as_asked is None and self.running():
            if kind is None:
                self.stop()
            else:
                self.ended_as_asked = True  # it was well until the scenario failed
        self.kill()

    def expect_death(self):
        self.ended_as_asked = True
