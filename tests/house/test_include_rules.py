# SPDX-License-Identifier: MIT
"""Tests of the include check itself: a good tree passes, each planted fault is found."""

import os
import tempfile
import unittest

import include_rules

GOOD = {
    "common/include/throng/types.h": "#ifdef _WIN32\n#endif\n#include <stdint.h>\n",
    "common/include/throng/error.h": "#include <throng/types.h>\n",
    "common/src/base/list.h": "#include <stddef.h>\n",
    "common/src/os/socket.h": "#include <throng/types.h>\n",
    "common/src/os/socket.posix.c": '#include "os/socket.h"\n#include <sys/socket.h>\n',
    "common/src/codec/frame.h": '#include "base/list.h"\n',
    "common/src/port/port.h": '#include "os/socket.h"\n',
    "common/src/port/epoll_table.h": "#include <sys/epoll.h>\n",
    "common/src/port/epoll.c": '#include "port/epoll_table.h"\n#include <sys/epoll.h>\n',
    "server/include/throng/server.h": "#include <throng/error.h>\n",
    "server/src/conn/slot.h": '#include "port/port.h"\n',
    "server/src/worker/worker.h": '#include "conn/slot.h"\n',
    "server/src/server.c": '#include <throng/server.h>\n#include "worker/worker.h"\n',
    "server/examples/echo.c": "#include <throng/server.h>\n#include <unistd.h>\n",
    "client/include/throng/tcp.h": "#include <throng/error.h>\n",
    "client/src/tcp.c": '#include <throng/tcp.h>\n#include "os/socket.h"\n',
    "tests/unit/frame_test.c": '#include "codec/frame.h"\n#include <cmocka.h>\n',
    "tests/integration/echo_test.c": "#include <throng/server.h>\n#include <throng/tcp.h>\n",
}

# file, its text, words of the one complaint that must come
FAULTS = [
    ("common/src/base/bad.c", '#include "os/socket.h"\n', "base must not include os"),
    ("common/src/codec/bad.c", '#include "os/socket.h"\n', "codec must not include os"),
    ("common/src/os/bad.h", '#include "../port/port.h"\n', "os must not include port"),
    ("common/src/port/bad.c", "#include <throng/server.h>\n", "port must not include server api"),
    ("common/include/throng/bad.h", '#include "base/list.h"\n', "must not include base"),
    ("common/include/throng/bad.h", "#include <throng/tcp.h>\n", "must not include client api"),
    ("server/include/throng/bad.h", '#include "conn/slot.h"\n', "must not include conn"),
    ("server/src/conn/bad.c", '#include "worker/worker.h"\n', "conn must not include worker"),
    ("server/src/bad.c", "#include <throng/tcp.h>\n", "server must not include client api"),
    ("client/src/bad.c", '#include "conn/slot.h"\n', "client must not include conn"),
    ("server/examples/bad.c", '#include "os/socket.h"\n', "examples must not include os"),
    ("server/examples/game/world.c", "#include <throng/server.h>\n", "game core must not include server api"),
    ("server/examples/game/world.c", "#include <unistd.h>\n", "outside os/ and port/"),
    ("server/examples/game/protocol.h", '#include "../echo.c"\n', "protocols must not include examples"),
    ("tools/game/bad.c", '#include "../../server/examples/echo.c"\n', "tools must not include examples"),
    ("tools/stress/bad.c", '#include "../../common/src/base/list.h"\n', "tools must not include"),
    ("tests/integration/bad.c", '#include "conn/slot.h"\n', "outer tests must not include conn"),
    ("tests/interop/bad.c", '#include "base/list.h"\n', "outer tests must not include base"),
    ("server/src/bad.c", '#include "port/epoll_table.h"\n', "only port/ and tests/port/test_BACKEND.c may know it"),
    ("server/src/bad.c", "#include <sys/socket.h>\n", "outside os/ and port/"),
    ("common/src/codec/bad.c", "  #  include <pthread.h>\n", "outside os/ and port/"),
    ("common/src/os/bad.h", "#include <sys/socket.h>\n", "in a header"),
    ("common/include/throng/bad.h", "#include <poll.h>\n", "in a header"),
    ("common/src/os/bad.h", "#include <throng/none.h>\n", "no public header"),
    ("common/src/os/bad.h", '#include "none.h"\n', "in the tree"),
    ("common/src/os/bad.c", "#ifdef __linux__\n#endif\n", "#if for a platform"),
    ("server/src/bad.c", "#if defined(_WIN32)\n#endif\n", "#if for a platform"),
    ("common/src/new/bad.c", "\n", "lies in no room"),
    ("tests/house/bad.c", "\n", "lies in no room"),
]


def plant(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


class IncludeRules(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as root:
            plant(root, files)
            return include_rules.check(root)

    def test_a_good_tree_has_no_complaint(self):
        self.assertEqual(self.check(GOOD), [])

    def test_each_planted_fault_gives_its_complaint_and_no_other(self):
        for name, text, words in FAULTS:
            with self.subTest(name=name, text=text):
                complaints = self.check({**GOOD, name: text})
                self.assertEqual(len(complaints), 1, complaints)
                self.assertIn(name, complaints[0])
                self.assertIn(words, complaints[0])

    def test_every_room_has_its_row(self):
        self.assertEqual(set(include_rules.ROOMS.values()), set(include_rules.ALLOWED))


if __name__ == "__main__":
    unittest.main()
