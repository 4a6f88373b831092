# SPDX-License-Identifier: MIT
"""run.py: the attack suite's driver (tools/attack builds what it needs and calls it). README.md here says more."""

import argparse
import glob
import importlib
import json
import os
import re
import shlex
import signal
import sys
import time
import traceback

import machine
from world import Check, Failure, Skip, World

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77


def scenarios():
    """Names: of the files scenario_NAME.py."""
    paths = glob.glob(os.path.join(HERE, "scenario_*.py"))
    return sorted(os.path.basename(path)[len("scenario_"):-len(".py")] for path in paths)


def load(names):
    """Their modules, in the order in which they want to run (ORDER, default 50)."""
    modules = [importlib.import_module("scenario_" + name) for name in names]
    return sorted(modules, key=lambda module: getattr(module, "ORDER", 50))


def arguments(names):
    parser = argparse.ArgumentParser(prog="tools/attack", description="Attacks a server of throng in each way "
                                     "that tests/attack knows, and prints what came of it.")
    parser.add_argument("--short", action="store_true", help="small sizes; times are printed and decide nothing")
    parser.add_argument("--only", metavar="NAME[,NAME]", help="these scenarios")
    parser.add_argument("--list", action="store_true", help="print the scenarios and end")
    parser.add_argument("--json", action="store_true", help="the table as JSON on standard output")
    parser.add_argument("--backend", default="auto", help="epoll, io_uring, auto, or both (auto)")
    parser.add_argument("--build", default="build/attack", help="where the programs were built")
    parser.add_argument("--logs", help="where the processes' logs go (BUILD/attack-logs)")
    parser.add_argument("--with", dest="extra", default="", metavar="'OPTIONS'",
                        help="more options for every server; they overrule the scenario's: "
                        "--with '--message-timeout-ms off' shows what a defence is good for")
    parser.add_argument("--limit-mib", type=int, default=6144, help="memory of a scenario's cgroup (6144)")
    chosen = parser.parse_args()
    chosen.names = chosen.only.split(",") if chosen.only else names
    for name in chosen.names:
        if name not in names:
            parser.error(f"there is no scenario {name}")
    return chosen


def run_one(module, backend, options, say):
    """Runs a scenario; answers its checks."""
    say(f"== {module.NAME} ({backend}): {module.WHAT}")
    cache = machine.read(os.path.join(options.build, "CMakeCache.txt"))
    sanitized = bool(re.search(r"^THRONG_(SANITIZE:STRING=.+|COVERAGE:BOOL=ON)$", cache, re.MULTILINE))
    world = World(module.NAME, options.build, backend, options.short, options.logs, sanitized,
                  options.limit_mib, shlex.split(options.extra), say)
    if world.group.path is None:
        say(f"   runs without a memory limit ({world.group.why})")
    try:
        world.checks += module.run(world) or []
    except Failure as failure:
        world.checks.append(Check("goes through", str(failure), "", "", False))
    except Skip as reason:
        say(f"   skipped: {reason}")
        world.checks.append(Check("skipped", str(reason), "", "", None))
    except Exception:  # a defect of the scenario must not hide the other scenarios' rows
        world.checks.append(Check("goes through", traceback.format_exc(limit=-3), "", "", False))
    finally:
        world.close()
    return world.checks


def print_table(rows):
    head = ("scenario", "backend", "what", "figure", "control", "limit", "")
    verdict = {True: "pass", False: "FAIL", None: "-"}
    lines = [head] + [(name, backend, check.what, check.figure.splitlines()[-1] if check.figure else "", check.control,
                       check.limit, verdict[check.passed]) for name, backend, check in rows]
    widths = [min(60, max(len(line[i]) for line in lines)) for i in range(len(head))]
    for number, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends what runs, and its cgroups
    sys.path.insert(0, HERE)
    names = scenarios()
    options = arguments(names)
    if options.list:
        for module in load(names):
            print(f"{module.NAME:20} {module.WHAT}")
        return 0
    options.logs = options.logs or os.path.join(options.build, "attack-logs")
    os.makedirs(options.logs, exist_ok=True)
    say = lambda line: print(line, file=sys.stderr if options.json else sys.stdout, flush=True)
    backends = ["epoll", "io_uring"] if options.backend == "both" else [options.backend]
    rows, start = [], time.monotonic()
    for module in load(options.names):
        for backend in backends:
            rows += [(module.NAME, backend, check) for check in run_one(module, backend, options, say)]
    failed = [row for row in rows if row[2].passed is False]
    if options.json:
        print(json.dumps([{"scenario": name, "backend": backend, **vars(check)} for name, backend, check in rows],
                         indent=1))
    else:
        print()
        print_table(rows)
    for name, backend, check in failed:
        say(f"FAILED: {name} ({backend}): {check.what}: {check.figure}; should be {check.limit}")
    say(f"{len(rows)} figures, {len(failed)} failed, {time.monotonic() - start:.0f} s; logs in {options.logs}")
    skipped = [row[2].figure for row in rows if row[2].what == "skipped"]
    if skipped and len(options.names) == 1 and not failed:
        print(f"skipped: {skipped[0]}")
        return SKIPPED
    return 1 if failed else 0


sys.exit(main())
