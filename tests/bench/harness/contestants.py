# SPDX-License-Identifier: MIT
"""Who takes part: throng in its four shapes, the two bare loops, the peers."""

import dataclasses
import os

# 20,000 descriptors, a usual hard limit, let one I/O thread have that many.
THRONG_CONNECTIONS = 16000


@dataclasses.dataclass(frozen=True)
class Contestant:
    key: str
    title: str
    kind: str  # "bare", "throng" or "peer"
    backend: str  # whose bare loop it is held against: "epoll" or "io_uring"
    program: str
    options: tuple = ()
    threaded: bool = False
    processors: str = "first"  # where the server may run: "first", "both"; "apart": see live.py

    def path(self, folder):
        return os.path.join(folder, self.program)

    def command(self, folder):
        return [self.path(folder), *self.options]


def throng(backend, io_threads):
    """One of the four that take part in the echo rows."""
    mode = "inline" if io_threads == 0 else "1 I/O thread"
    return Contestant(
        key=f"throng_{'inline' if io_threads == 0 else 'threaded'}_{backend}",
        title=f"throng {mode}, {backend}", kind="throng", backend=backend,
        program="bin/throng-echo", threaded=io_threads > 0,
        options=("--listen", "tcp://127.0.0.1:0", "--backend", backend, "--io-threads", str(io_threads),
                 "--max-connections", str(THRONG_CONNECTIONS)))


ALL = (
    Contestant("bare_epoll", "bare loop, epoll", "bare", "epoll", "tests/bare_epoll_echo"),
    throng("epoll", 0),
    throng("epoll", 1),
    Contestant("libuv", "libuv", "peer", "epoll", "tests/libuv_echo"),
    Contestant("libevent", "libevent", "peer", "epoll", "tests/libevent_echo"),
    Contestant("asio", "Asio", "peer", "epoll", "tests/asio_echo"),
    throng("io_uring", 1),
    throng("io_uring", 0),
    Contestant("bare_uring", "bare loop, io_uring", "bare", "io_uring", "tests/bare_uring_echo"),
)


BACKENDS = ("epoll", "io_uring")


def throng_with(backend, io_threads, key, title, *options, processors="first"):
    """A variation of it, for a comparison; title and key say which."""
    usual = throng(backend, io_threads)
    return dataclasses.replace(usual, key=f"{usual.key}_{key}", title=f"{usual.title}, {title}",
                               options=usual.options + options, processors=processors)


def throng_by_default(backend, *options):
    """As it is without options: 65,000 slots, and as many I/O threads as the descriptor limit asks for."""
    return Contestant(f"throng_default_{backend}", f"throng, {backend}", "throng", backend,
                      "bin/throng-echo", ("--listen", "tcp://127.0.0.1:0", "--backend", backend, *options),
                      threaded=True)


def bare_accept(backend, threads):
    short = backend.removeprefix("io_")
    return Contestant(f"bare_accept_{short}", f"bare accept loop, {backend}", "bare", backend,
                      f"tests/bare_{short}_accept", (str(threads),))


def tickers(connections, messages):
    """The servers of the row "tick"."""
    size = (str(connections), str(messages), "64")
    yield Contestant("tick_each", f"bare, {messages} sends", "bare", "epoll", "tests/bare_tick",
                     (*size, "each"))
    yield Contestant("tick_gathered", "bare, 1 send", "bare", "epoll", "tests/bare_tick",
                     (*size, "gathered"))
    for backend in BACKENDS:
        yield Contestant(f"tick_throng_{backend}", f"throng inline, {backend}", "throng", backend,
                         "tests/throng_tick", (*size, "each", backend, "0"))


def broadcasters(connections, messages, size):
    """The servers of the row "broadcast"."""
    shape = (str(connections), str(messages), str(size))
    yield Contestant("cast_bare_epoll", "bare, sends a ready buffer", "bare", "epoll", "tests/bare_tick",
                     (*shape, "ready"))
    yield Contestant("cast_bare_io_uring", "the same on io_uring", "bare", "io_uring", "tests/bare_uring_tick",
                     shape)
    yield Contestant("cast_libuv", "libuv", "peer", "epoll", "tests/libuv_tick", shape)
    yield Contestant("cast_asio", "Asio", "peer", "epoll", "tests/asio_tick", shape)
    for backend in BACKENDS:
        for io_threads, mode in (("0", "inline"), ("1", "1 I/O thread")):
            yield Contestant(f"cast_throng_{io_threads}_{backend}", f"throng {mode}, {backend}", "throng",
                             backend, "tests/throng_tick", (*shape, "broadcast", backend, io_threads),
                             threaded=io_threads != "0")


def typed(backend):
    """throng, inline, that decodes each message, reads its fields and writes them anew."""
    return Contestant(f"typed_{backend}", f"throng inline, typed, {backend}", "throng", backend,
                      "tests/throng_typed_echo", (str(THRONG_CONNECTIONS), backend))


def bare_of(backend):
    return "bare_epoll" if backend == "epoll" else "bare_uring"


def peers(keys):
    return [one.key for one in ALL if one.kind == "peer" and one.key in keys]
