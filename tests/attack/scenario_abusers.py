# SPDX-License-Identifier: MIT
"""R2: abusers of mixed kinds among good clients."""

import fair

NAME = "abusers"
WHAT = "10,000 abusers of twelve kinds, who come back when they are thrown out, beside 1,000 good clients"
ORDER = 30

KINDS = {"nothing": 15, "slow-header": 15, "slow-body": 15, "garbage": 5, "http": 5, "tls": 5, "ssh": 5,
         "lie-over": 5, "claim-most": 10, "half-close": 10, "rst": 5, "never-read": 5}


def run(world):
    abusers, good = world.pick(10000, 400), world.pick(1000, 100)
    kinds = ",".join(f"{kind}={abusers * share // 100}" for kind, share in KINDS.items())
    attack = lambda server: world.peers(server, kinds, again=True, rate=world.pick(2000, 1000), seconds=120, size=200,
                                        receive_bytes=4096, nice=True)
    options = ("--max-connections", world.pick(12000, 1000), "--first-message-timeout-ms", world.pick(5000, 500),
               "--message-timeout-ms", world.pick(5000, 500), "--socket-send-bytes", 16384)
    with fair.two_servers(world, *options) as (us, stranger):
        measure = fair.Measure(world, us, stranger, attack, connections=good, rate=world.pick(5000, 500),
                               seconds=world.pick(15, 1.5))
        figures = measure.run(world.pick(3, 1))
        fair.judge(world, figures, f"{abusers} abusers", 3)
        report = figures.attacker_reports[-1]
        thrown_out = {kind: numbers["resets"] + numbers["ends"] for kind, numbers in report.items() if kind in KINDS}
        world.note("thrown out in the last round", sum(thrown_out.values()))
        for kind in ("garbage", "http", "tls", "ssh", "lie-over", "slow-header", "slow-body", "nothing"):
            world.check(f"thrown out: {kind}", thrown_out[kind], ">= 1", thrown_out[kind] > 0)
        counters, took = us.wait(lambda now: now["connections"] == 0, 30)
        world.check("connections left afterwards", counters["connections"], "0", took is not None)
        world.note("reasons", ", ".join(f"{name} {count}" for name, count in counters["closed_by"].items() if count))
