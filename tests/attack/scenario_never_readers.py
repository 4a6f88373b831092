# SPDX-License-Identifier: MIT
"""B1, B2: peers that never read, and readers among them, in one room."""

import machine

NAME = "never_readers"
WHAT = "peers that never read and peers that do, in one room; broadcasts to all"
ORDER = 10

MIB = 1 << 20


def broadcast(world, server, readers, rounds, per_s, others=0):
    """Broadcasts to readers, who end when they have had all, and to the others in the room; the readers' report."""
    with world.probe(server, connections=readers, join=True, rate=0, size=64, expect=rounds, seconds=120,
                     connect_rate=2000) as good:
        good.wait_up()
        server.wait(lambda now: now["game"]["members"] >= others + readers)
        server.broadcast(world.pick(1024, 4096), rounds, per_s)  # more than the system takes in a reader's place
        return good.result(180)


def attack(world, server, count, readers, rounds, per_s):
    with world.peers(server, f"never-read={count}", join=True, receive_bytes=4096, rate=5000, seconds=300) as bad:
        bad.wait_up()
        server.wait(lambda now: now["game"]["members"] >= count)
        report = broadcast(world, server, readers, rounds, per_s, others=count)
        counters, took = server.wait(lambda now: now["closed_by"]["SLOW_READER"] >= count, 60)
        world.note("seconds until the last of them was evicted", took)
        return report, counters, bad.stop()["never-read"]


def run(world):
    count, readers = world.pick(16000, 400), world.pick(1000, 50)
    rounds, per_s = world.pick(200, 20), world.pick(10, 20)
    before = machine.sockstat()
    with world.server("--max-connections", world.pick(18000, 1000), "--socket-send-bytes", 16384,
                      "--write-timeout-ms", world.pick(10000, 1000), "--send-small-bytes",
                      world.pick(32, 4) * MIB, memory_mib=world.pick(512, 256)) as server:
        budget = world.budget(server)
        control = broadcast(world, server, readers, rounds, per_s)
        quiet_us = server.counters()["game"]["publish_us"]
        report, counters, bad = attack(world, server, count, readers, rounds, per_s)
        took = machine.wait_sockstat(lambda now: now["mem"] <= before["mem"] + MIB, 1.0)
        mem, states = machine.sockstat()["mem"], server.ends()
        world.check("readers' share of the broadcasts, %", 100 * report["broadcasts_fewest"] / rounds, "100",
                    report["broadcasts_fewest"] == rounds)
        world.check("broadcasts wrong, readers disconnected",
                    report["broadcasts_corrupted"] + report["disconnected"], "0",
                    report["broadcasts_corrupted"] + report["disconnected"] == 0)
        world.check("evicted as slow readers", counters["closed_by"]["SLOW_READER"], count,
                    counters["closed_by"]["SLOW_READER"] == count)
        world.check("of these, how many saw a reset", bad["resets"], count, bad["resets"] == count)
        world.check("FIN-WAIT-1 left behind", states.get("FIN_WAIT1", 0), "0", not states.get("FIN_WAIT1"))
        world.check_time("kernel memory of TCP 1 s later, MiB", mem / MIB, "as before + 1", took is not None,
                         control=before["mem"] / MIB)
        world.check_memory("peak RSS of the server, MiB", server.rss_peak() / MIB, f"budget {budget / MIB:.0f}",
                           server.rss_peak() <= budget)
        world.note("a broadcast reached its readers within, ms (p99)", report["broadcast_ms"]["p99"],
                   control["broadcast_ms"]["p99"])
        world.note("logic thread's time for all broadcasts, ms", (counters["game"]["publish_us"] - quiet_us) / 1e3,
                   quiet_us / 1e3)
        world.note("writes refused by throng", counters["writes_refused"])
