# SPDX-License-Identifier: MIT
"""check_liars.py STRESS [-- LAUNCHER...]: servers that break the echo, each in its own way, and are found out.

Each liar is honest but for one or two messages of a run of 10 on each of two connections. The load
client must exit with 1 and count that one thing, and nothing else.
"""

import asyncio
import struct
import sys
import threading

import support

MESSAGES = 10


def drop(messages):
    return messages[:4] + messages[5:]


def duplicate(messages):
    return messages[:5] + messages[4:]


def reorder(messages):
    return messages[:4] + [messages[5], messages[4]] + messages[6:]


def corrupt(messages):
    damaged = bytearray(messages[4])
    damaged[-1] ^= 1
    return messages[:4] + [bytes(damaged)] + messages[5:]


def cut(messages):
    return messages[:4] + [messages[4][:-1]] + messages[5:]


def withhold(messages):
    return messages[:-1]


def honest(messages):
    return messages


class Liar:
    """Collects the messages of two connections, then answers both; the first through `lie`."""

    def __init__(self, lie, swap=False, close=False, beats=0):
        self.lie, self.swap, self.close = lie, swap, close
        self.beats = beats  # empty messages before each message, and before each answer
        self.beats_heard = 0
        self.ended = threading.Event()  # a connection has
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.connections = []
        self.tasks = set()
        threading.Thread(target=self.run, daemon=True).start()
        if not self.ready.wait(support.LIMIT_S):
            sys.exit("the lying server did not start")

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        self.ready.set()
        self.loop.run_forever()

    async def serve(self, reader, writer):
        messages = []
        try:
            for _ in range(MESSAGES):
                writer.write(bytes(4 * self.beats))
                size = 0
                while size == 0:
                    size, = struct.unpack(">I", await reader.readexactly(4))
                    self.beats_heard += size == 0
                messages.append(await reader.readexactly(size))
            self.connections.append((messages, writer))
            if len(self.connections) == 2:
                self.answer()
            self.beats_heard += len(await reader.read()) // 4
            self.ended.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    def answer(self):
        (first, first_writer), (second, second_writer) = self.connections
        if self.swap:
            first[4], second[4] = second[4], first[4]
        for messages, writer, lie in ((first, first_writer, self.lie),
                                      (second, second_writer, honest)):
            # All at once: a message of its own could come when the client has all that it waits for.
            writer.write(b"".join(bytes(4 * self.beats) + struct.pack(">I", len(message)) + message
                                  for message in lie(messages)))
        if self.close:
            first_writer.close()


# Name, the liar, what must be counted (0: everything else), messages that come back right.
LIARS = [
    ("honest", lambda: Liar(honest), {}, 20),
    ("drops one", lambda: Liar(drop), {"lost": 1}, 18),
    ("sends one twice", lambda: Liar(duplicate), {"duplicated": 1}, 20),
    ("changes the places of two", lambda: Liar(reorder), {"reordered": 1}, 18),
    ("changes a bit", lambda: Liar(corrupt), {"corrupted": 1}, 19),
    ("cuts one short", lambda: Liar(cut), {"corrupted": 1}, 19),
    ("gives one to the wrong connection", lambda: Liar(honest, swap=True),
     {"foreign": 2, "lost": 2}, 16),
    ("keeps the last one", lambda: Liar(withhold), {"unanswered": 1}, 19),
    ("closes after its answers", lambda: Liar(honest, close=True), {"closed_by_peer": 1}, 20),
    ("closes before its last answer", lambda: Liar(withhold, close=True),
     {"closed_by_peer": 1, "unanswered": 1}, 19),
]

KINDS = ("lost", "duplicated", "reordered", "corrupted", "foreign", "unanswered", "closed_by_peer",
         "reset", "broken", "failed")


def check(program, name, make, counts, right):
    print(f"-- a server that {name}", flush=True)
    # What a busy machine delays must still count: the close comes in the idle time, and an answer
    # before the drain gives up.
    idle = "2" if "closed_by_peer" in counts else "0"
    drain = "3000" if "unanswered" in counts else "30000"  # which ends with the last answer
    status, report = support.stress(
        program, make().address, "--connections", "2", "--messages", str(MESSAGES), "--window",
        str(MESSAGES), "--size", "40-90", "--drain-timeout", drain, "--idle", idle, "--quiet")
    support.expect(report, **{kind: counts.get(kind, 0) for kind in KINDS},
                   errors=sum(counts.values()), messages_sent=2 * MESSAGES,
                   messages_received=right)
    support.expect_status(status, 1 if counts else 0)


def check_heartbeats(program):
    """A server that asks for heartbeats between all messages: they are answered, and count for nothing."""
    for lie, counts, right in ((honest, {}, 20), (drop, {"lost": 1}, 18)):
        print(f"-- a server with heartbeats that is {lie.__name__}", flush=True)
        liar = Liar(lie, beats=3)
        status, report = support.stress(
            program, liar.address, "--connections", "2", "--messages", str(MESSAGES), "--window",
            str(MESSAGES), "--size", "1-90", "--drain-timeout", "30000", "--heartbeat-ms", "60000", "--quiet")
        support.expect(report, **{kind: counts.get(kind, 0) for kind in KINDS},
                       errors=sum(counts.values()), messages_sent=2 * MESSAGES,
                       messages_received=right)
        support.expect_status(status, 1 if counts else 0)
        if not liar.ended.wait(support.LIMIT_S) or liar.beats_heard == 0:
            sys.exit(f"{liar.beats_heard} answers to the heartbeats")


for liar in LIARS:
    check(support.PROGRAMS[0], *liar)
check_heartbeats(support.PROGRAMS[0])
