/* SPDX-License-Identifier: MIT
 * The socket seam on Windows: the error map, options, and what select() says of sockets. */
#include "test_socket.h"

#include <string.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h>

#include "check.h"
#include "os/clock.h"

static const struct throng_address loopback = {.family = THRONG_ADDRESS_IPV4,
                                               .bytes = {127, 0, 0, 1}};

tg_socket accept_waiting(tg_socket listener)
{
    u_long on = 1;
    SOCKET accepted = accept((SOCKET)listener, NULL, NULL);
    assert_true(accepted != INVALID_SOCKET);
    assert_int_equal(ioctlsocket(accepted, (long)FIONBIO, &on), 0);
    return (tg_socket)accepted;
}

int integer_option(tg_socket sock, int level, int name)
{
    int value = 0; /* some options fill one byte only */
    int size = sizeof value;
    assert_int_equal(getsockopt((SOCKET)sock, level, name, (char *)&value, &size), 0);
    return value;
}

/* --- errors ---------------------------------------------------------------------------------- */

static const struct {
    int system;
    int code;
    bool died; /* an accept that ends so has lost one connection only */
} expected[] = {
    {10035, THRONG_EAGAIN, false},        /* WSAEWOULDBLOCK */
    {10036, THRONG_EAGAIN, false},        /* WSAEINPROGRESS */
    {10037, THRONG_EAGAIN, false},        /* WSAEALREADY */
    {997, THRONG_EAGAIN, false},          /* WSA_IO_PENDING */
    {996, THRONG_EAGAIN, false},          /* WSA_IO_INCOMPLETE */
    {10101, THRONG_EEOF, false},          /* WSAEDISCON */
    {38, THRONG_EEOF, false},             /* ERROR_HANDLE_EOF */
    {1226, THRONG_EEOF, true},            /* ERROR_GRACEFUL_DISCONNECT */
    {10054, THRONG_ECONNRESET, true},     /* WSAECONNRESET */
    {10053, THRONG_ECONNRESET, true},     /* WSAECONNABORTED */
    {10052, THRONG_ECONNRESET, true},     /* WSAENETRESET */
    {10057, THRONG_ECONNRESET, true},     /* WSAENOTCONN */
    {10058, THRONG_ECONNRESET, false},    /* WSAESHUTDOWN */
    {59, THRONG_ECONNRESET, true},        /* ERROR_UNEXP_NET_ERR */
    {64, THRONG_ECONNRESET, true},        /* ERROR_NETNAME_DELETED */
    {1229, THRONG_ECONNRESET, true},      /* ERROR_CONNECTION_INVALID */
    {1236, THRONG_ECONNRESET, true},      /* ERROR_CONNECTION_ABORTED */
    {2250, THRONG_ECONNRESET, false},     /* ERROR_NOT_CONNECTED */
    {10060, THRONG_ETIMEDOUT, true},      /* WSAETIMEDOUT */
    {121, THRONG_ETIMEDOUT, true},        /* ERROR_SEM_TIMEOUT */
    {258, THRONG_ETIMEDOUT, false},       /* WAIT_TIMEOUT */
    {1460, THRONG_ETIMEDOUT, false},      /* ERROR_TIMEOUT */
    {10061, THRONG_ECONNREFUSED, true},   /* WSAECONNREFUSED */
    {1225, THRONG_ECONNREFUSED, true},    /* ERROR_CONNECTION_REFUSED */
    {1234, THRONG_ECONNREFUSED, true},    /* ERROR_PORT_UNREACHABLE */
    {10050, THRONG_EUNREACHABLE, true},   /* WSAENETDOWN */
    {10051, THRONG_EUNREACHABLE, true},   /* WSAENETUNREACH */
    {10064, THRONG_EUNREACHABLE, true},   /* WSAEHOSTDOWN */
    {10065, THRONG_EUNREACHABLE, true},   /* WSAEHOSTUNREACH */
    {1231, THRONG_EUNREACHABLE, true},    /* ERROR_NETWORK_UNREACHABLE */
    {1232, THRONG_EUNREACHABLE, true},    /* ERROR_HOST_UNREACHABLE */
    {1233, THRONG_EUNREACHABLE, true},    /* ERROR_PROTOCOL_UNREACHABLE */
    {10048, THRONG_EADDRINUSE, false},    /* WSAEADDRINUSE */
    {1227, THRONG_EADDRINUSE, false},     /* ERROR_ADDRESS_ALREADY_ASSOCIATED */
    {10049, THRONG_EADDRNOTAVAIL, false}, /* WSAEADDRNOTAVAIL */
    {1214, THRONG_EADDRNOTAVAIL, false},  /* ERROR_INVALID_NETNAME */
    {10043, THRONG_EAFNOSUPPORT, false},  /* WSAEPROTONOSUPPORT */
    {10044, THRONG_EAFNOSUPPORT, false},  /* WSAESOCKTNOSUPPORT */
    {10046, THRONG_EAFNOSUPPORT, false},  /* WSAEPFNOSUPPORT */
    {10047, THRONG_EAFNOSUPPORT, false},  /* WSAEAFNOSUPPORT */
    {10013, THRONG_EACCES, false},        /* WSAEACCES */
    {5, THRONG_EACCES, false},            /* ERROR_ACCESS_DENIED */
    {10022, THRONG_EINVAL, false},        /* WSAEINVAL */
    {87, THRONG_EINVAL, false},           /* ERROR_INVALID_PARAMETER */
    {8, THRONG_ENOMEM, false},            /* ERROR_NOT_ENOUGH_MEMORY */
    {14, THRONG_ENOMEM, false},           /* ERROR_OUTOFMEMORY */
    {1455, THRONG_ENOMEM, false},         /* ERROR_COMMITMENT_LIMIT */
    {10055, THRONG_ENOBUFS, false},       /* WSAENOBUFS */
    {68, THRONG_ENOBUFS, false},          /* ERROR_TOO_MANY_NAMES */
    {1450, THRONG_ENOBUFS, false},        /* ERROR_NO_SYSTEM_RESOURCES */
    {1451, THRONG_ENOBUFS, false},        /* ERROR_NONPAGED_SYSTEM_RESOURCES */
    {1452, THRONG_ENOBUFS, false},        /* ERROR_PAGED_SYSTEM_RESOURCES */
    {1453, THRONG_ENOBUFS, false},        /* ERROR_WORKING_SET_QUOTA */
    {1816, THRONG_ENOBUFS, false},        /* ERROR_NOT_ENOUGH_QUOTA */
    {10024, THRONG_EMFILE, false},        /* WSAEMFILE */
    {4, THRONG_EMFILE, false},            /* ERROR_TOO_MANY_OPEN_FILES */
    {10004, THRONG_ECANCELED, false},     /* WSAEINTR */
    {995, THRONG_ECANCELED, false},       /* ERROR_OPERATION_ABORTED */
    {1235, THRONG_ECANCELED, false},      /* ERROR_REQUEST_ABORTED */
    {676, THRONG_ECANCELED, false},       /* ERROR_HANDLES_CLOSED */
    {6, THRONG_ECANCELED, false},         /* ERROR_INVALID_HANDLE */
    {10091, THRONG_ENOTSUP, false},       /* WSASYSNOTREADY */
    {10092, THRONG_ENOTSUP, false},       /* WSAVERNOTSUPPORTED */
    {10045, THRONG_ENOTSUP, false},       /* WSAEOPNOTSUPP */
    {1, THRONG_ENOTSUP, false},           /* ERROR_INVALID_FUNCTION */
    {2, THRONG_ENOTSUP, false},           /* ERROR_FILE_NOT_FOUND */
    {50, THRONG_ENOTSUP, false},          /* ERROR_NOT_SUPPORTED */
    {120, THRONG_ENOTSUP, false},         /* ERROR_CALL_NOT_IMPLEMENTED */
    {126, THRONG_ENOTSUP, false},         /* ERROR_MOD_NOT_FOUND */
    {127, THRONG_ENOTSUP, false},         /* ERROR_PROC_NOT_FOUND */
    {0, THRONG_ESYSTEM, false},
    {10014, THRONG_ESYSTEM, false}, /* WSAEFAULT: a bug */
    {10038, THRONG_ESYSTEM, false}, /* WSAENOTSOCK: a bug */
    {317, THRONG_ESYSTEM, false}, /* what RtlNtStatusToDosError answers to what it does not know */
    {99999, THRONG_ESYSTEM, false},
    {-1, THRONG_ESYSTEM, false},
};

