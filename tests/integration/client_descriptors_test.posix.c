/* SPDX-License-Identifier: MIT
 * The clients where the process may have no descriptor more: a limit that Windows does not have. */
#include <string.h>
#include <sys/resource.h>

#include "client_pair.h"
#include "tcp_pair.h"

static void a_full_descriptor_table_is_named(void **state)
{
    struct tcp_pair *pair = *state;
    struct throng_error error;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = before;
    none.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct throng_tcp *tcp = NULL;
    int result = throng_tcp_connect(&tcp, pair->host.endpoint, NULL, 1000, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(result, THRONG_EMFILE);
    assert_non_null(strstr(error.text, "no descriptor left"));
    tcp_pair_connect(pair);
}

static void a_full_descriptor_table_is_a_failure(void **state)
{
    struct client_pair *pair = *state;
    struct rlimit before;
    client_pair_create(pair);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = before;
    none.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = throng_client_connect(pair->client, pair->host.endpoint);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(result, 0);
    client_pair_expect_failed(pair, THRONG_EMFILE);
    client_pair_disconnect(pair);
    client_pair_connect(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_descriptor_table_is_named, tcp_pair_setup,
                                        tcp_pair_teardown),
        cmocka_unit_test_setup_teardown(a_full_descriptor_table_is_a_failure, client_pair_setup,
                                        client_pair_teardown),
    };
    return cmocka_run_group_tests_name("the clients without descriptors", tests, NULL, NULL);
}
