# SPDX-License-Identifier: MIT
"""One message every 1 to 3 ms and nothing else (W5): each one has to wake threads that sleep. A wake-up that is
lost shows as an answer that comes with the next message, or never."""

NAME = "wakeups"
WHAT = "one message every 1 to 3 ms: no wake-up is lost"


def run(world):
    seconds = world.pick(600, 2) / 2
    for threads in (1, 0):
        mode = "threaded" if threads else "inline"
        with world.server("--io-threads", threads, "--max-connections", 100) as server, \
             world.tool("attack_pacer", "--port", server.port, "--pid", server.pid, "--seconds",
                        seconds) as pacer:
            report = pacer.result(seconds + 60)
        ours, control = report["server"], report["control"]
        world.note(f"messages, {mode}", report["messages"])
        world.check(f"lost or wrong answers, {mode}", ours["lost"] + ours["wrong"], "0",
                    ours["lost"] + ours["wrong"] == 0 < report["messages"])
        world.check(f"late answers while all threads slept, {mode}", ours["asleep"], "0", ours["asleep"] == 0)
        world.check_time(f"slowest answer, ms, {mode}", ours["max_ms"], "<= 50 + control",
                         ours["max_ms"] <= 50 + control["max_ms"], control["max_ms"])
        world.note(f"answers over 50 ms, {mode}", ours["late"], control["late"])
        world.note(f"mean answer, ms, {mode}", ours["mean_ms"], control["mean_ms"])
