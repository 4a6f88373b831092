# SPDX-License-Identifier: MIT
"""check_metrics.py ROOT ECHO [--promtool | --write]: what /metrics says, as Prometheus would read it.

Starts throng-echo with an admin listener and reads its /metrics twice, with traffic between: the text
follows format 0.0.4 and Prometheus' rules for names, no counter falls, and server/METRICS.md has the
same families with the same types, labels and words. --promtool asks `promtool check metrics` instead;
--write writes METRICS.md anew.
"""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import urllib.request

import tree

DOCUMENT = "server/METRICS.md"
SAMPLE = re.compile(r'^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\d+(?:\.\d+)?)$')
LABEL = re.compile(r'([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NAME = re.compile(r"throng_[a-z0-9]+(_[a-z0-9]+)*$")
# Prometheus wants seconds and bytes.
FOREIGN_UNIT = re.compile(r"_(ms|us|ns|milliseconds|minutes|kilobytes|kib|mib|bits|percent)(_|$)")
FAMILIES_LEAST = 50  # fewer, and /metrics was not understood
SECONDS = 30


class Family:
    def __init__(self, name, words):
        self.name, self.words, self.kind = name, words, None
        self.samples = {}  # (name, labels): number

    def labels(self):
        names = []
        for _, labels in self.samples:
            names += [name for name, _ in labels if name not in names]
        return names


def parse_labels(text):
    found = LABEL.findall(text)
    if ",".join(f'{name}="{value}"' for name, value in found) != text:
        raise ValueError(f"not labels: {text}")
    return tuple(found)


def parse(text):
    """The families of an exposition; ValueError where it breaks the format."""
    families = {}
    family = None
    if not text.endswith("\n"):
        raise ValueError("the last line does not end")
    for line in text[:-1].split("\n"):
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            if words[2] in families:
                raise ValueError(f"{words[2]} comes twice")
            family = families[words[2]] = Family(words[2], words[3])
        elif line.startswith("# TYPE "):
            if family is None or words[2] != family.name or family.kind or family.samples:
                raise ValueError(f"out of place: {line}")
            family.kind = words[3]
        else:
            take_sample(family, line)
    return families


def take_sample(family, line):
    match = SAMPLE.match(line)
    if not match or family is None or family.kind is None:
        raise ValueError(f"not a sample: {line}")
    name, labels, number = match.groups()
    allowed = {family.name}
    if family.kind == "histogram":
        allowed = {family.name + end for end in ("_bucket", "_sum", "_count")}
    key = (name, parse_labels(labels or ""))
    if name not in allowed or key in family.samples:
        raise ValueError(f"{line}: not of {family.name}, or twice")
    family.samples[key] = float(number)


def check_histogram(family):
    buckets = [(dict(labels)["le"], number) for (name, labels), number in family.samples.items()
               if name.endswith("_bucket")]
    bounds = [float(bound.replace("+Inf", "inf")) for bound, _ in buckets]
    counts = [number for _, number in buckets]
    count = family.samples.get((family.name + "_count", ()))
    if bounds != sorted(set(bounds)) or bounds[-1] != float("inf"):
        yield f"{family.name}: its bounds do not rise to +Inf"
    if counts != sorted(counts) or counts[-1] != count:
        yield f"{family.name}: its buckets do not add up to its count"


def check_family(family):
    if not NAME.match(family.name) or FOREIGN_UNIT.search(family.name):
        yield f"{family.name}: not a name, or not in base units"
    if family.kind not in ("counter", "gauge", "histogram"):
        yield f"{family.name}: type {family.kind}"
    if (family.kind == "counter") != family.name.endswith("_total"):
        yield f"{family.name}: counters end in _total, and nothing else does"
    if family.kind != "histogram" and re.search(r"_(bucket|sum|count)$", family.name):
        yield f"{family.name}: ends like a part of a histogram"
    if not family.samples or not re.search(r"\w.*\.$", family.words):
        yield f"{family.name}: has no sample, or no sentence"
    if family.kind == "histogram":
        yield from check_histogram(family)


def check_growth(before, after):
    if list(before) != list(after):
        yield "two readings have different families"
        return
    for name, family in before.items():
        for key, number in family.samples.items():
            if family.kind != "gauge" and after[name].samples.get(key, -1) < number:
                yield f"{key}: {number}, then {after[name].samples.get(key)}"
    received = ("throng_messages_received_total", ())
    if after[received[0]].samples[received] != before[received[0]].samples[received] + 1:
        yield "one message made no difference of 1 in throng_messages_received_total"


def rows_of(families):
    rows = []
    for family in families.values():
        labels = ", ".join(f"`{label}`" for label in family.labels())
        rows.append(f"| `{family.name}` | {family.kind} | {labels} | {family.words} |")
    return rows


def check_document(root, families):
    expected = rows_of(families)
    found = [line for line in tree.read(root, DOCUMENT).splitlines() if line.startswith("| `throng_")]
    yield from (f"{DOCUMENT}: missing: {row}" for row in expected if row not in found)
    yield from (f"{DOCUMENT}: not in /metrics: {row}" for row in found if row not in expected)
    if sorted(expected) == sorted(found) and expected != found:
        yield f"{DOCUMENT}: not in the order of /metrics"


def write_document(root, families):
    path = os.path.join(root, DOCUMENT)
    lines = tree.read(root, DOCUMENT).splitlines()
    places = [i for i, line in enumerate(lines) if line.startswith("| `throng_")]
    begin = places[0] if places else len(lines)
    end = places[-1] + 1 if places else len(lines)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines[:begin] + rows_of(families) + lines[end:]) + "\n")


