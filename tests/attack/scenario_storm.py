# SPDX-License-Identifier: MIT
"""R5: everybody loses the connection and comes back at once, again and again."""

NAME = "storm"
WHAT = "16,000 clients drop and come back at once, ten times, beside 100 who stay"
ORDER = 60


def run(world):
    count, rounds = world.pick(16000, 500), world.pick(10, 3)
    with world.server("--max-connections", world.pick(19000, 1000)) as server:
        with world.probe(server, connections=100, rate=1000, seconds=600) as stay:
            stay.wait_up()
            with world.probe(server, connections=count, rounds=rounds, source="127.3.0.1") as storm:
                report = storm.result(world.pick(600, 200))
            stayed = stay.stop()
        times = [each["seconds"] for each in report["rounds"]]
        back = [each["back"] for each in report["rounds"]]
        world.check("rounds in which all came back", sum(each == count for each in back), rounds,
                    back == [count] * rounds)
        world.check_time("the slowest round, s", max(times), "10", max(times) <= 10)
        world.note("the median round, s", sorted(times)[len(times) // 2])
        world.note("connects turned away and tried again", report["failed"] + report["turned_away"])
        world.check("who stayed: lost, wrong, disconnected",
                    stayed["lost"] + stayed["corrupted"] + stayed["disconnected"], "0",
                    stayed["lost"] + stayed["corrupted"] + stayed["disconnected"] == 0)
        world.note("who stayed: p99 ms", stayed["latency_ms"]["p99"])
        counters, took = server.wait(lambda now: now["connections"] == 0, 20)
        world.check("connections left afterwards", counters["connections"], "0", took is not None)
        world.check("accepted, of which closed", counters["accepted"], counters["closed"],
                    counters["accepted"] == counters["closed"])
