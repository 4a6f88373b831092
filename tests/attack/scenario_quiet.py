# SPDX-License-Identifier: MIT
"""Nobody attacks: what the other scenarios are measured against, and a test of the frame."""

NAME = "quiet"
WHAT = "100 well-behaved clients and nobody else"
ORDER = 1


def run(world):
    seconds = world.pick(10, 1)
    with world.server("--max-connections", 1000) as server:
        with world.stress(server, connections=100, rate=2000, seconds=seconds) as good:
            report = good.result(seconds + 30)
        world.check("good clients' errors", report["errors"], "0", report["errors"] == 0)
        world.note("p99, ms", report["latency_us"]["p99"] / 1000)
        counters, took = server.wait(lambda now: now["connections"] == 0, 10)
        world.check("connections left", counters["connections"], "0", took is not None)
