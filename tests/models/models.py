# SPDX-License-Identifier: MIT
"""What a model says about itself, and one verification of it by spin.

A model's first comment holds lines for this program:

    run NAME FLAGS [ltl]                  a property set that must hold; `ltl`: the formula named like
                                          the last part of NAME, under weak fairness; else assertions
                                          and invalid end states
    bug NAME BUG_A[+BUG_B] KIND WORDS     a planted error that the property set NAME must find as
                                          KIND: assertion, deadlock or cycle
    layer NAME BUG_A WORDS                one of two lines of defence is left out, and NAME holds
"""

import os
import re
import subprocess
import time

MODELS = {
    "post": "common/src/base/post_queue.pml",
    "ring": "common/src/base/ring.pml",
    "close": "server/src/worker/close.pml",
    "slot": "server/src/conn/slot.pml",
}

LINE = re.compile(r"^ \*\s+(run|bug|layer) +(\w+/\w+) +(.*?)\s*$", re.MULTILINE)
KINDS = {
    "assertion violated": "assertion",
    "invalid end state": "deadlock",
    "acceptance cycle": "cycle",
}
MEMORY_MIB = 900  # of one verification; two run at once
DEPTH_MAX = 5000000
LIMIT_S = 300  # of one step; a busy machine is slow


class Run:
    """A property set of a model, with or without planted errors."""

    def __init__(self, model, name, flags, ltl, bugs=(), kind="", words=""):
        self.model, self.name, self.flags, self.ltl = model, name, flags, ltl
        self.bugs, self.kind, self.words = list(bugs), kind, words

    def with_bugs(self, bugs, kind, words):
        return Run(self.model, self.name, self.flags, self.ltl, bugs, kind, words)

    @property
    def title(self):
        return "-".join([self.name.replace("/", "-"), *self.bugs])


def read_model(root, model):
    """The runs, the planted errors and the layers of a model; ValueError if its lines do not fit."""
    with open(os.path.join(root, MODELS[model]), encoding="utf-8") as file:
        text = file.read()
    runs, bugs, layers = {}, [], []
    for what, name, rest in LINE.findall(text):
        if what == "run":
            ltl = name.split("/")[1] if rest.endswith(" ltl") else None
            runs[name] = Run(model, name, rest.removesuffix(" ltl").split(), ltl)
        elif what == "bug":
            names, kind, words = rest.split(None, 2)
            if kind not in KINDS.values():
                raise ValueError(f"{MODELS[model]}: {names}: {kind} is no kind of error")
            bugs.append(runs[name].with_bugs(names.split("+"), kind, words))
        else:
            names, words = rest.split(None, 1)
            layers.append(runs[name].with_bugs(names.split("+"), "", words))
    code = text[text.index("*/"):]
    in_code = set(re.findall(r"\bBUG_\w+", code))
    in_lines = {bug for run in bugs for bug in run.bugs}
    if in_code != in_lines:
        raise ValueError(f"{MODELS[model]}: planted and listed errors differ: "
                         f"{sorted(in_code ^ in_lines)}")
    return list(runs.values()), bugs, layers


def call(command, folder):
    result = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, timeout=LIMIT_S)
    return result.returncode, result.stdout


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


def read_result(text):
    """What pan has said, as a dictionary."""
    error = next((kind for words, kind in KINDS.items() if re.search(r"pan:1: " + words, text)), "")
    complete = ("errors:" in text and "Search not completed" not in text
                and "max search depth too small" not in text and "out of memory" not in text)
    said = re.search(r"pan:1: (.*)", text)
    return {
        "states": number(r"(\d+) states, stored", text),
        "depth": number(r"depth reached (\d+)", text),
        "errors": number(r"errors: (\d+)", text),
        "memory_mib": round(float((re.search(r"([\d.]+)\s+total actual memory", text) or [0, "0"])[1])),
        "kind": error,
        "said": said.group(1) if said else "",
        "complete": complete,
    }


def verify(root, work, run):
    """Runs spin, the compiler and pan. The result; `broken` says what did not even run."""
    folder = os.path.join(work, run.model, run.title)
    os.makedirs(folder, exist_ok=True)
    start = time.monotonic()
    defines = run.flags + ["-D" + bug for bug in run.bugs]
    source = os.path.join(root, MODELS[run.model])
    # gcc takes longer to optimise a large model, or one with an error, than pan saves by it.
    compile_flags = [f"-DMEMLIM={MEMORY_MIB}", "-w",
                     "-O0" if run.kind or run.model == "close" else "-O2"]
    compile_flags += ["-DNFAIR=3"] if run.ltl else ["-DSAFETY", "-DNOCLAIM"]
    search = ["-a", "-f", "-N", run.ltl] if run.ltl else []
    steps = [
        ["spin", *defines, "-a", source],
        ["gcc", *compile_flags, "-o", "pan", "pan.c"],
        ["./pan", *search, f"-m{DEPTH_MAX if not run.kind else DEPTH_MAX // 50}", "-w22"],
    ]
    output = ""
    try:
        for step in steps:
            status, output = call(step, folder)
            if status != 0 or not os.path.exists(os.path.join(folder, "pan.c")):
                return {"broken": f"{' '.join(step)}: {output[-2000:]}"}
    except subprocess.TimeoutExpired as late:
        return {"broken": f"not within {LIMIT_S} s: {late.cmd}"}
    with open(os.path.join(folder, "pan.out"), "w", encoding="utf-8") as file:
        file.write(output)
    result = read_result(output)
    result["seconds"] = round(time.monotonic() - start, 1)
    result["folder"] = folder
    result["replay"] = f"cd {folder} && spin {' '.join(defines)} -k {os.path.basename(source)}.trail -t -p {source}"
    return result
