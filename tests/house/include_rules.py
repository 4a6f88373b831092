# SPDX-License-Identifier: MIT
"""The house as a table: which room may include what. CONTRIBUTING.md draws the same arrows.

A room is every file below a path, or one file; the longest path wins. `check` reads a tree and answers one
complaint per line that breaks a rule.
"""

import posixpath
import re

import tree

ROOMS = {
    "common/include": "common api",
    "common/src/base": "base",
    "common/src/sim": "sim",
    "common/src/os": "os",
    "common/src/buffer": "buffer",
    "common/src/codec": "codec",
    "common/src/timer": "timer",
    "common/src/port": "port",
    "common/src/message": "message",
    "server/include": "server api",
    "server/src/conn": "conn",
    "server/src/event": "event",
    "server/src/worker": "worker",
    "server/src/room": "room",
    "server/src/admin": "admin",
    "server/src": "server",
    "server/examples": "examples",
    "server/examples/game/protocol.h": "protocols",
    "server/examples/game/request.c": "game core",
    "server/examples/game/request.h": "game core",
    "server/examples/game/snapshot.c": "game core",
    "server/examples/game/snapshot.h": "game core",
    "server/examples/game/world.c": "game core",
    "server/examples/game/world.h": "game core",
    "server/examples/chat/protocol.h": "protocols",
    "client/include": "client api",
    "client/src": "client",
    "tools": "tools",
    "tests/unit": "inner tests",
    "tests/port": "inner tests",
    "tests/sim": "inner tests",
    "tests/fuzz": "fuzz",
    "tests/bench": "bench",
    "tests/integration": "outer tests",
    "tests/stress": "tool tests",
    "tests/game": "game tests",
    "tests/terminal": "tool tests",
    "tests/torture": "outer tests",
    "tests/windows": "outer tests",
    "tests/attack": "attack",
    "tests/interop": "outer tests",
    "tests/consumer": "outer tests",
    "tests/hardening": "program tests",
    "tests/chat": "program tests",
    "tests/support": "support",
}

PUBLIC = {"common api", "server api", "client api"}
COMMON = {"common api", "base", "sim", "os", "buffer", "codec", "timer", "port"}
CONNECTIONS = COMMON | {"server api", "conn", "event"}
SERVER = CONNECTIONS | {"worker", "room", "admin", "server"}

# Room: the rooms whose headers it may include.
ALLOWED = {
    "common api": {"common api"},
    "base": {"common api", "base"},
    "sim": {"common api", "base", "sim"},  # the system of the *.sim.c files
    "os": {"common api", "base", "sim", "os"},
    "buffer": {"common api", "base", "os", "buffer"},
    "codec": {"common api", "base", "buffer", "codec"},  # no os: pure, bytes in and bytes out
    "timer": {"common api", "base", "timer"},  # no os: the time is an argument
    "port": COMMON - {"codec"},
    "message": {"common api", "base", "timer", "message"},  # no os: the time is an argument
    "server api": {"common api", "server api"},
    "conn": CONNECTIONS,
    "event": CONNECTIONS,
    "worker": CONNECTIONS | {"worker"},
    "room": CONNECTIONS | {"room"},  # pure tables; server/src/api_room.c and api_broadcast.c work on them
    "server": SERVER,
    "admin": SERVER,  # reads what all of them have
    "client api": {"common api", "client api"},
    "client": COMMON | {"client api", "client"},
    "examples": PUBLIC | {"protocols", "game core", "examples"},
    "protocols": {"protocols"},  # what an example and its clients in tools/ share
    "game core": {"protocols", "game core"},  # no throng: pure
    "tools": PUBLIC | {"protocols", "tools"},
    "outer tests": PUBLIC | {"outer tests", "support"},
    "tool tests": PUBLIC | {"protocols", "tools", "tool tests", "support"},
    "game tests": PUBLIC | {"protocols", "game core", "examples", "tools", "game tests", "support"},
    "program tests": PUBLIC | {"protocols", "examples", "program tests", "support"},
    "bench": PUBLIC | {"tools", "bench"},
    "attack": PUBLIC | {"examples", "tools", "attack"},  # its server is a bundled program like the others
    "support": PUBLIC | {"support"},
    "inner tests": SERVER | {"message", "client api", "client", "inner tests", "support"},
    "fuzz": SERVER | {"message", "client api", "client", "protocols", "game core", "examples", "program tests",
             "tools", "inner tests", "support", "fuzz"},
}

