# SPDX-License-Identifier: MIT
"""Configures and builds the targets for an engine, out of the tree."""

import os
import shutil
import subprocess
import sys
import tempfile

from targets import ROOT

SKIPPED = 77  # what ctest takes as "skipped"

# Without trace-cmp: a call for each comparison costs more than all the rest of a run. What the
# fuzzer could learn from it stands in the dictionaries.
COVERAGE = "-fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp"
COMPILERS = {"libfuzzer": "clang", "afl": "afl-clang-fast"}


class Failure(Exception):
    """A sentence for the user."""


def works_here(engine):
    """Whether the engine's compiler links a target; a reason if not."""
    compiler = COMPILERS[engine]
    if shutil.which(compiler) is None or (engine == "afl" and shutil.which("afl-fuzz") is None):
        return f"{compiler} is not here"
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "probe.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <stddef.h>\n#include <stdint.h>\n"
                       "int LLVMFuzzerTestOneInput(const uint8_t *, size_t);\n"
                       "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n"
                       "{ return data == NULL && size > 0; }\n")
        result = subprocess.run([compiler, "-fsanitize=fuzzer", source, "-o", source + ".out"],
                                capture_output=True, text=True)
    return None if result.returncode == 0 else f"{compiler} links no fuzzer: {result.stderr[-200:]}"


def run(command, log):
    environment = dict(os.environ, AFL_QUIET="1")
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        if subprocess.run(command, stdout=file, stderr=file, env=environment).returncode == 0:
            return
    with open(log, encoding="utf-8", errors="replace") as file:
        sys.stderr.write("".join(file.readlines()[-30:]))
    raise Failure(f"the build failed; see {log}")


def build(folder, engine, sanitize, names):
    """Answers the folder with the programs fuzz_NAME."""
    os.makedirs(folder, exist_ok=True)
    log = os.path.join(folder, "build.log")
    options = {
        "CMAKE_C_COMPILER": COMPILERS[engine],
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_C_FLAGS": COVERAGE if engine == "libfuzzer" else "",
        "CMAKE_C_FLAGS_RELEASE": "-O2 -g",
        "THRONG_FUZZ": engine,
        "THRONG_SANITIZE": "address,undefined" if sanitize else "",
        "THRONG_BUILD_PROGRAMS": "OFF",
        "THRONG_INSTALL": "OFF",
        "BUILD_SHARED_LIBS": "OFF",
    }
    run(["cmake", "-S", ROOT, "-B", folder, *(f"-D{name}={value}" for name, value in options.items())],
        log)
    run(["cmake", "--build", folder, "--parallel", str(os.cpu_count() or 2),
         "--target", *(f"fuzz_{name}" for name in names)], log)
    return os.path.join(folder, "tests")
