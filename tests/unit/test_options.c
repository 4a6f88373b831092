/* SPDX-License-Identifier: MIT
 * throng_server_options_set: what it takes, what it refuses, and how it says so. */
#include "option_rows.h"

/* Refused with its name, the value and `range`, and no byte of the options has changed. */
static void expect_refused(const char *name, const char *value, const char *range)
{
    struct throng_error error = {0, ""};
    struct throng_server_options options;
    memset(&options, 0xa5, sizeof(options));
    options.struct_size = sizeof(options);
    options.listen[1] = NULL;
    const struct throng_server_options before = options;
    assert_int_equal(throng_server_options_set(&options, name, value, &error), THRONG_EINVAL);
    assert_memory_equal(&options, &before, sizeof(options));
    assert_int_equal(error.code, THRONG_EINVAL);
    expect_part(&error, name);
    expect_part(&error, value);
    expect_part(&error, range);
    assert_int_equal(throng_server_options_set(&options, name, value, NULL), THRONG_EINVAL);
    assert_memory_equal(&options, &before, sizeof(options));
}

/* Taken; and nothing has changed but the field, which has `expected` in all its places. */
static void expect_taken(const char *name, const char *value, size_t offset, size_t size,
                         uint64_t expected)
{
    struct throng_error error = {0, ""};
    struct throng_server_options options;
    memset(&options, 0xa5, sizeof(options));
    options.struct_size = sizeof(options);
    struct throng_server_options wanted = options;
    put_option(&wanted, offset, size, expected);
    if (throng_server_options_set(&options, name, value, &error) != 0) {
        fail_msg("%s = %s is refused: %s", name, value, error.text);
    }
    assert_int_equal(error.code, 0);
    assert_memory_equal(&options, &wanted, sizeof(options));
}

static void every_number_is_taken_up_to_its_limits_and_refused_beyond(void **state)
{
    (void)state;
    char text[32];
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        const struct option_row *row = &option_numbers[i];
        const uint64_t inside[] = {row->least, row->least + 1, row->most - 1, row->most};
        char range[64];
        (void)snprintf(range, sizeof(range), "%" PRIu64 "..%" PRIu64 " %s", row->least, row->most,
                       row->unit);
        for (size_t j = 0; j < 4; j++) {
            (void)snprintf(text, sizeof(text), "%" PRIu64, inside[j]);
            expect_taken(row->name, text, row->offset, row->size, inside[j]);
        }
        (void)snprintf(text, sizeof(text), "%" PRIu64, row->most + 1);
        expect_refused(row->name, text, range);
        if (row->least > 0) {
            (void)snprintf(text, sizeof(text), "%" PRIu64, row->least - 1);
            expect_refused(row->name, text, range);
        }
    }
}

static void what_is_not_a_whole_number_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "-1",
        "+1",
        " 5",
        "5 ",
        "5x",
        "0x10",
        "1e3",
        "64k",
        "1,000",
        "5.0",
        "many",
        "on",
        "none",
        "Off",
        "AUTO",
        "offf",
        "4294967295",
        "68719476737",
        "4294967297",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551621",
        "99999999999999999999999999999999999999999999",
    };
    (void)state;
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
            bool is_memory = option_numbers[i].size == 8 && strncmp(texts[j], "42949672", 8) == 0;
            if (!is_memory) { /* those have room for more than 32 bits */
                expect_refused(option_numbers[i].name, texts[j], option_numbers[i].unit);
            }
        }
    }
}

static void off_and_auto_are_taken_where_there_is_such_a_thing(void **state)
{
    static const char *const words[] = {"off", "auto"};
    (void)state;
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        const struct option_row *row = &option_numbers[i];
        for (size_t j = 0; j < 2; j++) {
            if (row->word != NULL && strcmp(row->word, words[j]) == 0) {
                expect_taken(row->name, words[j], row->offset, row->size, 4294967295);
            } else {
                expect_refused(row->name, words[j], row->word != NULL ? row->word : row->unit);
            }
        }
    }
}

