# SPDX-License-Identifier: MIT
"""The files of the project, for the checks beside this file."""

import os
import subprocess
import sys

SKIPPED = 77  # what ctest takes as "skipped"

# Never part of the project, where git cannot say so (a source archive has no .git).
NOT_OURS = {".git", "build", ".cache", "__pycache__"}


def files(root):
    """Paths below root with '/' between: what git tracks or would track; without git, all."""
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout
        names = [name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = walk(root)
    return sorted(name for name in names if os.path.isfile(os.path.join(root, name)))


def walk(root):
    for folder, folders, names in os.walk(root):
        if "CMakeCache.txt" in names:  # somebody's build folder
            folders.clear()
            continue
        folders[:] = [name for name in folders if name not in NOT_OURS]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read()


def finish(complaints, passed):
    """Prints what is wrong, or one line that says what was found right; the process's end."""
    for complaint in complaints:
        print(complaint)
    if complaints:
        print(f"{len(complaints)} complaints")
        sys.exit(1)
    print(passed)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)
