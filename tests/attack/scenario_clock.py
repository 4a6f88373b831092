# SPDX-License-Identifier: MIT
"""Clocks (O1). A time namespace starts the server where the milliseconds of the monotonic clock pass 2^32 while it
serves, and a hundred years after the boot; a preloaded library makes the wall clock jump by a year. The machine's own
clocks stay as they are, so what is not shown is a jump of the kernel's clock itself: its waits are relative."""

import os
import re
import shutil
import subprocess
import time

import wire
from world import Failure, Skip

NAME = "clock"
WHAT = "2^32 ms of uptime pass, a hundred years of it, a wall clock that jumps by years: nobody is disturbed"
DEADLINES = ("--idle-timeout-ms", 2000, "--first-message-timeout-ms", 2000, "--message-timeout-ms", 2000)
WRAP_S = 2 ** 32 / 1000


def at(uptime_s):
    """The words that start a program in a time namespace of this uptime."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        raise Skip("needs root and unshare (util-linux)")
    return ["unshare", "-T", "--monotonic", str(round(uptime_s - time.monotonic()))]


def check_namespaces():
    """A kernel before 6.1 gives the new clock to children only, and a kernel may have no such thing."""
    words = [*at(1000 * WRAP_S), "python3", "-c", "import time; print(time.monotonic())"]
    tried = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if tried.returncode != 0 or abs(float(tried.stdout) - 1000 * WRAP_S) > 60:
        raise Skip(f"no time namespace for this process: {(tried.stderr or tried.stdout).strip()}")


def serve(world, name, seconds, **how):
    """Clients talk for so long; one who is silent is found at its deadline, no sooner."""
    with world.server("--max-connections", 1000, *DEADLINES, **how) as server:
        with world.probe(server, connections=50, rate=1000, seconds=seconds) as good:
            good.wait_up()
            with wire.connect(server) as silent:
                start = time.monotonic()
                if not wire.echoes(silent):
                    raise Failure("it does not echo")
                _, took = server.wait(lambda now: now["closed_by"]["IDLE"] > 0, seconds + 10)
                took = None if took is None else time.monotonic() - start
            report = good.result(seconds + 60)
        wrong = {what: report[what] for what in ("disconnected", "lost", "corrupted") if report[what]}
        world.check(f"{name}: what happened to those who talk", str(wrong), "{}", not wrong)
        world.check(f"{name}: s until who is silent is found", took, ">= 1.99", took is not None and took >= 1.99)
        world.check_time(f"{name}: and no later than", took, "3", took is not None and took <= 3)
    return server.log()


def run(world):
    seconds = world.pick(12, 4)
    if not world.sanitized:  # whose own library insists on being the first
        log = serve(world, "a wall clock that jumps", seconds,
                    prefix=["env", f"LD_PRELOAD={world.program('attack_jump.so')}"])
        asked = re.search(r"the wall clock was asked (\d+) times", log)
        world.check("the jumping clock was there", asked is not None, "True", asked is not None)
        world.note("times that the wall clock was asked for", asked.group(1) if asked else None)
    check_namespaces()
    serve(world, "2^32 ms pass", seconds, prefix=at(WRAP_S * (time.monotonic() // WRAP_S + 1) - seconds / 2))
    if not world.short:
        serve(world, "a hundred years", seconds, prefix=at(100 * 365 * 24 * 3600))
