# SPDX-License-Identifier: MIT
"""A throng-chat-server to test, and raw clients of it.

The names of types and codes are read from server/examples/chat/protocol.h: who changes a number there, changes
the protocol, and check_chat.py's `numbers_stay` says so.
"""

import os
import re
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

from msgpack_small import decode, encode

LIMIT_S = 60
TOKEN = "a token of the tests"
SMALL = ["--max-connections", "300", "--io-threads", "2", "--linger-ms", "100"]
CALM = [*SMALL, "--flood-per-s", "0"]  # no flood limit
HEADER = os.path.join(os.path.dirname(__file__), "..", "..", "server", "examples", "chat", "protocol.h")


def split_arguments():
    """The program, the rows that are wanted, and the words of what launches programs."""
    words = sys.argv[1:]
    place = words.index("--") if "--" in words else len(words)
    return words[0], words[1:place], words[place + 1:]


PROGRAM, WANTED, LAUNCHER = split_arguments()
ROWS = []


def row(options):
    """Makes a function a row: with a server of these options, or None: it starts its own."""
    def register(function):
        ROWS.append((function, options))
        return function
    return register


def scaled(full):
    """`full` brought down to THRONG_TEST_SCALE percent, as in tests/support/check.h."""
    return max(1, full * int(os.environ.get("THRONG_TEST_SCALE", "100")) // 100)


def read_table(name):
    with open(HEADER, encoding="utf-8") as file:
        text = file.read()
    table = text.split(f"#define {name}(X)", 1)[1].split("\n\n", 1)[0]
    return {row[0]: int(row[1]) for row in re.findall(r"X\((\w+), (\d+),", table)}


TYPES = read_table("CHAT_REQUEST_MAP") | read_table("CHAT_NOTICE_MAP")
CODES = read_table("CHAT_CODE_MAP")
TYPE_NAMES = {number: name for name, number in TYPES.items()}
CODE_NAMES = {number: name for name, number in CODES.items()}


class Server:
    """throng-chat-server, for as long as the with statement lasts. STOP_SIGNAL must end it with 0."""

    def __init__(self, *options, port=0, token=TOKEN):
        command = [*LAUNCHER, PROGRAM, "--listen", f"tcp://127.0.0.1:{port}", *options]
        environment = {key: value for key, value in os.environ.items() if key != "THRONG_CHAT_TOKEN"}
        if token is not None:
            environment["THRONG_CHAT_TOKEN"] = token
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on tcp://127\.0\.0\.1:(\d+)\n", line)
        if found is None:
            self.process.kill()
            self.process.wait()
            sys.exit(f"the server said {line!r}")
        self.port = int(found.group(1))
        self.was_told = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.was_told and self.process.poll() is not None:
            sys.exit(f"the server has ended by itself: {self.process.returncode}")
        self.tell_to_stop()
        try:
            status = self.process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            sys.exit(f"the server did not end within {LIMIT_S} s")
        self.process.stdout.close()
        if status != 0:
            sys.exit(f"the server exited with {status}")

    def tell_to_stop(self):
        if self.was_told:
            return
        self.was_told = True
        # Wine makes a Ctrl-C of SIGINT, and of SIGTERM a sudden death.
        self.process.send_signal(signal.SIGINT if LAUNCHER else signal.SIGTERM)
        try:
            # ThreadSanitizer holds a handler back until the thread is through with its wait: a visitor ends it.
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            pass


class HeldPort:
    """A port for a server that goes and comes back: a socket that is bound and does not listen keeps the system from
    giving it to anybody meanwhile, and not those who ask for it by number (both with SO_REUSEADDR)."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.number = self.socket.getsockname()[1]

    def __enter__(self):
        return self.number

    def __exit__(self, *_):
        self.socket.close()


class Gone(Exception):
    """The server has closed the connection."""


class Client:
    """One connection. `inbox` is what came unasked for, as (type name, body)."""

    def __init__(self, server, source="127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_S,
                                               source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.inbox = []
        self.last_request = 0

    def close(self):
        self.socket.close()

    # ---- out ----

    def send_bytes(self, payload):
        self.socket.sendall(struct.pack(">I", len(payload)) + payload)

    def send(self, name, request=None, /, **body):
        body = {key.rstrip("_"): value for key, value in body.items()}
        self.send_bytes(encode([TYPES[name], request, body]))

    # ---- in ----

    def frames(self):
        """Whole messages that have come."""
        while len(self.data) >= 4:
            size = struct.unpack(">I", self.data[:4])[0]
            if len(self.data) < 4 + size:
                return
            payload, self.data = self.data[4:4 + size], self.data[4 + size:]
            yield decode(payload)

    def receive(self):
        """The next message as [type name, request, body]; waits."""
        while True:
            for kind, request, body in self.frames():
                return TYPE_NAMES.get(kind, kind), request, body
            try:
                part = self.socket.recv(65536)
            except ConnectionError:
                part = b""
            if not part:
                raise Gone(self.inbox)
            self.data += part

    def answer(self, request):
        """Waits for the answer to a request; what comes before it goes to the inbox."""
        while True:
            kind, reply, body = self.receive()
            if reply == -request:
                return kind, body
            assert reply is None, f"an answer to {reply} while {request} is awaited"
            self.inbox.append((kind, body))

    def ask(self, name, /, **body):
        """Sends a request; answers type and body of what comes back."""
        self.last_request += 1
        self.send(name, self.last_request, **body)
        return self.answer(self.last_request)

    def do(self, name, /, **body):
        """A request that must be done. Answers the reply's body."""
        kind, reply = self.ask(name, **body)
        assert kind == name, f"{name} {body}: {kind} {reply}"
        return reply

    def refused(self, code, name, /, **body):
        """A request that must be refused with this code. Answers the refusal."""
        kind, reply = self.ask(name, **body)
        assert kind == "REFUSED", f"{name} {body} was not refused but {kind} {reply}"
        assert CODE_NAMES.get(reply["code"]) == code, f"{name} {body}: {reply}, expected {code}"
        assert reply["of"] == TYPES[name] and reply["text"], reply
        return reply

    def wait_for(self, kind):
        """The first message of that type, from the inbox or to come."""
        for index, (name, body) in enumerate(self.inbox):
            if name == kind:
                del self.inbox[index]
                return body
        while True:
            name, request, body = self.receive()
            if name == kind and request is None:
                return body
            self.inbox.append((name, body))

    def settle(self):
        """All that was sent before has been handled, and what it brought has come. Answers it."""
        self.do("PING")
        came, self.inbox = self.inbox, []
        return came

    def wait_until_gone(self):
        """Reads until the connection ends. Answers all that came last."""
        try:
            while True:
                name, _, body = self.receive()
                self.inbox.append((name, body))
        except Gone:
            self.close()
            return self.inbox


def kinds(messages):
    return [kind for kind, _ in messages]


def join_as(server, name, *rooms, token=None):
    """A client that has said hello and entered these rooms."""
    client = Client(server)
    client.do("HELLO", name=name, version=1)
    if token is not None:
        client.do("OPERATOR", token=token)
    for room in rooms:
        client.do("JOIN", room=room)
    return client


def pump(clients, is_done):
    """Reads from all clients until is_done(): (type name, body) to `inbox`, replies as ("-" + name, body)."""
    deadline = time.monotonic() + LIMIT_S
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        while not is_done():
            assert time.monotonic() < deadline, "what was awaited did not come in time"
            for key, _ in selector.select(1):
                client = key.data
                part = client.socket.recv(65536)
                assert part, "a client was disconnected"
                client.data += part
                for kind, request, body in client.frames():
                    name = TYPE_NAMES.get(kind, kind)
                    client.inbox.append((name if request is None else f"-{name}", body))
