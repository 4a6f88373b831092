/* SPDX-License-Identifier: MIT
 * The server under test: life and turns. fixture_peers.c has the peers' side. */
#include "server_fixture.h"

#include <string.h>

/* What throng/log.h promises of every line. */
static bool is_one_line(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return false;
        }
    }
    return text[0] != '\0' && strlen(text) <= 251;
}

static void take_log(void *context, enum throng_log_level level, const char *text)
{
    struct server_fixture *fixture = context;
    if (test_thread_self() != fixture->logic_thread) {
        fixture->log_on_foreign_thread = true;
    }
    fixture->log_is_wrong = fixture->log_is_wrong || !is_one_line(text);
    fixture->log_lines++;
    (void)snprintf(fixture->log_last, sizeof(fixture->log_last), "%s: %s",
                   throng_log_level_name(level), text);
}

static int setup(void **state)
{
    const struct server_mode *mode = *state;
    struct server_fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->mode = *mode;
    throng_server_options_init(&fixture->options);
    fixture->options.listen[0] = "tcp://127.0.0.1:0";
    fixture->options.max_connections = 256;
    fixture->options.backend = mode->backend;
    fixture->options.io_threads = mode->io_threads;
    fixture->options.log = take_log;
    fixture->options.log_context = fixture;
    fixture->handle = fixture_echo;
    fixture->batch = FIXTURE_BATCH_MAX;
    fixture->logic_thread = test_thread_self();
    journal_init(&fixture->journal);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_stop(fixture);
    char complaint[sizeof(fixture->journal.complaint)];
    memcpy(complaint, fixture->journal.complaint, sizeof(complaint));
    bool foreign = fixture->log_on_foreign_thread;
    bool wrong = fixture->log_is_wrong;
    journal_destroy(&fixture->journal);
    free(fixture->kept);
    free(fixture);
    assert_string_equal(complaint, "");
    assert_false(foreign);
    assert_false(wrong);
    return 0;
}

/* The name of a test in a mode, kept for the life of the process. */
static const char *name_in_mode(const char *name, const struct server_mode *mode)
{
    size_t size = strlen(name) + 48;
    char *text = malloc(size);
    assert_non_null(text);
    if (mode->io_threads == 0) {
        (void)snprintf(text, size, "%s [%s, inline]", name, mode->backend);
    } else {
        (void)snprintf(text, size, "%s [%s, %" PRIu32 " I/O thread%s]", name, mode->backend,
                       mode->io_threads, mode->io_threads == 1 ? "" : "s");
    }
    return text;
}

int fixture_run_tests(const char *group, const struct CMUnitTest *tests, size_t count)
{
    const size_t modes = test_server_mode_count;
    struct CMUnitTest *all = calloc(count * modes, sizeof(*all));
    if (all == NULL) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t m = 0; m < modes; m++) {
            all[i * modes + m] = (struct CMUnitTest){
                .name = name_in_mode(tests[i].name, &test_server_modes[m]),
                .test_func = tests[i].test_func,
                .setup_func = setup,
                .teardown_func = teardown,
                .initial_state = &test_server_modes[m],
            };
        }
    }
    printf("%s: %zu tests in %zu modes, sizes at %" PRIu32 " %%\n", group, count, modes,
           test_scaled(100));
    return _cmocka_run_group_tests(group, all, count * modes, NULL, NULL);
}

void fixture_start(struct server_fixture *fixture)
{
    struct throng_error error = {0};
    if (throng_server_start(&fixture->server, &fixture->options, &error) != 0) {
        fail_msg("throng_server_start: %s: %s", throng_error_name(error.code), error.text);
    }
    assert_int_equal(throng_server_listen_address(fixture->server, 0, &fixture->address), 0);
}

void fixture_stop(struct server_fixture *fixture)
{
    throng_server_stop(fixture->server);
    fixture->server = NULL;
    fixture->kept_count = 0;
}

