# SPDX-License-Identifier: MIT
"""F2 to F5: lengths that are lies, other protocols, and bytes that come one by one."""

import statistics

NAME = "liars"
WHAT = "length lies, other protocols, slowloris at connect, in header and body: closed in time, nothing reserved"
ORDER = 70

MIB = 1 << 20


KINDS = ("lie-over", "http", "tls", "ssh")


def lie(world, count):
    """Liars of each kind at a server of their own: their report, and what the server says afterwards."""
    with world.server("--max-connections", 5000) as server:
        with world.peers(server, ",".join(f"{kind}={count}" for kind in KINDS), rate=2000, seconds=world.pick(60, 10)) as bad:
            report = bad.result()
        counters, _ = server.wait(lambda now: now["connections"] == 0, 10)
        return report, counters, len(server.log().splitlines())


def closed_at_once(world, count):
    """A header that announces too much ends the connection; so do the first bytes of HTTP, TLS and SSH."""
    runs = [lie(world, count) for _ in range(world.pick(3, 1))]
    for kind in KINDS:
        closed = min(report[kind]["resets"] + report[kind]["ends"] for report, _, _ in runs)
        world.check(f"{kind}: closed by the server", closed, count, closed == count)
        longest = statistics.median(report[kind]["life_ms"]["max"] for report, _, _ in runs)
        world.check_time(f"{kind}: ms until the last one was", longest, "100", longest <= 100)
    _, counters, lines = runs[-1]
    world.check("TOO_LARGE counted", counters["closed_by"]["TOO_LARGE"], 4 * count,
                counters["closed_by"]["TOO_LARGE"] == 4 * count)
    world.check("messages handed up", counters["messages_received"], "0", counters["messages_received"] == 0)
    world.check("log lines about them", lines, "<= 20", lines <= 20)


def claims(world, count, deadline_ms):
    """The longest length and ten bytes: no memory for the claim, and an end at the deadline."""
    with world.server("--max-connections", 5000, "--message-timeout-ms", deadline_ms) as server:
        with world.peers(server, f"one-message={count}", seconds=60) as warm:  # what any connection touches
            warm.wait_up()
            server.wait(lambda now: now["messages_received"] >= count)
            before = server.rss()
        server.wait(lambda now: now["connections"] == 0)
        with world.peers(server, f"claim-most={count}", seconds=world.pick(60, 10)) as bad:
            bad.wait_up()
            counters, _ = server.wait(lambda now: now["bytes_received"] >= count * (12 + 14))
            grown, held = server.rss() - before, counters["assembly_bytes_used"]
            report = bad.result()["claim-most"]
        counters, _ = server.wait(lambda now: now["connections"] == 0, 10)
        world.check_memory(f"{count} claims of 64 KiB: RSS grew by, MiB", grown / MIB, "1", grown <= MIB)
        world.note("memory for pieces that they held, bytes each", held / count)
        judge_deadline(world, "claims", report, counters, "SLOW_SENDER", count, deadline_ms)
        world.check("memory for pieces afterwards", counters["assembly_bytes_used"], "0",
                    counters["assembly_bytes_used"] == 0)


def judge_deadline(world, what, report, counters, reason, count, deadline_ms):
    lives = report["life_ms"]
    world.check(f"{what}: closed as {reason}", counters["closed_by"][reason], count,
                counters["closed_by"][reason] == count)
    world.check(f"{what}: shortest life, ms", lives["min"], f">= {deadline_ms} - 250", lives["min"] >= deadline_ms - 250)
    world.check_time(f"{what}: longest life, ms", lives["max"], f"<= {deadline_ms} + 1000",
                     lives["max"] <= deadline_ms + 1000)


def drips(world, count, deadline_ms):
    """Bytes one by one do not put the deadline off: it counts from the message's first byte."""
    for kind, reason, period_ms in (("slow-header", "SLOW_SENDER", world.pick(4000, 150)),
                                    ("slow-body", "SLOW_SENDER", world.pick(9000, 150)),
                                    ("nothing", "FIRST_MESSAGE", None)):
        with world.server("--max-connections", 5000, "--message-timeout-ms", deadline_ms, "--first-message-timeout-ms",
                          deadline_ms if reason == "FIRST_MESSAGE" else "off") as server:
            with world.peers(server, f"{kind}={count}", period_ms=period_ms, seconds=world.pick(60, 10)) as bad:
                report = bad.result(120)[kind]
            counters, _ = server.wait(lambda now: now["connections"] == 0, 10)
            judge_deadline(world, kind, report, counters, reason, count, deadline_ms)


def run(world):
    closed_at_once(world, world.pick(500, 50))
    claims(world, 1000, world.pick(5000, 500))
    drips(world, world.pick(500, 50), world.pick(10000, 500))
