# SPDX-License-Identifier: MIT
"""check_rooms.py STRESS ROOMS [CHAT] [-- LAUNCHER...]: the scenarios rooms and chat, against the honest servers,
and rooms against servers that break what rooms promise, each in its own way, and are found out.

Each liar is honest but for one delivery, or one line, of 2 rooms with 3 members and 5 lines each. The load
client must exit with 1 and count that one thing, and nothing else.
"""

import asyncio
import re
import struct
import sys
import threading

import support

KINDS = ("lost", "duplicated", "reordered", "corrupted", "foreign", "unanswered", "closed_by_peer",
         "reset", "broken", "failed", "not_let_in")
MEMBERS, LINES = 3, 5


def expect_right(program, address, *options, **expected):
    status, report = support.stress(program, address, "--quiet", *options)
    support.expect(report, errors=0, first_wrong=None, **{kind: 0 for kind in KINDS}, **expected)
    support.expect_status(status, 0)
    return report


def honest(program, rooms):
    with support.Echo(rooms, "--max-connections", "200") as server:
        scenario = ("--scenario", "rooms")
        expect_right(program, server.address, *scenario, "--connections", "60", "--rooms", "6", "--room-size", "10",
                     "--messages", "20", "--window", "4", "--size", "12-900", scenario="rooms", rooms=6, room_size=10,
                     lines=120, deliveries_due=1200, messages_received=1200, answered=60, alive=60)
        # Each connection in several rooms, which number on from before; and a thread for each part of them.
        expect_right(program, server.address, *scenario, "--connections", "20", "--rooms", "6", "--room-size", "10",
                     "--messages", "10", lines=60, messages_received=600, answered=20)
        expect_right(program, server.address, *scenario, "--connections", "40", "--rooms", "7", "--room-size", "10",
                     "--messages", "10", "--threads", "3", threads=3, lines=70, messages_received=700)
        report = expect_right(program, server.address, *scenario, "--connections", "100", "--rate", "200", "--seconds",
                              "1", rooms=2, room_size=50)
        if report["lines"] + report["unsent"] < 190 or report["messages_received"] != 50 * report["lines"]:
            sys.exit(f"{report['lines']} lines of 200, {report['messages_received']} deliveries")
        status, _ = support.run(program, server.address, *scenario, "--connections", "40", "--room-size", "30",
                                "--threads", "2")
        support.expect_status(status, 2)


def chat(program, server_program):
    with support.Echo(server_program, "--max-connections", "200", "--flood-per-s", "0") as server:
        expect_right(program, server.address, "--scenario", "chat", "--connections", "60", "--rooms", "6", "--room-size",
                     "10", "--messages", "20", "--window", "4", scenario="chat", lines=120, messages_received=1200,
                     answered=60, others_lines=0)
        report = expect_right(program, server.address, "--scenario", "chat", "--bots", "50", "--rate", "100", "--seconds",
                              "1", rooms=1, room_size=50)
        if report["lines"] == 0 or report["messages_received"] != 50 * report["lines"]:
            sys.exit(f"{report['lines']} lines, {report['messages_received']} deliveries")


# ---- liars: what one member is told of its room's lines, and all are told of them ----

def head(room, number):
    return b"S" + struct.pack(">IQ", room, number)


def tell(room, lines):
    return [head(room, number) + words for number, words in enumerate(lines)]


def flip(message, place):
    damaged = bytearray(message)
    damaged[place] ^= 1
    return bytes(damaged)


LIES = [
    # name, lie(messages of room 0, messages of room 1) for one member, counts, deliveries that are right
    ("is honest", lambda own, other: own, {}, 30),
    ("drops one", lambda own, other: own[:2] + own[3:], {"lost": 1}, 29),
    ("sends one twice", lambda own, other: own[:3] + own[2:], {"duplicated": 1}, 30),
    ("changes the places of two", lambda own, other: own[:2] + [own[3], own[2]] + own[4:], {"reordered": 1}, 29),
    ("changes a bit of the words", lambda own, other: own[:2] + [flip(own[2], -1)] + own[3:], {"corrupted": 1}, 29),
    ("changes a bit of the time", lambda own, other: own[:2] + [flip(own[2], 15)] + own[3:], {"corrupted": 1}, 29),
    ("cuts one short", lambda own, other: own[:2] + [own[2][:-1]] + own[3:], {"corrupted": 1}, 29),
    ("sends a line of another room", lambda own, other: own[:2] + [other[2]] + own[2:], {"foreign": 1}, 30),
    ("has another room's words in a line", lambda own, other: own[:2] + [head(0, 2) + other[2][13:]] + own[3:],
     {"corrupted": 1}, 29),
    ("keeps the last one", lambda own, other: own[:-1], {"unanswered": 1}, 29),
    ("says no", lambda own, other: own + [b"?I do not like you"], {"corrupted": 1}, 30),
    ("tells one member another order",
     lambda own, other: own[:2] + [head(0, 2) + own[3][13:], head(0, 3) + own[2][13:]] + own[4:], {"reordered": None}, None),
]


