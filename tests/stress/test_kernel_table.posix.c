/* SPDX-License-Identifier: MIT
 * The kernel's table: which targets it can speak for, and its count of a real connection. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#include "../../tools/stress/kernel_table.h"

static void the_port_of_a_loopback_target_is_found(void **state)
{
    uint16_t port = 0;
    (void)state;
    assert_true(kernel_table_port("tcp://127.0.0.1:7000", &port));
    assert_int_equal(port, 7000);
    assert_true(kernel_table_port("tcp://127.200.3.4:65535", &port));
    assert_int_equal(port, 65535);
    assert_true(kernel_table_port("tcp://[::1]:1", &port));
    assert_int_equal(port, 1);
    assert_true(kernel_table_port("tcp://localhost:80", &port));
    assert_int_equal(port, 80);
}

static void other_targets_are_unknown(void **state)
{
    uint16_t port;
    (void)state;
    assert_false(kernel_table_port("tcp://10.0.0.1:7000", &port));
    assert_false(kernel_table_port("tcp://[::2]:7000", &port));
    assert_false(kernel_table_port("tcp://example.org:7000", &port));
    assert_false(kernel_table_port("tcp://127.0.0.1:0", &port));
    assert_false(kernel_table_port("tcp://127.0.0.1:65536", &port));
    assert_false(kernel_table_port("tcp://127.0.0.1", &port));
    assert_false(kernel_table_port("tcp:", &port));
}

static void a_connection_is_counted_once_while_it_is_there(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    uint64_t count = 99;
    (void)state;
    /* An address that other tests do not use. */
    assert_int_equal(inet_pton(AF_INET, "127.91.17.3", &address.sin_addr), 1);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    uint16_t port = ntohs(address.sin_port);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, length), 0);
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    assert_true(kernel_table_established(&port, 1, &count));
    assert_int_equal(count, 1);
    (void)close(accepted);
    (void)close(peer);
    (void)close(listener);
    assert_true(kernel_table_established(&port, 1, &count));
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_port_of_a_loopback_target_is_found),
        cmocka_unit_test(other_targets_are_unknown),
        cmocka_unit_test(a_connection_is_counted_once_while_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
