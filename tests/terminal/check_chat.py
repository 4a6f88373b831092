# SPDX-License-Identifier: MIT
"""check_chat.py THRONG-CHAT THRONG-CHAT-SERVER: throng-chat with plain lines against the server."""

import re
import socket
import struct
import sys
import tempfile
import threading

import support

CHAT, SERVER = support.PROGRAMS
OPTIONS = ["--max-connections", "100", "--flood-per-s", "0"]


def chat(address, name, *rooms):
    words = [word for room in rooms for word in ("--room", room)]
    return support.Program(CHAT, "--plain", "--connect", address, "--name", name, *words)


def said(program, room):
    """(number, who, what) of each line of a room, in the order in which they were shown."""
    pattern = re.compile(rf"^\S+ #{room} (\d+) (?:<(\S+)>|\* (\S+)) (.*)$")
    matches = [pattern.match(line) for line in program.lines]
    return [(int(m[1]), m[2] or m[3], m[4]) for m in matches if m]


def check_conversation(address):
    with chat(address, "ana", "lobby", "games") as ana, chat(address, "ben", "lobby") as ben:
        for one in (ana, ben):
            one.wait_for("you are in #lobby")
        ana.wait_for("you are in #games")
        ana.type("/room lobby", "hello 日本 é", "/me waves", "/topic we talk", "//who", "/msg ben psst")
        ben.wait_for("ana set the topic: we talk")
        ben.wait_for(r"from ana: psst")
        ben.type("/nick bernd", "hi ana", "/who", "/nonsense")
        ana.wait_for("ben is now bernd")
        ana.wait_for("<bernd> hi ana")
        ben.wait_for(r"2 in #lobby: ana bernd$")
        ben.wait_for("there is no command /nonsense")
        expected = [(1, "ana", "hello 日本 é"), (2, "ana", "waves"), (3, "ana", "/who"), (4, "bernd", "hi ana")]
        support.expect("what ben heard", said(ben, "lobby"), expected)
        support.expect("what ana heard", said(ana, "lobby"), expected)
        ben.type("/quit")
        ben.wait(0)
        ana.wait_for("bernd is gone")
        ana.end(0)


def check_pipe(address):
    """Input that ends is said to its end, and the history waits for who comes later."""
    with chat(address, "pia", "pipe") as pia:
        pia.type(*(f"line {i}" for i in range(1, 31)))
        pia.end(0, stop=False)
    with chat(address, "pit", "pipe") as pit:
        pit.wait_for("<pia> line 30")
        support.expect("the history", [text for _, _, text in said(pit, "pipe")],
                       [f"line {i}" for i in range(1, 31)])
        pit.end(0)


def check_restart():
    """A server that goes and comes back: rooms are entered again, no line is doubled."""
    with support.HeldPort() as port, support.serve(SERVER, *OPTIONS, port=port) as first:
        with chat(first.address, "eva", "lobby", "games") as eva, chat(first.address, "max", "lobby") as max_:
            eva.wait_for("you are in #games")
            max_.wait_for("you are in #lobby")
            max_.type("one", "two")
            eva.wait_for("<max> two")
            first.end(0)
            eva.wait_for("trying again in")
            with support.serve(SERVER, *OPTIONS, port=port) as second:
                eva.wait_for("you are in #games", 2)
                max_.wait_for("you are in #lobby", 2)
                max_.type("three", "four")
                eva.wait_for("<max> four")
                eva.type("/room lobby", "five")
                max_.wait_for("<eva> five")
                eva.wait_for("<eva> five")
                texts = [text for _, _, text in said(eva, "lobby")]
                support.expect("what eva was shown", texts, ["one", "two", "three", "four", "five"])
                eva.end(0)
                max_.end(0)
                second.end(0)


