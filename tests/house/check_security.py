# SPDX-License-Identifier: MIT
"""check_security.py ROOT BIN: the limits that SECURITY.md names are options of throng-echo, with the
defaults that its --help prints; and the flags in it are ones that a program has."""

import os
import re
import subprocess
import sys

import tree

DOCUMENT = "SECURITY.md"
# "  --max-connections N    connections at once", and below it "connections, 1..1048575; default 65000".
HELP = re.compile(r"^  --([a-z-]+)(?: \S+)?(?: {2,}[^\n]+\n {20,}[^\n]*; default ([^\n]+))?", re.MULTILINE)
ROW = re.compile(r"^\|[^|]*\| `([a-z_]+)` \| ([^|]+) \|$", re.MULTILINE)
FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]+)")
ELSEWHERE = {"format", "seconds", "seed", "sanitizers"}  # options of git, throng-sim and tools/test
ROWS_LEAST = 20


def main(root, folder):
    text = tree.read(root, DOCUMENT)
    output = subprocess.run([os.path.join(folder, "throng-echo"), "--help"], capture_output=True, text=True,
                            timeout=20, check=True).stdout
    options = dict(HELP.findall(output))
    rows = ROW.findall(text)
    complaints = []
    if len(rows) < ROWS_LEAST:
        complaints.append(f"{DOCUMENT}: only {len(rows)} limits")
    for name, default in rows:
        real = options.get(name.replace("_", "-"))
        if real != default:
            complaints.append(f"{DOCUMENT}: {name} is {default}; throng-echo --help says {real}")
    for flag in sorted(set(FLAG.findall(text)) - ELSEWHERE - set(options)):
        complaints.append(f"{DOCUMENT}: throng-echo has no --{flag}")
    tree.finish(complaints, f"the {len(rows)} limits of {DOCUMENT} are those of throng-echo --help")


main(*sys.argv[1:])
