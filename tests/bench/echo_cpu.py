# SPDX-License-Identifier: MIT
"""echo_cpu.py --echo FILE --bare FILE --stress FILE: CPU per echoed message, throng against a bare loop.

Both servers get the same load in turn, A B B A in every round, each alone on the first processor and
the load on the second. What counts is the server's CPU time, user and system, divided by the messages
that it says it has received. README.md tells how to read the table.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys

# Name, connections, messages in flight on each.
LOADS = [("1 connection, window 1", 1, 1),
         ("100 connections, window 1", 100, 1),
         ("1,000 connections, window 8", 1000, 8)]
PAYLOAD = 64
GOAL_USER = 3.0  # issue 2: user CPU per message at most that many times the bare loop's
WHATS = ("user", "system", "total")
LIMIT_S = 60


def arguments():
    parser = argparse.ArgumentParser(description="CPU per echoed message, throng against a bare epoll loop")
    parser.add_argument("--echo", required=True, help="bin/throng-echo")
    parser.add_argument("--bare", required=True, help="tests/bare_epoll_echo")
    parser.add_argument("--stress", required=True, help="bin/throng-stress")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of A B B A for each load (7)")
    parser.add_argument("--seconds", type=float, default=3, help="length of one run (3)")
    parser.add_argument("--load", type=int, choices=range(1, len(LOADS) + 1), help="only this load")
    parser.add_argument("--backend", default="epoll", help="of throng-echo (epoll)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--smoke", action="store_true",
                        help="one short round of each load; checks the counts, never a time")
    return parser.parse_args()


def pin(processor):
    """What a child does before it runs; nothing where there is only one processor."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return None
    return lambda: os.sched_setaffinity(0, {allowed[processor]})


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        preexec_fn=pin(0))
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on (tcp://\S+)\n", line)
        if found is None:
            self.kill()
            sys.exit(f"{command[0]} said {line!r}")
        self.endpoint = found.group(1)

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def stop(self):
        """Ends it; answers the messages that it received."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=LIMIT_S)[1]
        found = re.search(r"messages in (\d+)", said)
        if self.process.returncode != 0 or found is None:
            sys.exit(f"{self.process.args[0]} ended with {self.process.returncode}: {said}")
        return int(found.group(1))

    def kill(self):
        self.process.kill()
        self.process.communicate()


def stress(options, endpoint, connections, window):
    """Runs the load; answers its own report."""
    load = subprocess.run(
        [options.stress, "--connect", endpoint, "--connections", str(connections), "--size", str(PAYLOAD),
         "--window", str(window), "--seconds", str(options.seconds), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=pin(1),
        timeout=options.seconds + LIMIT_S)
    if load.returncode != 0:
        sys.exit(f"the load failed with {load.returncode}: {load.stderr}{load.stdout}")
    return json.loads(load.stdout)


def run(options, command, connections, window):
    """One server under one load: CPU seconds per message and the count."""
    server = Server(command)
    try:
        before = server.cpu()
        report = stress(options, server.endpoint, connections, window)
        after = server.cpu()
    except BaseException:
        server.kill()
        raise
    messages = server.stop()
    sent, answered = report["messages_sent"], report["messages_received"]
    if not messages == sent == answered > 0:
        sys.exit(f"{sent} messages sent, {messages} received by {command[0]}, {answered} answered")
    user, system = (late - early for early, late in zip(before, after))
    return {"user": user, "system": system, "total": user + system, "messages": messages}


def per_message(first, second, what):
    """Microseconds per message over two runs of the same server."""
    return 1e6 * (first[what] + second[what]) / (first["messages"] + second["messages"])


def measure_round(options, commands, connections, window):
    """A B B A, so that what drifts weighs on both alike."""
    runs = [run(options, commands[which], connections, window) for which in ("throng", "bare", "bare", "throng")]
    row = {"messages": sum(one["messages"] for one in runs)}
    for what in WHATS:
        row[what] = {"throng": per_message(runs[0], runs[3], what), "bare": per_message(runs[1], runs[2], what)}
    return row


def spread(values):
    """Lower quartile, median, upper quartile."""
    if len(values) < 2:
        return [values[0]] * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def summary(rows):
    result = {}
    for what in WHATS:
        # A run too short for the clock's ticks has no ratio.
        ratios = [row[what]["throng"] / row[what]["bare"] for row in rows if row[what]["bare"] > 0]
        result[what] = {
            "throng_us": spread([row[what]["throng"] for row in rows]),
            "bare_us": spread([row[what]["bare"] for row in rows]),
            "ratio": spread(ratios) if ratios else None,
        }
    return result


def print_table(name, rounds, seconds, result):
    print(f"\n{name}, {PAYLOAD} bytes, {rounds} rounds of 4 x {seconds:g} s")
    print(f"  {'CPU us/message':<16}{'throng':>10}{'bare':>10}{'ratio':>10}   quartiles of the ratio")
    for what, values in result.items():
        throng, bare, ratio = values["throng_us"][1], values["bare_us"][1], values["ratio"]
        ratio_text = f"{ratio[1]:>10.2f}   {ratio[0]:.2f} - {ratio[2]:.2f}" if ratio else f"{'-':>10}"
        print(f"  {what:<16}{throng:>10.3f}{bare:>10.3f}{ratio_text}")
    ratio = result["user"]["ratio"]
    if ratio:
        verdict = "met" if ratio[1] <= GOAL_USER else "NOT met"
        print(f"  goal: user <= {GOAL_USER:g} x the bare loop: {verdict}")


def main():
    options = arguments()
    if options.smoke:
        options.rounds, options.seconds = 1, 0.5
    commands = {
        "throng": [options.echo, "--listen", "tcp://127.0.0.1:0", "--io-threads", "0", "--backend",
                   options.backend, "--max-connections", "2000"],
        "bare": [options.bare],
    }
    loads = LOADS if options.load is None else [LOADS[options.load - 1]]
    report = []
    for name, connections, window in loads:
        rows = [measure_round(options, commands, connections, window) for _ in range(options.rounds)]
        result = summary(rows)
        report.append({"load": name, "connections": connections, "window": window, "payload": PAYLOAD,
                       "rounds": options.rounds, "seconds": options.seconds, "result": result, "rows": rows})
        if options.smoke:
            print(f"{name}: {rows[0]['messages']} messages, every count agrees", flush=True)
        elif not options.json:
            print_table(name, options.rounds, options.seconds, result)
            sys.stdout.flush()
    if options.json:
        print(json.dumps(report, indent=2))


main()
