/* SPDX-License-Identifier: MIT
 * The socket seam on POSIX systems: the error map, options and signals. */
#include "test_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "check.h"
#include "os/clock.h"

static const struct throng_address loopback = {.family = THRONG_ADDRESS_IPV4,
                                               .bytes = {127, 0, 0, 1}};

tg_socket accept_waiting(tg_socket listener)
{
    return accept4((int)listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int integer_option(tg_socket sock, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt((int)sock, level, name, &value, &size), 0);
    return value;
}

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

/* The peer's end, or a firewall's rule for it, against what every later accept would meet as
 * well. */
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
    assert_int_equal(integer_option(listener, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(integer_option(listener, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
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

static void an_accepted_socket_sends_at_once(void **state)
{
    tg_socket near_end, far_end;
    (void)state;
    connect_pair(&near_end, &far_end);
    assert_int_equal(integer_option(near_end, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(integer_option(far_end, IPPROTO_TCP, TCP_NODELAY), 1); /* inherited */
    tg_socket_close(near_end);
    tg_socket_close(far_end);
}

static void expect_watched(tg_socket sock)
{
    assert_int_equal(integer_option(sock, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(integer_option(sock, IPPROTO_TCP, TCP_KEEPIDLE), 100);
    assert_int_equal(integer_option(sock, IPPROTO_TCP, TCP_KEEPINTVL), 15);
    assert_int_equal(integer_option(sock, IPPROTO_TCP, TCP_KEEPCNT), 4);
    assert_int_equal(integer_option(sock, IPPROTO_TCP, TCP_USER_TIMEOUT), 70000);
}

static void an_accepted_socket_is_watched_as_its_listener_was_told(void **state)
{
    tg_socket listener, far_end;
    struct throng_address bound;
    const struct tg_listen_options options = {
        .address = loopback, .backlog = 5, .keepalive_s = 100, .user_timeout_ms = 70000};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    expect_watched(listener);
    assert_int_equal(tg_socket_open(&far_end, THRONG_ADDRESS_IPV4), 0);
    (void)tg_socket_connect(far_end, &bound);
    assert_int_equal(tg_socket_wait(listener, false, 5000), 1);
    tg_socket near_end = accept_waiting(listener);
    expect_watched(near_end);
    assert_int_equal(integer_option(far_end, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(tg_socket_set_keepalive(far_end, 0), 0);
    assert_int_equal(integer_option(far_end, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(tg_socket_set_keepalive(far_end, TG_KEEPALIVE_MAX_S), 0);
    assert_int_equal(integer_option(far_end, IPPROTO_TCP, TCP_KEEPIDLE), TG_KEEPALIVE_MAX_S);
    tg_socket_close(near_end);
    tg_socket_close(far_end);
    tg_socket_close(listener);
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

static void the_port_of_a_source_address_is_left_to_the_connect(void **state)
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

int run_system_socket_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_the_system_have_our_numbers),
        cmocka_unit_test(a_dead_connection_is_told_from_a_listener_in_need),
        cmocka_unit_test(a_listener_is_what_was_ordered),
        cmocka_unit_test(figures_beyond_the_system_s_are_its_largest),
        cmocka_unit_test(any_address_takes_both_families_and_one_address_only_its_own),
        cmocka_unit_test(an_accepted_socket_sends_at_once),
        cmocka_unit_test(an_accepted_socket_is_watched_as_its_listener_was_told),
        cmocka_unit_test(signals_do_not_shorten_a_wait),
        cmocka_unit_test(the_port_of_a_source_address_is_left_to_the_connect),
    };
    return cmocka_run_group_tests_name("sockets of POSIX", tests, NULL, NULL);
}
