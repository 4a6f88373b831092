# SPDX-License-Identifier: MIT
"""X3: connections that die before they are accepted, and more of them than the backlog holds."""

import fair
import wire

NAME = "backlog"
WHAT = "connect and reset at full speed over a backlog of 16, beside 100 well-behaved clients"
ORDER = 50


def run(world):
    options = ("--max-connections", 2000, "--backlog", 16)
    with fair.two_servers(world, *options) as (us, stranger):
        attack = lambda server: world.peers(server, f"rst-silent={world.pick(500, 50)}", again=True, nice=True,
                                            rate=world.pick(10000, 3000), seconds=60)
        measure = fair.Measure(world, us, stranger, attack, connect_rate=500)
        figures = measure.run(world.pick(3, 1))
        fair.judge(world, figures, "connect and reset", 2)
        came = sum(report["rst-silent"]["connects"] for report in figures.attacker_reports)
        world.check("connected and reset", came, f">= {world.pick(10000, 50)}", came >= world.pick(10000, 50))
        with wire.connect(us) as late:
            world.check("a client who comes afterwards", "answered" if wire.echoes(late) else "not answered", "answered",
                        wire.echoes(late))
        counters, took = us.wait(lambda now: now["connections"] == 0, 10)
        world.check("slots taken afterwards", counters["slots_taken"], "0", took is not None)
        world.check("accepted, of which closed", counters["accepted"], counters["closed"],
                    counters["accepted"] == counters["closed"])
        # A queue that overflows drops the handshake's last packet, and the client asks again: nobody is lost. It asks
        # with its first message, and says no second one before the answer: to that the kernel, which checks a SYN cookie
        # by the sequence number that follows it, would answer with a reset.
        with world.probe(us, connections=world.pick(1500, 200), connect_rate=100000, rate=1000, seconds=1,
                         hello=True) as burst:
            burst.wait_up()
            report = burst.result()
        world.check("a burst over a backlog of 16: clients who came in", report["up"], report["connections"],
                    report["up"] == report["connections"] and report["lost"] == 0)
        world.note("of these, turned away once", report["turned_away"])
