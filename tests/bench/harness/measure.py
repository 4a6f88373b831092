# SPDX-License-Identifier: MIT
"""Measuring a row: all servers alive at once, short slices of load going round between them.

The machine's speed drifts by a third within seconds, so only what ran close together is compared. A
round visits every server twice, the second time in reverse order: what drifts evenly weighs on all
alike. Each round begins with another server, so that the same two are not always neighbours.
"""

import contextlib

import syscalls
from live import Pair

WARM_UP_MS = 50
COUNTED_MS = 150


def visit_order(keys, round_number):
    shift = round_number % len(keys)
    forward = keys[shift:] + keys[:shift]
    return forward + forward[::-1]


def add(visits):
    """Two visits as one: sums, and the mean of the percentiles."""
    total = {name: sum(visit[name] for visit in visits)
             for name in ("messages", "wall_ns", "cpu_ns", "user_ticks", "system_ticks", "load_cpu_ns")}
    for name in ("p50_us", "p99_us"):
        total[name] = sum(visit[name] for visit in visits) / len(visits)
    return total


def measure_round(pairs, round_number, slice_ms):
    """Per contestant: what its two slices were in all."""
    visits = {key: [] for key in pairs}
    for key in visit_order(list(pairs), round_number):
        visits[key].append(pairs[key].slice(slice_ms))
    return {key: add(both) for key, both in visits.items()}


def count_system_calls(pairs, counter):
    """Per contestant: system calls per message, in a slice of its own that nothing else rests on."""
    found = {}
    for key, pair in pairs.items():
        with counter(pair.server.pid) as counting:
            messages = pair.slice(COUNTED_MS)["messages"]
        found[key] = counting.calls / messages
    return found


def measure_row(row, contestants, folder, options, progress):
    """{"rounds": {contestant: [round, ...]}, "system_calls": {contestant: per message}}"""
    with contextlib.ExitStack() as undo:
        pairs = {}
        for contestant in contestants:
            progress(f"{row.title}: {contestant.title} starts")
            pairs[contestant.key] = Pair(folder, contestant, row)
            undo.callback(pairs[contestant.key].kill)
        for pair in pairs.values():
            pair.slice(WARM_UP_MS)
        rounds = {key: [] for key in pairs}
        for number in range(options.rounds):
            progress(f"{row.title}: round {number + 1} of {options.rounds}")
            for key, result in measure_round(pairs, number, options.slice_ms).items():
                rounds[key].append(result)
        counter = syscalls.counter()
        progress(f"{row.title}: system calls")
        calls = count_system_calls(pairs, counter) if counter else {}
        for pair in pairs.values():
            pair.stop()
        undo.pop_all()
    return {"rounds": rounds, "system_calls": calls}
