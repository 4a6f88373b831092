/* SPDX-License-Identifier: MIT
 * The settings of bin/throng-echo: its help and its sample of a config file have the library's
 * words for every option, what it prints it reads back, and what is wrong in a file is named.
 * argv[1] is the program, argv[2] a file that this test may write. */
#include <string.h>

#include <throng/options.h>

#include "check.h"
#include "child.h"
#include "stopwatch.h"

#define TEXT_SIZE 16384
#define ARGUMENTS_MAX 40

static const char *program;
static const char *file;

static struct {
    char out[TEXT_SIZE];
    char err[TEXT_SIZE];
    int status;
} said;

/* Runs the program to its end; `arguments` end with NULL. */
static void run(const char *const *arguments)
{
    struct child child = {0};
    const char *all[ARGUMENTS_MAX] = {program};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(i + 2 < ARGUMENTS_MAX);
        all[i + 1] = arguments[i];
    }
    child_start(&child, all);
    bool has_ended = child_await_end(&child, said.out, said.err, TEXT_SIZE, 2 * test_deadline_ms());
    said.status = child.status;
    child_end(&child);
    assert_true(has_ended);
}

static void write_file(const char *text)
{
    FILE *stream = fopen(file, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, strlen(text), stream), strlen(text));
    assert_int_equal(fclose(stream), 0);
}

static void expect_part(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}

static void expect_status(int status)
{
    if (said.status != status) {
        fail_msg("exit status %d instead of %d; it said: %s", said.status, status, said.err);
    }
}

static bool reads_no_files(void)
{
    const char *const arguments[] = {"--config", file, "--version", NULL};
    write_file("");
    run(arguments);
    return strstr(said.err, "without libinih") != NULL;
}

static void expect_words(const struct throng_option_info *info, const char *name)
{
    expect_part(said.out, name);
    expect_part(said.out, info->help);
    expect_part(said.out, info->range);
    expect_part(said.out, info->fallback);
    if (strcmp(info->name, "listen") != 0) {
        expect_part(said.out, info->unit);
    }
}

static void help_has_every_option_with_unit_default_and_range(void **state)
{
    const char *const arguments[] = {"--help", NULL};
    struct throng_option_info info;
    (void)state;
    run(arguments);
    expect_status(0);
    assert_string_equal(said.err, "");
    for (uint32_t i = 0; throng_server_option_info(i, &info) == 0; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "  --%s ", info.name);
        for (char *at = name; *at != '\0'; at++) {
            *at = *at == '_' ? '-' : *at;
        }
        expect_words(&info, name);
    }
    expect_part(said.out, "ms, 1..86400000 | off; default 120000\n");
    expect_part(said.out, "refuse | close | drop_oldest; default refuse\n");
}

static void a_printed_config_has_every_option_as_a_comment(void **state)
{
    const char *const arguments[] = {"--print-config", NULL};
    struct throng_option_info info;
    (void)state;
    run(arguments);
    expect_status(0);
    assert_string_equal(said.err, "");
    expect_part(said.out, "\nlisten = tcp://127.0.0.1:7000\n");
    for (uint32_t i = 1; throng_server_option_info(i, &info) == 0; i++) {
        char line[128];
        (void)snprintf(line, sizeof(line), "\n;%s = %s\n", info.name, info.fallback);
        expect_words(&info, line);
    }
    for (const char *line = said.out; *line != '\0'; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        assert_true(length < 190); /* inih takes 200 for a line */
        line += length;
    }
}

/* As text, and as the memory that it asks for. */
static void a_printed_config_is_read_back_to_the_same_options(void **state)
{
    static const char *const given[] = {
        "--listen",
        "tcp://127.0.0.1:0",
        "--listen",
        "tcp://[::1]:65535",
        "--max-connections",
        "123",
        "--io-threads",
        "0",
        "--backend",
        "auto",
        "--when-send-full",
        "drop-oldest",
        "--byte-order",
        "little",
        "--reuse-sockets",
        "yes",
        "--send-small-bytes",
        "68719476736",
        "--evict-silent-ms",
        "off",
        "--heartbeat-ms",
        "86400000",
        "--messages-per-s",
        "0",
        "--max-connections",
        "124",
        "--message_bytes_max",
        "70000",
        "--print-config",
        NULL,
    };
    static char first[TEXT_SIZE];
    const char *const again[] = {"--config", file, "--print-config", NULL};
    const char *const budget[] = {"--config", file, "--budget", NULL};
    (void)state;
    if (reads_no_files()) {
        print_message("skipped: this program was built without libinih\n");
        skip();
    }
    run(given);
    expect_status(0);
    expect_part(said.out, "\nlisten = tcp://127.0.0.1:0\nlisten = tcp://[::1]:65535\n");
    expect_part(said.out, "\nmax_connections = 124\n");
    expect_part(said.out, "\nwhen_send_full = drop-oldest\n");
    expect_part(said.out, "\nevict_silent_ms = off\n");
    expect_part(said.out, "\n;keepalive_s = 120\n");
    memcpy(first, said.out, sizeof(first));
    write_file(first);
    run(again);
    expect_status(0);
    assert_string_equal(said.err, "");
    assert_string_equal(said.out, first);
    run(budget);
    expect_status(0);
    expect_part(said.out, "68719476736  send_small_bytes");
}

