# SPDX-License-Identifier: MIT
"""A million lives of connections in four ways (L6): what they took is back."""

from steady import Steady

NAME = "churn"
WHAT = "connect, talk, close: FIN, RST, half a frame, no data; a million of them leave nothing behind"


def churn(world, server, cycles):
    with world.tool("attack_churn", "--port", server.port, "--ways", "frhn", "--cycles", cycles, "--sources",
                    250) as load:
        return load.result(60 + cycles / 500)


def run(world):
    cycles = world.pick(1000000, 20000)
    with world.server("--max-connections", 2000) as server:
        churn(world, server, cycles // 10)  # pages that are used for the first time
        steady = Steady(world, server)
        report = churn(world, server, cycles)
        world.note("cycles a second", report["cycles"] / report["seconds"])
        for what in ("not_connected", "wrong_echoes", "wrong_ends"):
            world.check(what.replace("_", " "), report[what], "0", report[what] == 0)
        counters = steady.check()
        world.check("connections", steady.grown("accepted"), cycles, steady.grown("accepted") == cycles)
        # FIN and "no data" end between two messages; the half frame does not; a reset is one.
        quarter = cycles // 4
        for reason, expected in (("PEER", 2 * quarter), ("RESET", quarter), ("TRUNCATED", quarter)):
            found = counters["closed_by"][reason] - steady.before["closed_by"][reason]
            world.check(f"CLOSED because of {reason}", found, expected, found == expected)
