# SPDX-License-Identifier: MIT
"""check_65000.py STRESS ECHO: 65,000 connections between two processes, each answered once.

Under sanitizers (THRONG_TEST_SCALE) it is fewer; the number is printed.
"""

import support

connections = support.scaled(65000)
print(f"{connections} connections", flush=True)
with support.Echo(support.PROGRAMS[1], "--max-connections", str(connections)) as server:
    status, report = support.stress(support.PROGRAMS[0], server.address, "--connections", str(connections),
                                    "--messages", "1", "--idle", "1", limit_s=150)
support.expect(report, connected=connections, connected_peak=connections, alive=connections,
               server_established=connections, answered=connections,
               messages_sent=connections, messages_received=connections, errors=0)
support.expect_status(status, 0)
