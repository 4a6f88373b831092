# SPDX-License-Identifier: MIT
"""The test of the bench itself: everything that is built runs for a moment; counts are compared,
times are not even looked at."""

import functools
import os
import sys

import comparisons
import contestants
import crowd
import rows
from live import Failure, Pair

SKIPPED = 77  # what ctest takes as "skipped"
ECHO = rows.Row("echo", "echo", 40, 20, size=5000, window=3)
CHURN = rows.Row("churn", "churn", 10, 10, churn=True)


def try_row(contestant, row, folder):
    """Two slices; Pair.stop() compares the counts of both sides."""
    pair = Pair(folder, contestant, row)
    try:
        for duration_ms in (0, 200):
            result = pair.slice(duration_ms)
            least = row.connections * row.tick or (row.connections if row.churn else row.active * row.window)
            if result["messages"] < least or result["cpu_ns"] <= 0:
                raise Failure(f"{contestant.title}, {row.key}: {result}")
        print(f"{contestant.title}, {row.key}: {pair.messages} messages")
        pair.stop()
    except BaseException:
        pair.kill()
        raise


def try_crowd(contestant, folder):
    """Connections at a word, each of them speaking once; Crowd.stop() compares the counts."""
    with crowd.Crowd(contestant, folder, connections=1100, loads=2) as one:
        one.order("open")
        if one.messages != 2 * 2:  # the 512th and the last of each load
            raise Failure(f"{contestant.title}: {one.messages} messages were answered")
        one.order("slice 0")
        if one.messages != 2 * 2 + 1100:
            raise Failure(f"{contestant.title}: {one.messages} messages were answered")
        one.stop()
    print(f"{contestant.title}, crowd: {one.connections} connections")


def attempts(folder):
    """(contestant, function that tries it)"""
    for one in contestants.ALL:
        for row in (ECHO, CHURN):
            yield one, functools.partial(try_row, one, row, folder)
    for comparison in (comparisons.tick(40, 3), comparisons.broadcast(40, 3, 100), comparisons.enobufs(3000, 60, 4),
                       comparisons.ping_pong(), comparisons.typed_echo(40, 3)):
        for one in comparison.contestants:
            yield one, functools.partial(try_row, one, comparison.row, folder)
    for backend in contestants.BACKENDS:
        # One private descriptor table, or none: ThreadSanitizer believes that threads share them.
        throng = contestants.throng_by_default(backend, "--max-connections", "2000", "--io-threads", "2")
        for one in (contestants.bare_accept(backend, 1), throng):
            yield one, functools.partial(try_crowd, one, folder)


def run(folder):
    tried = 0
    for contestant, attempt in attempts(folder):
        if not os.path.exists(contestant.path(folder)):
            continue
        try:
            attempt()
            tried += 1
        except Failure as failure:
            # A kernel or a container that forbids io_uring; a throng built without it.
            if contestant.backend != "io_uring" or "does not start" not in str(failure):
                raise
            print(failure)
    if tried == 0:
        print("skipped: no server was built")
        sys.exit(SKIPPED)
