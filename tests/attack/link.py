# SPDX-License-Identifier: MIT
"""A bad line between two network namespaces of its own (link/main.c), as the scenarios use it. Namespaces and
devices have no names: they are gone when the line's process and those inside have ended, however that was."""

import json
import os
import shutil

from world import Skip, words_of


class Line:
    """`inside[0]` and `inside[1]` are the words that start a program at either end; `host[i]` its address.
    Weather: seed, loss, duplicate, reorder (percent), delay (ms, one way), mtu, kbit."""

    def __init__(self, world, **weather):
        if os.geteuid() != 0 or shutil.which("nsenter") is None:
            raise Skip("needs root and nsenter (util-linux)")
        self.tool = world.tool("impaired_link", *words_of(weather))
        words = self.tool.line().split()
        if words[0] != "namespaces":
            self.tool.kill()
            raise Skip(" ".join(words).removeprefix("skipped: "))
        self.inside = [["nsenter", f"--net={path}"] for path in words[1:3]]
        self.host = words[3:5]

    def order(self, text):
        """"down", "up", "loss N" or "counts"; answers the counts."""
        self.tool.order(text)
        return json.loads(self.tool.line())

    def server(self, world, *options, **more):
        """A server at end 0."""
        return world.server(*options, listen=(f"tcp://{self.host[0]}:0",), prefix=self.inside[0], **more)

    def stress(self, world, server, **options):
        """throng-stress at end 1."""
        return world.tool("throng-stress", "--connect", server.address, "--json", "--quiet", *words_of(options),
                          prefix=self.inside[1])

    def probe(self, world, server, **options):
        """attack_probe at end 1."""
        return world.tool("attack_probe", "--connect", server.address, *words_of(options), prefix=self.inside[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tool.kill()
