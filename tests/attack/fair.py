# SPDX-License-Identifier: MIT
"""Fair latency: attackers, players and servers share two processors, so an attack slows everybody down a
little even if the server does nothing wrong. The control is the same attack on a second server, a stranger
to the first, while the players talk to the first one."""

import contextlib
import dataclasses
import statistics

import live


@dataclasses.dataclass
class Figures:
    """p99 in ms: with nobody else, with the attack on the stranger, with the attack on us; and what the
    players who were attacked reported, and the attackers, added up."""

    quiet: float | None
    control: float | None
    attacked: float
    players: dict
    attacker_reports: list


class Measure:
    """`attack(server)` answers an attacker to be used in a with statement (a Tool), which has been started and
    runs until it is stopped. `players` are options of attack_probe."""

    def __init__(self, world, us, stranger, attack, **players):
        self.world, self.us, self.stranger, self.attack = world, us, stranger, attack
        self.players = {"connections": 100, "rate": 1000, "seconds": world.pick(5, 1), **players}

    def play(self):
        with self.world.probe(self.us, **self.players) as good:
            return good.result(live.LIMIT_S + self.players["seconds"])

    def play_beside(self, server):
        with self.attack(server) as bad:
            bad.wait_up()
            report = self.play()
            return report, bad.stop()

    def run(self, times):
        """Quiet, control, attacked; `times` times, in turn: the medians. The short form, in which times decide
        nothing, only attacks."""
        p99 = {"quiet": [], "control": [], "attacked": []}
        total, attackers = {}, []
        for _ in range(times):
            if not self.world.short:
                p99["quiet"].append(self.play()["latency_ms"]["p99"])
                p99["control"].append(self.play_beside(self.stranger)[0]["latency_ms"]["p99"])
            report, bad = self.play_beside(self.us)
            p99["attacked"].append(report["latency_ms"]["p99"])
            attackers.append(bad)
            for name, value in report.items():
                if isinstance(value, int):
                    total[name] = total.get(name, 0) + value
            self.world.say("p99: " + ", ".join(f"{name} {values[-1]:.2f} ms" for name, values in p99.items() if values))
        medians = {name: statistics.median(values) if values else None for name, values in p99.items()}
        return Figures(**medians, players=total, attacker_reports=attackers)


def judge(world, figures, title, times_limit):
    """The rows of a measurement: nobody harmed, and p99 within `times_limit` times the control (the quiet run
    is shown beside it)."""
    players = figures.players
    harmed = players["lost"] + players["corrupted"] + players["disconnected"] + players["failed"]
    world.check(f"{title}: good ones' messages lost, wrong; disconnected", harmed, "0", harmed == 0)
    # Much of this, and it is the machine that was measured, not the server.
    world.note(f"{title}: messages that the players themselves sent late, %", 100 * players["late"] / max(players["sent"], 1))
    if figures.quiet is not None:
        world.note(f"{title}: p99 of the quiet run, ms", figures.quiet)
    allowed = times_limit * (figures.control or 0)
    world.check_time(f"{title}: p99 ms, attacked", figures.attacked, f"{times_limit} x control",
                     figures.attacked <= allowed, control=figures.control)


@contextlib.contextmanager
def two_servers(world, *options, **more):
    with world.server(*options, **more) as us, world.server(*options, **more) as stranger:
        yield us, stranger
