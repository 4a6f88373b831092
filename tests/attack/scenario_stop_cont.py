# SPDX-License-Identifier: MIT
"""The server's process is stopped for longer than every deadline, and goes on (O2). Its own absence is not held
against its peers. And the other way round: clients that are stopped for less than the deadlines."""

import signal
import time

import wire
from world import Failure

NAME = "stop_cont"
WHAT = "SIGSTOP of the server for longer than its deadlines, SIGCONT: no good client is lost"
WRITES = 4  # of 60,000 bytes: as many as its send queue takes, more than the system does
HALF = wire.frame(b"one message in two halves")


def stop_for(process, seconds):
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)


def pending(server):
    """Clients with a deadline that runs: one that has said nothing yet, one in the middle of a message, one that
    does not read."""
    silent, halfway, reader = wire.connect(server), wire.connect(server), wire.connect(server, receive_bytes=4096)
    if not wire.echoes(halfway):
        raise Failure("it does not echo")
    halfway.sendall(HALF[:9])
    reader.sendall(wire.command(f"write 60000 {WRITES}"))
    return silent, halfway, reader


def gets(end, size, rest=b""):
    """Whether so many bytes come, after the rest of a message."""
    try:
        end.sendall(rest)
        return len(wire.read_exactly(end, size)) == size
    except OSError:
        return False


def all_well(silent, halfway, reader):
    return {"had said nothing": wire.echoes(silent),
            "was in the middle of a message": gets(halfway, len(HALF), HALF[9:]),
            "did not read": gets(reader, WRITES * 60004)}


def deadlines(ms):
    return ("--first-message-timeout-ms", ms, "--message-timeout-ms", ms, "--write-timeout-ms", ms,
            "--socket-send-bytes", 16384, "--max-connections", 3000)


def run(world):
    deadline_ms, away, count = world.pick(3000, 1500), world.pick(10, 4), world.pick(1000, 100)
    with world.server(*deadlines(deadline_ms), "--idle-timeout-ms", 4 * deadline_ms // 3) as server:
        with world.probe(server, connections=count, rate=4 * count, seconds=away + world.pick(20, 3),
                         drain_ms=30000) as good:
            good.wait_up()
            if server.wait(lambda now: now["messages_received"] > count, 20)[1] is None:
                raise Failure("the clients do not talk")
            ends = pending(server)
            server.wait(lambda now: now["connections"] == count + 3)
            stop_for(server.process, away)
            for who, well in all_well(*ends).items():
                world.check(f"after the server's absence, who {who}", well, "True", well)
            for end in ends:
                end.close()
            stop_for(good.process, deadline_ms / 3000)
            report = good.result(away + 90)
        wrong = {what: report[what] for what in ("disconnected", "lost", "corrupted") if report[what]}
        world.check("what happened to those who talked", str(wrong), "{}", not wrong)
        counters, _ = server.wait(lambda now: now["connections"] == 0, 20)
        others = {reason: number for reason, number in counters["closed_by"].items() if number and reason != "PEER"}
        world.check("other ends than the peers' own", str(others), "{}", not others)
    with world.server(*deadlines(deadline_ms)) as server:
        deadlines_work(world, server)


def deadlines_work(world, server):
    """The control: without an absence they do find who is silent. (A slow reader has two spans at most: what the
    system took for it in the first one counts.)"""
    ends = pending(server)
    expected = {"FIRST_MESSAGE": 1, "SLOW_SENDER": 1, "SLOW_READER": 1}
    counters, _ = server.wait(lambda now: all(now["closed_by"][reason] for reason in expected), 20)
    found = {reason: counters["closed_by"][reason] for reason in expected}
    world.check("without an absence, ends by deadline", str(found), str(expected), found == expected)
    for end in ends:
        end.close()
