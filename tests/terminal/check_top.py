# SPDX-License-Identifier: MIT
"""check_top.py THRONG-TOP THRONG-ECHO: throng-top against an admin listener that says what the test wants, and
against throng-echo's own."""

import json
import socket
import sys
import threading

import support
from fake_admin import PAGE, START, Admin

TOP, ECHO = support.PROGRAMS


def page(**changes):
    return PAGE.format(**{**START, **changes})


def top(address, *options):
    return support.Program(TOP, "--connect", address, "--interval", "0.1", *options)


def report(program):
    return json.loads(program.lines[-1])


def check_once():
    with Admin(page()) as admin, top(admin.address, "--once", "--json") as program:
        program.wait(0)
        found = report(program)
        support.expect("connections", found["connections"], 1234)
        support.expect("the fullest pool", found["pools"][0]["name"], "send memory")
        support.expect("the fullest queue", found["queues"][0], {"name": "events 1", "used": 8000, "total": 8192})
        support.expect("messages a second", found["per_s"]["messages_in"], 0)
        support.expect("refused writes", found["troubles"][0]["total"], 3)
    with Admin(page(stalled=2.5)) as admin, top(admin.address, "--once") as program:
        program.wait(0)
        text = "\n".join(program.lines)
        for words in ("1,234 of 65,000", "STUCK for 2.50 s", "events 1", "writes refused"):
            if words not in text:
                sys.exit(f"no {words!r} in the table:\n{text}")


def check_restart():
    """The server goes and comes back with smaller counters; throng-top goes on."""
    with support.HeldPort() as port, top(f"tcp://127.0.0.1:{port}", "--json") as program:
        with Admin(page(), port=port):
            program.wait_for('"reachable": true', 2)
        program.wait_for('"reachable": false')
        with Admin(page(start=2000, received=10, accepted=1), port=port) as second:
            program.wait_for('"reachable": true, "restarts": 1')
            line = next(line for line in program.lines if '"restarts": 1' in line)
            if '"per_s": {"messages_in": null' not in line:
                sys.exit(f"a rate over a restart: {line}")
            second.page = page(start=2000, received=40, accepted=1)
            program.wait_for(r'"per_s": {"messages_in": [1-9]')
        program.end(0)


class Raw:
    """A server of bytes: one answer to each connection."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "tcp://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
                connection.sendall(self.answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)
                connection.close()
            except OSError:
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def check_liars():
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    for answer, words in ((b"SSH-2.0-x\r\n", "is no HTTP"), (b"", "cut off|connection was reset"),
                          (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx 1\n", "cut off"),
                          (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "status 503"),
                          (head + b"<html>\n", "has no metrics"), (head + b"x" * 300000, "too long|reset")):
        with Raw(answer) as server, top(server.address, "--once") as program:
            program.wait_for(words)
            program.wait(1)
    with Raw(head + b'throng_build_info{version="\x1b[2J",backend="\xc2\x9b"} 1\n\xff\xfe\n') as server, \
            top(server.address, "--once") as program:
        program.wait_for(r"throng \\x1b\[2J, \\u\{9b\}")
        program.wait_for("1 lines not understood")
        program.wait(0)


def check_command_line():
    for words in ([], ["--connect"], ["--connect", "x"], ["--connect", "tcp://127.0.0.1:x"], ["--bogus"],
                  ["--connect", "tcp://127.0.0.1:1", "--interval", "0"],
                  ["--connect", "tcp://127.0.0.1:1", "--interval", "1s"]):
        with support.Program(TOP, *words) as program:
            program.wait(2)
    with top("tcp://127.0.0.1:1", "--once") as program:
        program.wait_for("not reachable")
        program.wait(1)


def counted(address):
    """The report, once what was sent is in it."""
    with top(address, "--once", "--json") as program:
        program.wait(0)
        found = report(program)
    return found if found["total"]["bytes_out"] else None


def check_echo():
    """throng-echo's own metrics: what they call themselves is what throng-top looks for."""
    with support.serve(ECHO, "--admin", "tcp://127.0.0.1:0", "--max-connections", "500") as server:
        address = server.wait_for("^admin on ").removeprefix("admin on ")
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"\0\0\0\5hello")
            support.expect("the echo", connection.recv(9, socket.MSG_WAITALL), b"\0\0\0\5hello")
            # What has come may not be counted yet.
            found = support.wait_until(lambda: counted(address), "the echo in the metrics")
        support.expect("connections", found["connections"], 1)
        support.expect("connections_max", found["connections_max"], 500)
        support.expect("messages", (found["total"]["messages_in"], found["total"]["messages_out"]), (1, 1))
        support.expect("bytes", (found["total"]["bytes_in"], found["total"]["bytes_out"]), (9, 9))
        support.expect("lines not understood", found["bad_lines"], 0)
        names = {row["name"].split()[0] for row in found["pools"] + found["queues"]}
        for name in ("slots", "send", "assembly", "receive", "events", "commands"):
            if name not in names:
                sys.exit(f"no {name} among {sorted(names)}")
        server.end(0)


def main():
    check_command_line()
    check_once()
    check_restart()
    check_liars()
    check_echo()
    print("throng-top shows what the server says, and survives what it does")


main()
