# SPDX-License-Identifier: MIT
"""What an idle connection costs: resident memory of the server's process, nothing of the kernel's.
crowd.py measures the same with 65,000."""

import contextlib
import re
import time

import rows
from live import Failure, Load, Server

CONNECTIONS = 10000
ROW = rows.Row("memory", "idle memory", CONNECTIONS, CONNECTIONS)
SETTLE_S = 0.5


def resident(pid):
    """Bytes, exact: /proc/PID/status may be hundreds of pages behind."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Rss:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) * 1024


def measure_server(contestant, folder):
    """Bytes: at start, and for each of 10,000 connections, new ones and ones that have spoken."""
    with contextlib.ExitStack() as undo:
        server = Server(contestant, folder)
        undo.callback(server.kill)
        start = resident(server.pid)
        load = Load(f"{folder}/tests/bench_load", server, ROW)
        undo.callback(load.kill)
        time.sleep(SETTLE_S)  # the last ones are still to be accepted
        connected = resident(server.pid)
        load.slice(0)
        talked = resident(server.pid)
        load.stop()
        accepted = server.stop().accepted
        undo.pop_all()
    if accepted != CONNECTIONS:
        raise Failure(f"{contestant.title} accepted {accepted} of {CONNECTIONS} connections")
    return {"start_bytes": start, "per_new_connection": (connected - start) / CONNECTIONS,
            "per_used_connection": (talked - start) / CONNECTIONS}


def measure(contestants, folder, progress):
    found = {}
    for contestant in contestants:
        progress(f"idle memory: {contestant.title}")
        found[contestant.key] = measure_server(contestant, folder)
    return found
