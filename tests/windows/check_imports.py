# SPDX-License-Identifier: MIT
"""check_imports.py ROOT LIST --objects FILE... --programs FILE... [--update]

1. Each built program runs alone: it imports from the system's own DLLs and no others.
2. functions.txt, beside this file, holds exactly the functions of Windows that the libraries and
   throng-echo and throng-stress use; where they use each; and what test uses it, too. Those of the C
   library (msvcrt) do not count. Functions that are looked up while the program runs (the extensions
   of Winsock by their GUID, GetProcAddress) are found in the sources; their DLL is called run-time.

Writes what it found into LIST. With --update it corrects functions.txt, but for the tests, which it
does not know: it writes a question mark there, which the next run complains about.
"""

import argparse
import collections
import os
import re
import subprocess
import sys

TOOLS = "x86_64-w64-mingw32-"
HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "functions.txt")

SYSTEM_DLLS = re.compile(
    r"^(kernel32|kernelbase|ntdll|ws2_32|mswsock|advapi32|bcrypt|iphlpapi|winmm|msvcrt"
    r"|api-ms-win-core-synch-l\d-\d-\d)\.dll$", re.IGNORECASE)
C_LIBRARY = "msvcrt"
RUN_TIME = "run-time"

OTHER_SYSTEM = re.compile(r"\.(posix|linux)\.[ch]$")

# Where a program's or library's own sources lie, for what is looked up at run time.
SOURCES = ("common/src", "server/src", "client/src", "server/examples", "tools/stress")
GUID = re.compile(r"\bWSAID_(\w+)\b")
LOOK_UP = re.compile(r"\bGetProcAddress\s*\(([^;]*?)\)\s*;", re.DOTALL)
LITERAL = re.compile(r'"(\w+)"')
EXTENSIONS = ("AcceptEx", "ConnectEx", "DisconnectEx", "GetAcceptExSockaddrs", "TransmitFile",
              "TransmitPackets", "WSARecvMsg", "WSASendMsg", "WSAPoll")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def imports_of(program):
    """{dll as the program spells it: names}"""
    imports, dll = {}, None
    for line in run(TOOLS + "objdump", "-p", program).splitlines():
        name = re.match(r"^\s+DLL Name: (\S+)", line)
        if name:
            dll = imports.setdefault(name.group(1), set())
        member = re.match(r"^\s+[0-9a-f]+\s+\d+\s+([A-Za-z_]\w*)\s*$", line)
        if member and dll is not None:
            dll.add(member.group(1))
    return imports


def check_programs(programs):
    for program in programs:
        imports = imports_of(program)
        if not imports:
            yield f"{program}: no imports were found"
        for dll in imports:
            if not SYSTEM_DLLS.match(dll):
                yield f"{os.path.basename(program)} does not run alone: it needs {dll}"


def short(dll):
    return dll.lower().removesuffix(".dll")


def needed_symbols(objects):
    """{symbol: the sources of whose objects it is undefined}; objects and archives."""
    needed = collections.defaultdict(set)
    for path in objects:
        source = source_of(path)
        for line in run(TOOLS + "nm", path).splitlines():
            member = re.match(r"^(\S+\.obj):$", line)
            if member:
                source = source_of(member.group(1))
            symbol = re.match(r"^\s+U (?:__imp_)?(\w+)$", line)
            if symbol:
                needed[symbol.group(1)].add(source)
    return needed


def source_of(path):
    """The source's name; of a program's own object with the program before it."""
    name = os.path.basename(path).removesuffix(".obj")
    program = re.search(r"/(throng[\w-]*)\.dir/", path)
    return f"{program.group(1)}/{name}" if program else name


def functions_of(programs, objects):
    """{function: (dll, sources)}: what the programs import because an object of ours asks for it.

    What the C library's start-up code imports, no object of ours asks for.
    """
    needed, found = needed_symbols(objects), {}
    for program in programs:
        for dll, names in imports_of(program).items():
            if short(dll) != C_LIBRARY:
                found.update({name: (short(dll), needed[name]) for name in names if name in needed})
    return found


def check_archives(objects, found, imports_by_name):
    """What only a part of a library asks for, which neither program links, is used as well."""
    for name, sources in needed_symbols(objects).items():
        if name not in found and name in imports_by_name:
            found[name] = (imports_by_name[name], sources)


