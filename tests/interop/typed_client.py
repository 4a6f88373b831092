# SPDX-License-Identifier: MIT
"""typed_client.py PORT: Python's msgpack against typed_server, both ways. Exits with 0 if all was as it should be."""

import socket
import struct
import sys

import msgpack

LIMIT_S = 60
VALUES = [
    None, True, False, 0, 127, 128, 255, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -1, -32, -33, -129, -32769,
    -2**31 - 1, -2**63, 1.5, -0.0, 1e300, "", "a" * 31, "b" * 32, "c" * 255, "d" * 256, "e" * 70000, "grüß 🎲", b"", b"\x00" * 256,
    b"\xff" * 70000, [], list(range(15)), list(range(16)), [[]] * 70000, {}, {"k": "v"}, {f"k{i}": i for i in range(16)},
    {f"k{i}": [None, {"deep": [b"x"]}] for i in range(70)},
]
LITERALS = {"u": 2**64 - 1, "i": -2**63, "f": 1.5, "s": "grüß dich", "b": b"\x00\x01\xff", "n": None, "t": True,
            "a": [1, [-2]], "m": {"k": "v"}}


class Connection:
    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)

    def send(self, payload):
        self.sock.sendall(struct.pack("!I", len(payload)) + payload)

    def receive(self):
        data = b""
        length = 4
        while len(data) < length:
            piece = self.sock.recv(length - len(data))
            if not piece:
                raise EOFError
            data += piece
            if len(data) == 4 and length == 4:
                length = 4 + struct.unpack("!I", data)[0]
        return data[4:]

    def ask(self, message):
        self.send(msgpack.packb(message, use_bin_type=True))
        return self.receive()


def expect(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: {found!r:.200} instead of {expected!r:.200}")


def main(port):
    connection = Connection(port)
    for number, value in enumerate(VALUES, 1):
        sent = msgpack.packb([1, number, value], use_bin_type=True)
        got = connection.ask([1, number, value])
        expect(msgpack.unpackb(got, raw=False), [1, -number, value], f"value {number}")
        # The reply is the same bytes, but for the number of the request.
        expect(got, msgpack.packb([1, -number, value], use_bin_type=True), f"bytes of value {number}")
        expect(len(sent) <= len(got), True, f"size of value {number}")
    expect(msgpack.unpackb(connection.ask([2, 7, None]), raw=False), [2, -7, LITERALS], "literals")
    expect(msgpack.unpackb(connection.ask([3, 7, LITERALS]), raw=False), [3, -7, "ok"], "literals there")
    for hostile in (b"\xdd\x10\x00\x00\x00", b"\x91" * 1000, b"\x93\x01\xc0" + b"\x91" * 1000, b"",
                    msgpack.packb([1, None, msgpack.Timestamp(1, 2)])):
        connection.send(hostile)
        kind, request, body = msgpack.unpackb(connection.receive(), raw=False)
        expect((kind, request, sorted(body)), (0, None, ["code", "text"]), "an error message")
    connection.send(msgpack.packb([4, None, None]))
    print(f"msgpack {'.'.join(map(str, msgpack.version))}: {len(VALUES)} values and {len(LITERALS)} literals, both ways")


main(int(sys.argv[1]))
