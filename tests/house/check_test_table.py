# SPDX-License-Identifier: MIT
"""check_test_table.py ROOT: each test and file that tests/README.md names exists.

A name in `code` with three underscores or more is a test (or what its program is called); one that
ends like a source file is a file below tests/, with or without its folder, or below the root.
"""

import posixpath
import re
import sys

import tree

TABLE = "tests/README.md"
CODE = re.compile(r"`([^`]+)`")
SENTENCE = re.compile(r"^[a-z0-9]+(_[a-z0-9]+){3,}$")
FILE = re.compile(r"^[\w./]+\.(c|h|py|md)$")


def main(root):
    names = tree.files(root)
    tests = [name for name in names if name.startswith("tests/") and name != TABLE]
    texts = [tree.read(root, name) for name in tests if name.endswith((".c", ".h", ".py", ".txt"))]
    words = set(re.findall(r"\w+", "\n".join(texts)))
    files = set(names) | {posixpath.basename(name) for name in tests}
    files |= {name.removeprefix("tests/") for name in tests}
    complaints, looked_at = [], 0
    for number, line in enumerate(tree.read(root, TABLE).splitlines(), 1):
        for code in CODE.findall(line):
            known = words if SENTENCE.match(code) else files if FILE.match(code) else None
            if known is None:
                continue
            looked_at += 1
            if code not in known:
                complaints.append(f"{TABLE}:{number}: there is no {code}")
    tree.finish(complaints, f"the {looked_at} tests and files that {TABLE} names exist")


main(sys.argv[1])
