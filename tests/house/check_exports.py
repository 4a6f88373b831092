# SPDX-License-Identifier: MIT
"""check_exports.py LIBRARY...: what the built libraries show to a linker.

A shared one exports throng_ functions and nothing else, and its soname ends with .so.0. A static
one defines only throng_ and tg_ names, so that it clashes with nothing of the program's.
"""

import re
import subprocess
import sys

import tree

SANITIZER = re.compile(r"^(__asan|__tsan|__ubsan|__odr_asan|asan\.|tsan\.|__gcov|__llvm|__start|__stop)")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def symbols(library, dynamic):
    listed = run("nm", "--defined-only", "--extern-only", *(["-D"] if dynamic else []), library)
    names = [line.split()[-1] for line in listed.splitlines() if len(line.split()) >= 3]
    # For Windows, gcc reaches some symbols through a pointer that it names after them.
    names = [name.removeprefix(".refptr.") for name in names]
    return sorted({name for name in names if not SANITIZER.match(name)})


def check(library):
    shared = ".so" in library
    names = symbols(library, shared)
    allowed = ("throng_",) if shared else ("throng_", "tg_")
    complaints = [f"{library}: defines {name}" for name in names if not name.startswith(allowed)]
    if not any(name.startswith("throng_") for name in names):
        complaints.append(f"{library}: exports nothing")
    if shared and not re.search(r"soname: \[libthrong-\w+\.so\.0\]", run("readelf", "-d", library)):
        complaints.append(f"{library}: its soname is not libthrong-NAME.so.0")
    print(f"{library}: {len(names)} symbols")
    return complaints


if __name__ == "__main__":
    tree.finish([line for library in sys.argv[1:] for line in check(library)], "as it should be")
