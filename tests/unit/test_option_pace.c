/* SPDX-License-Identifier: MIT
 * Options of time and rate whose defaults follow from others, as the start fills them in. */
#include "check.h"
#include "config.h"

static struct throng_server_options defaults(void)
{
    struct throng_server_options options;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = 1000;
    return options;
}

static void the_deadline_of_a_message_follows_the_longest_one(void **state)
{
    static const struct {
        uint32_t message_bytes;
        uint32_t timeout_ms;
    } rows[] = {
        {1, 10000},       {65536, 10000},      {163840, 10000},
        {163841, 10001},  {1048576, 64000}, /* 1 MiB at 16 KiB a second */
        {1048577, 64001}, {67108864, 4096000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tg_config config;
        struct throng_server_options options = defaults();
        options.message_bytes_max = rows[i].message_bytes;
        assert_int_equal(tg_config_check(&config, &options, NULL), 0);
        assert_int_equal(config.options.message_timeout_ms, rows[i].timeout_ms);
        options.message_timeout_ms = 5;
        assert_int_equal(tg_config_check(&config, &options, NULL), 0);
        assert_int_equal(config.options.message_timeout_ms, 5);
        options.message_timeout_ms = THRONG_OFF;
        assert_int_equal(tg_config_check(&config, &options, NULL), 0);
        assert_int_equal(config.options.message_timeout_ms, 4294967295);
    }
}

static void the_user_timeout_is_not_shorter_than_the_keepalive(void **state)
{
    static const struct {
        uint32_t keepalive_s, user_timeout_ms, final_ms;
    } rows[] = {{120, 0, 180000},     {1, 0, 61000},
                {32767, 0, 32827000}, {THRONG_OFF, 0, THRONG_OFF},
                {120, 5, 5},          {120, THRONG_OFF, THRONG_OFF}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tg_config config;
        struct throng_server_options options = defaults();
        options.keepalive_s = rows[i].keepalive_s;
        options.user_timeout_ms = rows[i].user_timeout_ms;
        assert_int_equal(tg_config_check(&config, &options, NULL), 0);
        assert_int_equal(config.options.user_timeout_ms, rows[i].final_ms);
    }
}

static void a_burst_is_a_seconds_worth_unless_it_is_given(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_server_options options = defaults();
    options.messages_per_s = 70;
    options.bytes_per_s = 100000;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.options.messages_burst, 70);
    assert_int_equal(config.options.bytes_burst, 100000);
    options.messages_burst = 5;
    options.bytes_burst = 65540;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.options.messages_burst, 5);
    assert_int_equal(config.options.bytes_burst, 65540);
}

/* 65,536 bytes and the 4 of its header: with less, a longest message could never come. */
static void a_burst_of_bytes_holds_a_longest_message(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_error error = {0, ""};
    struct throng_server_options options = defaults();
    options.bytes_per_s = 1;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.options.bytes_burst, 65540);
    options.bytes_burst = 65539;
    assert_int_equal(tg_config_check(&config, &options, &error), THRONG_EINVAL);
    assert_string_equal(error.text, "bytes_burst is 65539; it must be 65540 (one longest message "
                                    "with its header)..1073741824 bytes");
    options.bytes_per_s = 0; /* no rate, and the burst means nothing */
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
}

static void each_listener_has_heartbeats_of_its_own(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_error error = {0, ""};
    struct throng_server_options options = defaults();
    options.heartbeat_ms[15] = 86400000;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.options.heartbeat_ms[0], 0);
    assert_int_equal(config.options.heartbeat_ms[15], 86400000);
    options.heartbeat_ms[15] = 86400001;
    assert_int_equal(tg_config_check(&config, &options, &error), THRONG_EINVAL);
    assert_string_equal(error.text, "heartbeat_ms[15] is 86400001; it must be 0..86400000 ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deadline_of_a_message_follows_the_longest_one),
        cmocka_unit_test(the_user_timeout_is_not_shorter_than_the_keepalive),
        cmocka_unit_test(a_burst_is_a_seconds_worth_unless_it_is_given),
        cmocka_unit_test(a_burst_of_bytes_holds_a_longest_message),
        cmocka_unit_test(each_listener_has_heartbeats_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
