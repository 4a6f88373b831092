# SPDX-License-Identifier: MIT
"""Plain sockets of the scenarios themselves: a few clients whose every step the scenario decides."""

import socket
import struct
import time

COMMAND = b"\xffATK "


def frame(payload):
    return struct.pack(">I", len(payload)) + payload


def command(text):
    """An order to attack_server, as a frame."""
    return frame(COMMAND + text.encode())


def connect(server, receive_bytes=0, patience_s=20):
    """A connection; with a receive buffer of this size if one is given."""
    end = socket.socket()
    if receive_bytes:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    end.settimeout(patience_s)
    end.connect((server.host, server.port))
    return end


def read_exactly(end, size):
    """So many bytes, or what came until the end of the stream."""
    data = b""
    while len(data) < size and (part := end.recv(size - len(data))):
        data += part
    return data


def echoes(end, payload=b"is anybody there?"):
    """Whether a message comes back as it was."""
    try:
        end.sendall(frame(payload))
        return read_exactly(end, 4 + len(payload)) == frame(payload)
    except OSError:
        return False


def how_it_ended(end):
    """"end" if the stream ended in order, else what happened; the bytes before it are thrown away."""
    try:
        while end.recv(65536):
            pass
        return "end"
    except ConnectionError:
        return "reset"
    except OSError:
        return "nothing"


def until(condition, limit_s, every_s=0.02):
    """Seconds until condition() held; None if it did not in time."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > limit_s:
            return None
        time.sleep(every_s)
    return time.monotonic() - start
