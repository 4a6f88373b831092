/* SPDX-License-Identifier: MIT
 * The socket seam: the error map, sockaddr and back, resolving, listening and the plain calls. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "localhost.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/random.h"
#include "os/socket.h"
#include "os/thread.h"

#define DEADLINE_MS 20000

static const struct throng_address loopback = {.family = THRONG_ADDRESS_IPV4,
                                               .bytes = {127, 0, 0, 1}};

static void errors_of_the_system_have_our_numbers(void **state)
{
    (void)state;
    assert_int_equal(tg_error_from_system(EAGAIN), THRONG_EAGAIN);
    assert_int_equal(tg_error_from_system(EWOULDBLOCK), THRONG_EAGAIN);
    assert_int_equal(tg_error_from_system(EINPROGRESS), THRONG_EAGAIN);
    assert_int_equal(tg_error_from_system(ECONNRESET), THRONG_ECONNRESET);
    assert_int_equal(tg_error_from_system(EPIPE), THRONG_ECONNRESET);
    assert_int_equal(tg_error_from_system(ECONNABORTED), THRONG_ECONNABORTED);
    assert_int_equal(tg_error_from_system(ECONNREFUSED), THRONG_ECONNREFUSED);
    assert_int_equal(tg_error_from_system(ETIMEDOUT), THRONG_ETIMEDOUT);
    assert_int_equal(tg_error_from_system(ENETUNREACH), THRONG_EUNREACHABLE);
    assert_int_equal(tg_error_from_system(EHOSTUNREACH), THRONG_EUNREACHABLE);
    assert_int_equal(tg_error_from_system(EADDRINUSE), THRONG_EADDRINUSE);
    assert_int_equal(tg_error_from_system(EADDRNOTAVAIL), THRONG_EADDRNOTAVAIL);
    assert_int_equal(tg_error_from_system(EACCES), THRONG_EACCES);
    assert_int_equal(tg_error_from_system(EMFILE), THRONG_EMFILE);
    assert_int_equal(tg_error_from_system(ENFILE), THRONG_EMFILE);
    assert_int_equal(tg_error_from_system(ENOBUFS), THRONG_ENOBUFS);
    assert_int_equal(tg_error_from_system(ENOMEM), THRONG_ENOMEM);
    assert_int_equal(tg_error_from_system(EAFNOSUPPORT), THRONG_EAFNOSUPPORT);
    assert_int_equal(tg_error_from_system(ECANCELED), THRONG_ECANCELED);
    assert_int_equal(tg_error_from_system(EISDIR), THRONG_ESYSTEM);
    assert_int_equal(tg_error_from_system(0), THRONG_ESYSTEM);
    assert_int_equal(tg_error_from_system(99999), THRONG_ESYSTEM);
}

/* The peer's end, or a firewall's rule for it, against what every later accept would meet as well. */
static void a_dead_connection_is_told_from_a_listener_in_need(void **state)
{
    static const int dead[] = {ECONNABORTED, EPROTO,    ENETDOWN,     ENOPROTOOPT,
                               EHOSTDOWN,    ENONET,    EHOSTUNREACH, EOPNOTSUPP,
                               ENETUNREACH,  ETIMEDOUT, EPERM};
    static const int need[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EINTR, EBADF, EINVAL, 0};
    (void)state;
    for (size_t i = 0; i < sizeof dead / sizeof dead[0]; i++) {
        assert_true(tg_accept_has_died(dead[i]));
    }
    for (size_t i = 0; i < sizeof need / sizeof need[0]; i++) {
        assert_false(tg_accept_has_died(need[i]));
    }
}

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
    skip_without_localhost(AF_UNSPEC);
    int count = tg_address_resolve("localhost", 82, addresses, 8);
    assert_in_range(count, 1, 8);
    assert_int_equal(addresses[0].port, 82);
    assert_int_equal(tg_address_resolve("localhost", 82, addresses, 1), 1);
}

static int integer_option(tg_socket sock, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt((int)sock, level, name, &value, &size), 0);
    return value;
}