static void a_choice_is_one_of_its_words(void **state)
{
    static const char *const others[] = {"",        "0",    "1",   "Big", "refus",
                                         "refusee", "true", "off", "|"};
    (void)state;
    for (size_t i = 0; i < OPTION_CHOICES; i++) {
        const struct option_choice *choice = &option_choices[i];
        for (uint64_t j = 0; choice->words[j] != NULL; j++) {
            expect_taken(choice->name, choice->words[j], choice->offset, choice->size, j);
        }
        for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++) {
            expect_refused(choice->name, others[j], choice->unit);
        }
        expect_refused(choice->name, choice->unit, choice->unit);
    }
    expect_taken("when-send-full", "drop-oldest",
                 offsetof(struct throng_server_options, when_send_full), 4, 2);
}

static void a_name_is_the_fields_with_dashes_or_underscores(void **state)
{
    static const char *const strangers[] = {
        "",
        "max",
        "max_connectionsx",
        "MAX_CONNECTIONS",
        "max connections",
        "--max-connections",
        "struct_size",
        "log",
        "log_context",
        "config",
    };
    struct throng_error error = {0, ""};
    struct throng_server_options options;
    (void)state;
    throng_server_options_init(&options);
    assert_int_equal(throng_server_options_set(&options, "max-connections", "7", &error), 0);
    assert_int_equal(options.max_connections, 7);
    assert_int_equal(throng_server_options_set(&options, "max_connections", "8", &error), 0);
    assert_int_equal(options.max_connections, 8);
    assert_int_equal(throng_server_options_set(&options, "first-message_timeout-ms", "9", NULL), 0);
    assert_int_equal(options.first_message_timeout_ms, 9);
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        expect_refused(strangers[i], "", "unknown option");
    }
}

