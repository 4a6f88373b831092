# SPDX-License-Identifier: MIT
"""The fuzz targets: a line each. CMakeLists.txt says what each is made of."""

import dataclasses
import os

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(HOME))


@dataclasses.dataclass(frozen=True)
class Target:
    name: str
    length: int  # longest input, bytes: short ones are quick, and long enough for every state
    what: str

    @property
    def dictionary(self):
        path = os.path.join(HOME, f"{self.name}.dict")
        return path if os.path.exists(path) else None

    @property
    def seeds(self):
        """The folders that are part of the project."""
        folders = [os.path.join(HOME, kind, self.name) for kind in ("corpus", "regressions")]
        return [folder for folder in folders if os.path.isdir(folder)]


ALL = [
    Target("chain", 48, "block pool and chains against flat arrays"),
    Target("chat", 96, "the chat's requests, on an outlet that refuses"),
    Target("connection", 96, "a server on the simulated port, four peers, and faults"),
    Target("frame", 64, "frame codec and assembler against a plain parser"),
    Target("game", 64, "the game example's requests and snapshots, both ends"),
    Target("http_request", 160, "the head of an HTTP request against a plain parser of whole lines"),
    Target("inbox", 64, "the client's inbox and outbox against flat arrays"),
    Target("intake", 40, "connections that share too little memory, against what their peers sent"),
    Target("line", 48, "one harmless line of any bytes, against its way back"),
    Target("message", 64, "typed messages: the scan against a plain reader, and round trips"),
    Target("options", 96, "endpoints, addresses, server options, throng-stress's command line"),
    Target("timer", 48, "timer wheel against a table of due times"),
]
BY_NAME = {target.name: target for target in ALL}
