# SPDX-License-Identifier: MIT
"""check_consumer.py ROOT WORK static|shared COMPILER [TOOLCHAIN LAUNCHER...]: throng as its users meet it.

Installs the libraries, moves the installed tree (nothing in it may name the old place), and builds
and runs the program of project/ with find_package and with pkg-config; and with add_subdirectory,
from the sources. Also looks at what the installed libraries export. For another system than this
one: with a toolchain file for CMake, and with what runs its programs here.
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.join(HERE, "project")
sys.path.insert(0, os.path.join(HERE, "..", "house"))
import check_exports  # noqa: E402  (its folder is known only now)

EXPECTED = "there and back"

# For another system: its toolchain file, what its programs end with, and what runs them.
TOOLCHAIN, *LAUNCHER = sys.argv[5:] or [None]
ENDING = ".exe" if LAUNCHER else ""


def run(*command, **options):
    print("+", " ".join(command), flush=True)
    return subprocess.run(command, check=True, text=True, **options)


def run_built(program, **options):
    return run(*LAUNCHER, program + ENDING, timeout=60, **options)


def expect_round_trip(program, **options):
    output = run_built(program, stdout=subprocess.PIPE, **options).stdout
    if output.strip() != EXPECTED:
        sys.exit(f"{program} printed {output!r}")


def configure(source, build, compiler, *options):
    system = f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}" if TOOLCHAIN else f"-DCMAKE_C_COMPILER={compiler}"
    run("cmake", "-S", source, "-B", build, system, "-DCMAKE_BUILD_TYPE=Release", *options,
        stdout=subprocess.DEVNULL)
    run("cmake", "--build", build, stdout=subprocess.DEVNULL)


def install(root, work, kind, compiler):
    """Answers the folder to which the installed tree was moved."""
    build, first, moved = (os.path.join(work, name) for name in ("build", "first", "moved"))
    configure(root, build, compiler, "-DTHRONG_BUILD_TESTS=OFF", "-DTHRONG_BUILD_PROGRAMS=OFF",
              "-DCMAKE_INSTALL_LIBDIR=lib", f"-DBUILD_SHARED_LIBS={'ON' if kind == 'shared' else 'OFF'}")
    run("cmake", "--install", build, "--prefix", first, stdout=subprocess.DEVNULL)
    os.rename(first, moved)
    return moved


def has_messages(prefix):
    """Whether MessagePack-C was there. Library, headers and package files are there together, or none is."""
    parts = [os.path.exists(os.path.join(prefix, "include", "throng", f"{name}.h"))
             for name in ("message", "pack", "value", "message_server", "message_client", "message_object")]
    parts += [os.path.exists(os.path.join(prefix, "lib", name))
              for name in ("pkgconfig/throng-message.pc", "cmake/throng/throng-message-targets.cmake")]
    if any(parts) != all(parts):
        sys.exit(f"of typed messages only a part is installed: {parts}")
    if not parts[0]:
        print("note: MessagePack-C is not here, so typed messages were not tried")
    return parts[0]


def check_libraries(prefix, kind):
    folder, ending = os.path.join(prefix, "lib"), ".so" if kind == "shared" else ".a"
    libraries = sorted(name for name in os.listdir(folder) if name.endswith(ending))
    expected = ["libthrong-client", "libthrong-server"]
    if kind == "static":
        expected.insert(1, "libthrong-common")
    if has_messages(prefix):
        expected.insert(-1, "libthrong-message")
    if libraries != [name + ending for name in expected]:
        sys.exit(f"installed libraries: {libraries}")
    complaints = [line for name in libraries for line in check_exports.check(os.path.join(folder, name))]
    if complaints:
        sys.exit("\n".join(complaints))


def check_no_place_is_named(prefix, work):
    for folder, _, names in os.walk(prefix):
        for name in (name for name in names if name.endswith((".pc", ".cmake", ".h"))):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                if work in file.read():
                    sys.exit(f"{name} names the place where it was built")


def check_no_flag_leaks(prefix):
    """The protections are throng's own: whoever links it chooses theirs."""
    for folder, _, names in os.walk(prefix):
        for name in (name for name in names if name.endswith((".pc", ".cmake"))):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for flag in re.findall(r"FORTIFY|-f(?:stack|cf|lto)\S*|-m\w+-protection|-z,\w+|--nxcompat", file.read()):
                    sys.exit(f"{name} gives its users {flag}")


def check_find_package(prefix, work, compiler):
    build = os.path.join(work, "find_package")
    # A toolchain file may confine the search for packages to the other system's folders.
    place = (f"-Dthrong_DIR={prefix}/lib/cmake/throng" if TOOLCHAIN
             else f"-DCMAKE_PREFIX_PATH={prefix}")
    configure(PROJECT, build, compiler, place)
    expect_round_trip(os.path.join(build, "round_trip"))
    run_built(os.path.join(build, "server_only"))
    if has_messages(prefix):
        expect_round_trip(os.path.join(build, "typed"))


def check_pkg_config(prefix, work, compiler):
    if not shutil.which("pkg-config"):
        print("note: pkg-config is not here, so the .pc files were not tried")
        return
    environment = dict(os.environ, PKG_CONFIG_PATH=os.path.join(prefix, "lib", "pkgconfig"),
                       LD_LIBRARY_PATH=os.path.join(prefix, "lib"))
    programs = [("round_trip", "main.c", ["throng-server", "throng-client"]),
                ("server_only", "server_only.c", ["throng-server"])]
    if has_messages(prefix) and not TOOLCHAIN:  # which has MessagePack-C where pkg-config does not look
        programs.append(("typed", "typed.c", ["throng-server", "throng-message"]))
    for program, source, modules in programs:
        flags = run("pkg-config", "--cflags", "--libs", *modules, env=environment,
                    stdout=subprocess.PIPE).stdout.split()
        path = os.path.join(work, f"pkg_config_{program}")
        run(compiler, os.path.join(PROJECT, source), "-o", path + ENDING, *flags)
        if program != "server_only":
            expect_round_trip(path, env=environment)
        else:
            run_built(path, env=environment)


def check_add_subdirectory(root, work, kind, compiler, messages):
    build = os.path.join(work, "add_subdirectory")
    configure(PROJECT, build, compiler, f"-DTHRONG_SOURCE_DIR={root}",
              f"-DBUILD_SHARED_LIBS={'ON' if kind == 'shared' else 'OFF'}")
    expect_round_trip(os.path.join(build, "round_trip"))
    if messages:
        expect_round_trip(os.path.join(build, "typed"))


def main(root, work, kind, compiler):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    prefix = install(root, work, kind, compiler)
    check_libraries(prefix, kind)
    check_no_place_is_named(prefix, work)
    check_no_flag_leaks(prefix)
    check_find_package(prefix, work, compiler)
    check_pkg_config(prefix, work, compiler)
    check_add_subdirectory(root, work, kind, compiler, has_messages(prefix))
    print(f"a consumer of the {kind} libraries works in each of the three ways")


main(*sys.argv[1:5])
