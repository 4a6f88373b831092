# SPDX-License-Identifier: MIT
"""Signals, and a log that nobody reads (O2, X7). What an integration test has already (SIGTERM drains with every
reply delivered, a second one ends at once: server_program_test.c) is not repeated here."""

import signal
import time

import wire
from world import Failure

NAME = "signals"
WHAT = "short stops, SIGPIPE, SIGCHLD, a log whose reader is gone, SIGTERM while everybody talks"
# The log goes into a pipe whose reader has ended. The shell becomes the server, and keeps its number.
NO_READER = ["bash", "-c", 'exec "$0" "$@" 2> >(exec true)']


def talking(server):
    before = server.counters()["messages_received"]
    if server.wait(lambda now: now["messages_received"] > before + 500, 20)[1] is None:
        raise Failure("the clients do not talk")


def undisturbed(world, server):
    """Signals that must mean nothing, and many short stops: each ends a wait of the system with EINTR."""
    with world.stress(server, connections=100, rate=2000, seconds=world.pick(10, 2)) as good:
        talking(server)
        for number in range(world.pick(100, 20)):
            server.signal(signal.SIGSTOP)
            time.sleep(0.01)
            server.signal(signal.SIGCONT)
            for harmless in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH):
                server.signal(harmless)
            time.sleep(0.02)
        report = good.result(90)
    world.check("stops and harmless signals: errors", report["errors"], "0", report["errors"] == 0)


def no_reader(world):
    with world.server("--max-connections", 100, prefix=NO_READER) as server:
        for _ in range(5):
            with wire.connect(server) as liar:
                liar.sendall(b"\xff\xff\xff\xff")  # it is logged
                wire.how_it_ended(liar)
        with wire.connect(server) as good:
            answered = wire.echoes(good)
        world.check("a log whose reader is gone: answered", answered, "True", answered)
        liars = server.counters()["closed_by"]["TOO_LARGE"]
        world.check("a log whose reader is gone: liars", liars, "5", liars == 5)
        status = server.stop()
        world.check("a log whose reader is gone: exit status", status, "0", status == 0)


def drain(world, server):
    """SIGTERM while everybody talks: what is on its way may stay unanswered, nothing else may happen to anybody."""
    with world.stress(server, connections=100, rate=5000, seconds=60) as good:
        talking(server)
        start = time.monotonic()
        status = server.stop(30)
        took = time.monotonic() - start
        report = good.result(120)
    world.check("SIGTERM: exit status", status, "0", status == 0)
    world.check_time("SIGTERM: seconds", took, "<= 11", took <= 11)
    wrong = {kind: report[kind] for kind in ("lost", "duplicated", "reordered", "corrupted", "reset") if report[kind]}
    world.check("SIGTERM: what happened to clients beside an orderly end", str(wrong), "{}", not wrong)
    world.check("SIGTERM: orderly ends", report["closed_by_peer"], 100, report["closed_by_peer"] == 100)


def run(world):
    with world.server("--max-connections", 1000) as server:
        undisturbed(world, server)
        drain(world, server)
    no_reader(world)
    with world.server("--max-connections", 100) as server:
        server.signal(signal.SIGHUP)
        ended = wire.until(lambda: not server.running(), 1)
        world.note("SIGHUP", "goes on" if ended is None else f"ends it: {server.process.returncode}")
        if ended is not None:
            server.expect_death()
