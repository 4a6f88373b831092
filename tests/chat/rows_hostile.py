# SPDX-License-Identifier: MIT
"""Rows of check_chat.py: hostile bytes, floods, and operators."""

import os
import random
import sys
import time

from msgpack_small import encode
from support import CALM, CODES, LAUNCHER, SMALL, TOKEN, TYPES, Client, Gone, join_as, kinds, row, scaled


# ---- hostile bytes ----

HOSTILE = [
    b"", b"\xc1", b"\xc0", b"\x93", b"\x93\x01", b"\x93\x01\x01", b"\x92\x01\x01", b"\x94\x01\x01\x80\x80",
    b"\x93\x01\x01\x80\x00", b"\xdd\xff\xff\xff\xff", b"\x93\x07\x01\xdf\xff\xff\xff\xff", b"\x93\x07\x01\xdb\xff\xff\xff\xff",
    b"\x93\x07\x01" + b"\x91" * 200, b"\x93\x07\x01" + b"\x81\xa1a" * 100, b"\x93\xa1a\x01\x80", b"\x93\xff\x01\x80",
    b"\x93\x07\x00\x80", b"\x93\x07\xcf" + b"\xff" * 8 + b"\x80", b"\x93\x07\x01\xc7\x01\x01\x00",
    b"\x93\x07\x01\x82\xa4room\xa5lobby", b"\x93\x07\x01\x81\x01\x02", b"\x93\xcb" + b"\x7f" * 8 + b"\x01\x80",
    b"\x93\x07\x01\xde\xff\xff" + b"\xa1a\x01" * 30, b"x" * 4096, b"\x00" * 60000,
]


@row(CALM)
def bodies_of_other_kinds_are_refused(server):
    ana = join_as(server, "ana", "lobby")
    for body in (None, 7, "lobby", [], {}, {"room": None, "text": "x"}, {"room": b"lobby", "text": "x"},
                 {"room": ["lobby"], "text": "x"}, {"room": "lobby", "text": {}}):
        ana.last_request += 1
        ana.send_bytes(encode([TYPES["SAY"], ana.last_request, body]))
        kind, reply = ana.answer(ana.last_request)
        assert kind == "REFUSED" and reply["code"] == CODES["MALFORMED"], (body, kind, reply)
        assert reply["field"] in ("room", "text"), reply
    ana.do("SAY", room="lobby", text="still here")


@row(CALM)
def hostile_bytes_are_answered_and_harm_nobody(server):
    watcher = join_as(server, "watcher", "lobby")
    for payload in HOSTILE:
        client = join_as(server, "mallory", "lobby")
        client.send_bytes(payload)
        kind, _, body = client.receive()
        assert kind == 0 and body["text"], (payload[:20], kind, body)
        client.do("SAY", room="lobby", text="still here")
        client.close()
        while watcher.wait_for("LEFT")["name"] != "mallory":
            pass
    assert kinds(watcher.settle()).count("LINE") == len(HOSTILE)
    client = join_as(server, "mallory")
    for _ in range(16):
        client.send_bytes(b"\xc1")
    last = client.wait_until_gone()[-1]
    assert last[0] == "GOODBYE" and last[1]["code"] == CODES["HOPELESS"], last


@row(CALM)
def random_bytes_harm_nobody(server):
    seed = int(os.environ.get("THRONG_TEST_SEED", str(int(time.time()))))
    print(f"THRONG_TEST_SEED={seed}", flush=True)
    chance = random.Random(seed)
    watcher = join_as(server, "watcher", "lobby")
    whole = [encode([TYPES[name], 1, {"name": "ana", "room": "lobby", "text": "hi", "seconds": 1, "version": 1}])
             for name in TYPES]
    for _ in range(scaled(40)):
        client = Client(server)
        try:
            for _ in range(40):
                payload = bytearray(chance.choice(whole))
                for _ in range(chance.randrange(4)):
                    payload[chance.randrange(len(payload))] = chance.randrange(256)
                client.send_bytes(bytes(payload[:chance.randrange(len(payload)) + 1]))
        except OSError:
            pass  # the server had enough of it
        client.close()
    own = watcher.do("SAY", room="lobby", text="still here")["seq"]
    lines = [body for kind, body in watcher.settle() if kind == "LINE"]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1)), "lines are missing"
    # Not the last one: what somebody said who has closed may still be on its way.
    assert (lines[own - 1]["from"], lines[own - 1]["text"]) == ("watcher", "still here"), lines[own - 1]


