/* SPDX-License-Identifier: MIT
 * What throng_server_option_info tells of each option, and that init and the start keep to it. */
#include "option_rows.h"

#define OPTION_COUNT (3 + OPTION_NUMBERS + OPTION_CHOICES) /* 3: listen, backend, admin */

static struct throng_option_info find_info(const char *name)
{
    struct throng_option_info info;
    uint32_t index = 0;
    while (throng_server_option_info(index, &info) == 0) {
        if (strcmp(info.name, name) == 0) {
            return info;
        }
        index++;
    }
    fail_msg("no option is named %s", name);
    return info;
}

static void each_option_is_told_with_its_unit_default_and_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        struct throng_option_info info = find_info(option_numbers[i].name);
        assert_string_equal(info.unit, option_numbers[i].unit);
        assert_string_equal(info.fallback, option_numbers[i].fallback_text);
        assert_string_equal(info.range, option_numbers[i].range);
    }
    for (size_t i = 0; i < OPTION_CHOICES; i++) {
        struct throng_option_info info = find_info(option_choices[i].name);
        assert_string_equal(info.unit, option_choices[i].unit);
        assert_string_equal(info.fallback, option_choices[i].words[0]);
        assert_string_equal(info.range, "");
    }
    struct throng_option_info listen = find_info("listen");
    assert_string_equal(listen.unit, "tcp://HOST:PORT");
    assert_string_equal(listen.fallback, "");
    assert_string_equal(listen.range, "");
    struct throng_option_info backend = find_info("backend");
    assert_string_equal(backend.unit, tg_port_backend_names());
    assert_string_equal(backend.fallback, "auto");
    assert_string_equal(backend.range, "");
    struct throng_option_info admin = find_info("admin");
    assert_string_equal(admin.unit, "tcp://HOST:PORT | off");
    assert_string_equal(admin.fallback, "off");
    assert_string_equal(admin.range, "");
}

static void the_table_ends_behind_the_last_option(void **state)
{
    struct throng_option_info info = {.name = "untouched"};
    (void)state;
    for (uint32_t i = 0; i < OPTION_COUNT; i++) {
        assert_int_equal(throng_server_option_info(i, &info), 0);
        assert_true(strlen(info.help) > 10 &&
                    strlen(info.help) < 70); /* one line, with its column */
    }
    info.name = "untouched";
    assert_int_equal(throng_server_option_info(OPTION_COUNT, &info), THRONG_EINVAL);
    assert_int_equal(throng_server_option_info(UINT32_MAX, &info), THRONG_EINVAL);
    assert_string_equal(info.name, "untouched");
    assert_int_equal(throng_server_option_info(0, NULL), THRONG_EINVAL);
}

static void mark(uint8_t *seen, size_t offset, size_t size, uint8_t alignment)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(seen[offset + i], 0);
        seen[offset + i] = alignment;
    }
}

#define MARK_POINTERS(field)                                                                       \
    mark(seen, offsetof(struct throng_server_options, field), sizeof(options->field), 8)

/* A new field at the end of the struct fails here until it has a row (if it does not fit into the
 * padding there). */
static void every_field_but_the_log_has_a_row(void **state)
{
    struct throng_server_options *options = NULL;
    uint8_t seen[sizeof(*options) + 1] = {0};
    size_t hole = 0;
    (void)state;
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        const struct option_row *row = &option_numbers[i];
        mark(seen, row->offset, row->size, row->size == 8 ? 8 : 4);
    }
    for (size_t i = 0; i < OPTION_CHOICES; i++) {
        mark(seen, option_choices[i].offset, option_choices[i].size, 4);
    }
    MARK_POINTERS(struct_size);
    MARK_POINTERS(listen);
    MARK_POINTERS(backend);
    MARK_POINTERS(admin);
    MARK_POINTERS(log);
    MARK_POINTERS(log_context);
    seen[sizeof(*options)] = 8; /* the end is aligned for the widest */
    for (size_t i = 0; i <= sizeof(*options); i++) {
        if (seen[i] != 0 && hole >= seen[i]) {
            fail_msg("%zu bytes before byte %zu of the options belong to no option", hole, i);
        }
        hole = seen[i] != 0 ? 0 : hole + 1;
    }
}

static uint64_t read_field(const struct throng_server_options *options, size_t offset, size_t size)
{
    uint32_t number;
    uint64_t wide;
    const char *place = (const char *)options + offset;
    if (size == sizeof(wide)) {
        memcpy(&wide, place, sizeof(wide));
        return wide;
    }
    memcpy(&number, place, sizeof(number));
    return number;
}

static void init_sets_every_default(void **state)
{
    struct throng_server_options options;
    (void)state;
    memset(&options, 0xa5, sizeof(options));
    throng_server_options_init(&options);
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        const struct option_row *row = &option_numbers[i];
        assert_int_equal(read_field(&options, row->offset, row->size), row->fallback);
    }
    for (size_t i = 0; i < THRONG_LISTENERS_MAX; i++) {
        assert_int_equal(options.heartbeat_ms[i], 0);
        assert_null(options.listen[i]);
    }
    assert_int_equal(options.byte_order, THRONG_BYTE_ORDER_BIG);
    assert_int_equal(options.when_full, THRONG_WHEN_FULL_REFUSE);
    assert_int_equal(options.when_send_full, THRONG_WHEN_SEND_FULL_REFUSE);
    assert_int_equal(options.when_over_rate, THRONG_WHEN_OVER_RATE_SLOW);
    assert_false(options.reuse_sockets);
    assert_null(options.backend);
    assert_null(options.admin);
}

