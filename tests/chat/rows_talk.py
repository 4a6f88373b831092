# SPDX-License-Identifier: MIT
"""Rows of check_chat.py: names, rooms, lines, private messages, and what the protocol promises."""

import os
import struct
import time

from msgpack_small import encode, raw_str
from support import CALM, CODES, LIMIT_S, TYPES, Client, Server, join_as, kinds, row


# ---- the contract ----

@row(None)
def numbers_stay():
    """Clients that were written once go on working."""
    assert [TYPES[name] for name in ("HELLO", "JOIN", "SAY", "OPERATOR", "WHOIS")] == [1, 3, 7, 16, 25]
    assert [TYPES[name] for name in ("LINE", "PRIVATE", "LEFT", "GOODBYE", "REFUSED")] == [32, 33, 35, 43, 44]
    assert [CODES[name] for name in ("MALFORMED", "NAME_TAKEN", "FLOOD", "BUSY", "HOPELESS")] == [1, 11, 19, 29, 33]


@row(CALM)
def the_bytes_of_the_readme_are_those_of_the_server(server):
    client = Client(server)
    client.socket.sendall(bytes.fromhex(
        "00 00 00 16 93 01 01 82 a4 6e 61 6d 65 a3 61 6e 61 a7 76 65 72 73 69 6f 6e 01"
        "00 00 00 0f 93 03 02 81 a4 72 6f 6f 6d a5 6c 6f 62 62 79"
        "00 00 00 17 93 07 03 82 a4 72 6f 6f 6d a5 6c 6f 62 62 79 a4 74 65 78 74 a2 68 69"))
    assert client.answer(1)[0] == "HELLO"
    assert client.answer(2)[0] == "JOIN"
    while len(client.data) < 4 or len(client.data) < 4 + struct.unpack(">I", client.data[:4])[0]:
        client.data += client.socket.recv(65536)
    line = client.data[:57]
    assert line[:27] == bytes.fromhex(
        "00 00 00 35 93 20 c0 86 a4 72 6f 6f 6d a5 6c 6f 62 62 79 a3 73 65 71 01 a2 61 74"), line.hex(" ")
    assert line[27:28] == b"\xcf" and line[36:] == bytes.fromhex(
        "a4 66 72 6f 6d a3 61 6e 61 a4 74 65 78 74 a2 68 69 a2 6d 65 c2"), line.hex(" ")
    assert client.answer(3)[1]["seq"] == 1


# ---- hello and names ----

@row(CALM)
def hello_comes_first_and_once(server):
    client = Client(server)
    client.refused("NO_HELLO", "JOIN", room="lobby")
    assert client.refused("VERSION", "HELLO", name="ana", version=2)["limit"] == 1
    client.refused("MALFORMED", "HELLO", name="ana")
    assert client.refused("MALFORMED", "HELLO", name=7, version=1)["field"] == "name"
    hello = client.do("HELLO", name="ana", version=1)
    assert hello["name"] == "ana" and hello["limits"]["line_bytes"] == 1024
    assert abs(hello["now"] / 1000 - time.time()) < 60, hello["now"]
    client.refused("HELLO_AGAIN", "HELLO", name="ana", version=1)
    client.close()


@row(CALM)
def names_are_unique_and_cannot_pass_for_another(server):
    paul, client = join_as(server, "Paul"), join_as(server, "guest")
    for name in ("Paul", "pAUL", "PAUL", "PauI"):
        client.refused("NAME_TAKEN", "NAME", name=name)
    for name in ("server", "SERVER", "Adm1n", "system", "***", "--", "..."):
        assert client.ask("NAME", name=name)[0] == "REFUSED", name
    for name in ("P\u0430ul", "Pa ul", "Paul\u200b", "\u202eluaP", "Paul\u200e", "Pa\tul", "<Paul>", "Pau\u0301l",
                 "\uff30aul", "Paul\x00", "Paul\n", "\u3164", "\U0001f600", "P\u2028aul"):
        client.refused("BAD_CHARACTER", "NAME", name=name)
    client.refused("EMPTY", "NAME", name="")
    assert client.refused("TOO_LONG", "NAME", name="x" * 25)["limit"] == 24
    for name in (b"\xc0\x80", b"a\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ab\xe4\xbd"):
        client.refused("BAD_UTF8", "NAME", name=raw_str(name))
    for name in ("x" * 24, "J\u00fcrgen", "\u5c71\u7530", "\u0410\u043d\u043d\u0430", "r2-d2_x.y"):
        assert client.do("NAME", name=name)["name"] == name
    paul.do("NAME", name="PAUL")  # one's own