@row(CALM)
def frames_that_lie_end_their_own_connection_only(server):
    watcher = join_as(server, "watcher", "lobby")
    liar = join_as(server, "liar", "lobby")
    liar.socket.sendall(b"\xff\xff\xff\xff" + b"x" * 100)
    liar.wait_until_gone()
    half = join_as(server, "half", "lobby")
    half.socket.sendall(b"\x00\x00\x00\x10\x93\x07")
    half.close()
    names = {watcher.wait_for("LEFT")["name"], watcher.wait_for("LEFT")["name"]}
    assert names == {"liar", "half"}, names


# ---- flood ----

@row(SMALL)
def floods_are_warned_of_refused_and_muted(server):
    ana, bob = join_as(server, "ana", "lobby"), join_as(server, "bob", "lobby")
    answers = []
    while "MUTED" not in kinds(ana.inbox) and len(answers) < 100:
        kind, body = ana.ask("SAY", room="lobby", text=f"line {len(answers)}")
        answers.append("said" if kind == "SAY" else body["code"])
        if body.get("code") == CODES["FLOOD"]:
            assert 0 < body["wait_ms"] <= 1000 and body["limit"] == 10, body
        if body.get("code") == CODES["IS_MUTED"]:
            break
    assert "WARNING" in kinds(ana.inbox) and "MUTED" in kinds(ana.inbox), kinds(ana.inbox)
    muted = ana.wait_for("MUTED")
    assert muted["by"] == "" and 29000 < muted["wait_ms"] <= 30000, muted
    assert answers[:10] == ["said"] * 10 and answers.count(CODES["FLOOD"]) >= 5, answers
    lines = [body for kind, body in bob.settle() if kind == "LINE"]
    assert len(lines) == answers.count("said"), "what was refused was not said, and nothing else was lost"
    bob.do("SAY", room="lobby", text="bob may speak")


# ---- moderation ----

@row(CALM)
def operators_need_the_token(server):
    almost = TOKEN[:-1] + "?", "?" + TOKEN[1:], TOKEN[:-1], TOKEN + "?"
    for number, token in enumerate(almost):  # five within a minute, and the address may try no more
        ana = join_as(server, f"ana-{'abcd'[number]}")
        ana.refused("BAD_TOKEN", "OPERATOR", token=token)
        ana.refused("NOT_OPERATOR", "BANS")
    ana.do("OPERATOR", token=TOKEN)
    ana.do("BANS")


@row(CALM)
def operators_kick_out_of_a_room_and_off_the_server(server):
    root, bob, cy = (join_as(server, name, "lobby") for name in ("boss", "bob", "cy"))
    root.do("OPERATOR", token=TOKEN)
    root.settle()
    root.do("KICK", name="bob", room="lobby", text="calm down")
    kicked = bob.wait_for("KICKED")
    assert kicked == {"room": "lobby", "by": "boss", "text": "calm down"}, kicked
    left = cy.wait_for("LEFT")
    assert (left["name"], left["why"], left["by"], left["text"]) == ("bob", 2, "boss", "calm down"), left
    bob.refused("NOT_MEMBER", "SAY", room="lobby", text="hey")
    bob.do("JOIN", room="lobby")
    root.do("KICK", name="cy", text="bye")
    last = cy.wait_until_gone()[-1]
    assert last == ("GOODBYE", {"code": CODES["KICKED"], "text": "bye"}), last
    root.refused("NO_USER", "KICK", name="cy")


@row(CALM)
def operators_mute_a_name_and_not_a_connection(server):
    root, bob, cy = (join_as(server, name, "lobby") for name in ("boss", "bob", "cy"))
    root.do("OPERATOR", token=TOKEN)
    root.do("MUTE", name="bob", seconds=600, text="hush")
    muted = bob.wait_for("MUTED")
    assert (muted["by"], muted["text"], muted["wait_ms"]) == ("boss", "hush", 600000), muted
    for kind, body in (("SAY", {"room": "lobby", "text": "x"}), ("ME", {"room": "lobby", "text": "x"}),
                       ("TELL", {"name": "cy", "text": "x"}), ("TOPIC", {"room": "lobby", "text": "x"}),
                       ("NAME", {"name": "robert"})):
        assert bob.refused("IS_MUTED", kind, **body)["wait_ms"] > 500000
    assert root.do("WHOIS", name="bob")["wait_ms"] > 500000
    bob.close()
    assert cy.wait_for("LEFT")["name"] == "bob"
    bob = join_as(server, "BOB", "lobby")  # another connection, another spelling
    bob.refused("IS_MUTED", "SAY", room="lobby", text="x")
    root.do("UNMUTE", name="bob")
    assert bob.wait_for("MUTED")["wait_ms"] == 0
    bob.do("SAY", room="lobby", text="thanks")
    assert root.refused("OUT_OF_RANGE", "MUTE", name="bob", seconds=0)["field"] == "seconds"
    assert root.refused("OUT_OF_RANGE", "MUTE", name="bob", seconds=31536001)["limit"] == 31536000


