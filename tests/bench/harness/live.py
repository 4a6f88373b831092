# SPDX-License-Identifier: MIT
"""Live processes: a server on its processor, and the load on it on another."""

import dataclasses
import json
import os
import re
import signal
import socket
import subprocess

LIMIT_S = 60
PATIENCE_S = 2


class Failure(Exception):
    """Something that should work does not; the text says what."""


def processors():
    """Where servers and loads run; the same one if there is no second."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def pinned(*processor):
    """What a child does before it runs."""
    return lambda: os.sched_setaffinity(0, set(processor))


@dataclasses.dataclass(frozen=True)
class Counts:
    """What a server has counted."""

    accepted: int
    messages_in: int
    messages_out: int  # 0: it does not count them


class Server:
    """A server, from its "listening" line to its "served" line."""

    def __init__(self, contestant, folder):
        self.contestant = contestant
        self.visitors = 0  # of our own: see await_end()
        self.process = subprocess.Popen(
            contestant.command(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=pinned(*self.place()))
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on (tcp://127\.0\.0\.1:\d+)\n", line)
        if found is None:
            self.process.kill()
            said = (line + self.process.communicate()[1]).strip()
            raise Failure(f"{contestant.title} does not start: {said}")
        self.address = found.group(1)
        if contestant.processors == "apart":
            self.set_apart()

    def place(self):
        return processors()[:1] if self.contestant.processors == "first" else processors()

    def set_apart(self):
        """The logic thread, which is the first one, moves to the load's processor; I/O stays."""
        for task in map(int, os.listdir(f"/proc/{self.pid}/task")):
            os.sched_setaffinity(task, {processors()[1 if task == self.pid else 0]})

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """Ends it; answers its Counts."""
        self.process.send_signal(signal.SIGTERM)
        try:
            said = self.await_end()
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise Failure(f"{self.contestant.title} does not end after SIGTERM") from error
        found = re.search(r"served: accepted (\d+).* messages in (\d+)(?:, messages out (\d+))?", said)
        if self.process.returncode != 0 or found is None:
            raise Failure(f"{self.contestant.title} ended with {self.process.returncode}: {said}")
        return Counts(int(found.group(1)), int(found.group(2)), int(found.group(3) or 0))

    def await_end(self):
        """What it said on standard error."""
        try:
            return self.process.communicate(timeout=PATIENCE_S)[1]
        except subprocess.TimeoutExpired:
            # ThreadSanitizer holds a signal back until the thread is through with its wait: a visitor
            # ends that.
            self.visitors += 1
            host, port = self.address.removeprefix("tcp://").split(":")
            try:
                socket.create_connection((host, int(port)), timeout=LIMIT_S).close()
            except OSError:
                pass  # the listener was closed meanwhile
            return self.process.communicate(timeout=LIMIT_S)[1]

    def kill(self):
        self.process.kill()
        self.process.communicate()


class Load:
    """bench_load with its connections open."""

    def __init__(self, program, server, row):
        command = [program, "--connect", server.address, "--pid", str(server.pid),
                   "--connections", str(row.connections), "--active", str(row.active),
                   "--size", str(row.size), "--window", str(row.window)]
        if row.churn:
            command.append("--churn")
        if row.typed:
            command.append("--typed")
        if row.tick:
            command += ["--tick", str(row.tick)]
        if row.later:
            command += ["--later", "--first", str(row.first)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=pinned(processors()[1]))
        self.title = server.contestant.title
        self.read_line("ready")

    def read_line(self, expected=None):
        line = self.process.stdout.readline()
        if not line or (expected and line != expected + "\n"):
            self.process.kill()
            raise Failure(f"the load on {self.title} failed: {self.process.communicate()[1].strip()}")
        return line

    def slice(self, duration_ms):
        """Runs the load for so long; answers what it saw."""
        self.order(f"slice {duration_ms}")
        return self.result()

    def order(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def result(self):
        return json.loads(self.read_line())

    def stop(self):
        self.process.stdin.close()
        self.process.stdin = None
        said = self.process.communicate(timeout=LIMIT_S)[1]
        if self.process.returncode != 0:
            raise Failure(f"the load on {self.title} failed: {said}")

    def kill(self):
        self.process.kill()
        self.process.communicate()


class Pair:
    """A server with its load. `totals` is all that the load did, to be held against the server's
    own counts."""

    def __init__(self, folder, contestant, row):
        self.server = Server(contestant, folder)
        try:
            self.load = Load(os.path.join(folder, "tests/bench_load"), self.server, row)
        except BaseException:
            self.server.kill()
            raise
        self.row = row
        self.messages = 0

    def slice(self, duration_ms):
        result = self.load.slice(duration_ms)
        self.messages += result["messages"]
        return result

    def stop(self):
        """Ends both; every message and connection must have been counted on both sides."""
        self.load.stop()
        counts = self.server.stop()
        messages = counts.messages_out if self.row.tick else counts.messages_in
        connections = self.messages if self.row.churn else self.row.connections
        strangers = counts.accepted - connections
        if messages != self.messages or not 0 <= strangers <= self.server.visitors:
            raise Failure(f"{self.server.contestant.title} counted {counts.accepted} connections, {messages} "
                          f"messages; the load {connections} and {self.messages}")

    def kill(self):
        self.load.kill()
        self.server.kill()
