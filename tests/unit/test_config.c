/* SPDX-License-Identifier: MIT
 * The options' check, the plan of descriptors and workers, and the memory budget. */
#include "config.h"

#include <string.h>

#include "budget.h"
#include "check.h"
#include "os/thread.h"

static struct throng_server_options defaults(void)
{
    struct throng_server_options options;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = 1000;
    return options;
}

static void expect_refusal(const struct throng_server_options *options, const char *name,
                           const char *value)
{
    struct tg_config config;
    struct throng_error error = {0, ""};
    assert_int_equal(tg_config_check(&config, options, &error), THRONG_EINVAL);
    assert_int_equal(error.code, THRONG_EINVAL);
    if (strstr(error.text, name) == NULL || strstr(error.text, value) == NULL) {
        fail_msg("\"%s\" names neither %s nor %s", error.text, name, value);
    }
}

static void the_defaults_are_those_that_the_header_states(void **state)
{
    (void)state;
    struct throng_server_options options;
    throng_server_options_init(&options);
    assert_int_equal(options.max_connections, 65000);
    assert_int_equal(options.message_bytes_max, 65536);
    assert_int_equal(options.backlog, 4096);
    assert_int_equal(options.receive_buffers, 32);
    assert_int_equal(options.receive_buffer_bytes, 65536);
    assert_int_equal(options.events_max, 8192);
    assert_int_equal(options.linger_ms, 2000);
    assert_int_equal(options.accept_pool, 256);
    assert_int_equal(options.io_threads, THRONG_IO_THREADS_AUTO);
    assert_int_equal(options.struct_size, sizeof(options));
}

static void sizes_left_open_follow_the_longest_message(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_server_options options = defaults();
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.options.send_queue_bytes_max, 262144);
    assert_int_equal(config.send_units_max, 512);
    assert_int_equal(config.send_small_blocks, 65536);
    assert_int_equal(config.send_large_blocks, 992);
    assert_int_equal(config.options.assembly_bytes, 8388608);

    options.message_bytes_max = 16u * 1024 * 1024;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    /* Two frames of 32,769 blocks of 512 bytes. */
    assert_int_equal(config.options.send_queue_bytes_max, 33555456);
    assert_int_equal(config.options.assembly_bytes, 67108864);
}

static void a_number_out_of_range_is_named_with_its_value(void **state)
{
    (void)state;
    struct throng_server_options options = defaults();
    options.max_connections = 1048576;
    expect_refusal(&options, "max_connections", "1048576");
    options = defaults();
    options.message_bytes_max = 67108865;
    expect_refusal(&options, "message_bytes_max", "67108865");
    options = defaults();
    options.backlog = 1048577;
    expect_refusal(&options, "backlog", "1048577");
    options = defaults();
    options.receive_buffers = 3;
    expect_refusal(&options, "receive_buffers", "3");
    options = defaults();
    options.receive_buffer_bytes = 4095;
    expect_refusal(&options, "receive_buffer_bytes", "4095");
    options = defaults();
    options.events_max = 63;
    expect_refusal(&options, "events_max", "63");
    options = defaults();
    options.linger_ms = 600001;
    expect_refusal(&options, "linger_ms", "600001");
    options = defaults();
    options.accept_pool = 65537;
    expect_refusal(&options, "accept_pool", "65537");
    options = defaults();
    options.io_threads = 65;
    expect_refusal(&options, "io_threads", "65");
    options = defaults();
    options.send_queue_bytes_max = 65536; /* a longest frame needs 129 blocks */
    expect_refusal(&options, "send_queue_bytes_max", "66048");
    options = defaults();
    options.assembly_bytes = 131071;
    expect_refusal(&options, "assembly_bytes", "131071");
    options = defaults();
    options.admin = "tcp://127.0.0.1";
    expect_refusal(&options, "admin", "tcp://HOST:PORT");
    options.admin = "tcp://127.0.0.1:0";
    options.backend = "kqueue";
    expect_refusal(&options, "backend", "kqueue");
    options = defaults();
    options.listen[0] = "udp://127.0.0.1:7000";
    expect_refusal(&options, "udp://127.0.0.1:7000", "tcp://");
    options = defaults();
    options.listen[2] = "tcp://127.0.0.1:0";
    expect_refusal(&options, "listen[1] is NULL", "listen[2]");
    options = defaults();
    options.listen[0] = NULL;
    expect_refusal(&options, "listen[0]", "NULL");
}

static void sixteen_addresses_are_taken_without_a_gap(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_server_options options = defaults();
    for (int i = 0; i < 16; i++) {
        options.listen[i] = "tcp://127.0.0.1:0";
    }
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.listener_count, 16);
    options.listen[7] = NULL;
    expect_refusal(&options, "listen[7] is NULL", "leave no gap");
}

static void an_options_struct_of_another_size_is_refused(void **state)
{
    (void)state;
    struct throng_server_options options = defaults();
    options.struct_size = sizeof(options) + 8;
    expect_refusal(&options, "struct_size", "throng_server_options_init");
    options.struct_size = 0;
    expect_refusal(&options, "struct_size", "0");
}

static void an_older_and_shorter_options_struct_gets_the_defaults_for_the_rest(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_server_options options = defaults();
    options.linger_ms = 5;
    options.struct_size = offsetof(struct throng_server_options, linger_ms);
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.options.linger_ms, 2000);
    assert_int_equal(config.options.max_connections, 1000);
}

static void one_descriptor_table_serves_when_the_limit_allows_it(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_server_options options = defaults();
    options.max_connections = 100;
    options.io_threads = 0;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_true(config.inline_mode);
    assert_false(config.own_descriptors);
    assert_int_equal(config.worker_count, 1);
}