@row(CALM)
def operators_look_at_users_and_close_rooms(server):
    root, bob, cy = (join_as(server, name, "lobby") for name in ("boss", "BOB", "cy"))
    root.do("OPERATOR", token=TOKEN)
    whois = root.do("WHOIS", name="bob")
    assert whois == {"name": "BOB", "address": "127.0.0.1", "rooms": ["lobby"], "operator": False, "wait_ms": 0}, whois
    root.do("CLOSE_ROOM", room="lobby", text="done")
    for client in (root, bob, cy):
        left = client.wait_for("LEFT")
        assert (left["name"], left["why"], left["by"], left["text"]) == ("", 3, "boss", "done"), left
    cy.refused("NO_ROOM", "SAY", room="lobby", text="x")


@row(CALM)
def operators_ban_by_name_and_by_address(server):
    root, bob = join_as(server, "boss", token=TOKEN), join_as(server, "bob", "lobby")
    root.do("BAN", name="Bob", seconds=0, text="spam")
    last = bob.wait_until_gone()[-1]
    assert last == ("GOODBYE", {"code": CODES["BANNED"], "text": "spam"}), last
    visitor = Client(server)
    visitor.refused("BANNED", "HELLO", name="B0B", version=1)
    visitor.do("HELLO", name="bert", version=1)
    visitor.refused("BANNED", "NAME", name="bob")
    root.do("BAN", address="2001:db8::5", seconds=3600)
    bans = root.do("BANS")
    assert bans["bans"][0] == {"name": "Bob", "seconds": 0, "text": "spam"} and bans["next"] == 0, bans
    assert bans["bans"][1]["address"] == "2001:db8:0:0::/64" and 3590 < bans["bans"][1]["seconds"] <= 3600, bans
    assert root.refused("BAD_ADDRESS", "BAN", address="localhost", seconds=0)["field"] == "address"
    root.do("UNBAN", address="2001:db8:0:0::/64")
    root.refused("NO_BAN", "UNBAN", address="2001:db8::5")
    root.do("UNBAN", name="bob")
    visitor.do("NAME", name="bob")


@row(CALM)
def a_banned_address_is_put_off_and_kept_off(server):
    """From 127.0.0.2, which only Linux has without more ado."""
    if not sys.platform.startswith("linux") or LAUNCHER:
        print("    left out: 127.0.0.2 is no address of this system")
        return
    root, guest = join_as(server, "boss", token=TOKEN), Client(server, source="127.0.0.2")
    guest.do("HELLO", name="guest", version=1)
    root.do("BAN", address="127.0.0.2", seconds=0, text="no more")
    assert guest.wait_until_gone()[-1] == ("GOODBYE", {"code": CODES["BANNED"], "text": "no more"})
    assert Client(server, source="127.0.0.2").wait_until_gone()[-1] == ("GOODBYE", {"code": CODES["BANNED"], "text": "no more"})
    join_as(server, "other")
    root.do("UNBAN", address="127.0.0.2")
    Client(server, source="127.0.0.2").do("HELLO", name="guest", version=1)


@row(CALM)
def an_announcement_reaches_everybody_with_a_name(server):
    root, ana, nameless = join_as(server, "boss", token=TOKEN), join_as(server, "ana"), Client(server)
    root.do("ANNOUNCE", text="tea at five")
    assert ana.wait_for("ANNOUNCED")["text"] == "tea at five"
    assert root.wait_for("ANNOUNCED")["text"] == "tea at five"
    root.refused("EMPTY", "ANNOUNCE", text="")
    nameless.do("HELLO", name="late", version=1)
    assert nameless.settle() == []


@row(CALM)
def guessing_tokens_ends_the_connection_then_the_address(server):
    first, second = join_as(server, "guessera"), join_as(server, "guesserb")
    for _ in range(3):
        first.refused("BAD_TOKEN", "OPERATOR", token="guess")
    assert first.wait_until_gone()[-1][1]["code"] == CODES["TOO_MANY_ATTEMPTS"]
    for _ in range(2):
        second.refused("BAD_TOKEN", "OPERATOR", token="guess")
    second.refused("TOO_MANY_ATTEMPTS", "OPERATOR", token=TOKEN)
    refusal = join_as(server, "guesserc").refused("TOO_MANY_ATTEMPTS", "OPERATOR", token=TOKEN)
    assert 0 < refusal["wait_ms"] <= 60000, refusal