int fixture_start_refused(struct server_fixture *fixture, struct throng_error *error)
{
    struct throng_server *server = NULL;
    int result = throng_server_start(&server, &fixture->options, error);
    if (result == 0) {
        throng_server_stop(server);
        fail_msg("throng_server_start took what it must refuse");
    }
    assert_null(server);
    return result;
}

void fixture_echo(struct server_fixture *fixture, const struct throng_event *event)
{
    if (event->type == THRONG_EVENT_MESSAGE &&
        throng_write_data(fixture->server, event->conn, event->data, event->size) != 0) {
        fixture->write_errors++;
    }
}

void fixture_ignore(struct server_fixture *fixture, const struct throng_event *event)
{
    (void)fixture;
    (void)event;
}

static void keep_event(struct server_fixture *fixture, const struct throng_event *event)
{
    if (fixture->kept_count == fixture->kept_capacity) {
        fixture->kept_capacity = fixture->kept_capacity == 0 ? 256 : fixture->kept_capacity * 2;
        fixture->kept = realloc(fixture->kept, fixture->kept_capacity * sizeof(*fixture->kept));
        assert_non_null(fixture->kept);
    }
    fixture->kept[fixture->kept_count++] = *event;
}

static void take_event(struct server_fixture *fixture, struct throng_event *event)
{
    journal_note(&fixture->journal, event);
    if (event->type == THRONG_EVENT_OPEN) {
        fixture->last_open = *event;
    } else if (event->type == THRONG_EVENT_CLOSED) {
        fixture->last_closed = *event;
    }
    fixture->handle(fixture, event);
    if (fixture->keep) {
        keep_event(fixture, event);
    } else {
        throng_release_event(fixture->server, event);
    }
}

int fixture_turn(struct server_fixture *fixture, int timeout_ms)
{
    struct throng_event events[FIXTURE_BATCH_MAX];
    journal_begin_turn(&fixture->journal);
    fixture->answer = throng_get_events(fixture->server, events, fixture->batch, timeout_ms);
    for (int i = 0; i < fixture->answer; i++) {
        take_event(fixture, &events[i]);
    }
    return fixture->answer;
}

void fixture_turn_for(struct server_fixture *fixture, int duration_ms)
{
    int64_t end_ms = test_now_ms() + duration_ms;
    while (test_now_ms() < end_ms) {
        (void)fixture_turn(fixture, 1);
    }
}

void fixture_turn_towards(struct server_fixture *fixture, int64_t deadline_ms, const char *what,
                          const char *file, int line)
{
    if (test_now_ms() >= deadline_ms) {
        print_error("not within %d ms: %s\n", test_deadline_ms(), what);
        _fail(file, line);
    }
    if (fixture->journal.complaint[0] != '\0') {
        print_error("%s\n", fixture->journal.complaint);
        _fail(file, line);
    }
    (void)fixture_turn(fixture, 1);
}

void fixture_release_kept(struct server_fixture *fixture)
{
    for (size_t i = 0; i < fixture->kept_count; i++) {
        throng_release_event(fixture->server, &fixture->kept[i]);
    }
    fixture->kept_count = 0;
}

void fixture_release_kept_backwards(struct server_fixture *fixture)
{
    while (fixture->kept_count > 0) {
        fixture->kept_count--;
        throng_release_event(fixture->server, &fixture->kept[fixture->kept_count]);
    }
}

struct throng_counters fixture_counters(const struct server_fixture *fixture)
{
    struct throng_counters counters;
    throng_server_counters(fixture->server, &counters);
    return counters;
}

static bool is_settled(const struct server_fixture *fixture)
{
    struct throng_counters now = fixture_counters(fixture);
    return now.connections == 0 && now.slots_taken == 0 &&
           now.send_units_free == now.send_units_total && now.assembly_bytes_used == 0 &&
           now.events_unreleased == 0 && now.accepted == now.closed &&
           journal_live(&fixture->journal) == 0;
}

void fixture_expect_settled(struct server_fixture *fixture)
{
    FIXTURE_UNTIL(fixture, is_settled(fixture));
    struct throng_counters now = fixture_counters(fixture);
    assert_true(now.send_units_total > 0);
}
