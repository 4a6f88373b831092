/* SPDX-License-Identifier: MIT
 * Options out of range are refused by name, value and limit; and the budget is the truth about
 * memory. */
#include <string.h>

#include "process.h"
#include "server_fixture.h"

/* An option that is set to `value` and must be refused with a text that has all three parts. */
struct refusal {
    const char *name;
    size_t offset;
    size_t width; /* bytes of the option */
    uint64_t value;
    const char *value_text;
    const char *limit_text;
};

#define OPTION(name)                                                                               \
#name, offsetof(struct throng_server_options, name),                                           \
        sizeof(((struct throng_server_options *)0)->name)

static const struct refusal refusals[] = {
    {OPTION(max_connections), 1048576, "1048576", "1048575"},
    {OPTION(max_connections), UINT32_MAX, "4294967295", "1048575"},
    {OPTION(io_threads), 65, "65", "64"},
    {OPTION(message_bytes_max), 67108865, "67108865", "67108864"},
    {OPTION(socket_send_bytes), 1073741825, "1073741825", "1073741824"},
    {OPTION(socket_receive_bytes), 1073741825, "1073741825", "1073741824"},
    {OPTION(byte_order), 2, "2", "1"},
    {OPTION(when_full), 2, "2", "1"},
    {OPTION(backlog), 1048577, "1048577", "1048576"},
    {OPTION(send_queue_bytes_max), 65536, "65536",
     "66048"}, /* a longest message in 512-byte blocks */
    {OPTION(send_queue_bytes_max), UINT32_MAX, "4294967295", "2147483648"},
    {OPTION(send_small_bytes), SIZE_MAX, "18446744073709551615", "66048"},
    {OPTION(send_large_bytes), 511, "511", "16896"},
    {OPTION(assembly_bytes), 66048, "66048", "131072"},
    {OPTION(receive_buffers), 3, "3", "4"},
    {OPTION(receive_buffers), 65537, "65537", "65536"},
    {OPTION(receive_buffer_bytes), 4095, "4095", "4096"},
    {OPTION(receive_buffer_bytes), 4194305, "4194305", "4194304"},
    {OPTION(events_max), 63, "63", "64"},
    {OPTION(events_max), 1048577, "1048577", "1048576"},
    {OPTION(linger_ms), 600001, "600001", "600000"},
    {OPTION(accept_pool), 65537, "65537", "65536"},
    {OPTION(first_message_timeout_ms), 86400001, "86400001", "86400000"},
    {OPTION(message_timeout_ms), 86400001, "86400001", "86400000"},
    {OPTION(idle_timeout_ms), UINT32_MAX, "4294967295", "86400000"}, /* no "off": 0 is that */
    {OPTION(write_timeout_ms), 86400001, "86400001", "86400000"},
    {OPTION(reader_rate_min), 1073741825, "1073741825", "1073741824"},
    {OPTION(heartbeat_ms[3]), 86400001, "86400001", "86400000"},
    {OPTION(keepalive_s), 32768, "32768", "32767"},
    {OPTION(user_timeout_ms), 86400001, "86400001", "86400000"},
    {OPTION(logic_stall_ms), 86400001, "86400001", "86400000"},
    {OPTION(when_send_full), 3, "3", "refuse | close | drop_oldest"},
    {OPTION(send_reserve_percent), 91, "91", "90"},
    {OPTION(turn_messages), 65537, "65537", "65536"},
    {OPTION(messages_per_s), 1073741825, "1073741825", "1073741824"},
    {OPTION(messages_burst), 1073741825, "1073741825", "1073741824"},
    {OPTION(bytes_per_s), 1073741825, "1073741825", "1073741824"},
    {OPTION(bytes_burst), 1073741825, "1073741825", "1073741824"},
    {OPTION(when_over_rate), 2, "2", "slow | close"},
    {OPTION(connections_per_address), 1048576, "1048576", "1048575"},
    {OPTION(evict_silent_ms), 86400001, "86400001", "86400000"},
    {OPTION(timers_max), 1048577, "1048577", "1048576"},
    {OPTION(posts_max), 1048577, "1048577", "1048576"},
};

/* `text` without the commas that may group digits. */
static void strip_commas(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != ',') {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static void expect_named(const struct throng_error *error, const char *part)
{
    char text[sizeof(error->text)];
    memcpy(text, error->text, sizeof(text));
    strip_commas(text);
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" does not name \"%s\"", error->text, part);
    }
}

static void set_option(struct throng_server_options *options, const struct refusal *refusal)
{
    void *field = (char *)options + refusal->offset;
    uint32_t narrow = (uint32_t)refusal->value;
    assert_true(refusal->width == sizeof(uint32_t) || refusal->width == sizeof(uint64_t));
    if (refusal->width == sizeof(narrow)) {
        memcpy(field, &narrow, sizeof(narrow));
    } else {
        memcpy(field, &refusal->value, sizeof(refusal->value));
    }
}