def check_lost_line(address):
    """The same server, another connection: what was missed comes, what was shown does not come again."""
    with Relay(int(address.rsplit(":", 1)[1])) as relay, \
            chat(f"tcp://127.0.0.1:{relay.port}", "eli", "wire") as eli, chat(address, "moe", "wire") as moe:
        eli.wait_for("you are in #wire")
        moe.wait_for("you are in #wire")
        moe.type("one", "two")
        eli.wait_for("<moe> two")
        relay.cut()
        eli.wait_for("the connection is lost")
        moe.wait_for("eli is gone")
        moe.type("three")
        moe.wait_for("<moe> three")
        relay.mend()
        eli.wait_for("<moe> three")
        moe.type("four")
        eli.wait_for("<moe> four")
        support.expect("what eli was shown", said(eli, "wire"),
                       [(i, "moe", text) for i, text in enumerate(["one", "two", "three", "four"], 1)])
        eli.end(0)
        moe.end(0)


class Relay:
    """Hands bytes on to a port, until it is cut."""

    def __init__(self, target):
        self.target = target
        self.pairs = []
        self.whole = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    def accept(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            if not self.whole:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.hand_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def hand_on(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass

    def cut(self):
        self.whole = False
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()
        self.pairs = []

    def mend(self):
        self.whole = True


def check_names(address):
    with chat(address, "ida", "lobby") as first:
        first.wait_for("you are in #lobby")
        with chat(address, "ida", "lobby") as second:
            second.wait_for("that name is taken; trying ida_")
            second.wait_for("you are ida_")
            second.end(0)
        first.end(0)
    with chat(address, "server", "lobby") as reserved:
        reserved.wait_for("the server does not want you")
        reserved.wait(3)


def check_operator(token):
    with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
        file.write(token + "\n")
        file.flush()
        with support.serve(SERVER, *OPTIONS, "--operator-token-file", file.name) as server, \
                chat(server.address, "ora", "lobby") as ora, chat(server.address, "bad", "lobby") as bad:
            ora.wait_for("you are in #lobby")
            bad.wait_for("you are in #lobby")
            ora.type(f"/op {token}", "/kick bad rude words")
            bad.wait_for("you were put out of #lobby by ora: rude words")
            ora.type("/ban bad 60 enough", "/bans")
            bad.wait(3)
            ora.wait_for(r"bad is banned for \d+ s more: enough")
            ora.end(0)
            server.end(0)


def check_liar():
    """A server that sends what is no message, and one that sends what is no frame."""
    frames = [b"\xc1", b"", b"\x93\x20\xc0", b"\x93\x20\xc0\xdd\xff\xff\xff\xff", b"\x1b[2J"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with chat("tcp://127.0.0.1:%d" % listener.getsockname()[1], "leo") as leo:
            for data in (b"".join(struct.pack(">I", len(frame)) + frame for frame in frames), b"\xff" * 64):
                connection = listener.accept()[0]
                connection.sendall(data)
                if data[0] != 0xff:
                    leo.wait_for("does not understand", 5)
                else:
                    leo.wait_for("the peer broke the protocol")
                connection.close()
            if "\x1b" in "".join(leo.lines):
                sys.exit("a control byte of the server was printed")
            leo.end(0)


def check_command_line():
    for words in ([], ["--connect"], ["--connect", "127.0.0.1"], ["--connect", "tcp://127.0.0.1:x"],
                  ["--bogus"], ["--connect", "tcp://127.0.0.1:1", "--color", "red"],
                  ["--connect", "tcp://127.0.0.1:1", "--name", "x" * 200]):
        with support.Program(CHAT, *words) as program:
            program.wait(2)


def main():
    check_command_line()
    with support.serve(SERVER, *OPTIONS) as server:
        check_conversation(server.address)
        check_pipe(server.address)
        check_names(server.address)
        check_lost_line(server.address)
        server.end(0)
    check_restart()
    check_operator("token-of-operators")
    check_liar()
    print("throng-chat talks, comes back, and shows each line once")


main()
