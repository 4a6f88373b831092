# SPDX-License-Identifier: MIT
"""check_binaries.py FILE[=RPATH]... OBJECT.o...: what the compiler and the linker were asked for is in what
they built.

Programs and shared libraries are looked at with readelf, objects for branch tracking alone. RPATH is
the folder that a program may look for libraries in.
"""

import re
import subprocess
import sys

# Any of them: which ones a program calls with a known size is the compiler's to say.
FORTIFIED = re.compile(r"\b__(?:memcpy|memmove|memset|snprintf|vsnprintf|fprintf|vfprintf|printf|read|recv)_chk\b")
# What branch tracking is called on the processors that have it.
TRACKING = {"X86-64": ("IBT", "SHSTK"), "AArch64": ("BTI", "PAC")}


def readelf(*arguments):
    return subprocess.run(["readelf", "--wide", *arguments], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def check_objects(paths):
    """A linker keeps the mark only if every object has it, the system's own too: so the objects' marks count.
    A heading with the name is printed for each of several files."""
    texts = re.split(r"^File: ", readelf("--file-header", "--notes", *paths), flags=re.MULTILINE)[1:]
    if len(texts) != len(paths):
        yield f"readelf shows {len(texts)} of {len(paths)} objects"
    for text in texts:
        machine = next((name for name in TRACKING if name in text), None)
        for name in TRACKING.get(machine, ()):
            if not re.search(rf"feature:.*\b{name}\b", text):
                yield f"{text.splitlines()[0]}: not marked {name}"


def check_segments(path):
    segments = readelf("--segments", path)
    stack = re.search(r"GNU_STACK(?:\s+0x[0-9a-f]+){5}\s+([RWE]+)", segments)
    if stack is None or "E" in stack.group(1):
        yield "the stack can be executed"
    if "GNU_RELRO" not in segments:
        yield "no RELRO"
    if re.search(r"LOAD.*\sRWE\s", segments):
        yield "a segment is writable and executable"


def check_dynamic(path, header, allowed_path):
    dynamic = readelf("--dynamic", path)
    if not re.search(r"\((?:FLAGS|FLAGS_1)\).*\bNOW\b|BIND_NOW", dynamic):
        yield "symbols are bound lazily: RELRO is not full"
    if not re.search(r"Type:\s+DYN", header):
        yield "its place in memory is fixed (no PIE)"
    elif "(SONAME)" not in dynamic and not re.search(r"FLAGS_1.*\bPIE\b", dynamic):
        yield "not linked as a PIE"
    for found in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", dynamic):
        # An empty entry is the current folder. CMake fills the room for the installed path with such
        # ones: a static program needs no path; a shared build's are gone once it is installed.
        if not allowed_path or found.rstrip(":") != allowed_path:
            yield f"looks for libraries in [{found}]"


def check_functions(path):
    symbols = readelf("--dyn-syms", path)
    if "__stack_chk_fail" not in symbols:
        yield "no stack protector"
    if not FORTIFIED.search(symbols):
        yield "no fortified function"


def check_linked(path, allowed_path):
    header = readelf("--file-header", path)
    yield from check_segments(path)
    yield from check_dynamic(path, header, allowed_path)
    yield from check_functions(path)


def main(*files):
    objects = [name for name in files if name.endswith(".o")]
    complaints = list(check_objects(objects)) if objects else []
    for name in files:
        if name not in objects:
            path, _, allowed_path = name.partition("=")
            complaints += [f"{path}: {text}" for text in check_linked(path, allowed_path)]
    if complaints:
        sys.exit("\n".join(complaints))
    print(f"{len(files)} files, {len(objects)} of them objects, have every protection")


main(*sys.argv[1:])
