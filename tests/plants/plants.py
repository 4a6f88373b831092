# SPDX-License-Identifier: MIT
"""Plants each bug of sim.txt, port.txt and iocp.txt into a copy of its file, builds throng-sim or the port
contract suite with it, and shows whether that notices, and how soon. tools/plants builds the clean programs and
calls this. A bug that is not noticed is a gap in the tests: exit 1.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLANT = re.compile(r"^\[([a-z0-9-]+)\]\n([^\n]+)\n([^\n]+)\n((?:<<<<\n.*?>>>>\n)+)", re.M | re.S)
PLACE = re.compile(r"<<<<\n(.*?)====\n(.*?)>>>>\n", re.S)

PARTS = ["common", "server", "client"]

# For each plant a seed that once noticed it, which is tried first. Where the code has changed and it no
# longer does, the search is on: this file saves time and decides nothing.
HINTS = HERE / "seeds.txt"

# The rest are tried in portions, each with the time limit.
FIRST_PORTION = 8


class Plant:
    def __init__(self, suite, name, what, file, places):
        self.suite, self.name, self.what, self.file = suite, name, what, file
        self.places = PLACE.findall(places)

    def replace(self, source, old, new):
        if source.count(old) == 1:
            return source.replace(old, new)
        # A place within a line has no line ends of its own.
        old, new = old.rstrip("\n"), new.rstrip("\n")
        if source.count(old) != 1:
            sys.exit(f"{self.suite}.txt: [{self.name}] names a place that occurs "
                     f"{source.count(old)} times in {self.file}, not once")
        return source.replace(old, new)

    def text(self):
        """The file with the bug in it."""
        source = (ROOT / self.file).read_text()
        for old, new in self.places:
            source = self.replace(source, old, new)
        return source


def read_plants(suite, names):
    text = (HERE / f"{suite}.txt").read_text()
    plants = [Plant(suite, *found.groups()) for found in PLANT.finditer(text)]
    return [plant for plant in plants if not names or plant.name in names]


# Suite: the objects that a plant may change, the folder of its program's link command, and its target.
SUITES = {
    "sim": ("throng_sim_world.dir", "tests/sim", "throng-sim"),
    "port": ("throng_common.dir", "tests/port", "port_io_uring"),
    "iocp": ("throng_common.dir", "tests/port", "port_iocp"),
}

# The contract suite's runs: what goes before the program's path, and its arguments.
RUNS = {
    "port": [["epoll"], ["io_uring"], ["io_uring-plain"]],
    "iocp": [["iocp"], ["iocp", "packets"]],
}


class Builder:
    """Compiles what a plant has changed and links it before the clean library."""

    def __init__(self, folder, suite):
        self.folder, self.suite = folder, suite
        objects, link_folder, target = SUITES[suite]
        commands = json.loads((folder / "compile_commands.json").read_text())
        self.world = [entry for entry in commands
                      if objects in entry.get("output", entry["command"])]
        self.link_folder = folder / link_folder
        self.link = self.read_link(self.link_folder / f"CMakeFiles/{target}.dir")

    def read_link(self, target_folder):
        """The linker's command. For Windows CMake packs the objects into an archive first, and names
        them and the libraries in files."""
        command = shlex.split((target_folder / "link.txt").read_text().strip().splitlines()[-1])
        link = []
        for word in command:
            if word.startswith("@"):
                link += shlex.split((self.link_folder / word[1:]).read_text())
            elif word.endswith("/objects.a"):
                link += shlex.split((target_folder / "objects1").read_text())
            elif "whole-archive" not in word and "out-implib" not in word:
                link.append(word)
        return link

    def compile(self, entry, source, target):
        command = shlex.split(entry["command"])
        command[command.index("-o") + 1] = str(target)
        command[command.index("-c") + 1] = str(source)
        command += ["-O1", "-w", "-fno-lto"]
        return subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True)

    def copy_tree(self, place):
        """All sources, for a header: an include in quotes looks beside its file first."""
        for part in PARTS:
            shutil.copytree(ROOT / part / "src", place / part / "src", dirs_exist_ok=True)

    def sources(self, plant, place):
        """The compilations that the plant changes: (entry, source)."""
        if plant.file.endswith(".c"):
            return [(self.beside(entry, plant), place / plant.file) for entry in self.world
                    if entry["file"] == str(ROOT / plant.file)]
        self.copy_tree(place)
        return [(self.instead(entry, place), place / pathlib.Path(entry["file"]).relative_to(ROOT))
                for entry in self.world if self.includes(entry, plant.file)]

    def includes(self, entry, header):
        """What the compiler noted beside the object; if it did not, it may."""
        notes = pathlib.Path(self.clean_object(entry) + ".d")
        return not notes.exists() or str(ROOT / header) in map(os.path.normpath, notes.read_text().split())

    def beside(self, entry, plant):
        """The copy still finds what lies beside the file."""
        folder = (ROOT / plant.file).parent
        return {**entry, "command": entry["command"] + f" -I{folder}"}

    def instead(self, entry, place):
        """Every source folder is the copy's."""
        command = entry["command"]
        for part in PARTS:
            command = command.replace(f"-I{ROOT / part / 'src'}", f"-I{place / part / 'src'}")
        return {**entry, "command": command}

    def build(self, plant):
        """The program with the bug, or the compiler's complaint."""
        place = self.folder / "plants" / plant.name
        shutil.rmtree(place, ignore_errors=True)
        changed = place / plant.file
        changed.parent.mkdir(parents=True)
        sources = self.sources(plant, place)
        changed.write_text(plant.text())
        objects = []
        for number, (entry, source) in enumerate(sources):
            target = place / f"{number}.o"
            result = self.compile(entry, source, target)
            if result.returncode != 0:
                return None, result.stderr
            objects.append((self.clean_object(entry), str(target)))
        return self.link_with(objects, place)

    def build_clean(self):
        """The program without any bug, linked in the same way."""
        place = self.folder / "plants" / f"clean-{self.suite}"
        place.mkdir(parents=True, exist_ok=True)
        return self.link_with([], place)

    def clean_object(self, entry):
        """Its path as compiler and linker name it."""
        command = shlex.split(entry["command"])
        path = pathlib.Path(entry["directory"]) / command[command.index("-o") + 1]
        return str(path.resolve())

    def link_with(self, objects, place):
        """Each changed object in the place of the clean one, or before the archive that has that."""
        link = list(self.link)
        listed = {str((self.link_folder / part).resolve()): at for at, part in enumerate(link)
                  if part.endswith((".o", ".obj"))}
        for clean, changed in objects:
            if clean in listed:
                link[listed[clean]] = changed
        at = link.index("-o")
        program = place / "program.exe"
        link[at + 1] = str(program)
        link[at:at] = [changed for clean, changed in objects if clean not in listed]
        result = subprocess.run(link, cwd=self.link_folder, capture_output=True, text=True)
        return (program, "") if result.returncode == 0 else (None, result.stderr)


