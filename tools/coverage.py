# SPDX-License-Identifier: MIT
"""coverage.py ROOT BUILD: line and branch coverage of the libraries after a test run, from gcov."""

import collections
import json
import os
import subprocess
import sys

LIBRARIES = ("common/src/", "server/src/", "client/src/")


def gcov(root, build):
    """The parts of gcov's report, one for each object file of a library."""
    for folder, _, names in os.walk(build):
        data = [os.path.join(folder, name) for name in names if name.endswith(".gcda")]
        if data:
            command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", *data]
            result = subprocess.run(command, cwd=build, capture_output=True, text=True, check=True)
            for line in result.stdout.splitlines():
                yield json.loads(line)


def collect(root, build):
    """file -> line -> runs, and file -> (line, branch) -> taken."""
    lines = collections.defaultdict(collections.Counter)
    branches = collections.defaultdict(collections.Counter)
    for report in gcov(root, build):
        for file in report["files"]:
            path = os.path.join(report["current_working_directory"], file["file"])
            name = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
            if not name.startswith(LIBRARIES):
                continue
            for line in file["lines"]:
                lines[name][line["line_number"]] += line["count"]
                for index, branch in enumerate(line["branches"]):
                    branches[name][line["line_number"], index] += branch["count"]
    return lines, branches


def share(counter):
    hit = sum(1 for count in counter.values() if count > 0)
    return f"{hit:6d} of {len(counter):6d} {100 * hit / len(counter) if counter else 100:6.1f} %"


def main(root, build):
    lines, branches = collect(root, build)
    print(f"{'':44} {'lines':>25} {'branches':>25}")
    for name in sorted(lines):
        print(f"{name:44} {share(lines[name]):>25} {share(branches[name]):>25}")
    all_lines = {(name, key): count for name in lines for key, count in lines[name].items()}
    all_branches = {(name, key): count for name in branches for key, count in branches[name].items()}
    print(f"{'all':44} {share(all_lines):>25} {share(all_branches):>25}")


main(*sys.argv[1:])
