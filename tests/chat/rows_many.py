# SPDX-License-Identifier: MIT
"""Rows of check_chat.py: many clients, slow readers, and the life of the server."""

import os
import socket
import subprocess
import tempfile
import time

from support import CALM, CODES, LAUNCHER, PROGRAM, TOKEN, Client, Gone, HeldPort, Server, join_as, kinds, pump, row, scaled


# ---- many ----

def letters(number):
    """A number of two digits as a name's ending in which no two digits look alike."""
    return f"{number:02}".replace("0", "x").replace("1", "y")


@row(CALM)
def every_member_gets_every_line_once_and_in_order(server):
    rooms, members, lines = 10, max(2, scaled(20)), 20
    groups = [[join_as(server, f"user-{letters(room)}-{letters(member)}", f"room-{letters(room)}")
               for member in range(members)] for room in range(rooms)]
    clients = [client for group in groups for client in group]
    for client in clients:
        client.settle()
    for number in range(lines):
        for room, group in enumerate(groups):
            for member, client in enumerate(group):
                client.send("SAY", number + 1000, room=f"room-{letters(room)}", text=f"{room} {member} {number}")
    each = members * lines + lines  # LINEs of all, answers to one's own
    pump(clients, lambda: all(len(client.inbox) >= each for client in clients))
    for room, group in enumerate(groups):
        said = {f"{room} {member} {number}" for member in range(members) for number in range(lines)}
        first = [body for kind, body in group[0].inbox if kind == "LINE"]
        assert [line["seq"] for line in first] == list(range(1, members * lines + 1)), "numbers are missing or double"
        assert {line["text"] for line in first} == said and len(first) == len(said)
        for member, client in enumerate(group):
            assert [body for kind, body in client.inbox if kind == "LINE"] == first, "two members have different lines"
            answers = [body["seq"] for kind, body in client.inbox if kind == "-SAY"]
            own = [line["seq"] for line in first if line["text"].startswith(f"{room} {member} ")]
            assert answers == own, "an answer names another line"
    print(f"    {len(clients)} clients, {rooms} rooms, {rooms * members * lines} lines, "
          f"{rooms * members * members * lines} deliveries")


@row(CALM)
def who_is_here_comes_in_pages(server):
    ana = join_as(server, "ana", "lobby")
    others = [join_as(server, f"guest-{letters(number)}", "lobby") for number in range(130)]
    first = ana.do("WHO", room="lobby")
    second = ana.do("WHO", room="lobby", from_=first["next"])
    names = first["names"] + second["names"]
    assert len(first["names"]) == 100 and second["next"] == 0 and len(names) == len(set(names)) == 131, len(names)
    assert names[0] == "ana"
    for client in others:
        client.close()


@row(None)
def a_slow_reader_is_reset_and_comes_back_to_the_history():
    options = ["--send-queue-bytes-max", "131072", "--socket-send-bytes", "16384", "--history-bytes", "32768",
               "--write-timeout-ms", "off"]  # it is its full queue that ends it
    with Server(*CALM, *options) as server:
        ana, bob = join_as(server, "ana", "lobby"), join_as(server, "bob", "lobby")
        slow = Client(server)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.do("HELLO", name="slow", version=1)
        slow.do("JOIN", room="lobby")
        told = []
        number = 0
        deadline = time.monotonic() + 60
        while not told:
            assert time.monotonic() < deadline and number < 3000, f"a reader that does not read is still there after {number} lines"
            number += 1
            ana.do("SAY", room="lobby", text=f"{number:06}" + "x" * 1000)
            told = [body for kind, body in ana.inbox if kind == "LEFT"]
            ana.inbox = []
            came = [body["seq"] for kind, body in bob.settle() if kind == "LINE"]
            assert came == [number], came
        assert told[0]["name"] == "slow" and told[0]["why"] == 1, told
        seen = [body["seq"] for kind, body in slow.wait_until_gone() if kind == "LINE"]
        assert seen == list(range(1, len(seen) + 1)), "what it did get has no gaps"
        again = Client(server)
        again.do("HELLO", name="slow", version=1)
        reply = again.do("JOIN", room="lobby", after=seen[-1] if seen else 0)
        numbers = [line["seq"] for line in reply["lines"]]
        assert numbers and numbers == list(range(numbers[0], reply["seq"] + 1)) and reply["seq"] == number, numbers