static void an_error_names_what_was_written_and_cuts_what_is_long(void **state)
{
    char text[2000];
    struct throng_error error = {0, ""};
    struct throng_server_options options;
    (void)state;
    throng_server_options_init(&options);
    assert_int_equal(throng_server_options_set(&options, "keepalive-s", "32768", &error),
                     THRONG_EINVAL);
    assert_string_equal(error.text,
                        "keepalive-s is \"32768\"; it must be a whole number, 1..32767 s, or off");
    memset(text, '9', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(throng_server_options_set(&options, "send_small_bytes", text, &error),
                     THRONG_EINVAL);
    expect_part(&error, "send_small_bytes is \"9999");
    expect_part(&error, "512..68719476736 bytes");
    assert_int_equal(throng_server_options_set(&options, text, text, &error), THRONG_EINVAL);
    expect_part(&error, "unknown option \"9999");
}

static void each_listen_adds_an_endpoint_up_to_sixteen(void **state)
{
    struct throng_error error = {0, ""};
    struct throng_server_options options;
    static const char first[] = "tcp://127.0.0.1:1";
    (void)state;
    throng_server_options_init(&options);
    assert_int_equal(throng_server_options_set(&options, "listen", first, &error), 0);
    assert_ptr_equal(options.listen[0], first); /* kept, not copied */
    assert_null(options.listen[1]);
    for (int i = 1; i < 16; i++) {
        assert_int_equal(throng_server_options_set(&options, "listen", "tcp://[::1]:0", &error), 0);
    }
    assert_string_equal(options.listen[15], "tcp://[::1]:0");
    const struct throng_server_options full = options;
    assert_int_equal(throng_server_options_set(&options, "listen", "tcp://*:5", &error),
                     THRONG_EINVAL);
    assert_memory_equal(&options, &full, sizeof(options));
    assert_string_equal(error.text, "listen is \"tcp://*:5\"; it must be given 16 times at most");
}

static void what_is_no_endpoint_is_refused(void **state)
{
    static const char *const texts[][2] = {
        {"", "tcp://"},
        {"nonsense", "tcp://"},
        {"udp://127.0.0.1:1", "tcp://"},
        {"tcp://127.0.0.1", "tcp://HOST:PORT"},
        {"tcp://127.0.0.1:65536", "0..65535"},
        {"tcp://127.0.0.1:-1", "0..65535"},
        {"tcp://::1:5", "[::1]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_refused("listen", texts[i][0], texts[i][1]);
        expect_refused("admin", texts[i][0], texts[i][1]);
    }
}

static void admin_is_one_endpoint_or_off(void **state)
{
    static const char endpoint[] = "tcp://127.0.0.1:9100";
    struct throng_server_options options;
    (void)state;
    throng_server_options_init(&options);
    assert_int_equal(throng_server_options_set(&options, "admin", "tcp://[::1]:0", NULL), 0);
    assert_int_equal(throng_server_options_set(&options, "admin", endpoint, NULL), 0);
    assert_ptr_equal(options.admin, endpoint); /* kept, not copied */
    assert_null(options.listen[0]);
    assert_int_equal(throng_server_options_set(&options, "admin", "off", NULL), 0);
    assert_null(options.admin);
}

static void a_backend_is_one_of_this_build(void **state)
{
    static const char *const strangers[] = {"", "kqueue", "Auto", "auto ", "io_uring, epoll"};
    struct throng_server_options options;
    (void)state;
    throng_server_options_init(&options);
    assert_int_equal(throng_server_options_set(&options, "backend", "auto", NULL), 0);
    assert_string_equal(options.backend, "auto");
    const char *best = tg_port_backend_best->name;
    assert_int_equal(throng_server_options_set(&options, "backend", best, NULL), 0);
    assert_ptr_equal(options.backend, best); /* kept, not copied */
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        expect_refused("backend", strangers[i], tg_port_backend_names());
    }
}

static void options_without_room_for_a_field_keep_what_lies_behind_them(void **state)
{
    struct throng_error error = {0, ""};
    struct throng_server_options options;
    (void)state;
    throng_server_options_init(&options);
    options.struct_size = offsetof(struct throng_server_options, heartbeat_ms) + 4;
    const struct throng_server_options before = options;
    assert_int_equal(throng_server_options_set(&options, "heartbeat_ms", "5", &error),
                     THRONG_EINVAL);
    expect_part(&error, "struct_size");
    assert_memory_equal(&options, &before, sizeof(options));
    assert_int_equal(throng_server_options_set(&options, "reader_rate_min", "5", &error), 0);
    options.struct_size = sizeof(options) + 1;
    assert_int_equal(throng_server_options_set(&options, "reader_rate_min", "6", &error),
                     THRONG_EINVAL);
    options.struct_size = 0;
    assert_int_equal(throng_server_options_set(&options, "max_connections", "6", &error),
                     THRONG_EINVAL);
    assert_int_equal(options.reader_rate_min, 5);
    assert_int_equal(options.max_connections, 65000);
}

static void nothing_is_set_of_nothing(void **state)
{
    struct throng_error error = {0, ""};
    struct throng_server_options options;
    (void)state;
    throng_server_options_init(&options);
    assert_int_equal(throng_server_options_set(NULL, "backlog", "1", &error), THRONG_EINVAL);
    assert_int_equal(throng_server_options_set(&options, NULL, "1", &error), THRONG_EINVAL);
    assert_int_equal(throng_server_options_set(&options, "backlog", NULL, &error), THRONG_EINVAL);
    assert_int_equal(error.code, THRONG_EINVAL);
    assert_int_equal(options.backlog, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_taken_up_to_its_limits_and_refused_beyond),
        cmocka_unit_test(what_is_not_a_whole_number_is_refused),
        cmocka_unit_test(off_and_auto_are_taken_where_there_is_such_a_thing),
        cmocka_unit_test(a_choice_is_one_of_its_words),
        cmocka_unit_test(a_name_is_the_fields_with_dashes_or_underscores),
        cmocka_unit_test(an_error_names_what_was_written_and_cuts_what_is_long),
        cmocka_unit_test(each_listen_adds_an_endpoint_up_to_sixteen),
        cmocka_unit_test(what_is_no_endpoint_is_refused),
        cmocka_unit_test(admin_is_one_endpoint_or_off),
        cmocka_unit_test(a_backend_is_one_of_this_build),
        cmocka_unit_test(options_without_room_for_a_field_keep_what_lies_behind_them),
        cmocka_unit_test(nothing_is_set_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