static struct throng_server_options usable(void)
{
    struct throng_server_options options;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = 100;
    options.message_bytes_max = 1;
    return options;
}

static void expect_start_refuses(const struct throng_server_options *options, const char *name,
                                 uint64_t value, uint64_t most)
{
    struct tg_config config;
    struct throng_error error = {0, ""};
    char text[64];
    assert_int_equal(tg_config_check(&config, options, &error), THRONG_EINVAL);
    (void)snprintf(text, sizeof(text), " is %" PRIu64 "; it must be ", value);
    expect_part(&error, name);
    expect_part(&error, text);
    (void)snprintf(text, sizeof(text), "..%" PRIu64 " ", most);
    expect_part(&error, text);
}

static void the_start_draws_the_same_lines(void **state)
{
    struct tg_config config;
    (void)state;
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        const struct option_row *row = &option_numbers[i];
        const uint64_t inside[] = {row->least, row->most};
        for (size_t j = 0; j < 2; j++) {
            struct throng_server_options options = usable();
            put_option(&options, row->offset, row->size, inside[j]);
            int result = tg_config_check(&config, &options, NULL);
            assert_true(result == 0 || result == THRONG_EDESCRIPTORLIMIT);
        }
        struct throng_server_options options = usable();
        put_option(&options, row->offset, row->size, row->most + 1);
        expect_start_refuses(&options, row->name, row->most + 1, row->most);
        if (row->least > 1) { /* 0 is the default */
            put_option(&options, row->offset, row->size, row->least - 1);
            expect_start_refuses(&options, row->name, row->least - 1, row->most);
        }
    }
    for (size_t i = 0; i < OPTION_CHOICES; i++) {
        const struct option_choice *choice = &option_choices[i];
        uint64_t count = choice->words[2] == NULL ? 2 : 3;
        struct throng_server_options options = usable();
        put_option(&options, choice->offset, choice->size, count - 1);
        assert_int_equal(tg_config_check(&config, &options, NULL), 0);
        put_option(&options, choice->offset, choice->size, count);
        expect_start_refuses(&options, choice->name, count, count - 1);
    }
}

static void the_start_keeps_off_where_there_is_such_a_thing(void **state)
{
    struct tg_config config;
    (void)state;
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        const struct option_row *row = &option_numbers[i];
        struct throng_server_options options = usable();
        if (row->size == sizeof(uint64_t)) {
            continue; /* no word there, and that many bytes are allowed */
        }
        put_option(&options, row->offset, row->size, UINT32_MAX);
        if (row->word == NULL) {
            expect_start_refuses(&options, row->name, UINT32_MAX, row->most);
            continue;
        }
        assert_int_equal(tg_config_check(&config, &options, NULL), 0);
        if (strcmp(row->word, "off") == 0) {
            assert_int_equal(read_field(&config.options, row->offset, row->size), UINT32_MAX);
        }
    }
}

/* With its header 32,764 bytes are 64 blocks of 512, and a byte more is 65: with fewer references
 * every member would miss such a message. */
static void room_references_suffice_for_a_longest_message(void **state)
{
    struct tg_config config;
    struct throng_error error = {0, ""};
    struct throng_server_options options = usable();
    (void)state;
    options.room_references_max = 64;
    options.message_bytes_max = 32764;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    options.message_bytes_max = 32765;
    assert_int_equal(tg_config_check(&config, &options, &error), THRONG_EINVAL);
    assert_string_equal(error.text,
                        "room_references_max is 64; it must be 65 (one longest message in "
                        "blocks)..16777216 messages");
    options.room_references_max = 65;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
}

static void the_start_makes_the_default_of_nought_where_it_is_not_in_the_range(void **state)
{
    struct tg_config config;
    struct throng_server_options options;
    (void)state;
    memset(&options, 0, sizeof(options));
    options.struct_size = sizeof(options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = 100;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.options.room_members_max, 200);
    assert_int_equal(config.options.room_references_max, 65536);
    options.message_bytes_max = 67108864; /* in small blocks: 131,073 of them with its header */
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    assert_int_equal(config.options.room_references_max, 2 * 131073);
    options.message_bytes_max = 0;
    assert_int_equal(tg_config_check(&config, &options, NULL), 0);
    options.max_connections = 65000;
    config.options.max_connections = 65000;
    config.options.room_members_max = 0;
    config.options.room_references_max = 0;
    config.options.message_timeout_ms = 0;
    config.options.user_timeout_ms = 0;
    config.options.send_queue_bytes_max = 0;
    config.options.send_small_bytes = 0;
    config.options.assembly_bytes = 0;
    for (size_t i = 0; i < OPTION_NUMBERS; i++) {
        const struct option_row *row = &option_numbers[i];
        uint64_t expected = row->least == 0 ? 0 : row->fallback;
        assert_int_equal(read_field(&config.options, row->offset, row->size), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_is_told_with_its_unit_default_and_range),
        cmocka_unit_test(the_table_ends_behind_the_last_option),
        cmocka_unit_test(every_field_but_the_log_has_a_row),
        cmocka_unit_test(init_sets_every_default),
        cmocka_unit_test(the_start_draws_the_same_lines),
        cmocka_unit_test(the_start_keeps_off_where_there_is_such_a_thing),
        cmocka_unit_test(room_references_suffice_for_a_longest_message),
        cmocka_unit_test(the_start_makes_the_default_of_nought_where_it_is_not_in_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