@row(CALM)
def a_new_name_is_told_to_each_room_and_frees_the_old(server):
    ana, bob = join_as(server, "ana", "ra", "rb"), join_as(server, "bob", "ra", "rb", "rc")
    ana.settle()
    bob.do("NAME", name="Robert")
    told = [body for kind, body in ana.settle() if kind == "RENAMED"]
    assert sorted(body["room"] for body in told) == ["ra", "rb"], told
    assert {(body["old"], body["name"]) for body in told} == {("bob", "Robert")}
    assert len([kind for kind in kinds(bob.settle()) if kind == "RENAMED"]) == 3
    assert ana.do("WHO", room="ra")["names"] == ["ana", "Robert"]
    ana.do("NAME", name="bob")


# ---- rooms ----

@row(CALM)
def a_room_is_made_by_joining_and_heard_by_its_members_only(server):
    ana, bob, cy = join_as(server, "ana", "Lobby"), join_as(server, "bob"), join_as(server, "cy", "den")
    reply = bob.do("JOIN", room="lobby")
    assert reply == {"room": "Lobby", "topic": "", "by": "", "seq": 0, "members": 2, "lines": []}, reply
    assert [body["name"] for kind, body in ana.settle() if kind == "JOINED"] == ["bob"]
    assert bob.settle() == [], "who joins is not told of itself"
    said = ana.do("SAY", room="LOBBY", text="hi")
    line = bob.wait_for("LINE")
    assert line == {"room": "Lobby", "seq": 1, "at": said["at"], "from": "ana", "text": "hi", "me": False}, line
    assert ana.wait_for("LINE") == line and cy.settle() == []
    ana.do("ME", room="lobby", text="waves")
    assert bob.wait_for("LINE")["me"] is True
    bob.refused("MEMBER_ALREADY", "JOIN", room="LOBBY")
    cy.refused("NOT_MEMBER", "SAY", room="lobby", text="let me in")
    cy.refused("NOT_MEMBER", "WHO", room="lobby")
    cy.refused("NO_ROOM", "SAY", room="nowhere", text="hello?")
    bob.do("LEAVE", room="lobby")
    left = [body for kind, body in ana.settle() if kind == "LEFT"]
    assert [(body["name"], body["why"]) for body in left] == [("bob", 0)], left
    ana.do("SAY", room="lobby", text="alone")
    assert bob.settle() == []
    bob.refused("NOT_MEMBER", "LEAVE", room="lobby")
    cy.close()


@row(CALM)
def whoever_disconnects_has_left_all_rooms(server):
    ana, bob = join_as(server, "ana", "ra", "rb"), join_as(server, "bob", "ra", "rb")
    ana.settle()
    bob.close()
    left = [ana.wait_for("LEFT"), ana.wait_for("LEFT")]
    assert sorted((body["room"], body["name"], body["why"]) for body in left) == [
        ("ra", "bob", 1), ("rb", "bob", 1)], left
    join_as(server, "bob", "ra")


