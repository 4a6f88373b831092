# SPDX-License-Identifier: MIT
"""check_headers.py ROOT: each header compiles alone, and twice in one file.

Public ones as C11 and as C++11 with the public folders only; internal ones as C11. With gcc and
with clang, as far as they are there.
"""

import concurrent.futures
import os
import shutil
import subprocess
import sys

import tree

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wundef", "-Werror"]
C11 = ["-x", "c", "-std=c11", "-Wstrict-prototypes", *WARNINGS]
CPP11 = ["-x", "c++", "-std=c++11", *WARNINGS]
COMPILERS = {"gcc": C11, "clang": C11, "g++": CPP11, "clang++": CPP11}

PUBLIC = ["common/include/", "server/include/", "client/include/"]
INTERNAL = ["common/src/", "server/src/", "client/src/"]


def compile_alone(root, compiler, header):
    """The compiler's words if `header` does not compile, else None."""
    internal = header.startswith(tuple(INTERNAL))
    folders = [os.path.join(root, folder) for folder in PUBLIC + (INTERNAL if internal else [])]
    options = COMPILERS[compiler] + [f"-I{folder}" for folder in folders]
    if internal:
        options.append("-D_GNU_SOURCE")
    path = os.path.join(os.path.abspath(root), header)
    text = f'#include "{path}"\n#include "{path}"\ntypedef int not_an_empty_file;\n'
    command = [compiler, *options, "-fsyntax-only", "-"]
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    return None if result.returncode == 0 else f"{header} with {compiler}:\n{result.stderr}"


def has_header(header):
    command = ["cc", "-x", "c", "-fsyntax-only", "-"]
    return subprocess.run(command, input=f"#include <{header}>\n", capture_output=True, text=True).returncode == 0


def main(root):
    present = [name for name in COMPILERS if shutil.which(name)]
    for name in sorted(set(COMPILERS) - set(present)):
        print(f"note: {name} is not here")
    names = [name for name in tree.files(root) if name.endswith(".h")]
    if not has_header("msgpack.h"):
        print("note: MessagePack-C is not here, so the header on it was not tried")
        names = [name for name in names if not name.endswith("/message_object.h")]
    public = [name for name in names if name.startswith(tuple(PUBLIC))]
    internal = [name for name in names if name.startswith(tuple(INTERNAL))]
    jobs = [(compiler, name) for compiler in present for name in public]
    jobs += [(compiler, name) for compiler in present for name in internal
             if COMPILERS[compiler] is C11]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: compile_alone(root, *job), jobs))
    if not jobs:
        results.append("no header or no compiler was found")
    tree.finish(
        [result for result in results if result],
        f"{len(public)} public and {len(internal)} internal headers compile alone "
        f"({', '.join(present)})",
    )


main(sys.argv[1])
