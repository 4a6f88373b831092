# SPDX-License-Identifier: MIT
"""Runs one target under AFL++ (persistent mode, through its driver for libFuzzer's targets)."""

import os
import shutil
import subprocess
import time

from result import Result

SETTINGS = {
    "AFL_NO_UI": "1",
    "AFL_QUIET": "1",
    "AFL_SKIP_CPUFREQ": "1",
    "AFL_NO_AFFINITY": "1",  # the caller says on which processor
    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",  # the target aborts: no core is needed to see it
    "AFL_FUZZER_LOOPCOUNT": "100000",
    "AFL_HANG_TMOUT": "60000",  # on a busy machine a process may wait for seconds
}


def gather_seeds(target, folders):
    """AFL++ takes one folder, and nothing empty in it."""
    seeds = folders.corpus + "-seeds"
    os.makedirs(seeds, exist_ok=True)
    for folder in (folders.corpus, *target.seeds):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if os.path.getsize(path) > 0:
                shutil.copy(path, os.path.join(seeds, name))
    return seeds


def command(program, target, folders, amount, output):
    line = ["afl-fuzz", "-i", gather_seeds(target, folders), "-o", output, "-t", "5000",
            "-g", "1", "-G", str(target.length)]
    if target.dictionary:
        line += ["-x", target.dictionary]
    line += ["-E", str(amount.runs)] if amount.runs else ["-V", str(amount.seconds)]
    return line + ["--", program]


def read_stats(path):
    try:
        with open(path, encoding="utf-8") as file:
            pairs = (line.split(":", 1) for line in file if ":" in line)
            return {name.strip(): value.strip() for name, value in pairs}
    except OSError:
        return {}


def fill(result, stats):
    result.executions = int(stats.get("execs_done", 0))
    result.edges = int(stats.get("edges_found", 0))
    result.edges_all = int(stats.get("total_edges", 0))
    result.features = int(stats.get("corpus_count", 0))


def take_findings(output, folders):
    found = []
    for kind in ("crashes", "hangs"):
        folder = os.path.join(output, "default", kind)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if name.startswith("id:"):
                path = os.path.join(folders.findings, f"{kind}-{name.replace(':', '-')[:60]}")
                shutil.copy(os.path.join(folder, name), path)
                found.append(path)
    return found


def run(program, target, folders, amount, progress):
    result = Result(target.name, "afl")
    output = folders.corpus + "-afl"
    shutil.rmtree(output, ignore_errors=True)
    stats = os.path.join(output, "default", "fuzzer_stats")
    start = time.monotonic()
    with open(folders.log, "w", encoding="utf-8") as log:
        process = subprocess.Popen(command(program, target, folders, amount, output), stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL,
                                   env=dict(os.environ, **SETTINGS))
        while process.poll() is None:
            time.sleep(1)
            fill(result, read_stats(stats))
            result.seconds = time.monotonic() - start
            progress(result)
    result.seconds = time.monotonic() - start
    fill(result, read_stats(stats))
    result.findings = take_findings(output, folders)
    if process.returncode != 0 and not result.findings:
        result.failure = f"afl-fuzz ended with {process.returncode}; see {folders.log}"
    return result
