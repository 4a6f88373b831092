# SPDX-License-Identifier: MIT
"""X1: more connections than there are slots."""

import wire
from world import Failure

NAME = "full"
WHAT = "as many attempts again as there are slots; both policies; who is silent makes room"
ORDER = 40


def knock(world, server):
    """Peers who want in as well, as many as there are slots; their report."""
    with world.peers(server, f"nothing={world.pick(2000, 100)}", again=True, rate=world.pick(10000, 2000),
                     seconds=world.pick(13, 0.5)) as bad:
        return bad.result()["nothing"]


def everybody_plays(world, slots, policy):
    """All slots are taken by good clients; others keep knocking."""
    with world.server("--max-connections", slots, "--when-full", policy, "--first-message-timeout-ms", "off",
                      "--evict-silent-ms", "off", memory_mib=2048) as server:
        ours = wire.connect(server)
        with world.stress(server, connections=slots - 1, rate=2000, seconds=world.pick(25, 1), message_max=1024,
                          connect_timeout=120000) as good:
            if server.wait(lambda now: now["connections"] == slots, 120)[1] is None:
                raise Failure(f"{slots} connections did not come up")
            knocks = knock(world, server)
            report = good.result(180)
        took = swap(server, ours)
        refused = server.counters()["refused"]
        # Most of those who are turned away learn of the reset before they had noticed that they were up.
        tries = knocks["connects"] + knocks["failed"]
        errors = report["errors"] + report["reset"] + report["closed_by_peer"] + report["failed"]
        world.check(f"{policy}: of {slots} players, disturbed by {tries} knocks", errors, "0", errors == 0)
        if policy == "refuse":
            world.check("refuse: turned away", refused, f">= {knocks['connects']}", refused >= knocks["connects"])
        else:
            world.check("backlog: turned away", refused, "0", refused == 0)
        world.check_time(f"{policy}: ms until a freed slot is given", took * 1000, "100", took <= 0.1)


def swap(server, ours):
    """One leaves; how long until the next one is in. Those who were in the backlog are gone by now."""
    ours.close()
    return wire.until(lambda: comes_in(server), 10) or 10.0


def comes_in(server):
    """Whether a new client is let in and answered."""
    try:
        with wire.connect(server, patience_s=5) as end:
            return wire.echoes(end)
    except OSError:
        return False


def evict(world, slots):
    """All slots are taken by peers who say nothing; good clients come."""
    patience_ms = world.pick(3000, 500)
    good = slots // 4
    with world.server("--max-connections", slots, "--evict-silent-ms", patience_ms, "--first-message-timeout-ms",
                      "off") as server:
        with world.peers(server, f"nothing={slots}", seconds=120) as bad:
            bad.wait_up()
            with world.probe(server, connections=good, rate=good, seconds=world.pick(5, 1), connect_rate=1000,
                             hello=True) as players:
                players.wait_up()
                report = players.result()
            took_ms = bad.stop()["nothing"]["life_ms"]["min"]
        counters = server.counters()
        world.check("silent ones: good clients who came in", report["up"], good, report["up"] == good)
        world.check("silent ones: good clients lost", report["disconnected"] + report["lost"], "0",
                    report["disconnected"] + report["lost"] == 0)
        world.note("silent ones: times that good clients had to knock again", report["turned_away"])
        evicted = counters["closed_by"]["EVICTED"]
        world.check("silent ones evicted", evicted, f">= {good}", evicted >= good and counters["evicted"] == evicted)
        world.check("the first one's life, ms", took_ms, f">= {patience_ms}", took_ms >= patience_ms - 250)


def run(world):
    everybody_plays(world, world.pick(65000, 500), "refuse")
    everybody_plays(world, world.pick(5000, 300), "backlog")
    evict(world, world.pick(2000, 200))
