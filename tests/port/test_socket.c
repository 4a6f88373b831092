/* SPDX-License-Identifier: MIT
 * The socket seam: sockaddr and back, resolving, listening, the plain calls and their waits. What
 * is of one system alone is in test_socket.SYSTEM.c. */
#include "test_socket.h"

#include <stdalign.h>
#include <string.h>

#include "check.h"
#include "localhost.h"
#include "os/clock.h"
#include "os/thread.h"

static const struct throng_address loopback = {.family = THRONG_ADDRESS_IPV4,
                                               .bytes = {127, 0, 0, 1}};

/* --- addresses ------------------------------------------------------------------------------- */

static void expect_round_trip(const char *host, uint16_t port, const char *text)
{
    alignas(max_align_t) uint8_t sockaddr[TG_SOCKADDR_BYTES];
    char printed[THRONG_ADDRESS_TEXT_SIZE];
    struct throng_address address;
    struct throng_address back;
    assert_int_equal(tg_address_parse_numeric(host, port, &address), 0);
    uint32_t size = tg_address_encode(&address, sockaddr);
    assert_true(size > 0 && size <= TG_SOCKADDR_BYTES);
    tg_address_decode(sockaddr, &back);
    assert_string_equal(throng_address_text(&back, printed), text);
}

static void addresses_survive_the_system_s_form(void **state)
{
    (void)state;
    expect_round_trip("127.0.0.1", 7000, "tcp://127.0.0.1:7000");
    expect_round_trip("2001:db8::1", 65535, "tcp://[2001:db8::1]:65535");
    expect_round_trip("fe80::1%7", 1, "tcp://[fe80::1%7]:1");
    expect_round_trip("::ffff:10.1.2.3", 80, "tcp://10.1.2.3:80"); /* mapped: plain IPv4 */
}

static void an_unknown_family_is_an_empty_address(void **state)
{
    alignas(max_align_t) uint8_t sockaddr[TG_SOCKADDR_BYTES] = {0};
    struct throng_address address = {.family = THRONG_ADDRESS_IPV4, .port = 7};
    (void)state;
    tg_address_decode(sockaddr, &address);
    assert_int_equal(address.family, THRONG_ADDRESS_NONE);
    assert_int_equal(address.port, 0);
}

static void hosts_are_resolved(void **state)
{
    struct throng_address addresses[8];
    (void)state;
    assert_int_equal(tg_address_resolve("127.0.0.1", 80, addresses, 8), 1);
    assert_int_equal(addresses[0].family, THRONG_ADDRESS_IPV4);
    assert_int_equal(addresses[0].port, 80);
    assert_int_equal(tg_address_resolve("::1", 81, addresses, 8), 1);
    assert_int_equal(addresses[0].family, THRONG_ADDRESS_IPV6);
    assert_int_equal(tg_address_resolve("*", 83, addresses, 8), 1);
    assert_int_equal(addresses[0].port, 83);
    assert_int_equal(tg_address_resolve("", 1, addresses, 8), THRONG_EINVAL);
    assert_int_equal(tg_address_resolve("localhost", 1, addresses, 0), THRONG_EINVAL);
    /* RFC 6761: never resolves, and nobody is asked. */
    assert_int_equal(tg_address_resolve("a..b", 1, addresses, 8), THRONG_ERESOLVE);
}

static void names_are_resolved(void **state)
{
    struct throng_address addresses[8];
    (void)state;
    skip_without_localhost(THRONG_ADDRESS_NONE);
    int count = tg_address_resolve("localhost", 82, addresses, 8);
    assert_in_range(count, 1, 8);
    assert_int_equal(addresses[0].port, 82);
    assert_int_equal(tg_address_resolve("localhost", 82, addresses, 1), 1);
}

static void any_address_is_one_that_can_be_listened_on(void **state)
{
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.backlog = 5};
    (void)state;
    assert_int_equal(tg_address_resolve("*", 0, &options.address, 1), 1);
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_int_equal(bound.family, options.address.family);
    assert_int_not_equal(bound.port, 0);
    tg_socket_close(listener);
}

/* --- errors ---------------------------------------------------------------------------------- */