static void an_option_out_of_range_is_refused_by_name_value_and_limit(void **state)
{
    struct server_fixture *fixture = *state;
    const struct throng_server_options good = fixture->options;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct throng_error error = {0};
        fixture->options = good;
        set_option(&fixture->options, &refusals[i]);
        assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EINVAL);
        assert_int_equal(error.code, THRONG_EINVAL);
        expect_named(&error, refusals[i].name);
        expect_named(&error, refusals[i].value_text);
        expect_named(&error, refusals[i].limit_text);

        /* The budget refuses the same, and neither needs a place for the text. */
        struct throng_budget budget;
        struct throng_server *server = NULL;
        assert_int_equal(throng_server_budget(&fixture->options, &budget, NULL), THRONG_EINVAL);
        assert_int_equal(throng_server_start(&server, &fixture->options, NULL), THRONG_EINVAL);
        assert_null(server);
    }
    fixture->options = good;
    fixture_start(fixture);
}

/* From text to a server that serves: what a program's command line does. */
static void an_option_set_by_name_is_what_the_server_starts_with(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_error error = {0};
    struct throng_budget budget;
    struct throng_option_info info;
    uint32_t count = 0;
    while (throng_server_option_info(count, &info) == 0) {
        count++;
    }
    assert_int_equal(count, 46);
    assert_int_equal(throng_server_options_set(&fixture->options, "io-threads", "65", &error),
                     THRONG_EINVAL);
    expect_named(&error, "io-threads");
    expect_named(&error, "65");
    expect_named(&error, "0..64");
    assert_int_equal(throng_server_options_set(&fixture->options, "max-connections", "77", NULL),
                     0);
    assert_int_equal(throng_server_options_set(&fixture->options, "evict-silent-ms", "off", NULL),
                     0);
    assert_int_equal(fixture->options.max_connections, 77);
    assert_int_equal(fixture->options.evict_silent_ms, THRONG_OFF);
    assert_int_equal(throng_server_budget(&fixture->options, &budget, NULL), 0);
    fixture_start(fixture);
}

static void an_unknown_backend_is_named_beside_the_known_ones(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_error error = {0};
    fixture->options.backend = "kqueue";
    assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EINVAL);
    expect_named(&error, "kqueue");
    expect_named(&error, test_plain_backend);
}

static void a_server_without_an_address_is_refused(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_error error = {0};
    fixture->options.listen[0] = NULL;
    assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EINVAL);
    expect_named(&error, "listen");
}

static void options_of_a_wrong_size_are_refused(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_error error = {0};
    struct throng_server *server = NULL;
    fixture->options.struct_size = 0;
    assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EINVAL);
    fixture->options.struct_size = sizeof(fixture->options) + 8;
    assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EINVAL);
    expect_named(&error, "struct_size");
    assert_int_equal(throng_server_start(&server, NULL, &error), THRONG_EINVAL);
    assert_null(server);
}

static void zero_means_the_default(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_budget by_default;
    struct throng_budget by_zero;
    throng_server_options_init(&fixture->options);
    fixture->options.listen[0] = "tcp://127.0.0.1:0";
    fixture->options.io_threads = fixture->mode.io_threads;
    assert_int_equal(throng_server_budget(&fixture->options, &by_default, NULL), 0);
    fixture->options.max_connections = 0;
    fixture->options.message_bytes_max = 0;
    fixture->options.backlog = 0;
    fixture->options.send_queue_bytes_max = 0;
    fixture->options.send_small_bytes = 0;
    fixture->options.send_large_bytes = 0;
    fixture->options.assembly_bytes = 0;
    fixture->options.receive_buffers = 0;
    fixture->options.receive_buffer_bytes = 0;
    fixture->options.events_max = 0;
    fixture->options.linger_ms = 0;
    fixture->options.accept_pool = 0;
    fixture->options.first_message_timeout_ms = 0;
    fixture->options.message_timeout_ms = 0;
    fixture->options.write_timeout_ms = 0;
    fixture->options.reader_rate_min = 0;
    fixture->options.keepalive_s = 0;
    fixture->options.logic_stall_ms = 0;
    fixture->options.send_reserve_percent = 0;
    fixture->options.turn_messages = 0;
    fixture->options.evict_silent_ms = 0;
    assert_int_equal(throng_server_budget(&fixture->options, &by_zero, NULL), 0);
    assert_int_equal(by_zero.total_bytes, by_default.total_bytes);
    assert_int_equal(by_zero.io_threads, by_default.io_threads);
}

