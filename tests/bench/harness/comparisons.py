# SPDX-License-Identifier: MIT
"""Rows with contestants of their own: throng with one setting against throng with another, or against
a loop that does the same by hand. They are measured as all rows are; each has its own ratios."""

import dataclasses

import contestants
import summary
from contestants import BACKENDS, throng, throng_with
from goals import Goal
from rows import Row


@dataclasses.dataclass(frozen=True)
class Ratio:
    """A number for `key` against `other`, from each round."""

    what: str
    key: str
    other: str
    number: object  # function of both rounds
    limit: float
    at_most: bool = False
    unit: str = ""
    whole: bool = False  # of all rounds together: for what the timer's look says

    def values(self, rounds):
        """Lower quartile, median, upper quartile."""
        ours, theirs = rounds[self.key], rounds[self.other]
        if self.whole:
            ours, theirs = [total(ours)], [total(theirs)]
        return summary.spread([self.number(*pair) for pair in zip(ours, theirs)])


def total(rounds):
    return {name: sum(one[name] for one in rounds)
            for name in ("cpu_ns", "messages", "user_ticks", "system_ticks")}


@dataclasses.dataclass(frozen=True)
class Comparison:
    row: Row
    contestants: tuple
    ratios: tuple

    def without(self, keys):
        """The same with these contestants only."""
        return dataclasses.replace(
            self, contestants=tuple(one for one in self.contestants if one.key in keys),
            ratios=tuple(one for one in self.ratios if one.key in keys and one.other in keys))


def cheaper(ours, theirs):
    return summary.cost(theirs) / summary.cost(ours)


def rate(ours, theirs):
    return (ours["messages"] / ours["wall_ns"]) / (theirs["messages"] / theirs["wall_ns"])


def later_us(ours, theirs):
    return ours["p50_us"] - theirs["p50_us"]


def tick(connections=1000, messages=10):
    """Many small messages to each player at once: what gathering them is worth."""
    row = Row("tick", f"{messages} messages of 64 bytes to each of {connections:,} connections a tick",
              connections, connections, tick=messages)
    ratios = []
    for backend in BACKENDS:
        ours = f"tick_throng_{backend}"
        ratios.append(Ratio(f"throng inline, {backend}, cost to {messages} sends", ours, "tick_each",
                            cheaper, 6.0))
    return Comparison(row, tuple(contestants.tickers(connections, messages)), tuple(ratios))


def broadcast(connections=5000, messages=1, size=128):
    """One message for everybody: what a delivery costs."""
    row = Row("broadcast", f"{messages} broadcast{'s' if messages > 1 else ''} of {size} bytes to "
              f"{connections:,} connections a tick", connections, connections, tick=messages, size=size)
    ratios = []
    for backend in BACKENDS:
        for io_threads in ("0", "1"):
            ours = f"cast_throng_{io_threads}_{backend}"
            title = f"throng {'inline' if io_threads == '0' else '1 I/O thread'}, {backend}"
            ratios.append(Ratio(f"{title}: deliveries per CPU second to the bare loop", ours,
                                f"cast_bare_{backend}", cheaper, 0.9))
            for peer in ("libuv", "asio"):
                ratios.append(Ratio(f"{title}: to {peer}", ours, f"cast_{peer}", cheaper, 1.0))
    return Comparison(row, tuple(contestants.broadcasters(connections, messages, size)), tuple(ratios))


def enobufs(size, connections=3000, buffers=64):
    """Receive buffers that run out: everybody gets one in turn, and nothing is lost."""
    row = Row("enobufs", f"{connections:,} connections and {buffers} receive buffers of 4 KiB, "
              f"messages of {size:,} bytes", connections, connections, size=size)
    shapes, ratios = [], []
    for backend in BACKENDS:
        for io_threads in (0, 1):
            usual = throng(backend, io_threads)
            few = throng_with(backend, io_threads, "few", f"{buffers} small buffers",
                              "--receive-buffers", str(buffers), "--receive-buffer-bytes", "4096")
            shapes += [usual, few]
            ratios.append(Ratio(f"{few.title}: rate to default", few.key, usual.key, rate, 0.9))
    return Comparison(row, tuple(shapes), tuple(ratios))


def ping_pong():
    """What the second thread costs when there is nothing to batch."""
    row = Row("ping-pong", "ping-pong: 1 connection, 1 message of 64 bytes in flight", 1, 1)
    shapes, ratios = [], []
    for backend in BACKENDS:
        one, one_free = (
            throng_with(backend, 0, "first", "first processor"),
            throng_with(backend, 0, "both", "both processors", processors="both"))
        two, two_free, two_apart = (
            throng_with(backend, 1, "first", "first processor"),
            throng_with(backend, 1, "both", "both processors", processors="both"),
            throng_with(backend, 1, "apart", "logic on the load's processor", processors="apart"))
        shapes += [one, two, two_apart, one_free, two_free]
        for split, inline, limit in ((two, one, 4.0), (two_apart, one, 12.0), (two_free, one_free, 12.0)):
            ratios.append(Ratio(f"{split.title}: p50 behind inline", split.key, inline.key, later_us, limit,
                                at_most=True, unit=" us"))
    return Comparison(row, tuple(shapes), tuple(ratios))


def user_cost(one_round):
    """Server CPU in user space per message, ns: from the timer's look, so good for whole rows only."""
    ticks = one_round["user_ticks"] + one_round["system_ticks"]
    return summary.cost(one_round) * max(one_round["user_ticks"], 1) / max(ticks, 1)


def dearer_in_user_space(ours, theirs):
    return user_cost(ours) / user_cost(theirs)


def typed_echo(connections=100, window=1):
    """An envelope and a map of five fields: checked, decoded, read, written anew; against the same bytes sent back."""
    row = Row("typed", f"typed messages of 64 bytes, {connections} connections, {window} in flight on each",
              connections, connections, window=window, typed=True)
    shapes, ratios = [], []
    for backend in BACKENDS:
        raw, ours = throng(backend, 0), contestants.typed(backend)
        shapes += [raw, ours]
        ratios.append(Ratio(f"{ours.title}: user-space CPU to raw", ours.key, raw.key, dearer_in_user_space,
                            2.0, at_most=True, whole=True))
    return Comparison(row, tuple(shapes), tuple(ratios))


def full_size():
    return (tick(), broadcast(), broadcast(messages=10), enobufs(64), enobufs(2000), ping_pong(),
            typed_echo())


KEYS = ("tick", "broadcast", "enobufs", "ping-pong", "typed")


def summarize(measured):
    rounds = measured["rounds"]
    return {"contestants": {key: summary.summarize_one(rounds[key], measured["system_calls"].get(key))
                            for key in rounds}}


def goals(comparison, measured):
    rounds = measured["rounds"]
    for one in comparison.ratios:
        yield Goal(comparison.row.title, one.what, one.limit, one.values(rounds), one.at_most, one.unit)
