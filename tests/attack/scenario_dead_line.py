# SPDX-License-Identifier: MIT
"""The line is cut for good, and neither end is told (O4, T27): whoever is dead is found, by each of the means. The
clients are members of the room and silent, so nothing but what the server sends can find them."""

import time

from link import Line

NAME = "dead_line"
WHAT = "a line that is cut for good: heartbeats, TCP_USER_TIMEOUT, keepalive and deadlines find who is dead"
CLIENTS = 20
BEFORE_S = 2  # longer than it takes heartbeats to give somebody up


def cut(world, name, options, reason, limit_s, broadcast=None):
    """Cuts the line under the clients, then sends them `broadcast` (size, count), and adds what comes of it."""
    with Line(world, seed=9, delay=2) as line, \
         line.server(world, "--max-connections", 100, *options) as server, \
         line.probe(world, server, connections=CLIENTS, rate=0, join=True, hello=True, pulse=True, seconds=600) as ends:
        ends.wait_up()
        time.sleep(BEFORE_S)
        early = server.counters()["closed"]
        world.check(f"{name}: closed before the line was cut", early, "0", early == 0)
        line.order("down")
        start = time.monotonic()
        if broadcast is not None:
            server.broadcast(*broadcast, 0)
        counters, took = server.wait(lambda now: now["closed"] >= CLIENTS, limit_s + 20)
        found = counters["closed_by"][reason]
        world.check(f"{name}: CLOSED because of {reason}", found, CLIENTS, found == CLIENTS)
        world.check_time(f"{name}: seconds until all are found", None if took is None else time.monotonic() - start,
                         f"<= {limit_s}", took is not None and took <= limit_s)
        counters, took = server.wait(lambda now: now["slots_taken"] == 0, 10)
        world.check(f"{name}: slots left", counters["slots_taken"], "0", took is not None)


def run(world):
    cut(world, "heartbeats", ("--heartbeat-ms", 500), "IDLE", 3)
    if not world.short:
        cut(world, "user timeout", ("--user-timeout-ms", 3000), "TIMEOUT", 10, broadcast=(1000, 1))
        # More than the system takes, so that some of it waits with throng.
        cut(world, "write deadline", ("--write-timeout-ms", 3000, "--socket-send-bytes", 4608), "SLOW_READER", 8,
            broadcast=(30000, 5))
        cut(world, "keepalive and user timeout", ("--keepalive-s", 3, "--user-timeout-ms", 3000), "TIMEOUT", 25)
        # Four probes, 15 s apart, and one interval for the last one's answer.
        cut(world, "keepalive", ("--keepalive-s", 3), "TIMEOUT", 3 + 5 * 15)
