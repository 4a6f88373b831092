/* SPDX-License-Identifier: MIT
 * bin/throng-echo as its user sees it: the line that says where it listens, echo, drain when it is
 * asked to end, and what it says to bad options. argv[1] is the program. */
#include <string.h>

#include "backends.h"
#include "check.h"
#include "child.h"
#include "pattern.h"
#include "peer.h"
#include "stopwatch.h"

static const char *program;

#define TEXT_SIZE 8192

struct run {
    struct child child;
    char out[TEXT_SIZE];
    char err[TEXT_SIZE];
};

static int setup(void **state)
{
    struct run *run = calloc(1, sizeof(*run));
    assert_non_null(run);
    run->child.out = -1;
    run->child.err = -1;
    *state = run;
    return 0;
}

static int teardown(void **state)
{
    struct run *run = *state;
    if (run->child.out >= 0) {
        child_end(&run->child);
    }
    free(run);
    return 0;
}

static void start(struct run *run, const char *io_threads, struct throng_address *address)
{
    const char *const arguments[] = {program,        "--listen", "tcp://127.0.0.1:0",
                                     "--io-threads", io_threads, "--max-connections",
                                     "100",          NULL};
    child_start(&run->child, arguments);
    assert_true(child_read_address(&run->child, address, test_deadline_ms()));
    assert_int_not_equal(address->port, 0);
}

static void await_end(struct run *run)
{
    if (!child_await_end(&run->child, run->out, run->err, TEXT_SIZE, 2 * test_deadline_ms())) {
        fail_msg("the program does not end; it said: %s%s", run->out, run->err);
    }
}

/* A signal, and a visitor after it: ThreadSanitizer holds a handler back until the thread is
 * through with its system call, which without events is never. */
static void ask_to_end(struct run *run, enum child_request request,
                       const struct throng_address *address)
{
    struct peer visitor;
    assert_true(child_request(&run->child, request));
    (void)peer_connect(&visitor, address, NULL); /* it may be refused already */
    peer_close(&visitor);
}

static void expect_status(const struct run *run, int status)
{
    if (run->child.status != status) {
        fail_msg("exit status %d instead of %d; it said: %s%s", run->child.status, status, run->out,
                 run->err);
    }
}

static void expect_part(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}

static void it_echoes_and_sigterm_drains_it_with_every_reply_delivered(void **state)
{
    static const char *const io_threads[] = {"0", "1", "4"};
    enum {
        PEERS = 20,
        SIZE = 50000
    };
    struct run *run = *state;
    uint8_t *payload = malloc(SIZE);
    uint8_t *reply = malloc(SIZE);
    assert_non_null(payload);
    assert_non_null(reply);
    for (size_t mode = 0; mode < 3; mode++) {
        struct peer peers[PEERS];
        struct throng_address address;
        start(run, io_threads[mode], &address);
        for (uint32_t i = 0; i < PEERS; i++) {
            assert_true(peer_connect(&peers[i], &address, NULL));
            test_fill_pattern(payload, SIZE, i);
            assert_true(peer_send_frame(&peers[i], payload, SIZE, test_deadline_ms()));
        }
        /* The first byte of each reply shows that its message was received before the signal. */
        for (uint32_t i = 0; i < PEERS; i++) {
            uint8_t first;
            assert_true(peer_receive_all(&peers[i], &first, 1, test_deadline_ms()));
            assert_int_equal(first, 0);
        }
        ask_to_end(run, CHILD_TERMINATE, &address);
        for (uint32_t i = 0; i < PEERS; i++) {
            uint8_t length[3];
            test_fill_pattern(payload, SIZE, i);
            assert_true(peer_receive_all(&peers[i], length, sizeof(length), test_deadline_ms()));
            assert_true(peer_receive_all(&peers[i], reply, SIZE, test_deadline_ms()));
            assert_memory_equal(reply, payload, SIZE);
            assert_int_equal(peer_await_end(&peers[i], test_deadline_ms()), PEER_END);
            peer_close(&peers[i]);
        }
        await_end(run);
        expect_status(run, 0);
        child_end(&run->child);
    }
    run->child.out = -1;
    free(reply);
    free(payload);
}

static void a_second_signal_stops_it_at_once(void **state)
{
    struct run *run = *state;
    struct throng_address address;
    struct peer peer;
    start(run, "1", &address);
    assert_true(peer_connect(&peer, &address, NULL));
    assert_true(peer_send_frame(&peer, "x", 1, test_deadline_ms()));
    char reply;
    assert_int_equal(peer_receive_frame(&peer, &reply, 1, test_deadline_ms()), 1);
    ask_to_end(run, CHILD_TERMINATE, &address);
    /* Our end is not given, so the drain waits for it; the second signal does not. */
    assert_int_equal(peer_await_end(&peer, test_deadline_ms()), PEER_END);
    int64_t begin_ms = test_now_ms();
    ask_to_end(run, CHILD_INTERRUPT, &address);
    await_end(run);
    assert_true(test_now_ms() - begin_ms < 8000); /* the drain would take ten seconds */
    expect_status(run, 0);
    peer_close(&peer);
}

