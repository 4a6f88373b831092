# SPDX-License-Identifier: MIT
"""check_interop.py erlang|twisted ECHO CONNECTIONS: a foreign client against the echo server.

Runs the server with 0, 1 and 4 I/O threads and room for that many connections, the client against it,
and then SIGTERM, at which the server must exit with 0. Exits with 77 where the client is not installed.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 120


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def erlang():
    escript = shutil.which("escript")
    if escript is None:
        skip("no escript (Debian, Ubuntu: apt-get install erlang-base)")
    return [escript, os.path.join(HERE, "echo_client.erl")]


def twisted():
    """The system's python comes first: the package python3-twisted installs for that one."""
    for python in ("/usr/bin/python3", sys.executable):
        probe = [python, "-c", "import twisted.protocols.basic"]
        if os.path.exists(python) and subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0:
            return [python, os.path.join(HERE, "echo_client_twisted.py")]
    skip("no Twisted (Debian, Ubuntu: apt-get install python3-twisted)")


def visit(port):
    """Wakes the server: ThreadSanitizer holds a signal handler back until a system call returns."""
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
    except OSError:
        pass  # it has stopped listening already


def check(echo, connections, io_threads, client):
    """The complaint about one run, or None."""
    server = subprocess.Popen(
        [echo, "--listen", "tcp://127.0.0.1:0", "--io-threads", str(io_threads),
         "--max-connections", connections, "--message-bytes-max", "70000"],
        stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        listening = re.fullmatch(r"listening on tcp://127\.0\.0\.1:(\d+)\n", line)
        if listening is None:
            return f"the server said {line!r}"
        # Erlang leaves a dump of a failed client in the current folder unless told not to.
        environment = {**os.environ, "ERL_CRASH_DUMP_SECONDS": "0"}
        port = listening.group(1)
        status = subprocess.run(client + [port], env=environment,
                                timeout=LIMIT_S).returncode
        if status != 0:
            return f"the client exited with {status}"
        server.send_signal(signal.SIGTERM)
        visit(port)
        status = server.wait(timeout=LIMIT_S)
        return None if status == 0 else f"the server exited with {status}"
    except subprocess.TimeoutExpired as late:
        return f"not within {LIMIT_S} s: {late.cmd}"
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def main(name, echo, connections):
    client = {"erlang": erlang, "twisted": twisted}[name]()
    failed = False
    for io_threads in (0, 1, 4):
        print(f"--io-threads {io_threads}", flush=True)
        complaint = check(echo, connections, io_threads, client)
        if complaint is not None:
            print(f"--io-threads {io_threads}: {complaint}")
            failed = True
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))
