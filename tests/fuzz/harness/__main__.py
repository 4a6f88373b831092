# SPDX-License-Identifier: MIT
"""What tools/fuzz runs when the fuzzers are there: builds the targets, runs them, prints a table.

python3 tests/fuzz/harness --build FOLDER: see --help. tests/fuzz/README.md says what was run.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import sys
import threading
import time

import afl
import build
import libfuzzer
import result as results_of
import targets

ENGINES = {"libfuzzer": libfuzzer, "afl": afl}
PROGRESS_SECONDS = 10


@dataclasses.dataclass
class Amount:
    runs: int     # 0: by time
    seconds: int


@dataclasses.dataclass
class Folders:
    corpus: str
    findings: str
    log: str


def whole(text):
    """1000000, 1_000_000 or 1e6."""
    number = int(float(text)) if "e" in text.lower() else int(text)
    if not 1 <= number <= 2_000_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not in 1..2,000,000,000")
    return number


def arguments():
    lines = [f"  {target.name:<12}{target.what}" for target in targets.ALL]
    parser = argparse.ArgumentParser(
        prog="tools/fuzz", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Feeds throng's parsers, pools, queues and timers with inputs that a fuzzer invents.",
        epilog="targets:\n" + "\n".join(lines) + "\n\nExit status: 0 if nothing was found, 1 if something was.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="only these")
    parser.add_argument("--engine", choices=ENGINES, default="libfuzzer", help="(libfuzzer)")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--runs", type=whole, default=0, metavar="N", help="executions of each target, such as 1e8")
    amount.add_argument("--seconds", type=whole, default=0, metavar="S", help="time for each target (60)")
    parser.add_argument("--sanitize", action="store_true",
                        help="with AddressSanitizer and UndefinedBehaviorSanitizer: 3 to 10 times slower")
    parser.add_argument("--jobs", type=whole, default=1, metavar="N", help="targets at the same time (1)")
    parser.add_argument("--json", action="store_true", help="the results as JSON on standard output")
    # What is built, corpora and findings lie below it.
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.targets) - set(targets.BY_NAME)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(targets.BY_NAME)}")
    return options


class Progress:
    """A line for each running target every few seconds, on standard error."""

    def __init__(self):
        self.lock = threading.Lock()
        self.last = {}

    def __call__(self, result):
        now = time.monotonic()
        with self.lock:
            if now - self.last.setdefault(result.target, now) >= PROGRESS_SECONDS:
                self.last[result.target] = now
                print(f"{result.target}: {result.executions:,} executions, {result.edges} edges",
                      file=sys.stderr, flush=True)


def folders_for(base, target, kind):
    folders = Folders(corpus=os.path.join(base, "corpus", target.name),
                      findings=os.path.join(base, "findings", target.name),
                      log=os.path.join(base, f"{target.name}-{kind}.log"))
    os.makedirs(folders.corpus, exist_ok=True)
    os.makedirs(folders.findings, exist_ok=True)
    return folders


def run_all(options, chosen, programs, kind):
    progress = Progress()
    amount = Amount(options.runs, options.seconds or 60)

    def run_one(target):
        program = os.path.join(programs, f"fuzz_{target.name}")
        print(f"{target.name}: {target.what}", file=sys.stderr, flush=True)
        return ENGINES[options.engine].run(program, target, folders_for(options.build, target, kind),
                                           amount, progress)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return list(pool.map(run_one, chosen))


def main():
    options = arguments()
    options.build = os.path.abspath(options.build)
    reason = build.works_here(options.engine)
    if reason:
        print(f"skipped: {reason}")
        return build.SKIPPED
    chosen = [targets.BY_NAME[name] for name in options.targets] or targets.ALL
    kind = options.engine + ("-sanitized" if options.sanitize else "")
    print(f"building ({os.path.join(options.build, kind)})", file=sys.stderr, flush=True)
    programs = build.build(os.path.join(options.build, kind), options.engine, options.sanitize,
                           [target.name for target in chosen])
    results = run_all(options, chosen, programs, kind)
    if options.json:
        print(json.dumps([one.as_json() for one in results], indent=2))
    else:
        results_of.print_table(results)
        print(f"findings are kept below {os.path.join(options.build, 'findings')}")
    return 0 if all(one.is_good for one in results) else 1


try:
    sys.exit(main())
except build.Failure as failure:
    sys.exit(f"tools/fuzz: {failure}")
