# SPDX-License-Identifier: MIT
"""R4: one address opens as many connections as it can."""

NAME = "addresses"
WHAT = "one address opens 10,000 connections, a hundred others ten each"
ORDER = 45


def run(world):
    many, share = world.pick(10000, 400), 20
    with world.server("--max-connections", world.pick(12000, 1000), "--connections-per-address", share) as server:
        with world.peers(server, f"nothing={many}", sources=1, seconds=120) as greedy:
            greedy.wait_up()
            with world.probe(server, connections=world.pick(1000, 100), per_source=10, rate=1000,
                             seconds=world.pick(10, 1)) as good:
                report = good.result()
            counters = server.counters()
            greedy_report = greedy.stop()["nothing"]
        world.check("of the greedy address, connections let in", greedy_report["alive"], share,
                    greedy_report["alive"] == share)
        world.check("turned away and counted", counters["refused_address"], many - share,
                    counters["refused_address"] == many - share)
        harmed = report["failed"] + report["disconnected"] + report["lost"]
        world.check("others: turned away, disconnected, lost", harmed, "0", harmed == 0)
        server.wait(lambda now: now["connections"] == 0)
        with world.peers(server, f"one-message={share}", sources=1, seconds=30) as again:
            again.wait_up()
            counters, took = server.wait(lambda now: now["messages_received"] >= report["received"] + share, 10)
            world.check("the same address afterwards, let in again", again.stop()["one-message"]["alive"], share,
                        took is not None)
