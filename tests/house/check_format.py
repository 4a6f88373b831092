# SPDX-License-Identifier: MIT
"""check_format.py ROOT: clang-format 14 would change nothing. Other versions differ in small ways,
so with another one the check is skipped."""

import collections
import os
import re
import shutil
import subprocess
import sys

import tree

MAJOR = "14"


def find_clang_format():
    for program in (f"clang-format-{MAJOR}", "clang-format"):
        if shutil.which(program):
            text = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
            major = re.search(r"version (\d+)", text).group(1)
            if major == MAJOR:
                return program
            print(f"note: {program} is version {major}")
    tree.skip(f"clang-format {MAJOR} is not here")


def main(root):
    program = find_clang_format()
    names = [name for name in tree.files(root) if name.endswith((".c", ".h"))]
    paths = [os.path.join(root, name) for name in names]
    result = subprocess.run([program, "--dry-run", "-Werror", *paths], capture_output=True, text=True)
    marks = [line for line in result.stderr.splitlines() if "-Wclang-format-violations" in line]
    places = collections.Counter(os.path.relpath(mark.split(":")[0], root) for mark in marks)
    complaints = [f"{name}: clang-format would change {count} places"
                  for name, count in places.items()]
    if result.returncode != 0 and not complaints:
        complaints.append(result.stderr)
    tree.finish(complaints, f"{len(names)} files are formatted")


main(sys.argv[1])
