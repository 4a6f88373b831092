# SPDX-License-Identifier: MIT
"""check_liars.py BOTS SERVER: the bots notice each wrong that a server may do, and say which; and both programs
refuse a command line that makes no sense."""

import json
import socket
import struct
import subprocess
import sys
import threading

LIMIT_S = 60
WHOLE, GONE, MOVED, TURNED, ACKED = 1, 2, 4, 8, 32
WELCOME = struct.pack("<BBHHHHH", 64, 1, 0, 20, 1600, 160, 0)


def checksum(tick, player):
    """`player` is ack, x, y, score, dx, dy, in slot 0."""
    words = [tick]
    if player is not None:
        ack, x, y, score, dx, dy = player
        words += [0, ack, x | y << 16, dx & 255 | (dy & 255) << 8 | score << 16]
    words += [0] * 256
    total = 2166136261
    for word in words:
        total = (total ^ word) * 16777619 & 0xFFFFFFFF
    return total


def snapshot(tick, base, player, record, wrong=0):
    head = struct.pack("<BIIIH", 66, tick, base, checksum(tick, player) ^ wrong, 1)
    return head + b"\1" + record + b"\0\0"


def whole(tick, player=(0, 100, 100, 0, 0, 0), wrong=0):
    return snapshot(tick, 0, player, struct.pack("<BIHHHbb", WHOLE, *player), wrong)


class Liar(threading.Thread):
    """A server for one bot. `tell` sends what it has to say."""

    def __init__(self, tell):
        super().__init__(daemon=True)
        self.tell = tell
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self):
        self.socket, _ = self.listener.accept()
        self.socket.settimeout(LIMIT_S)
        if self.hear() != b"\1\1":
            return
        try:
            if self.tell(self) != "close":
                while self.socket.recv(65536):
                    pass
        except (OSError, EOFError):
            pass  # the bots have seen enough
        self.socket.close()

    def say(self, *messages):
        self.socket.sendall(b"".join(struct.pack(">I", len(each)) + each for each in messages))

    def hear(self):
        head = self.socket.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            raise EOFError
        return self.socket.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)

    def hear_input(self):
        while (message := self.hear())[0] != 2:
            pass
        return struct.unpack("<BIbb", message)[1:]


def ends(liar):
    liar.say(WELCOME, whole(10))
    return "close"


def disobeys(liar):
    """Acknowledges the input, and goes elsewhere."""
    liar.say(WELCOME, whole(10))
    sequence, dx, _ = liar.hear_input()
    other = 1 if dx != 1 else 2
    record = struct.pack("<BbbB", TURNED | ACKED, other, 0, sequence)
    # way(11) - way(10) of so slow a direction is 0.
    liar.say(snapshot(11, 10, (sequence, 100, 100, 0, other, 0), record))


def never_answers(liar):
    liar.say(WELCOME, whole(10))
    for tick in range(11, 10**6):
        liar.hear_input()
        liar.say(struct.pack("<BIIIHH", 66, tick, tick - 1, checksum(tick, (0, 100, 100, 0, 0, 0)), 0, 0))


def says(*messages):
    return lambda liar: liar.say(*messages)


# What the bots must have counted, and how the liar brings it about.
LIES = {
    "refused": says(b"\x41\2"),
    "bad_messages": says(WELCOME, b"\x63"),
    "bad_messages, another version": says(WELCOME[:1] + b"\2" + WELCOME[2:]),
    "bad_messages, two welcomes": says(WELCOME, WELCOME),
    "bad_snapshots": says(WELCOME, whole(10)[:-1]),
    "wrong_sums": says(WELCOME, whole(10, wrong=1)),
    "early": says(WELCOME, snapshot(11, 10, (0, 100, 100, 0, 0, 0), bytes([MOVED, 1, 1]))),
    "ticks_back": says(WELCOME, whole(10), whole(9)),
    "wrong_acks": says(WELCOME, whole(10, (10**6, 100, 100, 0, 0, 0))),
    "mispredicted": says(WELCOME, whole(10),
                         snapshot(11, 10, (0, 101, 100, 0, 0, 0), bytes([MOVED, 1, 0]))),
    "vanished": says(WELCOME, whole(10), snapshot(11, 10, None, bytes([GONE]))),
    "disobeyed": disobeys,
    "ended": ends,
    "unanswered": never_answers,
}


def check_lies(bots):
    started = []
    for name, tell in LIES.items():
        liar = Liar(tell)
        liar.start()
        patience = "2" if name == "unanswered" else "30"
        command = [bots, "--connect", liar.address, "--bots", "1", "--seconds", "1", "--patience", patience,
                   "--quiet", "--json"]
        started.append((name, subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))
    wrong = []
    for name, process in started:
        output, _ = process.communicate(timeout=LIMIT_S)
        if process.returncode != 1 or json.loads(output)[name.split(",")[0]] == 0:
            wrong.append(f"{name}: exit {process.returncode}, {output}")
    return wrong


def check_usage(bots, server):
    """Exit 2, and a line with the option and what it must be."""
    cases = [
        (bots, [], "--connect"),
        (bots, ["--connect", "tcp://127.0.0.1:1", "--bots", "0"], "1..1024"),
        (bots, ["--connect", "tcp://127.0.0.1:1", "--bots", "1025"], "1..1024"),
        (bots, ["--connect", "tcp://127.0.0.1:1", "--rate", "1x"], "1..100"),
        (bots, ["--connect", "nonsense"], "nonsense"),
        (bots, ["--connect"], "--connect"),
        (bots, ["--nonsense"], "--nonsense"),
        (server, ["--tick-hz", "0"], "1..100"),
        (server, ["--field", "4001"], "16..4000"),
        (server, ["--pellets", "257"], "0..256"),
    ]
    for program, options, words in cases:
        result = subprocess.run([program, *options], capture_output=True, text=True, timeout=LIMIT_S)
        if result.returncode != 2 or words not in result.stderr:
            yield f"{options}: exit {result.returncode}, {result.stderr!r}"


def main(bots, server):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        port = closed.getsockname()[1]
        nobody = subprocess.run([bots, "--connect", f"tcp://127.0.0.1:{port}", "--bots", "2", "--seconds", "1"],
                                capture_output=True, text=True, timeout=LIMIT_S)
    wrong = check_lies(bots) + list(check_usage(bots, server))
    if nobody.returncode != 1 or "2 connections that could not be made" not in nobody.stdout:
        wrong.append(f"without a server: exit {nobody.returncode}, {nobody.stdout}")
    if wrong:
        sys.exit("\n".join(wrong))


main(*sys.argv[1:])
