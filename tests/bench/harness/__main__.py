# SPDX-License-Identifier: MIT
"""What tools/bench runs when all is built: every row, the tables, the JSON, the picture.

python3 tests/bench/harness --build FOLDER: see --help. tests/bench/README.md says how to read it.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import comparisons
import contestants
import crowd
import goals
import machine
import measure
import memory
import picture
import rows
import smoke
import summary
import syscalls
import table
from live import Failure, Server

EXTRA_ROWS = (*comparisons.KEYS, *crowd.KEYS, "memory")
DESCRIPTORS_SPARE = 64


def arguments():
    keys = [row.key for row in rows.ROWS] + list(EXTRA_ROWS)
    parser = argparse.ArgumentParser(
        prog="tools/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures throng against bare loops on epoll and io_uring, and against libuv, libevent\n"
                    "and Asio: server CPU per echoed message. Takes about fifteen minutes.",
        epilog=f"rows: {', '.join(keys)}\nservers: {', '.join(one.key for one in contestants.ALL)}")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 100 ms slices: to see that it works")
    parser.add_argument("--rows", type=lambda text: text.split(","), default=keys, metavar="A,B",
                        help="only these rows")
    parser.add_argument("--servers", type=lambda text: text.split(","), metavar="A,B",
                        help="only these servers, in the rows where all compete")
    parser.add_argument("--rounds", type=int, help="rounds of each row (7)")
    parser.add_argument("--slice-ms", type=int, help="length of a slice; two a round (250)")
    parser.add_argument("--json", metavar="FILE", help="all numbers, every round (BUILD/bench.json)")
    parser.add_argument("--svg", metavar="FILE", help="the picture (BUILD/bench.svg)")
    parser.add_argument("--build", metavar="DIR", help="take what is built there instead of building")
    parser.add_argument("--smoke", action="store_true", help=argparse.SUPPRESS)  # the test of all this
    options = parser.parse_args()
    unknown = set(options.rows) - set(keys)
    unknown |= set(options.servers or ()) - {one.key for one in contestants.ALL}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; --help lists the names")
    options.rounds = options.rounds or (2 if options.quick else 7)
    options.slice_ms = options.slice_ms or (100 if options.quick else 250)
    options.json = options.json or os.path.join(options.build, "bench.json")
    options.svg = options.svg or os.path.join(options.build, "bench.svg")
    return options


class Progress:
    """One line on a terminal that is written over again and again; nothing elsewhere."""

    def __init__(self):
        self.start = time.monotonic()
        self.shown = sys.stderr.isatty()

    def __call__(self, text):
        if self.shown:
            seconds = time.monotonic() - self.start
            sys.stderr.write(f"\r\033[K{seconds:5.0f} s  {text}")
            sys.stderr.flush()

    def clear(self):
        if self.shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def reason_missing(contestant, folder):
    """Why a contestant cannot take part; None if it can."""
    if not os.path.exists(contestant.path(folder)):
        return "is not built"
    try:
        Server(contestant, folder).stop()
    except Failure as failure:
        return str(failure).removeprefix(contestant.title).strip()
    return None


def choose(candidates, options):
    chosen = []
    for contestant in candidates:
        reason = reason_missing(contestant, options.build)
        if reason:
            print(f"skipped: {contestant.title} {reason}")
        else:
            chosen.append(contestant)
    return chosen


def fits(row, facts):
    if row.connections + DESCRIPTORS_SPARE <= facts["descriptor_limit"]:
        return True
    print(f"\nskipped: {row.title}: the descriptor limit is {facts['descriptor_limit']}")
    return False


def measure_rows(options, chosen, facts, progress):
    """[(row, summary, measured)], with its table printed as soon as there is one."""
    results = []
    for row in rows.ROWS:
        if row.key not in options.rows or not chosen:
            continue
        if not fits(row, facts):
            continue
        measured = measure.measure_row(row, chosen, options.build, options, progress)
        found = summary.summarize_row(measured)
        progress.clear()
        table.print_row(row, found)
        sys.stdout.flush()
        results.append((row, found, measured))
    return results


def measure_comparisons(options, facts, progress):
    """[(comparison, summary, measured)], as above."""
    results = []
    for comparison in comparisons.full_size():
        if comparison.row.key not in options.rows or not fits(comparison.row, facts):
            continue
        chosen = choose(comparison.contestants, options)
        comparison = comparison.without({one.key for one in chosen})
        measured = measure.measure_row(comparison.row, chosen, options.build, options, progress)
        found = comparisons.summarize(measured)
        progress.clear()
        table.print_comparison(comparison, found)
        sys.stdout.flush()
        results.append((comparison, found, measured))
    return results


def measure_accepts(options, progress):
    """(summary, goals)"""
    if "accept" not in options.rows:
        return {}, []
    chosen = choose(crowd.accepting(options.build), options)
    rounds = crowd.measure_accepts(chosen, options.build, options, progress)
    found = crowd.summarize_accepts(chosen, rounds)
    progress.clear()
    table.print_accepts(crowd.ACCEPT_TITLE, found)
    return found, list(crowd.accept_goals(rounds))


def measure_crowd_memory(options, progress):
    if "memory65k" not in options.rows:
        return {}
    chosen = choose(map(contestants.throng_by_default, contestants.BACKENDS), options)
    found = crowd.measure_memory(chosen, options.build, progress)
    progress.clear()
    table.print_crowd_memory(crowd.MEMORY_TITLE, found)
    return found


def measure_memory(options, chosen, progress):
    if "memory" not in options.rows:
        return {}
    found = memory.measure(chosen, options.build, progress)
    progress.clear()
    table.print_memory(found)
    return found


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"written: {path}")


def row_as_dict(row, found, measured):
    return {"key": row.key, "title": row.title, "connections": row.connections, "active": row.active,
            "size": row.size, "window": row.window, **found, "rounds": measured["rounds"]}


def run(options):
    progress = Progress()
    facts = machine.describe()
    bystanders = machine.Bystanders()
    counter = syscalls.counter()
    table.print_preamble(machine.text(facts), options, counter and counter.name)
    if facts["processors"] < 2:
        print("There is one processor only: servers and load share it, and the numbers say little.")
    chosen = choose([one for one in contestants.ALL if not options.servers or one.key in options.servers],
                    options)
    results = measure_rows(options, chosen, facts, progress)
    compared = measure_comparisons(options, facts, progress)
    accepts, accept_goals = measure_accepts(options, progress)
    idle = measure_memory(options, chosen, progress)
    crowd_memory = measure_crowd_memory(options, progress)
    reached = [goal for row, found, _ in results for goal in goals.of_row(row, found)]
    reached += [goal for one, _, measured in compared for goal in comparisons.goals(one, measured)]
    reached += accept_goals + list(crowd.memory_goals(crowd_memory))
    table.print_goals(reached)
    shares = bystanders.shares()
    table.print_bystanders(shares)
    write(options.json, json.dumps({
        "machine": facts, "meanwhile": shares, "rounds": options.rounds, "slice_ms": options.slice_ms,
        "system_calls_counted_by": counter and counter.name,
        "rows": [row_as_dict(*one) for one in results],
        "comparisons": [row_as_dict(one.row, found, measured) for one, found, measured in compared],
        "accepts": accepts, "idle_memory": idle, "crowd_memory": crowd_memory,
        "goals": [goal.as_dict() for goal in reached],
    }, indent=1))
    write(options.svg, picture.draw([(row, found) for row, found, _ in results], machine.text(facts)))


def main():
    options = arguments()
    try:
        if options.smoke:
            smoke.run(options.build)
        else:
            run(options)
    except (Failure, subprocess.TimeoutExpired) as failure:
        sys.exit(f"\ntools/bench: {failure}")


main()
