# SPDX-License-Identifier: MIT
"""check_files.py ROOT: what every file of the project owes.

A licence line on top; no unfinished mark; no path of one machine and no registry's host; links in
documents lead to files that exist; the version stands the same everywhere.
"""

import os
import posixpath
import re
import sys

import tree

SPDX = "SPDX-License-Identifier: MIT"
SPDX_ENDINGS = (".c", ".cpp", ".h", ".py", ".sh", ".erl", ".pml")
SPDX_SCRIPTS = ("tools/test", "tools/demo", "tools/bench", "tools/fuzz", "tools/models", "tools/analyse",
                "tools/attack", "tools/chat/demo", "tools/screenshots",
                "tools/windows/prepare", "tools/windows/wine-run", "tools/windows/wine-session", ".ci/run")

# Written so that this file does not contain them.
FORBIDDEN = [
    (re.compile(r"\b(T[O]DO|F[I]XME|X[X]X)\b"), "an unfinished mark"),
    (re.compile(r"/(work|farm|root|home)/[a-z]"), "a path of one machine"),
    (re.compile(r"\b(?:deb|security|archive)\.(?:debian|ubuntu)\.(?:org|com)\b"), "a registry's host"),
    (re.compile(r"\b(?:pypi\.org|pythonhosted\.org|crates\.io|registry\.npmjs|proxy\.golang)\b"),
     "a registry's host"),
    (re.compile(r"[ \t]+$"), "blanks at the end of the line"),
]

FUZZ_INPUT = re.compile(r"^tests/fuzz/(corpus|regressions)/")

LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


def check_licence(name, lines):
    wants = name.endswith(SPDX_ENDINGS) or name in SPDX_SCRIPTS
    # A script's first line says who runs it.
    top = lines[1:2] if lines[:1] and lines[0].startswith("#!") else lines[:1]
    if wants and not (top and SPDX in top[0]):
        yield f"{name}:1: does not open with {SPDX}"


def check_words(name, lines):
    for number, line in enumerate(lines, 1):
        for pattern, what in FORBIDDEN:
            if pattern.search(line):
                yield f"{name}:{number}: {what}: {line.strip()[:80]}"


def check_links(root, name, lines):
    for number, line in enumerate(lines, 1):
        for target in LINK.findall(line):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if not os.path.exists(os.path.join(root, path)):
                yield f"{name}:{number}: link to {target}, which does not exist"


def check_version(root):
    header = tree.read(root, "common/include/throng/version.h")
    parts = re.findall(r"#define THRONG_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header)
    text = re.search(r'#define THRONG_VERSION_TEXT "([^"]+)"', header).group(1)
    cmake = re.search(r"project\(throng VERSION ([\d.]+)", tree.read(root, "CMakeLists.txt")).group(1)
    log = re.search(r"^## \[([\d.]+)\]", tree.read(root, "CHANGELOG.md"), re.MULTILINE).group(1)
    found = {"version.h numbers": ".".join(parts), "version.h text": text, "CMakeLists.txt": cmake,
             "CHANGELOG.md": log}
    if len(set(found.values())) != 1:
        yield f"the version is not the same everywhere: {found}"


def main(root):
    complaints = []
    names = tree.files(root)
    for name in names:
        if FUZZ_INPUT.match(name):
            continue  # bytes that a fuzzer chose, even where they happen to be text
        try:
            lines = tree.read(root, name).splitlines()
        except UnicodeDecodeError:
            continue  # a test's binary corpus
        complaints += check_licence(name, lines)
        complaints += check_words(name, lines)
        if name.endswith(".md"):
            complaints += check_links(root, name, lines)
    complaints += check_version(root)
    tree.finish(complaints, f"{len(names)} files looked at")


main(sys.argv[1])
