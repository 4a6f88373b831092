# SPDX-License-Identifier: MIT
"""Server and clients on either side of a line that loses, doubles, reorders and delays (O4, T37): TCP mends it, and
throng must not make anything of it."""

import time

from link import Line
from world import Failure

NAME = "bad_line"
WHAT = "loss, duplicates, reordering, delay, small packets, a slow line, an interruption: every byte arrives"
SHORT = {"seed": 7, "loss": 5, "duplicate": 3, "reorder": 5, "delay": 5, "mtu": 576}
WEATHER = [
    ("1 % loss, 25 ms", {"seed": 1, "loss": 1, "delay": 25}),
    ("10 % loss, 3 % twice, 10 % late, 25 ms", {"seed": 2, "loss": 10, "duplicate": 3, "reorder": 10, "delay": 25}),
    ("3 % loss, 1 % twice, 200 ms", {"seed": 3, "loss": 3, "duplicate": 1, "delay": 200}),
    ("20 % twice, 30 % late, 50 ms", {"seed": 4, "duplicate": 20, "reorder": 30, "delay": 50}),
    ("5 % loss, packets of 576 bytes", {"seed": 5, "loss": 5, "delay": 10, "mtu": 576}),
    ("256 kbit/s", {"seed": 6, "kbit": 256, "delay": 20}),
]


def talk(world, name, weather, connections, messages):
    with Line(world, **weather) as line, line.server(world, "--max-connections", 1000) as server, \
         line.stress(world, server, connections=connections, messages=messages, window=4, size="20-3000",
                     connect_timeout=120000, drain_timeout=120000) as load:
        report = load.result(900)
        counts = line.order("counts")
        world.check(f"{name}: answers that did not come as they should", report["errors"], "0",
                    report["errors"] == 0 and report["messages_received"] == connections * messages)
        for what, counted in (("loss", "lost"), ("duplicate", "duplicated"), ("reorder", "reordered"),
                              ("kbit", "overflowed")):
            if weather.get(what):
                world.check(f"{name}: packets {counted}", counts[counted], "> 0", counts[counted] > 0)
        world.note(f"{name}: p99, ms", report["latency_us"]["p99"] / 1000)
        counters, took = server.wait(lambda now: now["slots_taken"] == 0, 60)
        world.check(f"{name}: connections without their CLOSED", counters["slots_taken"], "0", took is not None)
        ends = {reason: number for reason, number in counters["closed_by"].items() if number}
        world.check(f"{name}: ends", str(ends), "the peers' own", set(ends) <= {"PEER"})


def interrupted(world, seconds):
    """The line is down for a while, and comes back before anybody gives up."""
    with Line(world, seed=8, delay=5) as line, line.server(world, "--max-connections", 100) as server, \
         line.stress(world, server, connections=20, rate=400, seconds=3 * seconds, drain_timeout=120000) as load:
        if server.wait(lambda now: now["messages_received"] > 100, 20)[1] is None:
            raise Failure("they do not talk")
        line.order("down")
        time.sleep(seconds)
        counts = line.order("up")
        report = load.result(300)
        world.check(f"line down for {seconds} s: packets that fell", counts["fallen"], "> 0", counts["fallen"] > 0)
        world.check(f"line down for {seconds} s: answers that did not come as they should", report["errors"], "0",
                    report["errors"] == 0)


def run(world):
    if world.short:
        talk(world, "5 % loss, 3 % twice, 5 % late, 5 ms, 576 bytes", SHORT, 10, 10)
        return
    for name, weather in WEATHER:
        # A slow line is shared by few: a message that takes longer than message_timeout_ms is a slow sender's.
        talk(world, name, weather, *((5, 20) if "kbit" in weather else (20, 100)))
    interrupted(world, 8)
