# SPDX-License-Identifier: MIT
"""The server's system calls fail now and then while the load client verifies every byte (W2, T33, X2). strace
makes the failures: each is one that the system may really answer. (EAGAIN in spite of data, or a short count that
the kernel knows nothing of, would be lies under edge triggering, and a futex call that wakes never fails; short counts
come from tiny kernel buffers and messages that are longer.)"""

import shutil
import subprocess

from world import Skip

NAME = "faults"
WHAT = "EINTR, ENOBUFS, EMFILE and the like from one call in a few: every message arrives all the same"

EPOLL = [
    ("EINTR everywhere", ["epoll_wait,epoll_pwait,epoll_pwait2:error=EINTR:when=2+3",
                          "recvfrom,recvmsg,readv:error=EINTR:when=1+2", "sendto,sendmsg,writev:error=EINTR:when=1+2",
                          "accept4:error=EINTR:when=1+2"], 0),
    ("dead before the accept", ["accept4:error=ECONNABORTED:when=1+2"], 0),
    ("no descriptors now and then", ["accept4:error=EMFILE:when=3+9"], 1),
    ("no file table now and then", ["accept4:error=ENFILE:when=3+9"], 1),
    ("no buffers to accept with", ["accept4:error=ENOBUFS:when=2+9"], 1),
    ("no memory to accept with", ["accept4:error=ENOMEM:when=2+9"], 1),
    ("epoll_ctl without memory", ["epoll_ctl:error=ENOMEM:when=10+200"], None),
]
URING = [
    ("EINTR of io_uring_enter", ["io_uring_enter:error=EINTR:when=3+3"], 0),
    ("EAGAIN of io_uring_enter", ["io_uring_enter:error=EAGAIN:when=20+5"], 0),
    ("EBUSY of io_uring_enter", ["io_uring_enter:error=EBUSY:when=20+5"], 0),
]
TINY = ("--socket-send-bytes", 4608, "--socket-receive-bytes", 2304)


def need_strace():
    if shutil.which("strace") is None:
        raise Skip("needs strace")
    tried = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], stderr=subprocess.PIPE, text=True)
    if tried.returncode != 0:
        raise Skip(f"strace may not trace here: {tried.stderr.strip()}")


def run_with(world, backend, name, faults, pauses):
    """`pauses`: least number of pauses in accepting that the faults must make; None: a connection may be lost."""
    trace = world.log_path("strace")
    words = ["strace", "-D", "-f", "-qq", "-o", trace, "-e", "trace=" + ",".join(f.split(":")[0] for f in faults)]
    for fault in faults:
        words += ["-e", "inject=" + fault]
    if world.sanitized:
        words += ["-E", "ASAN_OPTIONS=detect_leaks=0"]  # the leak detector is a tracer too, and there can be one
    with world.server("--backend", backend, "--max-connections", 1000, *TINY, prefix=words) as server:
        with world.stress(server, connections=10, messages=world.pick(200, 50), window=16, size="0-60000") as load:
            report = load.result(180)
        counters, took = server.wait(lambda now: now["slots_taken"] == 0, 20)
    with open(trace, encoding="utf-8", errors="replace") as log:
        injected = sum("INJECTED" in line for line in log)
    where = f"{backend}, {name}"
    world.check(f"{where}: faults", injected, "> 0", injected > 0)
    wrong = report["errors"] if pauses is not None else sum(report[kind] for kind in ("lost", "duplicated",
                                                                                      "reordered", "corrupted"))
    world.check(f"{where}: errors", wrong, "0", wrong == 0)
    world.check(f"{where}: slots left", counters["slots_taken"], "0", took is not None)
    if pauses:
        world.check(f"{where}: pauses", counters["accept_pauses"], f">= {pauses}", counters["accept_pauses"] >= pauses)


def run(world):
    need_strace()
    for backend, faults in (("epoll", EPOLL), ("io_uring", URING)):
        if world.backend in (backend, "auto"):
            for name, calls, pauses in faults[:1] if world.short else faults:
                run_with(world, backend, name, calls, pauses)