@row(CALM)
def history_comes_with_the_join_as_it_was_said(server):
    ana = join_as(server, "ana", "lobby")
    said = [ana.do("SAY", room="lobby", text=f"line {number}") for number in range(60)]
    ana.do("NAME", name="anna")
    lines = join_as(server, "bob").do("JOIN", room="lobby")["lines"]
    assert [line["seq"] for line in lines] == list(range(11, 61)), [line["seq"] for line in lines]
    assert [line["at"] for line in lines] == [reply["at"] for reply in said[10:]]
    assert {line["from"] for line in lines} == {"ana"} and lines[-1]["text"] == "line 59"
    again = join_as(server, "cy").do("JOIN", room="lobby", after=57)
    assert [line["seq"] for line in again["lines"]] == [58, 59, 60] and again["seq"] == 60
    assert join_as(server, "dan").do("JOIN", room="lobby", after=60)["lines"] == []
    assert len(join_as(server, "eve").do("JOIN", room="lobby", after=61)["lines"]) == 50, "another room's number"


@row(CALM)
def a_history_of_long_lines_is_what_fits(server):
    ana = join_as(server, "ana", "lobby")
    for number in range(40):
        ana.do("SAY", room="lobby", text=f"{number:04}" + "x" * 1020)
    lines = join_as(server, "bob").do("JOIN", room="lobby")["lines"]
    assert 10 <= len(lines) < 16, len(lines)
    assert [line["text"][:4] for line in lines] == [f"{number:04}" for number in range(40 - len(lines), 40)]


@row(CALM)
def an_empty_room_is_remembered(server):
    ana = join_as(server, "ana", "lobby")
    ana.do("SAY", room="lobby", text="for later")
    ana.do("TOPIC", room="lobby", text="things")
    ana.close()
    deadline = time.monotonic() + LIMIT_S
    bob = join_as(server, "bob")
    while bob.do("ROOMS")["rooms"][0]["members"] > 0:
        assert time.monotonic() < deadline
    reply = bob.do("JOIN", room="lobby")
    assert [line["text"] for line in reply["lines"]] == ["for later"]
    assert (reply["topic"], reply["by"], reply["seq"]) == ("things", "ana", 1), reply


@row(CALM)
def topics_are_set_seen_and_removed(server):
    ana, bob = join_as(server, "ana", "lobby"), join_as(server, "bob", "lobby")
    ana.do("TOPIC", room="lobby", text="tea & \u8336")
    topic = bob.wait_for("TOPIC_IS")
    assert (topic["by"], topic["text"]) == ("ana", "tea & \u8336"), topic
    assert bob.do("ROOMS")["rooms"] == [{"room": "lobby", "members": 2, "text": "tea & \u8336"}]
    assert ana.refused("TOO_LONG", "TOPIC", room="lobby", text="x" * 257)["limit"] == 256
    ana.do("TOPIC", room="lobby", text="")
    assert join_as(server, "cy").do("JOIN", room="lobby")["topic"] == ""


@row(CALM)
def lists_come_in_pages(server):
    ana = join_as(server, "ana")
    for number in range(150):
        name = f"r.{number:03}".replace("0", "a").replace("1", "b")
        ana.do("JOIN", room=name)
        ana.do("LEAVE", room=name)
    first = ana.do("ROOMS")
    second = ana.do("ROOMS", from_=first["next"])
    rooms = [room["room"] for room in first["rooms"] + second["rooms"]]
    assert len(first["rooms"]) == 100 and second["next"] == 0, (len(first["rooms"]), second["next"])
    assert len(set(rooms)) == 150
    assert ana.do("ROOMS", from_=2 ** 40) == {"rooms": [], "next": 0}


@row(CALM)
def rooms_at_once_are_limited(server):
    ana = join_as(server, "ana", *[f"room-{letter}" for letter in "abcdefghjkmnpqrs"])
    assert ana.refused("TOO_MANY_JOINED", "JOIN", room="one-more")["limit"] == 16
    assert "one-more" not in [room["room"] for room in ana.do("ROOMS")["rooms"]]
    ana.do("LEAVE", room="room-a")
    ana.do("JOIN", room="one-more")


