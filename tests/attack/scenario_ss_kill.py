# SPDX-License-Identifier: MIT
"""The administrator kills connections with `ss -K` while they talk (O6): the server's ends of half of them, the
clients' ends of the others."""

import os
import random
import shutil
import subprocess

import wire
from world import Failure, Skip

NAME = "ss_kill"
WHAT = "ss -K on connections that talk: CLOSED once each, the others do not notice"
BATCH = 50


def kill(server, ends, at_the_server):
    """Kills these connections, by their ports; answers how many the system says it killed."""
    ours, theirs = ("dport", "sport") if at_the_server else ("sport", "dport")
    ports = " or ".join(f"{ours} = :{end.getsockname()[1]}" for end in ends)
    words = ["ss", "-KHtn", f"( {ports} ) and {theirs} = :{server.port}"]
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
    if "not supported" in result.stderr or "not permitted" in result.stderr:
        raise Skip(f"the system does not let ss kill: {result.stderr.strip()}")
    return result.stdout.count("\n")


def run(world):
    if os.geteuid() != 0 or shutil.which("ss") is None:
        raise Skip("needs root and ss (iproute2)")
    count, chance = world.pick(1000, 200), random.Random(1)
    with world.server("--max-connections", 3000) as server, \
         world.stress(server, connections=100, rate=2000, seconds=world.pick(60, 30)) as others:
        if server.wait(lambda now: now["messages_received"] > 1000, 20)[1] is None:
            raise Failure("the others do not talk")
        ends = [wire.connect(server) for _ in range(count)]
        server.wait(lambda now: now["connections"] == count + 100)
        before = server.counters()
        left, killed, number = list(ends), 0, 0
        chance.shuffle(left)
        unanswered = 0
        while left:
            for end in left:
                end.sendall(wire.frame(b"still here"))
            victims, left = left[:BATCH], left[BATCH:]
            number += 1
            killed += kill(server, victims, number % 2 == 0)
            unanswered += sum(wire.read_exactly(end, 14) != wire.frame(b"still here") for end in left)
        world.check("killed", killed, count, killed == count)
        world.check("answers that those who were still alive did not get", unanswered, "0", unanswered == 0)
        after, took = server.wait(lambda now: now["closed"] - before["closed"] >= count, 10)
        closed = after["closed"] - before["closed"]
        world.check("CLOSED", closed, count, closed == count and took is not None)
        reasons = {name: number - before["closed_by"][name] for name, number in after["closed_by"].items()
                   if number > before["closed_by"][name]}
        world.check("their reasons", str(reasons), "RESET", reasons == {"RESET": count})
        others.process.send_signal(15)  # ends its talk early
        report = others.result()
        world.check("errors of the others", report["errors"], "0", report["errors"] == 0)
        ended, took = server.wait(lambda now: now["slots_taken"] == 0, 10)
        game = ended["game"]
        world.check("OPEN, CLOSED, strange events", f"{game['opened']} {game['ended']} {game['strange']}",
                    f"{count + 100} {count + 100} 0", game["opened"] == game["ended"] == count + 100
                    and game["strange"] == 0 and took is not None)
        for end in ends:
            end.close()