static void errors_of_the_system_have_our_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (tg_error_from_system(expected[i].system) != expected[i].code) {
            fail_msg("error %d is %s", expected[i].system,
                     throng_error_name(tg_error_from_system(expected[i].system)));
        }
    }
}

static void a_dead_connection_is_told_from_a_listener_in_need(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (tg_accept_has_died(expected[i].system) != expected[i].died) {
            fail_msg("an accept that ends with error %d", expected[i].system);
        }
    }
}

static void a_text_is_the_system_s_sentence_with_its_number(void **state)
{
    char text[300];
    (void)state;
    tg_system_error_text(1225, text, sizeof text);
    assert_non_null(strstr(text, " (1225)"));
    assert_true(strlen(text) > strlen(" (1225)") + 10);
    assert_null(strchr(text, '\n')); /* it stands in the middle of a line */
    assert_null(strstr(text, ". ("));
    tg_system_error_text(123456789, text, sizeof text);
    assert_string_equal(text, "system error 123456789");
}

/* --- options --------------------------------------------------------------------------------- */

static bool is_inherited(tg_socket sock)
{
    DWORD flags = 0;
    assert_true(GetHandleInformation((HANDLE)sock, &flags));
    return (flags & HANDLE_FLAG_INHERIT) != 0;
}

