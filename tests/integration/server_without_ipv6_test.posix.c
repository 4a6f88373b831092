/* SPDX-License-Identifier: MIT
 * A system that makes sockets of IPv6 and has no such address to bind them to: "*" is any IPv4 address then,
 * for the server's listeners and for the admin listener. Every bind is answered by __wrap_bind (the program
 * links throng's objects with --wrap). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "http_client.h"
#include "server_fixture.h"

static struct http_answer answer;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names. */
extern int __real_bind(int sock, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int sock, const struct sockaddr *address, socklen_t size);

int __wrap_bind(int sock, const struct sockaddr *address, socklen_t size)
{
    if (address->sa_family == AF_INET6) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return __real_bind(sock, address, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void any_address_is_any_ipv4_address(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_address admin;
    fixture->options.listen[0] = "tcp://*:0";
    fixture->options.admin = "tcp://*:0";
    fixture_start(fixture);
    assert_int_equal(fixture->address.family, THRONG_ADDRESS_IPV4);
    assert_int_equal(throng_server_admin_address(fixture->server, &admin), 0);
    assert_int_equal(admin.family, THRONG_ADDRESS_IPV4);
    admin = peer_loopback(THRONG_ADDRESS_IPV4, admin.port);
    (void)fixture_turn(fixture, 0);
    assert_int_equal(http_get(&admin, "/healthz", &answer), 200);
}

static void an_address_of_ipv6_is_refused_and_named(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_error error;
    fixture->options.admin = "tcp://[::]:0";
    assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EAFNOSUPPORT);
    assert_non_null(strstr(error.text, "admin: cannot listen on tcp://[::]:0"));
    fixture->options.admin = NULL;
    fixture->options.listen[0] = "tcp://[::]:0";
    assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EAFNOSUPPORT);
    assert_non_null(strstr(error.text, "cannot listen on tcp://[::]:0"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_address_is_any_ipv4_address),
        cmocka_unit_test(an_address_of_ipv6_is_refused_and_named),
    };
    return fixture_run_tests("server_without_ipv6", tests, sizeof(tests) / sizeof(tests[0]));
}
