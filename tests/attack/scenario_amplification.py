# SPDX-License-Identifier: MIT
"""R3: long messages to everybody, and nearly nobody reads."""

import machine

NAME = "amplification"
WHAT = "64 KiB broadcasts to 16,000 peers who do not read, beside 100 who talk"
ORDER = 15

MIB = 1 << 20


def run(world):
    count, rounds = world.pick(16000, 120), world.pick(10, 2)
    before = machine.sockstat()
    with world.server("--max-connections", world.pick(18000, 1000), "--socket-send-bytes", 16384,
                      "--write-timeout-ms", world.pick(5000, 1000), "--send-small-bytes", world.pick(32, 2) * MIB,
                      "--send-large-bytes", world.pick(16, 2) * MIB,
                      memory_mib=512) as server:
        budget = world.budget(server)
        with world.probe(server, connections=100, rate=1000, seconds=600) as good:
            good.wait_up()
            with world.peers(server, f"never-read={count}", join=True, receive_bytes=4096, seconds=300) as bad:
                bad.wait_up()
                server.wait(lambda now: now["game"]["members"] >= count)
                server.broadcast(65536, rounds, world.pick(2, 5))
                counters, took = server.wait(lambda now: now["closed_by"]["SLOW_READER"] >= count, world.pick(180, 60))
            report = good.stop()
        world.check("evicted as slow readers", counters["closed_by"]["SLOW_READER"], count, took is not None)
        world.check_memory("peak RSS of the server, MiB", server.rss_peak() / MIB, f"budget {budget / MIB:.0f}",
                           server.rss_peak() <= budget)
        harmed = report["lost"] + report["corrupted"] + report["disconnected"]
        world.check("who talk: lost, wrong, disconnected", harmed, "0", harmed == 0)
        world.note("who talk: p99, ms", report["latency_ms"]["p99"])
        world.note("writes refused by throng", counters["writes_refused"])
        back = machine.wait_sockstat(lambda now: now["mem"] <= before["mem"] + MIB, 1.0)
        world.check_time("kernel memory of TCP 1 s later, MiB", machine.sockstat()["mem"] / MIB, "as before + 1",
                         back is not None, control=before["mem"] / MIB)