static void a_listener_is_what_was_ordered(void **state)
{
    tg_socket listener;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback,
                                        .backlog = 5,
                                        .send_buffer_bytes = 20000,
                                        .receive_buffer_bytes = 30000,
                                        .keepalive_s = 100,
                                        .user_timeout_ms = 1000}; /* which there is not */
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_false(is_inherited(listener));
    assert_int_not_equal(integer_option(listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE), 0);
    assert_int_equal(integer_option(listener, SOL_SOCKET, SO_REUSEADDR), 0);
    assert_int_not_equal(integer_option(listener, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_not_equal(integer_option(listener, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_in_range(integer_option(listener, SOL_SOCKET, SO_SNDBUF), 20000, 2 * 20000);
    assert_in_range(integer_option(listener, SOL_SOCKET, SO_RCVBUF), 30000, 2 * 30000);
    tg_socket copy = tg_socket_duplicate(listener);
    assert_false(is_inherited(copy));
    assert_true(accept((SOCKET)copy, NULL, NULL) == INVALID_SOCKET); /* and does not block */
    assert_int_equal(WSAGetLastError(), WSAEWOULDBLOCK);
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
    assert_int_equal(integer_option(listener, SOL_SOCKET, SO_KEEPALIVE), 0);
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
    assert_int_not_equal(integer_option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    tg_socket_close(listener);
}

static void nobody_else_can_listen_on_our_port(void **state)
{
    tg_socket listener;
    struct throng_address bound;
    struct sockaddr_storage name;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    BOOL on = TRUE;
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    SOCKET thief = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_int_equal(setsockopt(thief, SOL_SOCKET, SO_REUSEADDR, (char *)&on, sizeof on), 0);
    int size = (int)tg_address_encode(&bound, &name);
    assert_int_equal(bind(thief, (struct sockaddr *)&name, size), SOCKET_ERROR);
    assert_int_equal(closesocket(thief), 0);
    tg_socket_close(listener);
}

/* Numbers of handles are given again, so only leaks make them grow. */
static void a_listen_that_fails_leaves_no_socket_open(void **state)
{
    enum {
        TRIES = 200
    };
    tg_socket listener, before, after;
    struct throng_address bound;
    struct tg_listen_options options = {.address = loopback, .backlog = 5};
    (void)state;
    assert_int_equal(tg_socket_listen(&listener, &options, &bound), 0);
    assert_int_equal(tg_socket_open(&before, THRONG_ADDRESS_IPV4), 0);
    tg_socket_close(before);
    options.address = bound;
    for (int i = 0; i < TRIES; i++) {
        assert_int_equal(tg_socket_listen(&after, &options, &bound), THRONG_EADDRINUSE);
    }
    assert_int_equal(tg_socket_open(&after, THRONG_ADDRESS_IPV4), 0);
    assert_true(after < before + TRIES);
    tg_socket_close(after);
    tg_socket_close(listener);
}

/* --- waits ----------------------------------------------------------------------------------- */

/* select() reports it as an exception, like a failed connect, and again and again. */
static void urgent_data_does_not_end_a_wait(void **state)
{
    tg_socket near_end, far_end;
    uint8_t byte = 0;
    (void)state;
    connect_pair(&near_end, &far_end);
    assert_int_equal(send((SOCKET)near_end, "!", 1, MSG_OOB), 1);
    uint64_t begin = tg_clock_ns();
    assert_int_equal(tg_socket_wait(far_end, false, 50), 0);
    assert_true(tg_clock_ns() - begin >= 50000000);
    assert_int_equal(tg_socket_send(near_end, "x", 1), 1);
    assert_int_equal(tg_socket_wait(far_end, false, DEADLINE_MS), 1);
    assert_int_equal(tg_socket_receive(far_end, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    tg_socket_close(near_end);
    tg_socket_close(far_end);
}

static void what_is_no_socket_is_an_error(void **state)
{
    tg_socket near_end, far_end;
    uint8_t byte;
    (void)state;
    connect_pair(&near_end, &far_end);
    tg_socket_close(near_end);
    tg_socket_close(far_end);
    assert_true(tg_socket_wait(near_end, false, 1000) < 0);
    assert_true(tg_socket_receive(near_end, &byte, 1) < 0);
    assert_true(tg_socket_send(near_end, "x", 1) < 0);
    assert_true(tg_socket_take_error(near_end) < 0);
    assert_true(tg_socket_shutdown_send(near_end) < 0);
}

int run_system_socket_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_the_system_have_our_numbers),
        cmocka_unit_test(a_dead_connection_is_told_from_a_listener_in_need),
        cmocka_unit_test(a_text_is_the_system_s_sentence_with_its_number),
        cmocka_unit_test(a_listen_that_fails_leaves_no_socket_open),
        cmocka_unit_test(a_listener_is_what_was_ordered),
        cmocka_unit_test(figures_beyond_the_system_s_are_its_largest),
        cmocka_unit_test(any_address_takes_both_families_and_one_address_only_its_own),
        cmocka_unit_test(nobody_else_can_listen_on_our_port),
        cmocka_unit_test(urgent_data_does_not_end_a_wait),
        cmocka_unit_test(what_is_no_socket_is_an_error),
    };
    return cmocka_run_group_tests_name("sockets of Windows", tests, NULL, NULL);
}