def first_words(output):
    """What the program said when it noticed."""
    for line in output.splitlines():
        if "failed:" in line or "Sanitizer" in line or "signal" in line:
            return line.strip()[:110]
    return "no result in time"


def run(command, seconds):
    """Whether it noticed, and what it said."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                errors="replace", timeout=seconds)
    except subprocess.TimeoutExpired:
        return True, "no result in time"
    return result.returncode not in (0, 77), result.stdout + result.stderr


def read_hints():
    """Plant -> seed."""
    lines = HINTS.read_text().splitlines() if HINTS.exists() else []
    return {name: int(seed) for name, seed in (line.split() for line in lines if line[:1] != "#")}


def write_hints(results):
    """The old ones, with those of this run in their place."""
    hints = read_hints() | {result["plant"]: int(result["where"].split()[1]) for result in results
                            if result["noticed"] and result["suite"] == "sim"}
    names = [plant.name for plant in read_plants("sim", [])]
    HINTS.write_text("# tools/plants --suite sim --write-seeds: a seed that notices each plant of sim.txt\n"
                     + "".join(f"{name} {hints[name]}\n" for name in names if name in hints))


def portions(name, seeds):
    """(first, last): the hint, then all, each portion three times as long as the one before."""
    hint = read_hints().get(name)
    if hint is not None and hint <= seeds:
        yield hint, hint
    first, length = 1, FIRST_PORTION
    while first <= seeds:
        yield first, min(seeds, first + length - 1)
        first, length = first + length, length * 3


def try_seeds(program, _, name, options):
    """(noticed, where, words) of throng-sim."""
    for first, last in portions(name, options.seeds):
        command = [program, "--quiet", "--first", "--seeds", f"{first}-{last}"]
        noticed, output = run(command, options.seconds)
        if noticed:
            seed = re.search(r"FAILED seeds: (\d+)", output)
            return True, f"seed {seed.group(1) if seed else first}", first_words(output)
    return False, "no", ""


def try_backends(program, suite, _, options):
    """(noticed, where, words) of the port contract suite."""
    for arguments in RUNS[suite]:
        launcher = []
        if suite == "iocp":
            launcher = [ROOT / "tools/windows/wine-run", "--prefix", options.build_windows / "wine"]
        noticed, output = run([*launcher, program, *arguments], options.seconds)
        if noticed:
            return True, " ".join(arguments), first_failure(output)
    return False, "no", ""


def first_failure(output):
    found = re.search(r"FAILED  \] (\w+)", output)
    return found.group(1) if found else first_words(output)


def attempt(program, suite, name, options):
    return (try_seeds if suite == "sim" else try_backends)(program, suite, name, options)


def hunt(builder, plant, options):
    """(noticed, where, words, seconds) of one plant."""
    begin = time.monotonic()
    program, complaint = builder.build(plant)
    if program is None:
        return False, "no build", complaint.strip().splitlines()[0][:110], 0
    return *attempt(program, plant.suite, plant.name, options), time.monotonic() - begin


def check_clean(builder, options):
    """A suite that complains of the clean program would notice everything."""
    program, complaint = builder.build_clean()
    few = argparse.Namespace(**{**vars(options), "seeds": FIRST_PORTION})
    noticed, where, words = (True, "no build", complaint) if program is None else \
        attempt(program, builder.suite, None, few)
    if noticed:
        sys.exit(f"{builder.suite}: the program without a planted bug fails ({where}): {words}")


def parse():
    parser = argparse.ArgumentParser(prog="tools/plants", description=__doc__)
    parser.add_argument("plants", nargs="*", help="names from tests/plants/*.txt; default: all")
    parser.add_argument("--suite", choices=SUITES, action="append",
                        help="only those of the simulator, or of the port contract suite on Linux "
                             "or on Windows (under Wine); repeatable")
    parser.add_argument("--build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--build-windows", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=int, default=1000, help="seeds to try at most (1000)")
    parser.add_argument("--seconds", type=int, default=120,
                        help="time limit of a portion of the seeds, or of the suite (120)")
    parser.add_argument("--jobs", type=int, default=2, help="plants at once (2)")
    parser.add_argument("--write-seeds", action="store_true",
                        help="note in tests/plants/seeds.txt which seeds noticed, to be tried first")
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def hunt_all(options, plants):
    builders = {suite: Builder(options.build_windows if suite == "iocp" else options.build, suite)
                for suite in {plant.suite for plant in plants}}
    for builder in builders.values():
        check_clean(builder, options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = {pool.submit(hunt, builders[plant.suite], plant, options): plant
                for plant in plants}
        for done in concurrent.futures.as_completed(work):
            plant, (noticed, where, words, seconds) = work[done], done.result()
            yield {"suite": plant.suite, "plant": plant.name, "what": plant.what,
                   "noticed": noticed, "where": where, "by": words, "seconds": round(seconds, 1)}


def main():
    options = parse()
    plants = [plant for suite in options.suite or SUITES
              for plant in read_plants(suite, options.plants)]
    unknown = set(options.plants) - {plant.name for plant in plants}
    if unknown:
        sys.exit(f"no such plant: {', '.join(sorted(unknown))}")
    if options.list:
        for plant in plants:
            print(f"{plant.name:36} {plant.file}: {plant.what}")
        return 0
    if not options.json:
        print(f"{'plant':36} {'noticed':>14} {'seconds':>8}  by", flush=True)
    results = []
    for result in hunt_all(options, plants):
        results.append(result)
        if not options.json:
            print(f"{result['plant']:36} {result['where']:>14} {result['seconds']:8.1f}  "
                  f"{result['by']}", flush=True)
    if options.write_seeds:
        write_hints(results)
    missed = sorted(result["plant"] for result in results if not result["noticed"])
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        print(f"{len(results) - len(missed)} of {len(results)} noticed"
              + (f"; not: {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
