# SPDX-License-Identifier: MIT
"""coverage.py ROOT BUILD [--files] [--missing PREFIX]: line and branch coverage of the libraries
after a test run, from gcov.

Prints a line for each library and the ten files in which most is missing; with --files every file,
with --missing the lines and branches that never ran in the files whose path begins with PREFIX.

Branches of a line with TG_REQUIRE or TG_ENSURE are not counted: one of the two goes to abort, and no
test can take it unless we have a bug. The lines themselves are counted. A line with TG_UNREACHABLE, which
nothing may ever reach, counts neither way, nor does the line that holds its case label alone.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys

LIBRARIES = ("common", "server", "client")
WORST = 10

# The simulator's stand-ins for the system are no part of what is installed.
SIMULATED = re.compile(r"\.sim\.c$|^common/src/(sim|port/sim)")
ASSERTION = re.compile(r"\b(TG_REQUIRE|TG_ENSURE)\s*\(")
UNREACHABLE = re.compile(r"\bTG_UNREACHABLE\s*\(")
LABEL = re.compile(r"^\s*(case\b.*|default):\s*(/\*.*)?$")


class File:
    """One source file: line -> runs, (line, branch) -> times taken, and what is left out."""

    def __init__(self, root, name):
        self.name = name
        self.lines = collections.Counter()
        self.branches = collections.Counter()
        with open(os.path.join(root, name), encoding="utf-8") as file:
            self.text = file.read().splitlines()
        self.assertions = find_statements(self.text, ASSERTION)
        self.unreachable = find_statements(self.text, UNREACHABLE)
        self.unreachable |= labels_above(self.text, self.unreachable)
        self.left_out = set()

    def add(self, line):
        number = line["line_number"]
        if number in self.unreachable:
            return
        self.lines[number] += line["count"]
        for index, branch in enumerate(line["branches"]):
            if number in self.assertions:
                self.left_out.add((number, index))
            else:
                self.branches[number, index] += branch["count"]


def find_statements(text, opening):
    """Numbers of the lines of each statement that begins with a match of `opening`."""
    found, inside = set(), False
    for number, line in enumerate(text, 1):
        code = line.lstrip()
        inside = inside or (opening.search(code) is not None and not code.startswith(("#", "*", "/")))
        if inside:
            found.add(number)
            inside = not code.rstrip().endswith((";", "}")) and ";" not in code
    return found


def labels_above(text, statements):
    return {number - 1 for number in statements if LABEL.match(text[number - 2])}


def gcov(build):
    """The parts of gcov's report, one for each object file below `build`."""
    for folder, _, names in os.walk(build):
        data = [os.path.join(folder, name) for name in names if name.endswith(".gcda")]
        if data:
            command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", *data]
            result = subprocess.run(command, cwd=build, capture_output=True, text=True)
            if result.returncode != 0:
                sys.exit(f"{result.stderr}gcov failed: if a source changed after the test run, delete "
                         f"the *.gcda files below {build} and run the tests again")
            for line in result.stdout.splitlines():
                yield json.loads(line)


def collect(root, build):
    """Path below root -> File, for the sources of the libraries."""
    files = {}
    for report in gcov(build):
        for part in report["files"]:
            path = os.path.join(report["current_working_directory"], part["file"])
            name = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
            if not name.startswith(tuple(library + "/src/" for library in LIBRARIES)):
                continue
            if SIMULATED.search(name):
                continue
            if name not in files:
                files[name] = File(root, name)
            for line in part["lines"]:
                files[name].add(line)
    return files


def missing(counts):
    return sorted(key for key, count in counts.items() if count <= 0)


def share(many):
    """'HIT of ALL  PERCENT' over several counters."""
    total = sum(len(counts) for counts in many)
    hit = total - sum(len(missing(counts)) for counts in many)
    return f"{hit:6d} of {total:6d} {100 * hit / total if total else 100:6.1f} %"


def print_row(title, files):
    lines = share([file.lines for file in files])
    branches = share([file.branches for file in files])
    print(f"{title:40} {lines:>25} {branches:>25}")


def print_missing(file):
    branches = collections.defaultdict(list)
    for number, index in missing(file.branches):
        branches[number].append(index)
    unrun = set(missing(file.lines))
    if unrun or branches:
        print(f"{file.name}:")
    for number in sorted(unrun | set(branches)):
        what = "never runs" if number in unrun else f"never {branches[number]}"
        print(f"  {number:5} {what:16} {file.text[number - 1]}")


def print_report(files, every_file):
    print(f"{'':40} {'lines':>25} {'branches':>25}")
    for library in LIBRARIES:
        print_row(library, [file for file in files if file.name.startswith(library + "/")])
    print_row("all", files)
    left_out = sum(len(file.left_out) for file in files)
    print(f"Not counted: {left_out} branches of assertions (TG_REQUIRE, TG_ENSURE), and lines that "
          "say TG_UNREACHABLE; the simulator.")
    if every_file:
        worst = files
        print("every file:")
    else:
        worst = sorted(files, key=lambda file: -len(missing(file.lines)) - len(missing(file.branches)))
        worst = worst[:WORST]
        print(f"the {len(worst)} files in which most is missing:")
    for file in worst:
        print_row(file.name, [file])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("root")
    parser.add_argument("build")
    parser.add_argument("--files", action="store_true", help="every file, not the ten worst")
    parser.add_argument("--missing", metavar="PREFIX", help="what never ran, below PREFIX")
    options = parser.parse_args()
    found = collect(options.root, os.path.abspath(options.build))
    files = [found[name] for name in sorted(found)]
    if options.missing is not None:
        for file in files:
            if file.name.startswith(options.missing):
                print_missing(file)
    print_report(files, options.files)


main()
