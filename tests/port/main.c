/* SPDX-License-Identifier: MIT
 * The port contract suite: `test_port BACKEND` checks every clause of THE CONTRACT in port/port.h
 * against one backend, over real sockets on the loopback. */
#include "fixture.h"

int main(int count, char **arguments)
{
    if (count != 2 || (fixture_backend = tg_port_backend_find(arguments[1])) == NULL) {
        fprintf(stderr, "usage: %s BACKEND (%s)\n", arguments[0], tg_port_backend_names());
        return 2;
    }
    char reason[TG_PORT_REASON_BYTES];
    if (tg_port_backend_check(fixture_backend, reason) != 0) {
        printf("skipped: %s cannot be used here (%s)\n", fixture_backend->name, reason);
        return 77;
    }
    int failed = 0;
    /* First those that fork: a child that starts threads wants a parent that has had none. */
    failed += run_process_tests();
    failed += run_denied_tests();
    failed += run_receive_tests();
    failed += run_turn_tests();
    failed += run_buffer_tests();
    failed += run_send_tests();
    failed += run_accept_tests();
    failed += run_connect_tests();
    failed += run_close_tests();
    failed += run_shared_tests();
    failed += run_wake_tests();
    failed += run_uring_tests();
    return failed == 0 ? 0 : 1;
}