static void a_listener_is_what_was_ordered(void **state)
{
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback,
                                        .backlog = 5,
                                        .send_buffer_bytes = 20000,
                                        .receive_buffer_bytes = 30000};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_int_not_equal(bound.port, 0);
    assert_int_equal(bound.family, THRONG_ADDRESS_IPV4);
    assert_memory_equal(bound.bytes, loopback.bytes, 16);
    assert_true(fcntl((int)listener, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl((int)listener, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(integer_option(listener, SOL_SOCKET, SO_REUSEADDR), 1);
    assert_int_equal(integer_option(listener, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(integer_option(listener, SOL_SOCKET, SO_SNDBUF), 2 * 20000);
    assert_int_equal(integer_option(listener, SOL_SOCKET, SO_RCVBUF), 2 * 30000);
    tg_socket copy = tg_socket_duplicate(listener);
    assert_true(copy >= 0 && copy != listener);
    assert_true(fcntl((int)copy, F_GETFD) & FD_CLOEXEC);
    tg_socket_close(copy);
    tg_socket_close(listener);
}

static void figures_beyond_the_system_s_are_its_largest(void **state)
{
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback,
                                        .backlog = UINT32_MAX,
                                        .send_buffer_bytes = UINT32_MAX,
                                        .receive_buffer_bytes = UINT32_MAX};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_true(integer_option(listener, SOL_SOCKET, SO_SNDBUF) > 100000);
    assert_true(integer_option(listener, SOL_SOCKET, SO_RCVBUF) > 100000);
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

static void any_address_takes_both_families_and_one_address_only_its_own(void **state)
{
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.address = {.family = THRONG_ADDRESS_IPV6}, .backlog = 5};
    (void)state;
    if (tg_socket_listen(&listener, &options, &bound) != 0) {
        print_message("no IPv6 on this machine\n");
        skip();
    }
    assert_int_equal(bound.family, THRONG_ADDRESS_IPV6);
    assert_int_equal(integer_option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    tg_socket_close(listener);
    options.address.bytes[15] = 1;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_int_equal(integer_option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    tg_socket_close(listener);
}

/* A connected pair through a listener. */
static void connect_pair(tg_socket *near_end, tg_socket *far_end)
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
    *far_end = accept4((int)listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(*far_end >= 0);
    assert_int_equal(integer_option(*far_end, IPPROTO_TCP, TCP_NODELAY), 1); /* inherited */
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

static void ignore_signal(int number)
{
    (void)number;
}

static void signals_do_not_shorten_a_wait(void **state)
{
    tg_socket near_end, far_end;
    struct itimerval every_ms = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}};
    const struct itimerval off = {0};
    (void)state;
    connect_pair(&near_end, &far_end);
    assert_true(signal(SIGALRM, ignore_signal) != SIG_ERR);
    assert_int_equal(setitimer(ITIMER_REAL, &every_ms, NULL), 0);
    uint64_t begin = tg_clock_ns();
    int answer = tg_socket_wait(far_end, false, 50);
    uint64_t passed = tg_clock_ns() - begin;
    assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
    assert_true(signal(SIGALRM, SIG_DFL) != SIG_ERR);
    assert_int_equal(answer, 0);
    assert_true(passed >= 50000000 && passed < 5000000000);
    tg_socket_close(near_end);
    tg_socket_close(far_end);
}

static void a_source_address_can_be_bound(void **state)
{
    tg_socket sock;
    struct throng_address local;
    struct throng_address source = {.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 3}};
    (void)state;
    assert_int_equal(tg_socket_open(&sock, THRONG_ADDRESS_IPV4), 0);
    assert_int_equal(tg_socket_bind_source(sock, &source), 0);
    assert_int_equal(tg_socket_local_address(sock, &local), 0);
    assert_memory_equal(local.bytes, source.bytes, 16);
    assert_int_equal(local.port, 0); /* left to the connect */
    tg_socket_close(sock);
}

static void memory_comes_zeroed_and_goes(void **state)
{
    (void)state;
    const size_t bytes = 1000001;
    uint8_t *memory = tg_memory_reserve(bytes);
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % 4096, 0);
    assert_int_equal(memory[0], 0);
    assert_int_equal(memory[bytes - 1], 0);
    memset(memory, 1, bytes);
    tg_memory_release(memory, bytes);
    tg_memory_release(NULL, 5);
    assert_null(tg_memory_reserve(SIZE_MAX / 2));
}

static void randomness_fills_all_bytes(void **state)
{
    uint8_t first[1000] = {0};
    uint8_t second[1000] = {0};
    (void)state;
    assert_int_equal(tg_random_fill(first, sizeof first), 0);
    assert_int_equal(tg_random_fill(second, sizeof second), 0);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first + 900, second + 900, 100);
    assert_int_equal(tg_random_fill(first, 0), 0);
}

static void the_clock_does_not_go_back(void **state)
{
    (void)state;
    uint64_t before = tg_clock_ns();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = tg_clock_ns();
        assert_true(now >= before);
        before = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_the_system_have_our_numbers),
        cmocka_unit_test(a_dead_connection_is_told_from_a_listener_in_need),
        cmocka_unit_test(addresses_survive_the_system_s_form),
        cmocka_unit_test(an_unknown_family_is_an_empty_address),
        cmocka_unit_test(hosts_are_resolved),
        cmocka_unit_test(names_are_resolved),
        cmocka_unit_test(a_listener_is_what_was_ordered),
        cmocka_unit_test(figures_beyond_the_system_s_are_its_largest),
        cmocka_unit_test(an_address_in_use_is_said_and_leaves_nothing_open),
        cmocka_unit_test(any_address_takes_both_families_and_one_address_only_its_own),
        cmocka_unit_test(data_and_end_pass_between_sockets),
        cmocka_unit_test(an_abort_is_a_reset_and_no_signal),
        cmocka_unit_test(signals_do_not_shorten_a_wait),
        cmocka_unit_test(a_source_address_can_be_bound),
        cmocka_unit_test(memory_comes_zeroed_and_goes),
        cmocka_unit_test(randomness_fills_all_bytes),
        cmocka_unit_test(the_clock_does_not_go_back),
    };
    return cmocka_run_group_tests_name("sockets and system", tests, NULL, NULL);
}