# Rooms of the libraries that know the system; every other one asks them.
SYSTEM_ROOMS = {"sim", "os", "port"}
PROGRAM_ROOMS = {"examples", "tools", "outer tests", "tool tests", "game tests", "program tests", "inner tests",
                 "fuzz", "bench", "attack", "support"}

# Headers of C11: everything else in <> is the system's or another library's.
C11_HEADERS = set(
    """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads
    time uchar wchar wctype""".split()
)

# Where "name.h" is looked for, after the including file's own folder.
SEARCH = ["common/src", "server/src", "client/src", "tests/support", "tests/fuzz"]
PUBLIC_SEARCH = ["common/include", "server/include", "client/include"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
PLATFORM_IF = re.compile(
    r"^\s*#\s*(?:el)?if.*\b(_WIN32|WIN32|_MSC_VER|__MINGW\w+__|__linux__|__linux|__unix__"
    r"|__APPLE__|__FreeBSD__|__CYGWIN__)\b"
)
# name.posix.c, name.linux.c, name.windows.c: a platform's own fulfilment of name.h.
PLATFORM_FILE = re.compile(r"\.(posix|linux|windows)\.[ch]$")
BACKEND_TEST = re.compile(r"^tests/port/test_(epoll|uring|iocp|sim)\w*(\.\w+)?\.c$")
BACKEND_HEADER = re.compile(r"^common/src/port/(epoll|uring|iocp|sim)\w*\.h$")

# MessagePack-C, which one library of ours is made of, and the header that says so.
LIBRARY_HEADERS = {"msgpack.h": ("common/src/message/", "common/include/throng/message_object.h")}

# Where a shared header must know the platform: dllexport; a connection's OVERLAPPEDs.
PLATFORM_IF_ALLOWED = {"common/include/throng/types.h", "common/src/port/op.h"}


def room_of(name):
    while name:
        if name in ROOMS:
            return ROOMS[name]
        name = posixpath.dirname(name)
    return None


def resolve(names, name, quote, target):
    """The tree's file that an include means, or None."""
    if quote == "<":
        folders = PUBLIC_SEARCH
    else:
        folders = [posixpath.dirname(name)] + SEARCH
    for folder in folders:
        path = posixpath.normpath(posixpath.join(folder, target))
        if path in names:
            return path
    return None


def check_own(name, room, target):
    """The complaint about including a file of the tree."""
    target_room = room_of(target)
    if target_room not in ALLOWED[room]:
        return f"{room} must not include {target_room or 'what has no room'} ({target})"
    if target_room in PUBLIC and not target.startswith(tuple(PUBLIC_SEARCH)):
        return f"{target} is not a public header"
    if BACKEND_HEADER.match(target) and room != "port" and not BACKEND_TEST.match(name):
        return f"{target} is one backend's: only port/ and tests/port/test_BACKEND.c may know it"
    return None


def check_system(name, room, target):
    """The complaint about including <target>, which is none of ours."""
    if target.startswith("throng/"):
        return f"no public header <{target}>"
    if target in {header + ".h" for header in C11_HEADERS} or room in PROGRAM_ROOMS:
        return None
    if name.startswith(LIBRARY_HEADERS.get(target, ("nowhere",))):
        return None
    if name.endswith(".h") and not PLATFORM_FILE.search(name) and not BACKEND_HEADER.match(name):
        return f"system header <{target}> in a header"
    if room not in SYSTEM_ROOMS and not PLATFORM_FILE.search(name):
        return f"system header <{target}> outside os/ and port/"
    return None


def check_include(names, name, room, quote, target):
    found = resolve(names, name, quote, target)
    if found is not None:
        return check_own(name, room, found)
    if quote == '"':
        return f'no "{target}" in the tree'
    return check_system(name, room, target)


def check_line(names, name, room, line):
    include = INCLUDE.match(line)
    if include:
        return check_include(names, name, room, include.group(1), include.group(2))
    platform = PLATFORM_IF.match(line)
    if platform and room not in PROGRAM_ROOMS and name not in PLATFORM_IF_ALLOWED:
        if not PLATFORM_FILE.search(name):
            return f"#if for a platform ({platform.group(1)}) in shared code"
    return None


def check(root):
    names = set(tree.files(root))
    complaints = []
    for name in sorted(name for name in names if name.endswith((".c", ".h"))):
        room = room_of(name)
        if room is None:
            complaints.append(f"{name}: lies in no room of the table (tests/house/include_rules.py)")
            continue
        for number, line in enumerate(tree.read(root, name).splitlines(), 1):
            complaint = check_line(names, name, room, line)
            if complaint:
                complaints.append(f"{name}:{number}: {complaint}")
    return complaints