class Echo:
    """throng-echo with an admin listener, both on free ports."""

    def __init__(self, program):
        options = ["--listen", "tcp://127.0.0.1:0", "--admin", "tcp://127.0.0.1:0",
                   "--max-connections", "100", "--io-threads", "2"]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.port = self.read_port("listening on")
        self.admin = self.read_port("admin on")

    def read_port(self, what):
        line = self.process.stdout.readline()
        match = re.fullmatch(rf"{what} tcp://127\.0\.0\.1:(\d+)\n", line)
        if not match:
            raise ValueError(f"throng-echo says {line!r} instead of {what!r}")
        return int(match[1])

    def metrics(self):
        url = f"http://127.0.0.1:{self.admin}/metrics"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            if answer.headers["Content-Type"] != "text/plain; version=0.0.4; charset=utf-8":
                raise ValueError(f"Content-Type is {answer.headers['Content-Type']!r}")
            return answer.read().decode("utf-8")

    def talk(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as peer:
            peer.sendall(struct.pack(">I", 5) + b"hello")
            received = b""
            while len(received) < 9:
                received += peer.recv(9)

    def end(self):
        self.process.kill()
        self.process.wait(timeout=SECONDS)


def read_twice(program):
    echo = Echo(program)
    try:
        before = echo.metrics()
        echo.talk()
        return before, echo.metrics()
    finally:
        echo.end()


def ask_promtool(text):
    if shutil.which("promtool") is None:
        tree.skip("there is no promtool here (Debian package prometheus)")
    result = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                            capture_output=True, timeout=SECONDS)
    complaints = (result.stdout + result.stderr).splitlines()
    return complaints if result.returncode == 0 else complaints + [f"exits with {result.returncode}"]


def main(root, program, mode=""):
    before, after = read_twice(program)
    if mode == "--promtool":
        tree.finish(ask_promtool(after), "promtool has nothing to say of /metrics")
        return
    families = parse(after)
    if mode == "--write":
        write_document(root, families)
        return
    complaints = [complaint for family in families.values() for complaint in check_family(family)]
    if len(families) < FAMILIES_LEAST:
        complaints.append(f"/metrics has {len(families)} families")
    complaints += check_growth(parse(before), families)
    complaints += check_document(root, families)
    tree.finish(complaints, f"{len(families)} families of metrics, as {DOCUMENT} has them")


main(*sys.argv[1:])
