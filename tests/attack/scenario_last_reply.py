# SPDX-License-Identifier: MIT
"""The server closes while input that it has not read is pending (L3): a system that closes such a socket resets it
and can destroy the last reply. The replies are larger than the client's buffer, so most of them is on its way."""

import wire

NAME = "last_reply"
WHAT = "close with unread input pending: every last reply arrives, and then an orderly end"
REPLY, COUNT = 6000, 4
JUNK = wire.frame(bytes(1000)) * 150
BATCH = 20


def ask(server):
    end = wire.connect(server, receive_bytes=4096)
    end.sendall(wire.command(f"write {REPLY} {COUNT}") + wire.command("close"))
    end.setblocking(False)
    try:
        end.send(JUNK)  # as much as the system takes
    except BlockingIOError:
        pass
    end.settimeout(20)
    return end


def replies(server, count):
    """How many of so many last replies arrived whole, and how many streams ended in order."""
    whole = ended = 0
    for first in range(0, count, BATCH):
        for end in [ask(server) for _ in range(min(BATCH, count - first))]:
            with end:
                expected = COUNT * (4 + REPLY)
                try:
                    whole += len(wire.read_exactly(end, expected)) == expected
                except OSError:
                    pass
                ended += wire.how_it_ended(end) == "end"
    return whole, ended


def run(world):
    count = world.pick(1000, 60)
    backends = {"epoll": ["epoll"], "io_uring": ["io_uring", "io_uring-plain"]}
    for backend in backends.get(world.backend, ["epoll", "io_uring", "io_uring-plain"]):
        for threads in (1, 0):
            with world.server("--backend", backend, "--io-threads", threads, "--max-connections", 1000) as server:
                whole, ended = replies(server, count)
                where = f"{backend}, {'threaded' if threads else 'inline'}"
                world.check(f"last replies, {where}", whole, count, whole == count)
                world.check(f"orderly ends, {where}", ended, count, ended == count)
                counters, took = server.wait(lambda now: now["slots_taken"] == 0, 10)
                local = counters["closed_by"]["LOCAL"]
                world.check(f"CLOSED because of LOCAL, {where}", local, count, local == count and took is not None)
