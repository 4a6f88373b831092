# SPDX-License-Identifier: MIT
"""check_confined.py STRESS ECHO: throng-echo with --user and --sandbox.

In the sandbox it must do all that it does outside: echo, many connections, drain. /proc says of every
thread that it is in there. As root; anybody else tries it without --user.
"""

import os
import pwd
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "stress"))
import support  # noqa: E402  (its folder is known only now)

IS_ROOT = os.geteuid() == 0
CONFINED = ["--sandbox", "on"] + (["--user", "nobody"] if IS_ROOT else [])
NOBODY = str(pwd.getpwnam("nobody").pw_uid)
# What /proc/PID/task/TID/status must say of each thread.
EXPECTED = {"Seccomp": "2", "NoNewPrivs": "1"}
if IS_ROOT:
    EXPECTED |= {"Uid": " ".join([NOBODY] * 4), "CapEff": "0" * 16, "CapPrm": "0" * 16,
                 "Groups": str(pwd.getpwnam("nobody").pw_gid)}


def threads_of(process):
    """For each thread what its status says, by name."""
    folder = f"/proc/{process.pid}/task"
    for thread in os.listdir(folder):
        with open(os.path.join(folder, thread, "status"), encoding="utf-8") as file:
            lines = (line.split(":", 1) for line in file)
            yield {name: " ".join(value.split()) for name, value in lines}


def expect_confined(process, count):
    threads = list(threads_of(process))
    if len(threads) != count:
        sys.exit(f"{len(threads)} threads instead of {count}")
    for thread in threads:
        for name, value in EXPECTED.items():
            if thread[name] != value:
                sys.exit(f"thread {thread['Name']}: {name} is {thread[name]}, expected {value}")


def talk(program, address, connections):
    status, report = support.stress(program, address, "--connections", str(connections), "--window", "4",
                                    "--messages", "50", "--size", "0-70000" if connections < 100 else "0-200",
                                    "--idle", "0.05")
    support.expect(report, connected=connections, answered=connections,
                   messages_received=50 * connections, errors=0)
    support.expect_status(status, 0)


def confined_it_serves_as_ever(program, echo):
    for backend in ("epoll", "io_uring"):
        for io_threads in (0, 2):
            with support.Echo(echo, *CONFINED, "--backend", backend, "--io-threads", str(io_threads),
                              "--max-connections", "500", "--message-bytes-max", "70000") as server:
                expect_confined(server.process, 1 + io_threads)
                talk(program, server.address, 20)
                talk(program, server.address, 400)
                expect_confined(server.process, 1 + io_threads)


def confined_it_has_tables_of_its_own(program, echo):
    """A limit of descriptors that makes threads with private tables."""
    support.LAUNCHER[:] = ["prlimit", "--nofile=200:200"]
    server = support.Echo(echo, *CONFINED, "--backend", "epoll", "--max-connections", "300")
    support.LAUNCHER.clear()
    with server:
        talk(program, server.address, 290)


def run_refused(echo, *options, status=2, **how):
    result = subprocess.run([echo, "--listen", "tcp://127.0.0.1:0", *options], text=True, timeout=support.LIMIT_S,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
    if result.returncode != status or result.stdout:
        sys.exit(f"{options}: exit status {result.returncode}, output {result.stdout!r} {result.stderr!r}")
    return result.stderr


def expect_words(text, *words):
    for word in words:
        if word not in text:
            sys.exit(f"{word!r} is not in {text!r}")


def bad_values_are_refused(_, echo):
    expect_words(run_refused(echo, "--sandbox", "maybe"), "sandbox", '"maybe"', "on or off")
    expect_words(run_refused(echo, "--user", "nobody-of-that-name"), "user", "nobody-of-that-name")
    expect_words(run_refused(echo, "--user", "root"), "user", "root")
    if IS_ROOT:
        try:
            words = run_refused(echo, "--user", "nobody", user="nobody")
        except PermissionError:
            print("note: nobody may not enter the build folder, so --user was not tried without root")
            return
    else:
        words = run_refused(echo, "--user", "nobody")
    expect_words(words, "user", "only a program that root")


def main(program, echo):
    for check in (confined_it_serves_as_ever, confined_it_has_tables_of_its_own, bad_values_are_refused):
        print(f"-- {check.__name__}", flush=True)
        check(program, echo)
    print("all right" if IS_ROOT else "all right, but for --user: only root can")


main(*support.PROGRAMS)
