/* SPDX-License-Identifier: MIT
 * The kernel's table: which targets it can speak for, and its count of a real connection. */
#include "check.h"
#include "host.h"
#include "peer.h"
#include "stopwatch.h"

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

static void a_connection_is_counted_once_while_it_is_there(enum throng_address_family family)
{
    struct host host;
    struct peer near_end;
    struct peer far_end;
    uint64_t count = 99;
    if (!host_open(&host, family)) {
        print_message("this system has no such address\n");
        skip();
    }
    uint16_t port = host.address.port;
    assert_true(peer_connect(&near_end, &host.address, NULL));
    assert_true(host_accept(&host, &far_end, test_deadline_ms()));
    assert_true(kernel_table_established(&port, 1, &count));
    assert_int_equal(count, 1);
    peer_reset(&far_end);
    peer_reset(&near_end);
    host_close(&host);
    assert_true(kernel_table_established(&port, 1, &count));
    assert_int_equal(count, 0);
}

static void an_ipv4_connection_is_counted_once(void **state)
{
    (void)state;
    a_connection_is_counted_once_while_it_is_there(THRONG_ADDRESS_IPV4);
}

static void an_ipv6_connection_is_counted_once(void **state)
{
    (void)state;
    a_connection_is_counted_once_while_it_is_there(THRONG_ADDRESS_IPV6);
}

/* More than one page of Linux's table, and more than the first try of the Windows one expects. */
static void a_thousand_connections_are_counted(void **state)
{
    enum {
        PEERS = 1000
    };
    static struct peer near_ends[PEERS];
    static struct peer far_ends[PEERS];
    struct host host;
    uint64_t count = 99;
    (void)state;
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    for (int i = 0; i < PEERS; i++) {
        assert_true(peer_connect(&near_ends[i], &host.address, NULL));
        assert_true(host_accept(&host, &far_ends[i], test_deadline_ms()));
    }
    uint16_t ports[] = {1, host.address.port};
    assert_true(kernel_table_established(ports, 2, &count));
    assert_int_equal(count, PEERS);
    for (int i = 0; i < PEERS; i++) {
        peer_reset(&far_ends[i]);
        peer_reset(&near_ends[i]);
    }
    host_close(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_port_of_a_loopback_target_is_found),
        cmocka_unit_test(other_targets_are_unknown),
        cmocka_unit_test(an_ipv4_connection_is_counted_once),
        cmocka_unit_test(an_ipv6_connection_is_counted_once),
        cmocka_unit_test(a_thousand_connections_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