static void it_listens_on_every_address_given(void **state)
{
    struct run *run = *state;
    const char *const arguments[] = {program,
                                     "--listen",
                                     "tcp://127.0.0.1:0",
                                     "--listen",
                                     "tcp://127.0.0.2:0",
                                     "--max-connections",
                                     "100",
                                     NULL};
    struct throng_address first;
    struct throng_address second;
    struct peer peer;
    child_start(&run->child, arguments);
    assert_true(child_read_address(&run->child, &first, test_deadline_ms()));
    assert_true(child_read_address(&run->child, &second, test_deadline_ms()));
    assert_int_equal(first.bytes[3], 1);
    assert_int_equal(second.bytes[3], 2);
    assert_true(peer_connect(&peer, &first, NULL));
    peer_close(&peer);
    assert_true(peer_connect(&peer, &second, NULL));
    peer_close(&peer);
    ask_to_end(run, CHILD_INTERRUPT, &first);
    await_end(run);
    expect_status(run, 0);
}

/* Runs it with two arguments to its end. */
static void run_with(struct run *run, const char *first, const char *second)
{
    const char *const arguments[] = {program, first, second, NULL};
    child_start(&run->child, arguments);
    await_end(run);
    child_end(&run->child);
    run->child.out = -1;
}

static void help_names_every_option(void **state)
{
    static const char *const options[] = {"--listen",           "--backend", "--io-threads",
                                          "--max-connections",  "--config",  "--budget",
                                          "--message-bytes-max"};
    struct run *run = *state;
    run_with(run, "--help", NULL);
    expect_status(run, 0);
    assert_string_equal(run->err, "");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        expect_part(run->out, options[i]);
    }
}

static void budget_prints_the_terms_and_starts_nothing(void **state)
{
    struct run *run = *state;
    const char *const arguments[] = {program, "--max-connections", "5000", "--budget", NULL};
    child_start(&run->child, arguments);
    await_end(run);
    expect_status(run, 0);
    assert_string_equal(run->err, "");
    expect_part(run->out, "max_connections");
    expect_part(run->out, "total");
    assert_null(strstr(run->out, "listening"));
}

static void a_bad_option_is_refused_by_name_value_and_range(void **state)
{
    static const struct {
        const char *option;
        const char *value;
        const char *parts[3];
    } rows[] = {
        {"--max-connections", "0", {"max-connections", "0", "1"}},
        {"--max-connections", "1048576", {"max-connections", "1048576", "1048575"}},
        {"--max-connections", "many", {"max-connections", "many", "number"}},
        {"--max-connections", "-1", {"max-connections", "-1", "1"}},
        {"--max-connections", "1x", {"max-connections", "1x", "number"}},
        {"--max-connections", "99999999999999999999", {"max-connections", "9999", "1..1048575 "}},
        {"--io-threads", "65", {"io-threads", "65", "64"}},
        {"--io-threads", "", {"io-threads", "\"\"", "64"}},
        {"--message-bytes-max", "67108865", {"message-bytes-max", "67108865", "67108864"}},
        {"--listen", "tcp://127.0.0.1:65536", {"tcp://127.0.0.1:65536", "65536", "65535"}},
        {"--listen", "nonsense", {"nonsense", "tcp://", "tcp://"}},
        {"--backend", "kqueue", {"backend", "kqueue", test_plain_backend}},
        {"--byte-order", "middle", {"byte-order", "middle", "little"}},
        {"--when-send-full", "drop", {"when-send-full", "drop", "refuse | close | drop_oldest"}},
        {"--reuse-sockets", "true", {"reuse-sockets", "true", "no | yes"}},
        {"--keepalive-s", "32768", {"keepalive-s", "32768", "1..32767 s, or off"}},
        {"--heartbeat-ms", "off", {"heartbeat-ms", "off", "0..86400000 ms"}},
        {"--assembly-bytes", "131071", {"assembly_bytes", "131071", "131072"}}, /* at the start */
        {"--no-such-option", "1", {"no-such-option", "--help", "--help"}},
        {"stray", NULL, {"stray", "--help", "--help"}},
        {"--max-connections", NULL, {"--max-connections", "value", "value"}},
    };
    struct run *run = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_with(run, rows[i].option, rows[i].value);
        assert_string_equal(run->out, "");
        for (size_t part = 0; part < 3; part++) {
            expect_part(run->err, rows[i].parts[part]);
        }
        expect_status(run, 2);
    }
}

static void a_port_that_is_taken_is_an_error_that_names_it(void **state)
{
    struct run *run = *state;
    struct throng_address address;
    char endpoint[THRONG_ADDRESS_TEXT_SIZE];
    start(run, "0", &address);
    (void)snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", address.port);
    struct run *second = calloc(1, sizeof(*second));
    assert_non_null(second);
    run_with(second, "--listen", endpoint);
    expect_part(second->err, endpoint);
    expect_status(second, 1);
    free(second);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_echoes_and_sigterm_drains_it_with_every_reply_delivered,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_signal_stops_it_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(it_listens_on_every_address_given, setup, teardown),
        cmocka_unit_test_setup_teardown(help_names_every_option, setup, teardown),
        cmocka_unit_test_setup_teardown(budget_prints_the_terms_and_starts_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_bad_option_is_refused_by_name_value_and_range, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_an_error_that_names_it, setup,
                                        teardown),
    };
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
        return 2;
    }
    program = argv[1];
    return cmocka_run_group_tests_name("server_program", tests, NULL, NULL);
}
