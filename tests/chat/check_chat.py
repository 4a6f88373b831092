# SPDX-License-Identifier: MIT
"""check_chat.py SERVER [ROW...] [-- LAUNCHER...]: throng-chat-server as raw clients see it.

Each row, a function of the files rows_*.py, has a server of its own, unless it starts some by itself. With
names behind the server, only those rows run.
"""

import sys
import time

import rows_talk  # (they register themselves)
import rows_hostile
import rows_many
from support import ROWS, WANTED, Server


def main():
    unknown = set(WANTED) - {function.__name__ for function, _ in ROWS}
    if unknown:
        sys.exit(f"no such row: {', '.join(sorted(unknown))}")
    for function, options in ROWS:
        if WANTED and function.__name__ not in WANTED:
            continue
        began = time.monotonic()
        print(f"{function.__name__} ...", flush=True)
        if options is None:
            function()
        else:
            with Server(*options) as server:
                function(server)
        print(f"    {time.monotonic() - began:.2f} s", flush=True)
    print("the chat server does what its README says")


main()
