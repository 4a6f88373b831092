# SPDX-License-Identifier: MIT
"""check_game.py SERVER BOTS play|frozen|full OPTION...: throng-game-server, with these options, against its bots.

play    50 bots; the server is stopped for a moment (missed ticks); a cheat and peers that do not speak the
        protocol are there, too
frozen  50 bots; a player stops reading until snapshots were dropped for it, notices, and recovers
full    as many players as there may be, one more, and another one in the place of one that left
"""

import json
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

JOIN, INPUT, RESYNC, WELCOME, REFUSED, SNAPSHOT = 1, 2, 3, 64, 65, 66
LIMIT_S = 60


class Server:
    """For as long as the with statement lasts; `said` is its standard error afterwards."""

    def __init__(self, program, options):
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen([program, "--listen", "tcp://127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on (tcp://127\.0\.0\.1:(\d+))\n", line)
        if found is None:
            self.process.kill()
            sys.exit(f"the server said {line!r}")
        self.address, self.port = found[1], int(found[2])
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.process.kill()
        self.process.send_signal(signal.SIGTERM)
        self.visit()
        try:
            status = self.process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit(f"the server did not end within {LIMIT_S} s of SIGTERM")
        self.errors.seek(0)
        self.said = self.errors.read()
        sys.stdout.write(self.said)
        if kind is None and status != 0:
            sys.exit(f"the server exited with {status}")

    def visit(self):
        """ThreadSanitizer holds a signal's handler back until its thread is through with its wait."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            pass

    def count(self, name):
        return int(re.search(rf"{name} (\d+)", self.said)[1])


class Player:
    """A client by hand. Of the snapshots it reads the first numbers only."""

    def __init__(self, port, receive_bytes=None):
        self.socket = socket.socket()
        self.socket.settimeout(LIMIT_S)
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", port))
        self.tick = 0
        self.players = 0  # in the last whole snapshot

    def say(self, *messages):
        self.socket.sendall(b"".join(struct.pack(">I", len(each)) + each for each in messages))

    def exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the server closed")
            data += part
        return data

    def hear(self):
        return self.exactly(struct.unpack(">I", self.exactly(4))[0])

    def join(self, *messages):
        """With what follows in the same breath."""
        self.say(bytes([JOIN, 1]), *messages)
        welcome = self.hear()
        if welcome[0] != WELCOME or len(welcome) != 12:
            sys.exit(f"no welcome, but {welcome!r}")

    def snapshot(self):
        """Answers what its base is to the tick before: "whole", "next", "gap"."""
        message = self.hear()
        kind, tick, base = struct.unpack_from("<BII", message)
        if kind != SNAPSHOT or tick < self.tick:
            sys.exit(f"after tick {self.tick} came message {kind}, tick {tick} on base {base}")
        if base == 0:
            slots, = struct.unpack_from("<H", message, 13)
            self.players = sum(byte.bit_count() for byte in message[15:15 + (slots + 7) // 8])
        before, self.tick = self.tick, tick
        return "whole" if base == 0 else "next" if base == before else "gap"

    def expect(self, *kinds):
        for kind in kinds:
            heard = self.snapshot()
            if heard != kind:
                sys.exit(f"at tick {self.tick} a snapshot was {heard}, expected {kind}")

    def is_closed(self):
        """Takes what there is until the end."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True


def start_bots(program, server, *options):
    command = [program, "--connect", server.address, "--bots", "50", "--json", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish_bots(bots):
    """Answers their report, which must be all right."""
    output, _ = bots.communicate(timeout=2 * LIMIT_S)
    print(output, end="")
    report = json.loads(output)
    if bots.returncode != 0 or report["errors"] != 0 or report["players"] != 50:
        sys.exit(f"the bots exited with {bots.returncode}")
    latency = report["latency_ms"]
    if not 0 < latency["p50"] <= latency["p99"] <= latency["max"] or report["inputs"] < latency["count"]:
        sys.exit(f"the latencies make no sense: {latency}")
    if report["whole_snapshots"] < 50 or report["ticks"] < 50:
        sys.exit("the bots have hardly heard anything")
    return report


def input_of(sequence, dx, dy):
    return struct.pack("<BIbb", INPUT, sequence, dx, dy)


def cheat(port):
    """Too fast, the same twice, forty at once: it stays in the game."""
    player = Player(port)
    player.join(input_of(1, -128, -128), input_of(1, 1, 1))
    player.expect("whole", "next")
    player.say(*(input_of(2 + i, 1, 1) for i in range(40)))
    player.expect("next", "next")


def strangers(port):
    """Each is shown the door; the reason, where it may be another version of ours."""
    for message in (input_of(1, 1, 1), b"\0", b"", bytes([JOIN]), b"x" * 1000):
        player = Player(port)
        player.say(message)
        if not player.is_closed():
            sys.exit(f"{message[:8]!r} was no reason to close")
    player = Player(port)
    player.join()
    player.say(bytes([JOIN, 1]))
    if not player.is_closed():
        sys.exit("a second JOIN was no reason to close")
    player = Player(port)
    player.say(bytes([JOIN, 99]))
    if player.hear() != bytes([REFUSED, 1]) or not player.is_closed():
        sys.exit("another version was not refused")


def ask_for_whole(player):
    """What comes before the answer builds on what it has not got, or on each other."""
    player.say(bytes([RESYNC]))
    deadline = time.monotonic() + LIMIT_S
    while player.snapshot() != "whole":
        if time.monotonic() > deadline:
            sys.exit("no whole snapshot came")


def begin(port, **how):
    """A player who has seen the game go on, and all bots in it."""
    player = Player(port, **how)
    player.join()
    player.expect("whole", "next", "next")
    deadline = time.monotonic() + LIMIT_S
    while player.players < 51:
        if time.monotonic() > deadline:
            sys.exit(f"{player.players} players are there, expected 51")
        ask_for_whole(player)
    return player


def play(server_program, bots_program, options):
    with Server(server_program, options) as server:
        bots = start_bots(bots_program, server, "--seconds", "3")
        begin(server.port)  # else nobody might be there to notice the stop
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)  # ten ticks of 50 ms that there will not be
        server.process.send_signal(signal.SIGCONT)
        cheat(server.port)
        strangers(server.port)
        report = finish_bots(bots)
    if report["skipped"] == 0:
        sys.exit("the world took no longer step after the stop")
    expected = {"joined": 53, "turned away": 1, "shortened": 1, "stale": 1, "bad messages": 6}
    wrong = [f"{name}: {server.count(name)}, expected {count}" for name, count in expected.items()
             if server.count(name) != count]
    wrong += [f"{name}: {server.count(name)}" for name in ("too many", "caught up", "lost")
              if server.count(name) == 0]
    if wrong:
        sys.exit("\n".join(wrong))


def freeze(player):
    """Reads nothing for a while, longer each time, until what it reads then has a gap."""
    deadline = time.monotonic() + LIMIT_S
    pause_s = 1.5
    while time.monotonic() < deadline:
        time.sleep(pause_s)
        pause_s *= 1.5
        read_until = time.monotonic() + 0.2
        while time.monotonic() < read_until:
            if player.snapshot() == "gap":
                return
    sys.exit("nothing was dropped for a player that reads nothing")


def recover(player):
    """While this program stands still for a second, snapshots are dropped for it again: by accident, not each time."""
    for _ in range(5):
        ask_for_whole(player)
        if [player.snapshot() for _ in range(20)] == ["next"] * 20:
            return
    sys.exit("what came after a whole snapshot did not build on it")


def frozen(server_program, bots_program, options):
    small = ["--tick-hz", "100", "--send-queue-bytes-max", "20480", "--socket-send-bytes", "4096"]
    with Server(server_program, [*small, *options]) as server:
        bots = start_bots(bots_program, server, "--seconds", "0")
        player = begin(server.port, receive_bytes=2048)
        freeze(player)
        recover(player)
        bots.send_signal(signal.SIGTERM)
        finish_bots(bots)
    if server.count("dropped") == 0:
        sys.exit("the server knows of no drops")


def ask_to_join(port):
    player = Player(port)
    player.say(bytes([JOIN, 1]))
    return player, player.hear()


def full(server_program, _, options):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        print(f"skipped: {hard} descriptors are too few for 1,024 players")
        sys.exit(77)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1200 if 0 <= soft < 1200 else soft, hard))
    with Server(server_program, ["--tick-hz", "1", "--max-connections", "1100", *options]) as server:
        players = []
        for _ in range(1024):
            player, answer = ask_to_join(server.port)
            players.append(player)
            if answer[0] != WELCOME:
                sys.exit(f"player {len(players)} heard {answer!r}")
        if ask_to_join(server.port)[1] != bytes([REFUSED, 2]):
            sys.exit("there is room for one too many")
        players[500].socket.close()
        deadline = time.monotonic() + LIMIT_S
        while (answer := ask_to_join(server.port)[1])[0] != WELCOME:
            if time.monotonic() > deadline:
                sys.exit("the place of one that left stays taken")
        if struct.unpack_from("<H", answer, 2) != (500,):
            sys.exit(f"the one free place was not taken: {answer!r}")


def main():
    server_program, bots_program, what, *options = sys.argv[1:]
    {"play": play, "frozen": frozen, "full": full}[what](server_program, bots_program, options)


main()
