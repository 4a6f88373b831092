# SPDX-License-Identifier: MIT
"""65,000 connections to one server: how fast they are accepted, and what memory they take.

A server of its own for each visit, with loads that connect at the same time. Each of them has every
512th of its connections answered before it goes on, so no backlog overflows, and what is timed
includes the accepting. They leave by reset, without a TIME_WAIT.
"""

import contextlib
import os
import re
import statistics
import subprocess
import time

import contestants
import summary
from goals import Goal
from live import Failure, LIMIT_S, Load, Server
from measure import visit_order
from memory import resident
from rows import Row

CONNECTIONS = 65000
LOADS = 4
SPACING = 20000  # between the loads' numbers: no two have a source address in common
RATE_GOAL = 0.8
START_GOAL = 24 * 2**20
IDLE_GOAL = 256
ACCEPT_TITLE = f"{CONNECTIONS:,} connects"
MEMORY_TITLE = f"memory with default options and {CONNECTIONS:,} idle connections, without the kernel's"
KEYS = ("accept", "memory65k")


def cpu_ns(pid):
    """Of all threads, the kernel's part included: what clock_getcpuclockid() would name."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def sockets_in_use():
    with open("/proc/net/sockstat", encoding="ascii") as file:
        return int(re.search(r"^TCP: inuse (\d+)", file.read(), re.MULTILINE).group(1))


class Crowd:
    """A server with loads that are ready to connect."""

    def __init__(self, contestant, folder, connections=CONNECTIONS, loads=LOADS):
        self.undo = contextlib.ExitStack()
        self.before = sockets_in_use()
        self.connections = connections // loads * loads
        self.messages = 0
        try:
            self.server = Server(contestant, folder)
            self.undo.callback(self.server.kill)
            self.loads = []
            for number in range(loads):
                row = Row("crowd", "crowd", connections // loads, connections // loads, later=True,
                          first=number * SPACING)
                self.loads.append(Load(os.path.join(folder, "tests/bench_load"), self.server, row))
                self.undo.callback(self.loads[-1].kill)
        except BaseException:
            self.undo.close()
            raise

    def order(self, text):
        """All loads do it at once; answers wall and server CPU time, ns."""
        cpu = cpu_ns(self.server.pid)
        start = time.monotonic_ns()
        for load in self.loads:
            load.order(text)
        results = [load.result() for load in self.loads]
        self.messages += sum(one["messages"] for one in results)
        # Each load slept for 2 ms at the end, so that the server's clock is right.
        return time.monotonic_ns() - start, cpu_ns(self.server.pid) - cpu

    def stop(self):
        for load in self.loads:
            load.stop()
        counts = self.server.stop()
        self.undo.pop_all()
        strangers = counts.accepted - self.connections
        if counts.messages_in != self.messages or not 0 <= strangers <= self.server.visitors:
            raise Failure(f"{self.server.contestant.title} counted {counts.accepted} connections, "
                          f"{counts.messages_in} messages; the loads {self.connections} and {self.messages}")
        self.await_silence()

    def await_silence(self):
        """The kernel buries so many sockets behind the process's back."""
        deadline = time.monotonic() + LIMIT_S
        while sockets_in_use() > self.before + self.connections // 100 and time.monotonic() < deadline:
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.undo.close()


def io_threads(folder):
    """As many as throng takes for so many connections under this machine's descriptor limit."""
    said = subprocess.run([os.path.join(folder, "bin/throng-echo"), "--budget"], capture_output=True,
                          text=True, check=True).stdout
    return int(re.search(r"^I/O threads: (\d+)", said, re.MULTILINE).group(1))


def accepting(folder):
    """Who takes part in "accept"."""
    threads = io_threads(folder)
    for backend in contestants.BACKENDS:
        yield contestants.bare_accept(backend, threads)
        yield contestants.throng_by_default(backend)


def measure_accepts(chosen, folder, options, progress):
    """{contestant: [(connects a second, CPU ns each), of each round]}"""
    rounds = {one.key: [] for one in chosen}
    by_key = {one.key: one for one in chosen}
    for number in range(options.rounds):
        progress(f"{ACCEPT_TITLE}: round {number + 1} of {options.rounds}")
        for key in visit_order(list(by_key), number)[:len(by_key)]:
            with Crowd(by_key[key], folder) as crowd:
                wall_ns, used_ns = crowd.order("open")
                rounds[key].append((1e9 * crowd.connections / wall_ns, used_ns / crowd.connections))
                crowd.stop()
    return rounds


def summarize_accepts(chosen, rounds):
    return {one.key: {"title": one.title,
                      "per_second": statistics.median(rate for rate, _ in rounds[one.key]),
                      "cpu_ns_each": statistics.median(cost for _, cost in rounds[one.key]),
                      "rounds": rounds[one.key]}
            for one in chosen}


def accept_goals(rounds):
    for backend in contestants.BACKENDS:
        ours, bare = (rounds.get(one.key) for one in (contestants.throng_by_default(backend),
                                                      contestants.bare_accept(backend, 1)))
        if ours and bare:
            yield Goal(ACCEPT_TITLE, f"throng, {backend}, rate to the bare accept loop", RATE_GOAL,
                       summary.spread([mine[0] / theirs[0] for mine, theirs in zip(ours, bare)]))


def measure_memory(chosen, folder, progress):
    """{contestant: bytes at start, and for each connection, new ones and ones that have spoken}"""
    found = {}
    for contestant in chosen:
        progress(f"{MEMORY_TITLE}: {contestant.title}")
        with Crowd(contestant, folder) as crowd:
            start = resident(crowd.server.pid)
            crowd.order("open")
            connected = resident(crowd.server.pid)
            crowd.order("slice 0")
            used = resident(crowd.server.pid)
            crowd.stop()
        found[contestant.key] = {
            "title": contestant.title, "start_bytes": start, "connected_bytes": connected,
            "per_new_connection": (connected - start) / crowd.connections,
            "per_used_connection": (used - start) / crowd.connections}
    return found


def memory_goals(found):
    for one in found.values():
        if not one["title"].startswith("throng"):
            continue
        yield Goal(MEMORY_TITLE, f"{one['title']}, at start", START_GOAL / 2**20,
                   [one["start_bytes"] / 2**20] * 3, at_most=True, unit=" MiB")
        for what in ("new", "used"):
            yield Goal(MEMORY_TITLE, f"{one['title']}, for each {what} connection", IDLE_GOAL,
                       [one[f"per_{what}_connection"]] * 3, at_most=True, unit=" bytes")
