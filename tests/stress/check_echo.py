# SPDX-License-Identifier: MIT
"""check_echo.py STRESS ECHO [-- LAUNCHER...]: the load client against the honest echo server, in each of
its modes."""

import os
import re
import socket
import subprocess
import sys
import time

import support

NOTHING_WRONG = {key: 0 for key in (
    "failed", "refused", "timed_out", "reset", "closed_by_peer", "broken", "unanswered", "lost",
    "duplicated", "reordered", "corrupted", "foreign", "errors")}


def all_right(program, address, *options, **expected):
    status, report = support.stress(program, address, *options)
    support.expect(report, **NOTHING_WRONG, **expected)
    support.expect_status(status, 0)
    return report


def talk_in_windows(program, address, seconds):
    report = all_right(program, address, "--connections", "100", "--window", "8", "--size", "0-2000",
                       "--seconds", seconds, "--threads", "3", "--backend", support.PLAIN_BACKEND, connected=100,
                       connected_peak=100, alive=100, server_established=100, threads=3, backend=support.PLAIN_BACKEND)
    if report["answered"] != 100 or report["messages_received"] < 1000 or report["messages_per_second"] <= 0:
        return f"only {report['messages_received']} messages, of {report['answered']} connections"
    connect = [report[f"connect_{part}_us"] for part in ("p50", "p90", "p99", "p99_9", "max")]
    if connect != sorted(connect) or not 0 < connect[0]:
        sys.exit(f"the percentiles of connects make no sense: {connect}")
    latency = report["latency_us"]
    if not 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p99_9"] <= latency["max"]:
        sys.exit(f"the percentiles make no sense: {latency}")
    return None


def windows_and_sizes(program, address):
    support.in_time(lambda seconds: talk_in_windows(program, address, seconds), "1", "5", "20")


def exact_counts(program, address):
    for size, bytes_received in (("0", 0), ("1", 1400), ("11", 15400), ("12", 16800)):
        all_right(program, address, "--connections", "7", "--messages", "200", "--window", "64",
                  "--size", size, messages_sent=1400, messages_received=1400,
                  bytes_received=bytes_received)
    all_right(program, address, "--connections", "5", "--messages", "20", "--window", "4",
              "--size", "60000-65536", messages_received=100)


def more_than_the_queues_hold(program, address):
    """4 MiB on their way per connection through a queue of 256 KiB: each refusal is tried again."""
    all_right(program, address, "--connections", "20", "--messages", "200", "--window", "64",
              "--size", "65536", messages_received=4000)


def some_talk_and_all_stay(program, address):
    all_right(program, address, "--connections", "50", "--active", "20", "--messages", "3",
              "--idle", "0.2", connected=50, alive=50, server_established=50, answered=20,
              messages_received=60)


def by_rate(program, address):
    report = all_right(program, address, "--connections", "10", "--rate", "1000", "--seconds", "2")
    # Never faster than asked for, and nothing that was due is forgotten. A busy machine may talk for
    # longer than 2 s, and then more falls due.
    sent, unsent, seconds = report["messages_sent"], report["unsent"], report["talk_seconds"]
    if sent > 1000 * seconds + 100 or sent + unsent < 1900:
        sys.exit(f"{sent} messages and {unsent} unsent in {seconds} s at a rate of 1000")
    all_right(program, address, "--connections", "10", "--rate", "100000", "--messages", "30",
              messages_received=300)


def stopped_by_a_signal(program, address):
    process = subprocess.Popen(
        [*support.LAUNCHER, program, "--connect", address, "--connections", "10", "--seconds", "600"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stderr.readline()  # the first line of progress: after a second
    process.send_signal(support.STOP_SIGNAL)
    output, _ = process.communicate(timeout=support.LIMIT_S)
    support.expect_status(process.returncode, 0)
    if not re.search(r"^stopped early by a signal\nall right\n$", output, re.MULTILINE):
        sys.exit(f"after a signal it printed\n{output}")


def nobody_there(program):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
        status, report = support.stress(program, address, "--connections", "3")
    support.expect(report, connected=0, failed=3, refused=3, errors=3, messages_sent=0)
    support.expect_status(status, 1)


def too_many_for_the_server(program, echo):
    with support.Echo(echo, "--max-connections", "5") as server:
        status, report = support.stress(program, server.address, "--connections", "8",
                                        "--messages", "1")
    support.expect(report, answered=5)
    support.expect_status(status, 1)
    # The server resets them; the client learns of it while it connects, or right after, or when it
    # has said its first word, which then is unanswered.
    if report["refused"] + report["reset"] != 3:
        sys.exit(f"3 too many, but {report['refused']} refused and {report['reset']} reset")
    support.expect(report, errors=3 + report["unanswered"], messages_sent=5 + report["unanswered"])


def bad_usage(program):
    result = subprocess.run([*support.LAUNCHER, program, "--connect", "tcp://127.0.0.1:1", "--window", "0"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    support.expect_status(result.returncode, 2)
    if result.stdout != "" or "--window" not in result.stderr or "1..1024" not in result.stderr:
        sys.exit(f"bad usage: {result.stdout!r} {result.stderr!r}")


def little_endian(program, echo):
    with support.Echo(echo, "--byte-order", "little", "--max-connections", "10") as server:
        all_right(program, server.address, "--byte-order", "little", "--messages", "5",
                  messages_received=5)


def main(program, echo):
    started = time.monotonic()
    with support.Echo(echo, "--max-connections", "1000") as server:
        for check in (windows_and_sizes, exact_counts, more_than_the_queues_hold,
                      some_talk_and_all_stay, by_rate, stopped_by_a_signal):
            print(f"-- {check.__name__}", flush=True)
            check(program, server.address)
    nobody_there(program)
    too_many_for_the_server(program, echo)
    bad_usage(program)
    little_endian(program, echo)
    print(f"all right, {time.monotonic() - started:.1f} s in process {os.getpid()}")


main(*support.PROGRAMS)