static void the_command_line_changes_what_the_file_before_it_says(void **state)
{
    const char *const arguments[] = {"--config",       file, "--max-connections", "9",
                                     "--print-config", NULL};
    (void)state;
    if (reads_no_files()) {
        print_message("skipped: this program was built without libinih\n");
        skip();
    }
    write_file("# a comment\n[limits]\nmax-connections = 8 ; another\n\n[time]\nlinger_ms=5\n");
    run(arguments);
    expect_status(0);
    expect_part(said.out, "\nmax_connections = 9\n");
    expect_part(said.out, "\nlinger_ms = 5\n");
}

static void what_is_wrong_in_a_file_is_refused_by_name_value_range_and_line(void **state)
{
    static const struct {
        const char *text;
        const char *parts[4];
    } rows[] = {
        {"max_connections = 0\n", {"max_connections", "\"0\"", "1..1048575", "line 1"}},
        {"\nmax-connections = -5\n", {"max-connections", "\"-5\"", "1..1048575", "line 2"}},
        {"linger_ms = 5\nkeepalive_s = 32768\nturn_messages = 0\n",
         {"keepalive_s", "\"32768\"", "1..32767 s, or off", "line 2"}},
        {"idle_timeout_ms = off\n", {"idle_timeout_ms", "\"off\"", "0..86400000 ms", "line 1"}},
        {"when_over_rate =\n", {"when_over_rate", "\"\"", "slow | close", "line 1"}},
        {"listen = nowhere\n", {"listen", "\"nowhere\"", "tcp://", "line 1"}},
        {"no_such = 1\n", {"no_such", "unknown", "--help", "line 1"}},
        {"config = other.ini\n", {"config", "unknown", "--help", "line 1"}},
        {"max_connections\n", {"line 1", "not right", ".ini, line", "line 1"}},
        /* In range for itself, but not with the others: at the start. */
        {"assembly_bytes = 131071\n", {"assembly_bytes", "131071", "131072", "68719476736"}},
        {"bytes_per_s = 1\nbytes_burst = 65539\n", {"bytes_burst", "65539", "65540", "1073741824"}},
        {"room_references_max = 128\n", {"room_references_max", "128", "129", "16777216"}},
    };
    const char *const arguments[] = {"--config", file, NULL};
    (void)state;
    if (reads_no_files()) {
        print_message("skipped: this program was built without libinih\n");
        skip();
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_file(rows[i].text);
        run(arguments);
        for (size_t part = 0; part < 4; part++) {
            expect_part(said.err, rows[i].parts[part]);
        }
        assert_null(strstr(said.err, "turn_messages")); /* the first complaint is enough */
        assert_string_equal(said.out, "");
        expect_status(2);
    }
}

static void a_file_that_is_not_there_or_too_long_is_refused(void **state)
{
    const char *const missing[] = {"--config", "/no/such/file.ini", NULL};
    const char *const arguments[] = {"--config", file, NULL};
    static char text[TEXT_SIZE];
    (void)state;
    if (reads_no_files()) {
        print_message("skipped: this program was built without libinih\n");
        skip();
    }
    run(missing);
    expect_part(said.err, "/no/such/file.ini");
    expect_status(2);
    for (size_t used = 0; used < 8000;) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "backlog = %0150d\n", 5);
    }
    write_file(text);
    run(arguments);
    expect_part(said.err, "4096 bytes");
    expect_status(2);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_has_every_option_with_unit_default_and_range),
        cmocka_unit_test(a_printed_config_has_every_option_as_a_comment),
        cmocka_unit_test(a_printed_config_is_read_back_to_the_same_options),
        cmocka_unit_test(the_command_line_changes_what_the_file_before_it_says),
        cmocka_unit_test(what_is_wrong_in_a_file_is_refused_by_name_value_range_and_line),
        cmocka_unit_test(a_file_that_is_not_there_or_too_long_is_refused),
    };
    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s PROGRAM FILE\n", argv[0]);
        return 2;
    }
    program = argv[1];
    file = argv[2];
    return cmocka_run_group_tests_name("server_config", tests, NULL, NULL);
}