static void an_error_of_the_system_has_a_text(void **state)
{
    char text[100];
    char cut[5] = "????";
    (void)state;
    tg_system_error_text(5, text, sizeof text); /* some error, everywhere */
    assert_true(strlen(text) >= 5);
    tg_system_error_text(5, cut, sizeof cut);
    assert_memory_equal(cut, text, 4);
    assert_int_equal(cut[4], '\0');
    tg_system_error_text(123456789, text, sizeof text);
    assert_non_null(strstr(text, "123456789")); /* nobody's: by its number */
}

/* --- listening ------------------------------------------------------------------------------- */

static void port_0_becomes_the_chosen_port(void **state)
{
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_int_not_equal(bound.port, 0);
    assert_int_equal(bound.family, THRONG_ADDRESS_IPV4);
    assert_memory_equal(bound.bytes, loopback.bytes, 16);
    tg_socket_close(listener);
}

static void an_address_in_use_is_said_and_leaves_nothing_open(void **state)
{
    tg_socket listener;
    tg_socket second = TG_SOCKET_NONE;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    options.address = bound;
    uint32_t open = tg_descriptor_count();
    bound.port = 0;
    assert_int_equal(tg_socket_listen(&second, &options, &bound), THRONG_EADDRINUSE);
    assert_int_equal(second, TG_SOCKET_NONE);
    assert_int_equal(bound.port, 0);
    options.address.bytes[0] = 192;
    options.address.bytes[2] = 2; /* 192.0.2.1 is nobody's */
    assert_int_equal(tg_socket_listen(&second, &options, &bound), THRONG_EADDRNOTAVAIL);
    assert_int_equal(tg_descriptor_count(), open);
    tg_socket_close(listener);
}

static void a_server_that_has_closed_a_connection_can_start_again_at_once(void **state)
{
    tg_socket listener, client;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    uint8_t byte;
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_int_equal(tg_socket_open(&client, THRONG_ADDRESS_IPV4), 0);
    (void)tg_socket_connect(client, &bound);
    assert_int_equal(tg_socket_wait(listener, false, DEADLINE_MS), 1);
    tg_socket_close(accept_waiting(listener)); /* first, so TIME_WAIT is ours */
    assert_int_equal(tg_socket_wait(client, false, DEADLINE_MS), 1);
    assert_int_equal(tg_socket_receive(client, &byte, 1), THRONG_EEOF);
    tg_socket_close(client);
    tg_socket_close(listener);
    options.address = bound;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    tg_socket_close(listener);
}

static void a_copy_of_a_listener_goes_on_without_the_first(void **state)
{
    tg_socket listener, client;
    struct throng_address bound;
    struct throng_address of_copy;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    tg_socket copy = tg_socket_duplicate(listener);
    assert_true(copy >= 0 && copy != listener);
    tg_socket_close(listener);
    assert_int_equal(tg_socket_local_address(copy, &of_copy), 0);
    assert_memory_equal(&of_copy, &bound, sizeof bound);
    assert_int_equal(tg_socket_open(&client, THRONG_ADDRESS_IPV4), 0);
    (void)tg_socket_connect(client, &bound);
    assert_int_equal(tg_socket_wait(copy, false, DEADLINE_MS), 1);
    tg_socket_close(accept_waiting(copy));
    tg_socket_close(client);
    tg_socket_close(copy);
    assert_true(tg_socket_duplicate(copy) < 0); /* it is nobody's now */
}

