/* SPDX-License-Identifier: MIT
 * The port contract suite: `port_BACKEND BACKEND [MODE]` checks every clause of THE CONTRACT in
 * port/port.h against one backend, over real sockets on the loopback. */
#include "fixture.h"
#include "suite.h"

int main(int count, char **arguments)
{
    fixture_backend = count == 2 || count == 3 ? tg_port_backend_find(arguments[1]) : NULL;
    if (fixture_backend == NULL || (count == 3 && !choose_mode(arguments[2]))) {
        fprintf(stderr, "usage: %s BACKEND [MODE] (%s)\n", arguments[0], tg_port_backend_names());
        return 2;
    }
    char reason[TG_PORT_REASON_BYTES];
    if (tg_port_backend_check(fixture_backend, reason) != 0) {
        printf("skipped: %s cannot be used here (%s)\n", fixture_backend->name, reason);
        return 77;
    }
    int failed = 0;
    failed += run_system_tests();
    failed += run_receive_tests();
    failed += run_turn_tests();
    failed += run_buffer_tests();
    failed += run_send_tests();
    failed += run_accept_tests();
    failed += run_connect_tests();
    failed += run_close_tests();
    failed += run_shared_tests();
    failed += run_wake_tests();
    failed += run_backend_tests();
    return failed == 0 ? 0 : 1;
}
