# SPDX-License-Identifier: MIT
"""check_models.py ROOT WORK [--model NAME] [--json]: spin over the models beside the code.

Verifies each property set of each model, exhaustively; then plants the errors that the model lists, one
after the other, and wants each of them found. Exits with 1 unless everything is as it must be, with 77
where spin or gcc is not installed. Called by tools/models and by ctest.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import sys

import models

SKIPPED = 77
JOBS = 2  # each takes up to models.MEMORY_MIB


def skip_without_tools():
    for program in ("spin", "gcc"):
        if shutil.which(program) is None:
            print(f"skipped: no {program} (Debian, Ubuntu: apt-get install {program})")
            sys.exit(SKIPPED)


def judge_clean(run, result):
    """What is wrong with a property set that must hold, or nothing."""
    if "broken" in result:
        return result["broken"]
    if result["errors"] > 0:
        return f"{result['said']}; see {result['replay']}"
    if not result["complete"]:
        return f"the search was not exhaustive; see {result['folder']}/pan.out"
    return ""


def judge_bug(run, result):
    if "broken" in result:
        return result["broken"]
    if result["errors"] == 0:
        return "not found"
    if result["kind"] != run.kind:
        return f"found as {result['said']}, not as {run.kind}; see {result['replay']}"
    return ""


def verify_all(root, work, runs, judge):
    """Rows: the run, its result, the complaint."""
    with concurrent.futures.ThreadPoolExecutor(min(JOBS, os.cpu_count() or 1)) as pool:
        results = list(pool.map(lambda run: models.verify(root, work, run), runs))
    return [(run, result, judge(run, result)) for run, result in zip(runs, results)]


def print_clean(title, rows):
    print(f"\n{title}\n")
    print(f"{'model':6} {'property set':18} {'without':28} {'states':>10} {'depth':>8} {'MiB':>5} "
          f"{'s':>5} {'errors':>6}")
    for run, result, complaint in rows:
        print(f"{run.model:6} {run.name:18} {'+'.join(run.bugs) or '-':28} "
              f"{result.get('states', 0):10} {result.get('depth', 0):8} "
              f"{result.get('memory_mib', 0):5} {result.get('seconds', 0):5} "
              f"{result.get('errors', '?'):>6}")
        if complaint:
            print(f"       FAILED: {complaint}")


def print_bugs(rows):
    print("\nPlanted errors\n")
    print(f"{'model':6} {'property set':18} {'error':46} {'expected':10} {'found':7} {'s':>5}")
    for run, result, complaint in rows:
        print(f"{run.model:6} {run.name:18} {'+'.join(run.bugs):46} {run.kind:10} "
              f"{'NO' if complaint else 'yes':7} {result.get('seconds', 0):5}")
        if complaint:
            print(f"       FAILED: {complaint}")


def as_records(rows):
    return [{"model": run.model, "property_set": run.name, "bugs": run.bugs, "expected": run.kind,
             "words": run.words, "complaint": complaint,
             **{key: value for key, value in result.items() if key not in ("folder", "replay")}}
            for run, result, complaint in rows]


def main():
    parser = argparse.ArgumentParser(prog="tools/models", description="Verifies the models beside the "
                                     "code with spin, and plants errors that it must find.")
    parser.add_argument("root", help=argparse.SUPPRESS)
    parser.add_argument("work", help=argparse.SUPPRESS)
    parser.add_argument("--model", choices=sorted(models.MODELS), help="only this one")
    parser.add_argument("--json", action="store_true", help="the tables as JSON")
    options = parser.parse_args()
    skip_without_tools()
    names = [options.model] if options.model else list(models.MODELS)
    runs, bugs, layers = [], [], []
    for name in names:
        more_runs, more_bugs, more_layers = models.read_model(options.root, name)
        runs, bugs, layers = runs + more_runs, bugs + more_bugs, layers + more_layers
    clean = verify_all(options.root, options.work, runs, judge_clean)
    layered = verify_all(options.root, options.work, layers, judge_clean)
    planted = verify_all(options.root, options.work, bugs, judge_bug)
    complaints = sum(1 for row in clean + layered + planted if row[2])
    if options.json:
        print(json.dumps({"clean": as_records(clean), "layers": as_records(layered),
                          "planted": as_records(planted), "complaints": complaints}, indent=2))
    else:
        print_clean("Models: every reachable state was looked at", clean)
        if layered:
            print_clean("One of two lines of defence left out: the other one holds", layered)
        print_bugs(planted)
        print(f"\n{len(clean) + len(layered)} property sets and {len(planted)} planted errors, "
              f"{complaints} complaints")
    sys.exit(1 if complaints else 0)


main()
