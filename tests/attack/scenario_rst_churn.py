# SPDX-License-Identifier: MIT
"""Clients that connect and reset at once, for a minute (L1, T33-T35): nothing wears off."""

import wire
from steady import Steady

NAME = "rst_churn"
WHAT = "connect and reset, again and again: accepting stays as fast, and nothing is left"


def run(world):
    seconds = world.pick(60, 3)
    with world.server("--max-connections", 2000) as server:
        with world.tool("attack_churn", "--port", server.port, "--ways", "x", "--seconds", 1, "--sources", 200) as load:
            load.result()
        steady = Steady(world, server)
        with wire.connect(server) as witness:
            with world.tool("attack_churn", "--port", server.port, "--ways", "x", "--seconds", seconds,
                            "--sources", 200) as load:
                report = load.result(seconds + 60)
            answered = wire.echoes(witness)
            world.check("a client that was there all the time is answered", answered, "True", answered)
        rates = report["rates"]
        world.note("connects a second", report["cycles"] / report["seconds"])
        world.check_time("rate of the last sixth, of the first one's", rates[-1] / rates[0], ">= 0.7",
                         rates[-1] >= 0.7 * rates[0])
        world.check("connects that failed", report["not_connected"], "0", report["not_connected"] == 0)
        counters = steady.check()
        world.check("times that accepting paused", counters["accept_pauses"], "0", counters["accept_pauses"] == 0)
        # Some die before they are accepted, and make no event at all; one is the witness.
        lost = report["cycles"] + 1 - steady.grown("accepted") - steady.grown("accepts_dead")
        world.check("connects that nobody saw", lost, "0", lost == 0)
        world.note("dead before the server looked at them", counters["accepted"] - counters["game"]["opened"])
