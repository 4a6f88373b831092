# SPDX-License-Identifier: MIT
"""What the system says: about a process, about TCP as a whole, and about what it lets us limit."""

import os
import re
import time

PAGE = os.sysconf("SC_PAGESIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def read(path, otherwise=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return otherwise


def processors():
    """Where servers run, and where all others do; the same one if there is no second."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def status_bytes(pid, name):
    """A line of /proc/PID/status in bytes: VmRSS, VmHWM, RssAnon ...; 0 if the process is gone."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", read(f"/proc/{pid}/status"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def descriptors(pid):
    """How many the process has, over all of its descriptor tables."""
    tables = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            names = os.listdir(f"/proc/{pid}/task/{task}/fd")
        except OSError:
            continue
        tables[tuple(sorted(names))] = len(names)
    return sum(tables.values())


def cpu_seconds(pid):
    """User and system time of all its threads."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def sockstat():
    """Of IPv4 TCP on the whole machine (of this network namespace; `mem` of all): inuse, orphan, tw,
    alloc, and mem in bytes."""
    words = re.search(r"^TCP: (.*)$", read("/proc/net/sockstat"), re.MULTILINE).group(1).split()
    numbers = dict(zip(words[::2], map(int, words[1::2])))
    numbers["mem"] *= PAGE
    return numbers


def wait_sockstat(condition, limit_s):
    """Seconds until condition(sockstat()) holds; None if it does not within limit_s."""
    start = time.monotonic()
    while not condition(sockstat()):
        if time.monotonic() - start > limit_s:
            return None
        time.sleep(0.02)
    return time.monotonic() - start


STATES = {"01": "ESTABLISHED", "02": "SYN_SENT", "03": "SYN_RECV", "04": "FIN_WAIT1", "05": "FIN_WAIT2",
          "06": "TIME_WAIT", "07": "CLOSE", "08": "CLOSE_WAIT", "09": "LAST_ACK", "0A": "LISTEN",
          "0B": "CLOSING"}


def ends_of(port):
    """How many IPv4 sockets with this local port are in which state."""
    counts = {}
    with open("/proc/net/tcp", encoding="ascii") as file:
        next(file)
        for line in file:
            fields = line.split(None, 4)
            if int(fields[1].rpartition(":")[2], 16) == port:
                state = STATES[fields[3]]
                counts[state] = counts.get(state, 0) + 1
    return counts


class Group:
    """A memory cgroup (v2 or v1), for as long as it has an owner. `path` is None if the system does not
    let us make one: then nothing is limited, and `why` says so."""

    def __init__(self, name, limit_mib, parent=None):
        self.path, self.why, self.v2 = None, "no memory cgroup is mounted", False
        for folder, v2 in [(parent.path, parent.v2)] if parent and parent.path else self.places():
            path = os.path.join(folder, name)
            try:
                if v2:
                    self.write(os.path.join(folder, "cgroup.subtree_control"), "+memory")
                os.mkdir(path)
                self.limit(path, v2, limit_mib)
                self.path, self.v2, self.why = path, v2, ""
                return
            except OSError as error:
                self.why = f"{error.strerror}: {error.filename}"
                if os.path.isdir(path):
                    os.rmdir(path)

    @staticmethod
    def places():
        """Folders in which we might make a group: our own one, the root. Version 1 first, because it takes
        the memory controller away from version 2."""
        own = dict(line.split(":", 2)[1:] for line in read("/proc/self/cgroup").splitlines())
        for version, folder in ((1, "/sys/fs/cgroup/memory"), (2, "/sys/fs/cgroup")):
            mark = "memory.limit_in_bytes" if version == 1 else "cgroup.controllers"
            if os.path.exists(os.path.join(folder, mark)):
                mine = own.get("memory" if version == 1 else "", "/").strip("/")
                for place in dict.fromkeys((os.path.join(folder, mine), folder)):
                    if os.path.isdir(place):
                        yield place.rstrip("/"), version == 2

    @staticmethod
    def sweep(prefix):
        """Removes what runs that were killed have left: empty groups PREFIX-PID of processes that are gone."""
        for folder, _ in Group.places():
            for name in os.listdir(folder):
                if name.startswith(prefix + "-") and not os.path.exists("/proc/" + name[len(prefix) + 1:]):
                    for path, _, _ in os.walk(os.path.join(folder, name), topdown=False):
                        try:
                            os.rmdir(path)
                        except OSError:
                            pass  # somebody is still in it

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def limit(self, path, v2, limit_mib):
        names = ("memory.max", "memory.swap.max") if v2 else ("memory.limit_in_bytes",)
        for name in names:
            if os.path.exists(os.path.join(path, name)):
                self.write(os.path.join(path, name), "0" if "swap" in name else str(limit_mib << 20))

    def enter(self):
        """The calling process moves in (between fork and exec)."""
        if self.path:
            self.write(os.path.join(self.path, "cgroup.procs"), "0" if self.v2 else str(os.getpid()))

    def killed(self):
        """How often the kernel killed a process of it for want of memory."""
        text = read(os.path.join(self.path, "memory.events" if self.v2 else "memory.oom_control"))
        found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
        return int(found.group(1)) if found else 0

    def close(self):
        for _ in range(100 if self.path else 0):
            try:
                os.rmdir(self.path)
                break
            except OSError:
                time.sleep(0.02)  # a process that ended is still being taken out of it