static void a_limit_too_low_for_one_table_gives_private_ones_and_enough_workers(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_server_options options = defaults();
    options.backend = "epoll";
    options.max_connections = THRONG_CONNECTIONS_LIMIT;
    options.io_threads = 0;
    struct throng_error error;
    int result = tg_config_check(&config, &options, &error);
    uint32_t limit = tg_descriptor_limit();
    if (limit > THRONG_CONNECTIONS_LIMIT) {
        print_message("skipped: the descriptor limit %u holds every connection\n", limit);
        skip();
    }
    uint32_t per_table = limit - 64;
    if ((uint64_t)per_table * 64 <= THRONG_CONNECTIONS_LIMIT) {
        assert_int_equal(result, THRONG_EDESCRIPTORLIMIT);
        return;
    }
    assert_int_equal(result, 0);
    assert_true(config.own_descriptors && config.io_threads_raised && !config.inline_mode);
    assert_int_equal(config.connections_per_worker, per_table);
    assert_true((uint64_t)config.worker_count * per_table > THRONG_CONNECTIONS_LIMIT);
    assert_true((uint64_t)(config.worker_count - 1) * per_table <= THRONG_CONNECTIONS_LIMIT);
}

/* The rings have tables of their own, each as large as the limit: the threads need none. */
static void io_uring_needs_as_many_workers_and_no_private_tables(void **state)
{
    (void)state;
    struct tg_config config;
    struct throng_server_options options = defaults();
    options.max_connections = THRONG_CONNECTIONS_LIMIT;
    options.io_threads = 0;
    struct throng_error error;
    int result = tg_config_check(&config, &options, &error);
    if (result != 0 || !tg_port_has_own_table(config.backend) || !config.connections_divided) {
        print_message("skipped: no io_uring, or a descriptor limit that is too high or too low\n");
        skip();
    }
    assert_true(!config.own_descriptors && config.io_threads_raised && !config.inline_mode);
    assert_int_equal(config.connections_per_worker, tg_descriptor_limit() - 64);
    assert_true((uint64_t)config.worker_count * config.connections_per_worker >
                THRONG_CONNECTIONS_LIMIT);
}

/* Terms of options that are off: 0 bytes, and their reason says so. */
static uint32_t count_empty_terms(const struct throng_budget *budget)
{
    uint32_t empty = 0;
    for (uint32_t i = 0; i < budget->term_count; i++) {
        if (budget->terms[i].bytes == 0) {
            assert_non_null(strstr(budget->terms[i].reason, ", if "));
            empty++;
        }
    }
    return empty;
}

static void the_budget_is_the_sum_of_its_terms_and_what_is_reserved(void **state)
{
    (void)state;
    struct throng_server_options options = defaults();
    for (uint32_t pass = 0; pass < 4; pass++) {
        struct throng_budget budget;
        struct tg_config config;
        struct tg_memory memory;
        size_t sum = 0;
        size_t planned = 0;
        options.connections_per_address = pass >= 1 ? 5 : 0;
        options.messages_per_s = pass >= 2 ? 5 : 0;
        options.admin = pass >= 3 ? "tcp://127.0.0.1:0" : NULL;
        assert_int_equal(throng_server_budget(&options, &budget, NULL), 0);
        for (uint32_t i = 0; i < budget.term_count; i++) {
            assert_non_null(budget.terms[i].name);
            assert_non_null(budget.terms[i].reason);
            sum += budget.terms[i].bytes;
        }
        assert_int_equal(count_empty_terms(&budget), 3 - pass);
        assert_int_equal(budget.total_bytes, sum);
        assert_int_equal(tg_config_check(&config, &options, NULL), 0);
        tg_memory_plan(&memory, &config);
        for (int i = 0; i < TG_REGION_COUNT; i++) {
            planned += memory.bytes[i];
        }
        assert_int_equal(planned, sum);
    }
}

static void the_budget_text_tells_its_length_and_is_cut_at_the_end_of_the_buffer(void **state)
{
    (void)state;
    struct throng_server_options options = defaults();
    struct throng_budget budget;
    assert_int_equal(throng_server_budget(&options, &budget, NULL), 0);
    static char whole[8192];
    size_t length = throng_budget_text(&budget, whole, sizeof(whole));
    assert_true(length > 1000 && length < sizeof(whole));
    assert_int_equal(strlen(whole), length);
    assert_non_null(strstr(whole, "send blocks"));
    char cut[100];
    memset(cut, 'x', sizeof(cut));
    assert_int_equal(throng_budget_text(&budget, cut, 50), length);
    assert_int_equal(strlen(cut), 49);
    assert_int_equal(cut[50], 'x');
    assert_int_equal(throng_budget_text(&budget, NULL, 0), length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_that_the_header_states),
        cmocka_unit_test(sizes_left_open_follow_the_longest_message),
        cmocka_unit_test(a_number_out_of_range_is_named_with_its_value),
        cmocka_unit_test(sixteen_addresses_are_taken_without_a_gap),
        cmocka_unit_test(an_options_struct_of_another_size_is_refused),
        cmocka_unit_test(an_older_and_shorter_options_struct_gets_the_defaults_for_the_rest),
        cmocka_unit_test(one_descriptor_table_serves_when_the_limit_allows_it),
        cmocka_unit_test(a_limit_too_low_for_one_table_gives_private_ones_and_enough_workers),
        cmocka_unit_test(io_uring_needs_as_many_workers_and_no_private_tables),
        cmocka_unit_test(the_budget_is_the_sum_of_its_terms_and_what_is_reserved),
        cmocka_unit_test(the_budget_text_tells_its_length_and_is_cut_at_the_end_of_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
