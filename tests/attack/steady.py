# SPDX-License-Identifier: MIT
"""What a server has before and after: descriptors, memory, slots, send units, events. Equal, or a leak."""

import machine

MIB = 1 << 20


class Steady:
    """Notes what the server has once it is at rest; `check` compares."""

    def __init__(self, world, server):
        self.world, self.server = world, server
        self.before = self.at_rest()
        self.descriptors, self.rss = server.descriptors(), server.rss()
        self.tcp = machine.sockstat()
        self.after = None

    def at_rest(self):
        """Nothing is open, and for a while nothing has come: connections may still lie in the backlog."""
        seen = []

        def quiet(now):
            seen.append(now["accepted"])
            return now["slots_taken"] == now["events_unreleased"] == 0 and seen[-4:].count(seen[-1]) == 4

        counters, took = self.server.wait(quiet, 30)
        if took is None:
            self.world.check("slots that are back at rest", counters["slots_taken"], "0", False)
        return counters

    def grown(self, name):
        return self.after[name] - self.before[name]

    def check(self):
        """Adds the rows; answers the counters."""
        world, game = self.world, "game"
        after = self.after = self.at_rest()
        world.check("slots taken", after["slots_taken"], "0", after["slots_taken"] == 0)
        for name in ("send_units_free", "assembly_bytes_used", "events_unreleased"):
            world.check(name.replace("_", " "), after[name], self.before[name], after[name] == self.before[name])
        found = self.server.descriptors()
        world.check("descriptors", found, self.descriptors, found == self.descriptors)
        grown = (self.server.rss() - self.rss) / MIB
        world.check_memory("resident memory, growth in MiB", grown, "<= 1", grown <= 1)
        world.note("TCP memory of the machine, growth in MiB", (machine.sockstat()["mem"] - self.tcp["mem"]) / MIB)
        opened, ended, strange = (after[game][name] for name in ("opened", "ended", "strange"))
        # One that was reset before the server had looked at it makes neither.
        seen = f"{after['accepted']} {after['closed']} {opened} {ended}"
        world.check("accepted and ended, OPEN and CLOSED", seen, "equal",
                    after["accepted"] == after["closed"] and opened == ended <= after["accepted"])
        world.check("events of no open connection", strange, "0", strange == 0)
        return after