# ---- texts ----

@row(CALM)
def texts_are_checked(server):
    ana, bob = join_as(server, "ana", "lobby"), join_as(server, "bob", "lobby")
    ana.settle()
    ana.refused("EMPTY", "SAY", room="lobby", text="")
    refusal = ana.refused("TOO_LONG", "SAY", room="lobby", text="x" * 1025)
    assert refusal["limit"] == 1024 and "1025" in refusal["text"], refusal
    for text in ("a\nb", "\x1b[2J", "\x07", "a\tb", "\x7f", "\u009b1m", "\u202eevil", "\u2066a", "\u2028", "\ufeff"):
        ana.refused("BAD_CHARACTER", "SAY", room="lobby", text=text)
    for text in (b"\xc0\xaf", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xbd"):
        ana.refused("BAD_UTF8", "SAY", room="lobby", text=raw_str(text))
    for text in ("x" * 1024, "\U0001f469\u200d\U0001f4bb", "\u0633\u0644\u0627\u0645", "  spaces  ", "*** not a notice"):
        ana.do("SAY", room="lobby", text=text)
        assert bob.wait_for("LINE")["text"] == text
    assert bob.settle() == []


@row(CALM)
def private_messages_reach_one(server):
    ana, bob, cy = (join_as(server, name, "lobby") for name in ("ana", "bob", "cy"))
    sent = ana.do("TELL", name="BOB", text="psst")
    assert sent["name"] == "bob"
    assert bob.wait_for("PRIVATE") == {"at": sent["at"], "from": "ana", "text": "psst"}
    assert "PRIVATE" not in kinds(cy.settle()) + kinds(ana.settle())
    assert "nemo" in ana.refused("NO_USER", "TELL", name="nemo", text="hello?")["text"]


@row(CALM)
def nothing_can_be_forged(server):
    ana, bob = join_as(server, "ana", "lobby"), join_as(server, "bob", "lobby")
    ana.settle()
    # Fields that only the server fills in are skipped.
    ana.do("SAY", room="lobby", text="server: bob has left", **{"from_": "bob", "seq": 99, "at": 1, "me": True})
    line = bob.wait_for("LINE")
    assert (line["from"], line["seq"], line["me"], line["text"]) == ("ana", 1, False, "server: bob has left"), line
    # What only the server sends is no request.
    for kind in ("LINE", "PRIVATE", "JOINED", "LEFT", "ANNOUNCED", "GOODBYE", "REFUSED", "MUTED"):
        answer, body = ana.ask(kind, room="lobby", text="x", from_="bob", name="bob", at=1, seq=2)
        assert answer == 0 and "type" in body["text"], (answer, body)
    # A reply to a request that was never made, an error message: nothing comes of them.
    ana.send_bytes(encode([TYPES["SAY"], -1, {"room": "lobby", "text": "x"}]))
    ana.send_bytes(encode([0, None, {"code": 1, "text": "x"}]))
    # Operators' requests from somebody who is none.
    for kind in ("KICK", "MUTE", "UNMUTE", "BAN", "UNBAN", "BANS", "ANNOUNCE", "CLOSE_ROOM", "WHOIS"):
        ana.refused("NOT_OPERATOR", kind, name="bob", room="lobby", text="x", seconds=1)
        if kind == "UNBAN":
            ana = join_as(server, "ana2", "lobby")  # sixteen misunderstandings end a connection
    assert [kind for kind in kinds(bob.settle()) if kind not in ("JOINED", "LEFT")] == []


@row(CALM)
def without_a_number_only_a_refusal_comes_back(server):
    ana = join_as(server, "ana", "lobby")
    ana.send("SAY", room="lobby", text="one")
    ana.send("SAY", room="nowhere", text="two")
    came = ana.settle()
    assert kinds(came) == ["LINE", "REFUSED"] and came[1][1]["of"] == TYPES["SAY"], came