def import_libraries():
    """{function: dll} of the import libraries that throng links."""
    folder = os.path.dirname(run(TOOLS + "gcc-win32", "-print-file-name=libkernel32.a").strip())
    names = {}
    for dll in ("kernel32", "ntdll", "ws2_32", "mswsock", "advapi32", "bcrypt", "iphlpapi",
                "winmm", "synchronization"):
        listed = run(TOOLS + "nm", "--defined-only", os.path.join(folder, f"lib{dll}.a"))
        for name in re.findall(r" [ID] __imp_(\w+)$", listed, re.MULTILINE):
            names.setdefault(name, dll)
    return names


def sources_below(root):
    for folder in SOURCES:
        for path, _, names in os.walk(os.path.join(root, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        yield name, file.read()


def looked_up(root, found, complaints):
    """Adds what is looked up while the program runs."""
    def add(function, source):
        found.setdefault(function, (RUN_TIME, set()))[1].add(source)

    for name, text in sources_below(root):
        for guid in GUID.findall(text):
            function = next((f for f in EXTENSIONS if f.upper() == guid), None)
            if function:
                add(function, name)
            else:
                complaints.append(f"{name}: which function is WSAID_{guid}?")
        for call in LOOK_UP.findall(text):
            literal = LITERAL.findall(call)
            if len(literal) == 1:
                add(literal[0], name)
            else:
                complaints.append(f"{name}: GetProcAddress of what? ({call.strip()})")


# ---- the table -----------------------------------------------------------------------------------

def read_table():
    """[comment lines], {function: (dll, where, test)}"""
    comments, rows = [], {}
    with open(TABLE, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if not line.strip() or line.startswith("#"):
                comments.append(line)
                continue
            fields = line.split(None, 3)
            if len(fields) != 4 or fields[1] in rows:
                sys.exit(f"functions.txt: not a row, or a second one of a function: {line}")
            rows[fields[1]] = (fields[0], fields[2], fields[3])
    return comments, rows


def as_rows(found, rows):
    return {name: (dll, ",".join(sorted(sources)), rows[name][2] if name in rows else "?")
            for name, (dll, sources) in found.items()}


def format_rows(rows):
    ordered = sorted((dll, name, where, test) for name, (dll, where, test) in rows.items())
    widths = [max((len(row[column]) for row in ordered), default=0) for column in range(3)]
    return ["  ".join([*(row[column].ljust(widths[column]) for column in range(3)), row[3]]).rstrip()
            for row in ordered]


def words_of_tests(root):
    """Every word of the tests' sources, and their files by name below tests/ and alone; but for those
    of another system."""
    words = set()
    for path, _, names in os.walk(os.path.join(root, "tests")):
        for name in (name for name in names if not OTHER_SYSTEM.search(name)):
            full = os.path.join(path, name)
            words |= {name, os.path.relpath(full, os.path.join(root, "tests"))}
            if name.endswith((".c", ".py")) or name == "CMakeLists.txt":
                with open(full, encoding="utf-8") as file:
                    words |= set(re.findall(r"\w+", file.read()))
    return words


def check_table(wanted, rows, words):
    for name in sorted(wanted.keys() - rows.keys()):
        yield f"functions.txt lacks {name} of {wanted[name][0]} ({wanted[name][1]})"
    for name in sorted(rows.keys() - wanted.keys()):
        yield f"functions.txt has {name}, which nothing uses"
    for name in sorted(rows.keys() & wanted.keys()):
        if rows[name][:2] != wanted[name][:2]:
            yield f"functions.txt: {name} is of {wanted[name][0]}, used in {wanted[name][1]}"
        for test in re.split(r"[,\s]+", rows[name][2]):
            if test.strip("()") not in words:
                yield f"functions.txt: {name}: there is no test {test}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("list")
    parser.add_argument("--objects", nargs="+", required=True)
    parser.add_argument("--programs", nargs="+", required=True)
    parser.add_argument("--tests", nargs="+", default=[], help="programs that are looked at, too")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    complaints = list(check_programs(options.programs + options.tests))
    found = functions_of(options.programs, options.objects)
    check_archives(options.objects, found, import_libraries())
    looked_up(options.root, found, complaints)
    comments, rows = read_table()
    wanted = as_rows(found, rows)
    with open(options.list, "w", encoding="utf-8") as file:
        file.write("\n".join(format_rows(wanted)) + "\n")
    if options.update:
        with open(TABLE, "w", encoding="utf-8") as file:
            file.write("\n".join(comments + format_rows(wanted)) + "\n")
        rows = wanted
    complaints += check_table(wanted, rows, words_of_tests(options.root))
    print("\n".join(complaints))
    print(f"{len(options.programs + options.tests)} programs, {len(found)} functions of Windows; "
          f"the list is {options.list}; {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


main()
