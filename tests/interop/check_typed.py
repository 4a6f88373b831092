# SPDX-License-Identifier: MIT
"""check_typed.py python|node SERVER NODE_MODULES: a foreign MessagePack library against typed_server, both ways.

Exits with 77 where the library is not installed.
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 120


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def python(_):
    """The system's python comes first: the package python3-msgpack installs for that one."""
    for program in ("/usr/bin/python3", sys.executable):
        probe = [program, "-c", "import msgpack"]
        if os.path.exists(program) and subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0:
            return [program, "-B", os.path.join(HERE, "typed_client.py")], []
    skip("no msgpack for Python (Debian, Ubuntu: apt-get install python3-msgpack)")


def node(modules):
    program = shutil.which("node")
    package = os.path.join(modules, "@msgpack", "msgpack")
    if program is None:
        skip("no node (Debian, Ubuntu: apt-get install nodejs)")
    if not os.path.isdir(package):
        skip(f"no @msgpack/msgpack in {modules} (npm install --prefix {os.path.dirname(modules)} @msgpack/msgpack)")
    return [program, os.path.join(HERE, "typed_client.js")], [package]


def main(name, server, modules):
    client, arguments = {"python": python, "node": node}[name](modules)
    process = subprocess.Popen([server], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        listening = re.fullmatch(r"listening on tcp://127\.0\.0\.1:(\d+)\n", line)
        if listening is None:
            sys.exit(f"the server said {line!r}")
        subprocess.run([*client, listening.group(1), *arguments], check=True, timeout=LIMIT_S)
        status = process.wait(timeout=LIMIT_S)
        sys.exit(0 if status == 0 else f"the server exited with {status}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


main(*sys.argv[1:])