static void the_budget_is_the_sum_of_its_terms_and_its_text_has_them_all(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_budget budget;
    fixture->options.connections_per_address = 5; /* else three terms are 0 */
    fixture->options.messages_per_s = 5;
    fixture->options.admin = "tcp://127.0.0.1:0";
    assert_int_equal(throng_server_budget(&fixture->options, &budget, NULL), 0);
    assert_true(budget.term_count > 0);
    assert_true(budget.term_count <= THRONG_BUDGET_TERMS_MAX);
    assert_int_equal(budget.io_threads, fixture->mode.io_threads);
    size_t sum = 0;
    char text[8192];
    size_t length = throng_budget_text(&budget, text, sizeof(text));
    assert_true(length < sizeof(text));
    assert_int_equal(strlen(text), length);
    for (uint32_t i = 0; i < budget.term_count; i++) {
        assert_true(budget.terms[i].bytes > 0);
        assert_non_null(strstr(text, budget.terms[i].name));
        assert_non_null(strstr(text, budget.terms[i].reason));
        sum += budget.terms[i].bytes;
    }
    assert_int_equal(sum, budget.total_bytes);
    assert_true(budget.per_connection_bytes > 0);
    assert_true(budget.kernel_per_connection_bytes > 0);

    /* Cut short it is still a string, and the length is that of the whole. */
    char little[20];
    assert_int_equal(throng_budget_text(&budget, little, sizeof(little)), length);
    assert_int_equal(strlen(little), sizeof(little) - 1);
    assert_memory_equal(little, text, sizeof(little) - 1);
    assert_int_equal(throng_budget_text(&budget, NULL, 0), length);
}

static void an_idle_connection_costs_a_kibibyte_at_most(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_budget budget;
    fixture->options.max_connections = 15000; /* as many as any usual descriptor limit allows */
    assert_int_equal(throng_server_budget(&fixture->options, &budget, NULL), 0);
    assert_true(budget.per_connection_bytes <= 1024);
}

static void memory_stays_under_the_budget_while_serving(void **state)
{
    enum {
        PEERS = 200,
        SIZE = 60000
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    struct throng_budget budget;
    uint8_t *payload = calloc(2, SIZE + 4);
    assert_non_null(payload);
    peer_frame_header(payload, SIZE);
    assert_int_equal(throng_server_budget(&fixture->options, &budget, NULL), 0);
    size_t before = process_memory_bytes();
    fixture_start(fixture);
    size_t started = process_memory_bytes();
    for (uint32_t i = 0; i < PEERS; i++) {
        fixture_connect(fixture, &peers[i]);
    }
    for (uint32_t round = 0; round < test_scaled(5); round++) {
        for (uint32_t i = 0; i < PEERS; i++) {
            fixture_exchange(fixture, &peers[i], payload, SIZE + 4, payload + SIZE + 4, SIZE + 4);
        }
    }
    size_t served = process_memory_bytes();
    printf("budget %zu KiB; memory +%zu KiB at start, +%zu KiB after serving\n",
           budget.total_bytes / 1024, (started - before) / 1024, (served - before) / 1024);
    /* The rest is the test's own: threads' stacks, the journal, the C library. */
    assert_true(served - before <= budget.total_bytes + 1024 * 1024);
    for (uint32_t i = 0; i < PEERS; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
    free(payload);
}

static void what_runs_is_told(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    assert_string_equal(throng_server_backend(fixture->server), fixture->mode.backend);
    assert_int_equal(throng_server_io_threads(fixture->server), fixture->mode.io_threads);
    fixture_stop(fixture);
    fixture->options.backend = NULL;
    fixture->options.io_threads = THRONG_IO_THREADS_AUTO;
    fixture_start(fixture);
    uint32_t threads = throng_server_io_threads(fixture->server);
    assert_true(threads >= 1 && threads <= 4);
    assert_true(strlen(throng_server_backend(fixture->server)) > 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_option_out_of_range_is_refused_by_name_value_and_limit),
        cmocka_unit_test(an_option_set_by_name_is_what_the_server_starts_with),
        cmocka_unit_test(an_unknown_backend_is_named_beside_the_known_ones),
        cmocka_unit_test(a_server_without_an_address_is_refused),
        cmocka_unit_test(options_of_a_wrong_size_are_refused),
        cmocka_unit_test(zero_means_the_default),
        cmocka_unit_test(the_budget_is_the_sum_of_its_terms_and_its_text_has_them_all),
        cmocka_unit_test(an_idle_connection_costs_a_kibibyte_at_most),
        cmocka_unit_test(memory_stays_under_the_budget_while_serving),
        cmocka_unit_test(what_runs_is_told),
    };
    return fixture_run_tests("server_options", tests, sizeof(tests) / sizeof(tests[0]));
}