static void a_long_backlog_holds_as_many_as_it_says(void **state)
{
    enum {
        CLIENTS = 300 /* more than the 200 that Windows makes of a plain figure */
    };
    static tg_socket clients[CLIENTS];
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback, .backlog = 1000};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(tg_socket_open(&clients[i], THRONG_ADDRESS_IPV4), 0);
        (void)tg_socket_connect(clients[i], &bound);
        assert_int_equal(tg_socket_wait(clients[i], true, DEADLINE_MS), 1);
        assert_int_equal(tg_socket_take_error(clients[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        tg_socket_close(clients[i]);
    }
    tg_socket_close(listener);
}

/* --- a connection ---------------------------------------------------------------------------- */

void connect_pair(tg_socket *near_end, tg_socket *far_end)
{
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_int_equal(tg_socket_open(near_end, THRONG_ADDRESS_IPV4), 0);
    int error = tg_socket_connect(*near_end, &bound);
    assert_true(error == 0 || error == THRONG_EAGAIN);
    assert_int_equal(tg_socket_wait(*near_end, true, DEADLINE_MS), 1);
    assert_int_equal(tg_socket_take_error(*near_end), 0);
    assert_int_equal(tg_socket_wait(listener, false, DEADLINE_MS), 1);
    *far_end = accept_waiting(listener);
    assert_true(*far_end >= 0);
    tg_socket_close(listener);
}

static void data_and_end_pass_between_sockets(void **state)
{
    tg_socket near_end, far_end;
    struct throng_address near_local, far_peer;
    uint8_t got[8];
    (void)state;
    connect_pair(&near_end, &far_end);
    assert_int_equal(tg_socket_local_address(near_end, &near_local), 0);
    assert_int_equal(tg_socket_peer_address(far_end, &far_peer), 0);
    assert_memory_equal(&near_local, &far_peer, sizeof far_peer);
    assert_int_equal(tg_socket_receive(far_end, got, sizeof got), THRONG_EAGAIN);
    assert_int_equal(tg_socket_wait(far_end, false, 0), 0);
    assert_int_equal(tg_socket_send(near_end, "hello", 5), 5);
    assert_int_equal(tg_socket_wait(far_end, false, DEADLINE_MS), 1);
    assert_int_equal(tg_socket_receive(far_end, got, sizeof got), 5);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(tg_socket_shutdown_send(near_end), 0);
    assert_int_equal(tg_socket_wait(far_end, false, DEADLINE_MS), 1);
    assert_int_equal(tg_socket_receive(far_end, got, sizeof got), THRONG_EEOF);
    assert_int_equal(tg_socket_send(far_end, "still", 5), 5);
    tg_socket_close(near_end);
    tg_socket_close(far_end);
}

static void a_full_socket_says_so_and_can_be_written_to_again(void **state)
{
    static uint8_t bytes[65536];
    tg_socket near_end, far_end;
    uint64_t sent = 0;
    uint64_t got = 0;
    int result;
    (void)state;
    connect_pair(&near_end, &far_end);
    while ((result = tg_socket_send(near_end, bytes, sizeof bytes)) > 0) {
        sent += (uint64_t)result;
        assert_true(sent < 1000000000);
    }
    assert_int_equal(result, THRONG_EAGAIN);
    assert_int_equal(tg_socket_wait(near_end, true, 0), 0);
    while (got < sent) {
        assert_int_equal(tg_socket_wait(far_end, false, DEADLINE_MS), 1);
        result = tg_socket_receive(far_end, bytes, sizeof bytes);
        assert_true(result > 0);
        got += (uint64_t)result;
    }
    assert_int_equal(tg_socket_wait(near_end, true, DEADLINE_MS), 1);
    assert_int_equal(tg_socket_send(near_end, bytes, 1), 1);
    tg_socket_close(near_end);
    tg_socket_close(far_end);
}

static void an_abort_is_a_reset_and_no_signal(void **state)
{
    tg_socket near_end, far_end;
    uint8_t got[8];
    (void)state;
    connect_pair(&near_end, &far_end);
    tg_socket_abort(near_end);
    assert_int_equal(tg_socket_wait(far_end, false, DEADLINE_MS), 1);
    assert_int_equal(tg_socket_receive(far_end, got, sizeof got), THRONG_ECONNRESET);
    assert_int_equal(tg_socket_send(far_end, "x", 1), THRONG_ECONNRESET); /* EPIPE, no SIGPIPE */
    tg_socket_close(far_end);
}

/* An address of this machine at which nobody listens. */
static struct throng_address nobody(void)
{
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    tg_socket_close(listener);
    return bound;
}

static void a_refused_connect_ends_the_wait_with_its_error(void **state)
{
    tg_socket sock;
    struct throng_address target = nobody();
    (void)state;
    assert_int_equal(tg_socket_open(&sock, THRONG_ADDRESS_IPV4), 0);
    int error = tg_socket_connect(sock, &target);
    if (error == THRONG_EAGAIN) { /* some systems know at once */
        uint64_t begin = tg_clock_ns();
        assert_int_equal(tg_socket_wait(sock, true, DEADLINE_MS), 1);
        assert_true(tg_clock_ns() - begin < (uint64_t)DEADLINE_MS / 2 * 1000000);
        error = tg_socket_take_error(sock);
    }
    assert_int_equal(error, THRONG_ECONNREFUSED);
    tg_socket_close(sock);
}

static void a_wait_lasts_as_long_as_it_says(void **state)
{
    tg_socket near_end, far_end;
    (void)state;
    connect_pair(&near_end, &far_end);
    for (int timeout_ms = 1; timeout_ms <= 50; timeout_ms += 7) {
        uint64_t begin = tg_clock_ns();
        assert_int_equal(tg_socket_wait(far_end, false, timeout_ms), 0);
        uint64_t passed = tg_clock_ns() - begin;
        assert_true(passed >= (uint64_t)timeout_ms * 1000000 && passed < 5000000000);
    }
    tg_socket_close(near_end);
    tg_socket_close(far_end);
}

static void send_after_a_while(void *argument)
{
    const tg_socket *sock = argument;
    (void)tg_socket_wait(*sock, false, 20); /* nothing comes */
    (void)tg_socket_send(*sock, "x", 1);
}

static void a_wait_without_limit_ends_with_what_it_waits_for(void **state)
{
    tg_socket near_end, far_end;
    struct tg_thread thread;
    (void)state;
    connect_pair(&near_end, &far_end);
    assert_int_equal(tg_thread_start(&thread, "sender", send_after_a_while, &near_end), 0);
    assert_int_equal(tg_socket_wait(far_end, false, -1), 1);
    tg_thread_join(&thread);
    tg_socket_close(near_end);
    tg_socket_close(far_end);
}

static void a_source_address_can_be_bound(void **state)
{
    tg_socket listener, sock;
    struct throng_address bound, local;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    struct throng_address source = {.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 3}};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_int_equal(tg_socket_open(&sock, THRONG_ADDRESS_IPV4), 0);
    assert_int_equal(tg_socket_bind_source(sock, &source), 0);
    (void)tg_socket_connect(sock, &bound);
    assert_int_equal(tg_socket_wait(sock, true, DEADLINE_MS), 1);
    assert_int_equal(tg_socket_take_error(sock), 0);
    assert_int_equal(tg_socket_local_address(sock, &local), 0);
    assert_memory_equal(local.bytes, source.bytes, 16);
    assert_int_not_equal(local.port, 0);
    tg_socket_close(sock);
    tg_socket_close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_survive_the_system_s_form),
        cmocka_unit_test(an_unknown_family_is_an_empty_address),
        cmocka_unit_test(hosts_are_resolved),
        cmocka_unit_test(names_are_resolved),
        cmocka_unit_test(any_address_is_one_that_can_be_listened_on),
        cmocka_unit_test(an_error_of_the_system_has_a_text),
        cmocka_unit_test(port_0_becomes_the_chosen_port),
        cmocka_unit_test(an_address_in_use_is_said_and_leaves_nothing_open),
        cmocka_unit_test(a_server_that_has_closed_a_connection_can_start_again_at_once),
        cmocka_unit_test(a_copy_of_a_listener_goes_on_without_the_first),
        cmocka_unit_test(a_long_backlog_holds_as_many_as_it_says),
        cmocka_unit_test(data_and_end_pass_between_sockets),
        cmocka_unit_test(a_full_socket_says_so_and_can_be_written_to_again),
        cmocka_unit_test(an_abort_is_a_reset_and_no_signal),
        cmocka_unit_test(a_refused_connect_ends_the_wait_with_its_error),
        cmocka_unit_test(a_wait_lasts_as_long_as_it_says),
        cmocka_unit_test(a_wait_without_limit_ends_with_what_it_waits_for),
        cmocka_unit_test(a_source_address_can_be_bound),
    };
    int failed = cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
    return failed + run_system_socket_tests();
}
