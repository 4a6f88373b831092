# SPDX-License-Identifier: MIT
"""check_unread.py ECHO: throng-echo without anybody who reads its log or its output: a pipe whose reader is gone, a
full disk, closed descriptors. It serves, writes what nobody gets, drains and exits with 0."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time

LIMIT_S = 60
# Nobody hears the server say which port it got, so it is told one; at an address that no other test has.
HOST = f"127.9.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"


def connect(port):
    """To a server that is about to listen."""
    for _ in range(LIMIT_S * 20):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection((HOST, port), timeout=LIMIT_S)
        time.sleep(0.05)
    sys.exit("the server does not listen")


def expect_echo(peer):
    frame = struct.pack(">I", 5) + b"hello"
    peer.sendall(frame)
    found = b""
    while len(found) < len(frame) and (part := peer.recv(len(frame) - len(found))):
        found += part
    if found != frame:
        sys.exit(f"{found!r} came back")


def provoke_log_line(port):
    """A length over the limit is a line."""
    with connect(port) as liar:
        liar.sendall(b"\xff\xff\xff\xff")
        with contextlib.suppress(ConnectionResetError):
            while liar.recv(100):
                pass


def serve_without_readers(echo, name, port, **how):
    process = subprocess.Popen([echo, "--listen", f"tcp://{HOST}:{port}", "--max-connections", "50",
                                "--io-threads", "0"], **how)
    try:
        with connect(port) as first:
            expect_echo(first)
            for _ in range(3):
                provoke_log_line(port)
            expect_echo(first)
            if name == "closed":
                for number in (0, 1, 2):
                    target = os.readlink(f"/proc/{process.pid}/fd/{number}")
                    if target != "/dev/null":
                        sys.exit(f"descriptor {number} is {target}")
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):  # ThreadSanitizer holds the signal back until something happens
            socket.create_connection((HOST, port), timeout=5).close()
        status = process.wait(timeout=LIMIT_S)
    finally:
        process.kill()
        process.wait()
    if status != 0:
        sys.exit(f"{name}: the server ended with {status}")


def close_all():
    for number in (0, 1, 2):
        os.close(number)


def main(echo):
    reader, writer = os.pipe()
    os.close(reader)
    serve_without_readers(echo, "broken pipe", 7001, stdout=writer, stderr=writer)
    os.close(writer)
    with open("/dev/full", "wb") as full:
        serve_without_readers(echo, "disk full", 7002, stdout=full, stderr=full)
    serve_without_readers(echo, "closed", 7003, preexec_fn=close_all)
    print("a broken pipe, a full disk and closed descriptors do not disturb it")


main(*sys.argv[1:])