# ---- life ----

@row(None)
def the_end_is_told_and_a_new_server_begins_anew():
    with HeldPort() as port:
        with Server(*CALM, port=port) as server:
            ana = join_as(server, "ana", "lobby")
            ana.do("SAY", room="lobby", text="before")
            server.tell_to_stop()
            came = ana.wait_until_gone()
            assert ("GOODBYE", {"code": CODES["STOPPING"], "text": "the server stops"}) in came, came
        with Server(*CALM, port=port) as server:
            reply = join_as(server, "ana").do("JOIN", room="lobby", after=1)
            assert reply["seq"] == 0 and reply["lines"] == [], reply


def join_in_time(server, name):
    """On a busy machine even a hello that is said at once can be late by accident, but not each time."""
    for _ in range(5):
        try:
            return join_as(server, name)
        except (Gone, ConnectionError):
            pass
    raise AssertionError("whoever says hello is dismissed, too")


@row(None)
def whoever_says_nothing_is_dismissed():
    with Server(*CALM, "--hello-timeout-s", "1") as server:
        silent, ana = Client(server), join_in_time(server, "ana")
        assert silent.wait_until_gone()[-1][1]["code"] == CODES["SILENT"]
        ana.do("PING")


def run(*options, **environment):
    clean = {key: value for key, value in os.environ.items() if key != "THRONG_CHAT_TOKEN"} | environment
    result = subprocess.run([*LAUNCHER, PROGRAM, *options], capture_output=True, text=True, timeout=60, env=clean)
    return result.returncode, result.stdout, result.stderr


@row(None)
def options_are_refused_by_name_value_and_limit():
    for options, words in (
            (["--history-lines", "1001"], ["history-lines", '"1001"', "0..1000"]),
            (["--history-bytes", "2047"], ["history-bytes", '"2047"', "2048..1048576"]),
            (["--flood-lines", "x"], ["flood-lines", '"x"', "1..100000"]),
            (["--history-bytes", "100000"], ["message_bytes_max is 65536", "100000"]),
            (["--rooms-max", "1"], ["rooms_max must be at least 2"]),
            (["--operator-token", "secret"], ["operator-token"]),
            (["--operator-token-file", "no-such-file"], ["no-such-file"])):
        status, _, complaint = run(*options)
        assert status == 2 and all(word in complaint for word in words), (options, status, complaint)
    status, _, complaint = run(THRONG_CHAT_TOKEN="short")
    assert status == 2 and "5 bytes" in complaint and "8..128" in complaint, complaint


@row(None)
def the_budget_has_the_chats_own_lines():
    status, text, _ = run("--max-connections", "1000", "--budget")
    own = text.split("the program's own", 1)[1]
    assert status == 0 and all(name in own for name in ("users", "rooms", "seats", "history", "bans", "total")), text


@row(None)
def the_token_can_come_from_a_file():
    with tempfile.NamedTemporaryFile("w", suffix=".token", delete=False) as file:
        file.write("a token of the file\nanother line\n")
    try:
        with Server(*CALM, "--operator-token-file", file.name) as server:
            join_as(server, "boss", token="a token of the file")
            join_as(server, "other").refused("BAD_TOKEN", "OPERATOR", token=TOKEN)
    finally:
        os.unlink(file.name)
    with Server(*CALM, token=None) as server:
        join_as(server, "boss").refused("BAD_TOKEN", "OPERATOR", token="")
