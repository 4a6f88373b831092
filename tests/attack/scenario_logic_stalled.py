# SPDX-License-Identifier: MIT
"""B5: the game's own thread is stuck for ten seconds, with heartbeats on."""

import time

NAME = "logic_stalled"
WHAT = "the logic thread does nothing for 10 s under load: nothing is lost, nobody is thrown out"
ORDER = 80


def watch(server, seconds):
    """The highest logic_stalled_ms that is seen meanwhile."""
    end, seen = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        seen = max(seen, server.counters()["logic_stalled_ms"])
        time.sleep(0.05)
    return seen


def run(world):
    stall_ms = world.pick(10000, 1500)
    options = ("--max-connections", 2000, "--heartbeat-ms", 300, "--idle-timeout-ms", 1000, "--message-timeout-ms", 1000,
               "--first-message-timeout-ms", 1000, "--write-timeout-ms", 1000, "--logic-stall-ms", 300,
               "--events-max", 1024)
    with world.server(*options) as server:
        with world.probe(server, connections=200, rate=2000, size=200, seconds=600, pulse=True) as good, \
             world.probe(server, connections=100, rate=0, seconds=600, pulse=True, source="127.3.0.1") as silent:
            good.wait_up()
            silent.wait_up()
            server.wait(lambda now: now["messages_received"] > 1000)
            server.stall(stall_ms)
            seen_ms = watch(server, stall_ms / 1000)
            counters = server.counters()
            server.wait(lambda now: now["logic_stalled_ms"] == 0)
            time.sleep(world.pick(3, 0.5))  # what was held back may do harm now
            report, quiet = good.stop(), silent.stop()
        after = server.counters()
        world.check("messages lost or wrong", report["lost"] + report["corrupted"], "0",
                    report["lost"] + report["corrupted"] == 0)
        world.check("good clients disconnected", report["disconnected"] + quiet["disconnected"], "0",
                    report["disconnected"] + quiet["disconnected"] == 0)
        world.check("the stall is in the counters, times", after["logic_stalls"], ">= 1", after["logic_stalls"] >= 1)
        world.check("and while it lasts, ms", seen_ms, f">= {stall_ms // 2}", seen_ms >= stall_ms // 2)
        lines = [line for line in server.log().splitlines() if "logic" in line]
        world.check("lines of the log that name it", len(lines), "1..20", 1 <= len(lines) <= 20)
        world.check("reading paused, times", counters["receive_pauses"], ">= 1", counters["receive_pauses"] >= 1)
        world.check("heartbeats to those who said nothing", quiet["heartbeats"], f">= {100 * stall_ms // 1000}",
                    quiet["heartbeats"] >= 100 * stall_ms // 1000)
        world.note("longest answer, ms", report["latency_ms"]["max"])
