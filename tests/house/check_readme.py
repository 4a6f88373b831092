# SPDX-License-Identifier: MIT
"""check_readme.py ROOT BIN COMPILER FLAG...: what the README says is true.

The server that stands in it (the first ```c block) compiles as it stands there, starts, and answers
each message with the same bytes. Each option that it names is one that the program's --help names;
and where a document has the whole table, no option is missing there. throng-echo's table has the
words of its --help, which are those of the library's own table: unit, range, default and all.
"""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import tree

MESSAGES = [b"hello", b"", b"\0\1\2\3", b"x" * 60000]
START_SECONDS = 20

# program: the document and the heading above the table of all its options.
TABLES = {
    "throng-echo": ("README.md", "throng-echo"),
    "throng-chat-server": ("server/examples/chat/README.md", "Options"),
    "throng-game-bots": ("server/examples/game/README.md", "throng-game-bots"),
    "throng-stress": ("tools/stress/README.md", "Options"),
    "throng-top": ("tools/top/README.md", "Options"),
    "throng-chat": ("tools/chat/README.md", "Options"),
}
NEED_MESSAGEPACK = ("throng-chat-server", "throng-chat")  # built only where MessagePack-C is
# Servers that have throng-echo's options as well; their table has their own, in the words of their --help.
SERVERS = {"throng-chat-server"}
# Two lines of throng-echo --help: what an option sets; its values and its default.
HELP_LINE = re.compile(r"^  (--[a-z-]+(?: \S+)?)(?: {2,}(.+))?$")
VALUES_LINE = re.compile(r"^ {20,}(.+); default (.+)$")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
ROWS_LEAST = 40  # fewer, and --help was not understood
LINES_MAX = 20  # braces and blank lines besides


def code_block(readme):
    match = re.search(r"^```c\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    return match.group(1) if match else ""


def compile_server(folder, text, compiler, flags):
    source, program = os.path.join(folder, "server.c"), os.path.join(folder, "server")
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    warnings = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run([compiler, *warnings, source, "-o", program, *flags], check=True)
    return program


def hold_port():
    """A socket with a port that the system gives to nobody else while it is open; a server that asks for it by number
    gets it, as both have SO_REUSEADDR and this one does not listen."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def connect(port, process):
    """Waits until the server listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def receive_exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError(f"end of stream after {len(data)} of {size} bytes")
        data += part
    return data


def check_echo(port, process):
    with connect(port, process) as connection:
        for message in MESSAGES:
            frame = struct.pack(">I", len(message)) + message
            connection.sendall(frame)
            if receive_exactly(connection, len(frame)) != frame:
                yield f"the README's server did not echo {message[:20]!r}"


def check_server(readme, compiler, flags):
    text = code_block(readme)
    lines = [line for line in text.splitlines() if line.strip(" {}")]
    if len(lines) > LINES_MAX:
        yield f"the README's server has {len(lines)} lines"
    with tempfile.TemporaryDirectory() as folder, hold_port() as held:
        program = compile_server(folder, text, compiler, flags)
        port = held.getsockname()[1]
        process = subprocess.Popen([program, f"tcp://127.0.0.1:{port}"])
        try:
            yield from check_echo(port, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def text_below(root, document, title):
    """The text below the heading that holds `title`, up to the next heading."""
    match = re.search(rf"^#+ [^\n]*{re.escape(title)}[^\n]*\n(.*?)(?=^#|\Z)",
                      tree.read(root, document), re.MULTILINE | re.DOTALL)
    return match.group(1) if match else ""


def options_below(root, document, title):
    return set(OPTION.findall(text_below(root, document, title)))


def rows_of_help(text):
    """What --help says, as rows of a table: option, values, default, what it sets."""
    rows = []
    for line in text.splitlines():
        option, values = HELP_LINE.match(line), VALUES_LINE.match(line)
        if option:
            rows.append([f"`{option[1]}`", "", "", option[2] or ""])
        elif values and rows:
            rows[-1][1:3] = values.groups()
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def help_of(folder, program):
    return subprocess.run([os.path.join(folder, program), "--help"], capture_output=True, text=True, timeout=20,
                          check=True).stdout


def name_of_row(row):
    return OPTION.findall(row)[0]


def check_rows(root, folder, program):
    document, title = TABLES[program]
    expected = rows_of_help(help_of(folder, program))
    if len(expected) < ROWS_LEAST:
        yield f"{program} --help has {len(expected)} options"
    if program in SERVERS:
        shared = {name_of_row(row) for row in rows_of_help(help_of(folder, "throng-echo"))}
        expected = [row for row in expected if name_of_row(row) not in shared]
    found = [line for line in text_below(root, document, title).splitlines()
             if line.startswith("| `--")]
    yield from (f"{document}: missing: {row}" for row in expected if row not in found)
    yield from (f"{document}: not in --help: {row}" for row in found if row not in expected)
    if sorted(expected) == sorted(found) and expected != found:
        yield f"{document}: the options are not in the order of --help"


def check_options(root, folder, program):
    helped = set(OPTION.findall(help_of(folder, program)))
    document, title = TABLES[program]
    documented = options_below(root, document, title)
    mentioned = documented | options_below(root, "README.md", program)
    complaints = [f"{program} has no {option}" for option in sorted(mentioned - helped)]
    if program in SERVERS:
        helped -= set(OPTION.findall(help_of(folder, "throng-echo")))
    complaints += [f"{document}: {option} of {program} is missing"
                   for option in sorted(helped - documented)]
    return complaints


def main(root, folder, compiler, *flags):
    readme = tree.read(root, "README.md")
    complaints = list(check_server(readme, compiler, flags))
    for program in TABLES:
        if program in NEED_MESSAGEPACK and not os.path.exists(os.path.join(folder, program)):
            print(f"{program} was not built: what is said of it was not looked at")
            continue
        complaints += check_options(root, folder, program)
        if program == "throng-echo" or program in SERVERS:
            complaints += check_rows(root, folder, program)
    tree.finish(complaints, "the README's server answers, and the options are those of --help")


main(*sys.argv[1:])
