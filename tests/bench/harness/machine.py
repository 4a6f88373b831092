# SPDX-License-Identifier: MIT
"""What a number is worth nothing without: the machine, and what else it did meanwhile."""

import datetime
import os
import platform
import re
import resource


def read(path, otherwise=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return otherwise


def describe():
    name = re.search(r"^model name\s*:\s*(.*)$", read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+)", read("/proc/meminfo"), re.MULTILINE)
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', read("/etc/os-release"), re.MULTILINE)
    return {
        "date": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z"),
        "kernel": platform.release(),
        "system": system.group(1) if system else platform.system(),
        "processor": name.group(1) if name else platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "hypervisor": "hypervisor" in read("/proc/cpuinfo"),
        "memory_gib": round(int(memory.group(1)) / 2**20, 1) if memory else None,
        "congestion_control": read("/proc/sys/net/ipv4/tcp_congestion_control").strip(),
        "descriptor_limit": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }


def text(facts):
    kind = "virtual " if facts["hypervisor"] else ""
    return (f"{facts['date']}; {facts['system']}, kernel {facts['kernel']}; {facts['processors']} {kind}"
            f"processors {facts['processor']}, {facts['memory_gib']} GiB; TCP {facts['congestion_control']}, "
            f"descriptor limit {facts['descriptor_limit']}")


class Bystanders:
    """How much of the processors others took: whatever runs besides us, and the hypervisor."""

    def __init__(self):
        self.start = self.sample()

    @staticmethod
    def sample():
        """Ticks: of all processors, idle, stolen, our own and our children's."""
        fields = [int(field) for field in read("/proc/stat").splitlines()[0].split()[1:9]]
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return sum(fields), fields[3] + fields[4], fields[7], own * os.sysconf("SC_CLK_TCK")

    def shares(self):
        """To be asked when all children have been waited for."""
        total, idle, stolen, own = (late - early for early, late in zip(self.start, self.sample()))
        total = max(total, 1)
        others = max(0, total - idle - stolen - own)
        return {"others": others / total, "stolen": stolen / total}
