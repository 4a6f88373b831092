# SPDX-License-Identifier: MIT
"""What a scenario is given: `run(world)` starts servers and loads through it, and says what it found."""

import dataclasses
import os
import re
import subprocess
import time

import live
import machine

Failure, Skip = live.Failure, live.Skip


@dataclasses.dataclass(frozen=True)
class Check:
    """A row of the table. `passed` is None for a figure that decides nothing."""

    what: str
    figure: str
    control: str
    limit: str
    passed: bool | None


def text_of(value):
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class World:
    """One scenario on one backend. All of its processes are in one memory cgroup, each server in one of its
    own below it."""

    def __init__(self, name, build, backend, short, logs, sanitized=False, limit_mib=6144,
                 extra=(), say=print):
        self.name, self.build, self.backend, self.short, self.logs = name, build, backend, short, logs
        self.sanitized, self.extra, self.say_line = sanitized, list(extra), say
        self.checks, self.servers, self.tools = [], [], []
        machine.Group.sweep("throng-attack")
        self.group = machine.Group(f"throng-attack-{os.getpid()}", limit_mib)
        self.loads = machine.Group("loads", limit_mib, self.group)
        self.start = time.monotonic()

    # ---- sizes and words ----

    def pick(self, full, short):
        """A size or a time: of the full form, or of the short one that tools/test runs."""
        return short if self.short else full

    def say(self, text):
        self.say_line(f"   {time.monotonic() - self.start:6.1f} s  {text}")

    # ---- processes; use each in a with statement ----

    def log_path(self, name):
        number = len(self.servers) + len(self.tools)
        return os.path.join(self.logs, f"{self.name}-{self.backend}-{number:02}-{name}.log")

    def program(self, name):
        for folder in ("tests", "bin"):
            path = os.path.join(self.build, folder, name)
            if os.path.exists(path):
                return path
        raise Failure(f"there is no {name} below {self.build}")

    def place(self, wanted):
        """In the full form servers have one processor and loads another; the short one shares the machine
        with other tests and leaves it to the scheduler."""
        return None if self.short else machine.processors()[wanted]

    def server(self, *options, memory_mib=1024, program="attack_server", listen=("tcp://127.0.0.1:0",),
               descriptors=None, prefix=()):
        """A server on this scenario's backend. `options` are words of its command line; `prefix` a command
        that runs it; `descriptors` its RLIMIT_NOFILE (soft, hard)."""
        group = machine.Group(f"server-{len(self.servers)}", memory_mib * (8 if self.sanitized else 1), self.group)
        command = [*prefix, self.program(program), "--backend", self.backend]
        for address in listen:
            command += ["--listen", address]
        server = live.Server(command + [str(option) for option in options] + self.extra, group, self.place(0),
                             self.log_path(program), descriptors)
        self.servers.append(server)
        return server

    def tool(self, name, *words, prefix=()):
        """A load program: any of tests/ or bin/."""
        tool = live.Tool([*prefix, self.program(name), *map(str, words)], self.loads, self.place(1),
                         self.log_path(name))
        self.tools.append(tool)
        return tool

    def peers(self, server, kind, nice=False, **options):
        """attack_peers: hostile ones. `kind` is KIND=COUNT[,KIND=COUNT...]; options: --help of it. `nice`: they
        leave their processor to the players, if these want it; the server is theirs all the same."""
        return self.tool("attack_peers", "--connect", server.address, "--kind", kind, *words_of(options),
                         prefix=("nice", "-n", "10") if nice else ())

    def probe(self, server, **options):
        """attack_probe: well-behaved ones, who verify every byte. Options: --help of it."""
        return self.tool("attack_probe", "--connect", server.address, *words_of(options))

    def stress(self, server, **options):
        """throng-stress, the load client of the tools, with its JSON report (no "up")."""
        return self.tool("throng-stress", "--connect", server.address, "--json", "--quiet", *words_of(options))

    def budget(self, server):
        """Bytes that this server has reserved, all that it may ever touch but code and stacks."""
        text = subprocess.run([*server.command, "--budget"], stdout=subprocess.PIPE, text=True, timeout=60).stdout
        return int(re.search(r"^total +(\d+)", text, re.MULTILINE).group(1))

    # ---- findings ----

    def check(self, what, figure, limit, passed, control=None):
        """A row that decides."""
        self.checks.append(Check(what, text_of(figure), text_of(control), text_of(limit), bool(passed)))
        self.say(f"{'ok    ' if passed else 'FAILED'} {what}: {text_of(figure)} ({text_of(limit)})")

    def check_time(self, what, figure, limit, passed, control=None):
        """A row that decides in the full form only: the short one runs beside other tests, and under
        sanitizers."""
        if self.short or self.sanitized:
            self.note(what, figure, control, limit)
        else:
            self.check(what, figure, limit, passed, control)

    def check_memory(self, what, figure, limit, passed, control=None):
        """A row that decides nothing under sanitizers, whose shadows are counted as ours."""
        (self.note(what, figure, control, limit) if self.sanitized
         else self.check(what, figure, limit, passed, control))

    def note(self, what, figure, control=None, limit=None):
        """A figure that decides nothing."""
        self.checks.append(Check(what, text_of(figure), text_of(control), text_of(limit), None))
        self.say(f"       {what}: {text_of(figure)}")

    def close(self):
        """What every scenario owes: servers that ended as asked, and nobody killed for want of memory."""
        for process in self.tools + self.servers:
            process.kill()
        ends = [server.process.returncode for server in self.servers if not server.ended_as_asked]
        self.check("servers that did not end in order", len(ends), "0", not ends)
        groups = [group for group in (self.loads, *(server.group for server in self.servers)) if group.path]
        self.check("processes killed for want of memory", sum(group.killed() for group in groups)
                   if groups else "not limited", "0", not any(group.killed() for group in groups))
        for group in groups + [self.group]:
            group.close()


def words_of(options):
    """{"seconds": 3, "again": True} as words of a command line."""
    words = []
    for name, value in options.items():
        if value is True:
            words.append("--" + name.replace("_", "-"))
        elif value is not None and value is not False:
            words += ["--" + name.replace("_", "-"), str(value)]
    return words
