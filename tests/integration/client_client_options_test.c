/* SPDX-License-Identifier: MIT
 * What the non-blocking client's options may be, and what its calls refuse. */
#include <string.h>

#include "client_pair.h"

#define assert_contains(text, part) assert_non_null(strstr((text), (part)))

static void create_failing(const struct throng_client_options *options, const char *first,
                           const char *second)
{
    struct throng_error error = {.text = ""};
    struct throng_client *client = NULL;
    assert_int_equal(throng_client_create(&client, options, &error), THRONG_EINVAL);
    assert_int_equal(throng_client_create(&client, options, NULL), THRONG_EINVAL);
    assert_null(client);
    assert_int_equal(error.code, THRONG_EINVAL);
    assert_contains(error.text, first);
    assert_contains(error.text, second);
}

static void options_out_of_range_are_refused_by_name(void **state)
{
    struct client_pair *pair = *state;
    struct throng_client_options options = pair->options;
    options.message_bytes_max = 67108865;
    create_failing(&options, "message_bytes_max is 67108865", "67108864");
    options.message_bytes_max = 1000;
    options.inbox_bytes = 1003;
    create_failing(&options, "inbox_bytes is 1003", "1004");
    options.inbox_bytes = 1004;
    options.outbox_bytes = 1003;
    create_failing(&options, "outbox_bytes is 1003", "1004");
    options.outbox_bytes = 1004;
    options.byte_order = (enum throng_byte_order)2;
    create_failing(&options, "byte_order is 2", "0 or 1");
    options.byte_order = THRONG_BYTE_ORDER_BIG;
    options.source.family = 5;
    create_failing(&options, "source.family is 5", "0, 4 or 6");
    options.source.family = THRONG_ADDRESS_NONE;
    options.struct_size++;
    create_failing(&options, "struct_size is", "init");
    options.struct_size = 0;
    create_failing(&options, "struct_size is 0", "init");
    options.struct_size = sizeof(options);
    struct throng_client *client = NULL;
    assert_int_equal(throng_client_create(&client, &options, NULL), 0);
    throng_client_destroy(client);
    assert_int_equal(throng_client_create(NULL, &options, NULL), THRONG_EINVAL);
}

static void zero_options_are_the_defaults(void **state)
{
    struct client_pair *pair = *state;
    pair->options = (struct throng_client_options){.struct_size = sizeof(pair->options)};
    client_pair_connect(pair);
    client_pair_fill_outbox(pair);
    assert_in_range(throng_client_outbox_bytes(pair->client), 128 * 1024 - 1003, 128 * 1024);
    client_pair_disconnect(pair);
    throng_client_destroy(pair->client);
    assert_int_equal(throng_client_create(&pair->client, NULL, NULL), 0);
    client_pair_connect(pair);
}

static void a_null_client_is_refused_everywhere(void **state)
{
    (void)state;
    struct throng_address address = {.family = THRONG_ADDRESS_IPV4, .port = 1};
    const void *message;
    size_t size;
    assert_int_equal(throng_client_connect(NULL, "tcp://127.0.0.1:7000"), THRONG_EINVAL);
    assert_int_equal(throng_client_connect_address(NULL, &address), THRONG_EINVAL);
    assert_int_equal(throng_client_update(NULL), THRONG_CLIENT_IDLE);
    assert_int_equal(throng_client_state(NULL), THRONG_CLIENT_IDLE);
    assert_int_equal(throng_client_error(NULL), THRONG_EINVAL);
    assert_int_equal(throng_client_descriptor(NULL), -1);
    assert_false(throng_client_wants_read(NULL));
    assert_false(throng_client_wants_write(NULL));
    assert_int_equal(throng_client_wait_ms(NULL), -1);
    assert_int_equal(throng_client_write(NULL, "x", 1), THRONG_EINVAL);
    assert_int_equal(throng_client_read(NULL, &message, &size), THRONG_EINVAL);
    assert_int_equal(throng_client_inbox_bytes(NULL), 0);
    assert_int_equal(throng_client_outbox_bytes(NULL), 0);
    assert_int_equal(throng_client_shutdown(NULL), THRONG_EINVAL);
}

static void null_data_is_refused(void **state)
{
    struct client_pair *pair = *state;
    const void *message;
    size_t size;
    client_pair_connect(pair);
    assert_int_equal(throng_client_write(pair->client, NULL, 1), THRONG_EINVAL);
    assert_int_equal(throng_client_read(pair->client, NULL, &size), THRONG_EINVAL);
    assert_int_equal(throng_client_read(pair->client, &message, NULL), THRONG_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, client_pair_setup, client_pair_teardown)
        TEST(options_out_of_range_are_refused_by_name),
        TEST(zero_options_are_the_defaults),
        TEST(a_null_client_is_refused_everywhere),
        TEST(null_data_is_refused),
    };
    return cmocka_run_group_tests_name("the non-blocking client's options", tests, NULL, NULL);
}