class Liar:
    """Lets both rooms fill, takes all their lines, then tells everybody; one member of room 0 through `lie`."""

    def __init__(self, lie, again=False):
        self.lie, self.again = lie, again
        self.rooms = {0: [], 1: []}
        self.lines = {0: [], 1: []}
        self.ready = threading.Event()
        threading.Thread(target=self.run, daemon=True).start()
        if not self.ready.wait(support.LIMIT_S):
            sys.exit("the lying server did not start")

    def run(self):
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self.ready.set()
        loop.run_forever()

    async def serve(self, reader, writer):
        try:
            while True:
                size, = struct.unpack(">I", await reader.readexactly(4))
                self.take(await reader.readexactly(size), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    def take(self, message, writer):
        room, = struct.unpack(">I", message[1:5])
        if message[:1] == b"J":
            self.rooms[room].append(writer)
            write(writer, b"J" + struct.pack(">IQ", room, 0))
            return
        self.lines[room].append(message[5:])
        if all(len(lines) == LINES for lines in self.lines.values()):
            self.tell_all()

    def tell_all(self):
        if self.again:
            self.lines[0].append(self.lines[0][2])
        told = {room: tell(room, lines) for room, lines in self.lines.items()}
        for room, members in self.rooms.items():
            for place, member in enumerate(members):
                lied_to = room == 0 and place == 0
                write(member, *(self.lie(told[0], told[1]) if lied_to else told[room]))


def write(writer, *messages):
    """All at once: a message of its own could come when the client has all that it waits for."""
    writer.write(b"".join(struct.pack(">I", len(message)) + message for message in messages))


def check_liar(program, name, liar, counts, right):
    print(f"-- a server that {name}", flush=True)
    drain = "2000" if "unanswered" in counts else "30000"  # which ends with the last delivery
    status, report = support.stress(
        program, liar.address, "--scenario", "rooms", "--rooms", "2", "--room-size", str(MEMBERS), "--messages",
        str(LINES), "--window", str(LINES), "--size", "40-90", "--drain-timeout", drain, "--quiet")
    if None in counts.values():  # two lines are wrong for the one, or for each of the others: whoever hears first is believed
        support.expect(report, **{kind: 0 for kind in KINDS if kind not in counts})
        if not 2 <= report["reordered"] <= 2 * MEMBERS:
            sys.exit(f"{report['reordered']} reordered")
    else:
        support.expect(report, **{kind: counts.get(kind, 0) for kind in KINDS}, errors=sum(counts.values()),
                       lines=2 * LINES, deliveries_due=2 * LINES * MEMBERS, messages_received=right)
    support.expect_status(status, 1 if counts else 0)
    return report


def liars(program):
    for name, lie, counts, right in LIES:
        report = check_liar(program, name, Liar(lie), counts, right)
        kind = next(iter(counts), None)
        first = {None: "None", "unanswered": "None", "corrupted": "corrupted: line 2 of room 0 at connection [024], .*",
                 "foreign": "foreign: line 2 of room 1 at connection [024], .*"}.get(
                     kind, ".* of room 0 at connection [024], whose next was .*")
        if name == "says no":
            first = "the server said to connection [024]: I do not like you"
        if not re.fullmatch(first, str(report["first_wrong"])):
            sys.exit(f"the first that was wrong: {report['first_wrong']!r}, expected {first!r}")
    check_liar(program, "broadcasts a line twice", Liar(lambda own, other: own, again=True), {"duplicated": MEMBERS}, 30)


def main(program, rooms, *chats):
    honest(program, rooms)
    liars(program)
    for server in chats:
        chat(program, server)


main(*support.PROGRAMS)
