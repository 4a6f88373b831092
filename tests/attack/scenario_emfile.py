# SPDX-License-Identifier: MIT
"""Descriptors run out while the server runs (X2). It starts with enough, as it insists on; then its limit is
lowered to few more than it has, as if others of the process had taken them."""

import os
import resource
import time

import wire
from world import Failure

NAME = "emfile"
WHAT = "more clients than there are descriptors: no spinning, no flood of log lines, and it recovers"
ROOM = 40  # connections that still find a descriptor
CLIENTS = 100


def stuck_for(server, seconds):
    """What so much time costs: the share of a processor, log lines; and how long it was."""
    cpu, lines, start = server.cpu_seconds(), server.log().count("\n"), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - start
    return (server.cpu_seconds() - cpu) / took, server.log().count("\n") - lines, took


def begin(server):
    with wire.connect(server) as first:
        if not wire.echoes(first):
            raise Failure("it does not echo before anything has happened")
    server.wait(lambda now: now["connections"] == 0)


def come(server):
    """A connection, or None if it was reset before we knew that it had come up."""
    try:
        return wire.connect(server)
    except ConnectionResetError:
        return None


def descriptors(server):
    return [int(name) for name in os.listdir(f"/proc/{server.pid}/fd")]


def allow(server, numbers):
    """From now on the server gets descriptors below this number only."""
    hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (min(numbers, hard), hard))


def of_epoll(world, seconds):
    """Each connection is a descriptor. Who finds none waits in the backlog."""
    with world.server("--backend", "epoll", "--io-threads", 1, "--max-connections", 1000) as server:
        begin(server)
        allow(server, max(descriptors(server)) + 1 + ROOM)
        clients = [wire.connect(server) for _ in range(CLIENTS)]  # the backlog takes those that are too many
        counters, took = server.wait(lambda now: now["connections"] >= ROOM - 2 and now["accept_pauses"] > 0, 10)
        if took is None:
            raise Failure(f"it never ran out: {counters['connections']} connections")
        share, lines, took = stuck_for(server, seconds)
        stuck = server.counters()["connections"]
        world.check("connections while it is stuck", stuck, f"< {CLIENTS}", stuck < CLIENTS)
        world.check_time("CPU while it is stuck, %", 100 * share, "<= 2", share <= 0.02)
        world.check("log lines a second", lines / took, "<= 1", lines <= took + 1)
        answered = sum(wire.echoes(end) for end in clients[:stuck])
        world.check("accepted ones that are answered meanwhile", answered, stuck, answered == stuck)
        gone = CLIENTS - ROOM
        for end in clients[:gone]:
            end.close()
        took = wire.until(lambda: server.counters()["connections"] == CLIENTS - gone, 10)
        recovers(world, took, "seconds until those who waited are in")
        answered = sum(wire.echoes(end) for end in clients[gone:])
        world.check("who waited and is answered", answered, CLIENTS - gone, answered == CLIENTS - gone)
        for end in clients[gone:]:
            end.close()
        with wire.connect(server) as last:
            start = time.monotonic()
            answered = wire.echoes(last)
            world.check("a newcomer is answered", answered, "True", answered)
            recovers(world, time.monotonic() - start, "seconds until a newcomer is answered")
        counters, took = server.wait(lambda now: now["slots_taken"] == 0, 10)
        world.check("slots left", counters["slots_taken"], "0", took is not None)
        world.note("times that accepting paused", counters["accept_pauses"])


def of_io_uring(world, seconds):
    """Connections are places in the ring's table, but to ask one for its addresses takes a descriptor for a moment.
    Who comes while there is none may be turned away, one for each pause, and the log says so."""
    with world.server("--backend", "io_uring", "--io-threads", 1, "--max-connections", 1000) as server:
        begin(server)
        with wire.connect(server) as player:
            wire.echoes(player)
            taken = descriptors(server)
            allow(server, next(number for number in range(1000) if number not in taken))
            clients = [end for end in (come(server) for _ in range(CLIENTS)) if end is not None]
            server.wait(lambda now: now["accept_pauses"] > 0, 10)
            share, lines, took = stuck_for(server, seconds)
            world.check_time("io_uring: CPU while it is stuck, %", 100 * share, "<= 2", share <= 0.02)
            world.check("io_uring: log lines a second", lines / took, "<= 1", lines <= took + 1)
            pauses = server.counters()["accept_pauses"]
            world.check("io_uring: pauses in accepting", pauses, "> 0", pauses > 0)
            told = "accepting pauses" in server.log()
            world.check("io_uring: the log says so", told, "True", told)
            answered = wire.echoes(player)
            world.check("io_uring: who was there is answered meanwhile", answered, "True", answered)
            allow(server, 20000)
            answered = sum(wire.echoes(end) for end in clients)
            world.note(f"io_uring: of {CLIENTS} who came meanwhile, in after it", answered)
            start = time.monotonic()
            with wire.connect(server) as last:
                answered = wire.echoes(last)
            world.check("io_uring: a newcomer is answered after it", answered, "True", answered)
            recovers(world, time.monotonic() - start, "io_uring: seconds until a newcomer is answered")
            for end in clients:
                end.close()
        counters, took = server.wait(lambda now: now["slots_taken"] == 0, 10)
        world.check("io_uring: slots left", counters["slots_taken"], "0", took is not None)


def run(world):
    seconds = world.pick(10, 2)
    if world.backend != "io_uring":
        of_epoll(world, seconds)
    if world.backend != "epoll":
        of_io_uring(world, seconds)


def recovers(world, took, what):
    world.check(what + " (at all)", "never" if took is None else "yes", "yes", took is not None)
    world.check_time(what, took, "<= 1", took is not None and took <= 1)
