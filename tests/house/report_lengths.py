# SPDX-License-Identifier: MIT
"""report_lengths.py ROOT: how long functions and files are. A report: it never fails."""

import re
import sys

import tree

FUNCTION_GOAL = 70
FILE_GOAL = 350
NAME = re.compile(r"(\w+)\(")


def functions(text):
    """(name, lines) of each function; its braces stand in the first column (.clang-format)."""
    head, start = "", None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            match = NAME.search(head)
            yield (match.group(1) if match else "?", number - start + 1)
            start, head = None, ""
        elif start is None and line[:1].isalpha():
            head = line


def summary(lengths):
    lengths = sorted(lengths)
    at = lambda share: lengths[min(len(lengths) - 1, int(share * len(lengths)))]
    return f"median {at(0.5)}, 95 % up to {at(0.95)}, longest {lengths[-1]}"


def main(root):
    names = [name for name in tree.files(root) if name.endswith((".c", ".h"))]
    texts = {name: tree.read(root, name) for name in names}
    found = [(lines, f"{file}: {name}") for file, text in texts.items()
             for name, lines in functions(text)]
    sizes = [(len(text.splitlines()), file) for file, text in texts.items()]
    if not found:
        tree.skip("no C files")
    print(f"{len(found)} functions: {summary([lines for lines, _ in found])} lines")
    print(f"{len(sizes)} files: {summary([lines for lines, _ in sizes])} lines")
    for lines, what in sorted(found, reverse=True):
        if lines > FUNCTION_GOAL:
            print(f"  function of {lines} lines: {what}")
    for lines, file in sorted(sizes, reverse=True):
        if lines > FILE_GOAL:
            print(f"  file of {lines} lines: {file}")


main(sys.argv[1])
