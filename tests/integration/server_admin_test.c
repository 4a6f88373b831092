/* SPDX-License-Identifier: MIT
 * The admin listener: what it answers, to whom, and that nothing in the server can keep it from that. The
 * test's thread is the logic thread, and does not serve while it asks. */
#include <string.h>

#include "host.h"
#include "http_client.h"
#include "process.h"
#include "server_fixture.h"

#define PLACES 8u /* of the admin listener */
#define STUCK_MS 200u

static struct http_client client;
static struct http_answer answer;

static struct throng_address start(struct server_fixture *fixture)
{
    struct throng_address address;
    fixture->options.admin = "tcp://127.0.0.1:0";
    if (fixture->options.logic_stall_ms != STUCK_MS) {
        fixture->options.logic_stall_ms = 86400000; /* a busy machine is no illness */
    }
    fixture_start(fixture);
    assert_int_equal(throng_server_admin_address(fixture->server, &address), 0);
    assert_true(address.port != 0);
    return address;
}

/* The server serves one turn at least, so that its logic thread is alive for whoever asks now. */
static int ask(struct server_fixture *fixture, const struct throng_address *admin, const char *path)
{
    (void)fixture_turn(fixture, 0);
    return http_get(admin, path, &answer);
}

static void both_paths_and_the_page_that_names_them_answer(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    assert_int_equal(ask(fixture, &admin, "/"), 200);
    assert_non_null(strstr(answer.body, "/metrics"));
    assert_non_null(strstr(answer.body, "/healthz"));
    assert_int_equal(ask(fixture, &admin, "/healthz"), 200);
    assert_string_equal(answer.body, "ok\n");
    assert_int_equal(ask(fixture, &admin, "/healthz?verbose=1"), 200);
    assert_int_equal(ask(fixture, &admin, "/metrics"), 200);
    assert_non_null(
        strstr(answer.head, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_true(answer.size > 1000);
    assert_int_equal(ask(fixture, &admin, "/metric"), 404);
    assert_int_equal(ask(fixture, &admin, "/metrics/"), 404);
    assert_int_equal(ask(fixture, &admin, "//metrics"), 404);
    assert_int_equal(ask(fixture, &admin, "/%6detrics"), 404);
}

static void the_numbers_are_those_of_the_counters(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    struct peer peers[3];
    for (uint32_t i = 0; i < 3; i++) {
        (void)fixture_open(fixture, &peers[i]);
        fixture_expect_echo(fixture, &peers[i], "hello", 5);
    }
    peer_close(&peers[2]);
    FIXTURE_UNTIL(fixture, fixture->journal.closed_for[THRONG_CLOSE_PEER] == 1 &&
                               fixture_counters(fixture).slots_taken == 2);
    assert_int_equal(ask(fixture, &admin, "/metrics"), 200);
    struct throng_counters counters = fixture_counters(fixture);
    assert_true(http_metric(&answer, "throng_connections") == 2);
    assert_true(http_metric(&answer, "throng_connections_by_state{state=\"open\"}") == 2);
    assert_true(http_metric(&answer, "throng_connections_by_state{state=\"closed\"}") == 0);
    assert_true(http_metric(&answer, "throng_connections_by_state{state=\"closing\"}") == 0);
    assert_true(http_metric(&answer, "throng_connections_accepted_total") == 3);
    assert_true(http_metric(&answer, "throng_connections_closed_total{reason=\"peer\"}") == 1);
    assert_true(http_metric(&answer, "throng_connections_max") == 256);
    assert_true(http_metric(&answer, "throng_messages_received_total") == 3);
    assert_true(http_metric(&answer, "throng_received_bytes_total") == 27);
    assert_true(http_metric(&answer, "throng_sent_bytes_total") == 27);
    assert_true(http_metric(&answer, "throng_send_memory_bytes") ==
                (double)counters.send_units_total * 512);
    assert_true(http_metric(&answer, "throng_io_threads") == fixture->mode.io_threads);
    assert_true(http_metric(&answer, "throng_draining") == 0);
    /* Every connection was sampled: its events came one by one. */
    double samples = http_metric(&answer, "throng_event_latency_seconds_count");
    assert_true(samples >= 1 && samples <= 7);
    assert_true(http_metric(&answer, "throng_event_latency_seconds_bucket{le=\"+Inf\"}") ==
                samples);
    assert_true(http_metric(&answer, "throng_event_latency_seconds_sum") > 0);
    peer_close(&peers[0]);
    peer_close(&peers[1]);
    fixture_expect_settled(fixture);
}

static void a_head_has_no_body(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    http_open(&client, &admin);
    http_send(&client, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
                       "HEAD /nothing HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n");
    http_read(&client, &answer, true);
    assert_int_equal(answer.status, 200);
    assert_true(answer.announced > 1000 && answer.keeps);
    http_read(&client, &answer, true);
    assert_int_equal(answer.status, 404);
    assert_true(answer.announced > 0 && answer.keeps);
    http_read(&client, &answer, false);
    assert_int_equal(answer.status, 200);
    assert_false(answer.keeps); /* HTTP/1.0 */
    http_expect_end(&client);
    http_close(&client);
}

static void requests_in_a_row_are_answered_in_order(void **state)
{
    static const char *const paths[] = {"/", "/healthz", "/metrics", "/none"};
    static const int statuses[] = {200, 200, 200, 404};
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    (void)fixture_turn(fixture, 0);
    http_open(&client, &admin);
    for (uint32_t i = 0; i < 100; i++) {
        char request[128];
        (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
                       paths[i % 4]);
        http_send(&client, request);
    }
    peer_finish(&client.peer); /* our end behind them takes none of the answers */
    for (uint32_t i = 0; i < 100; i++) {
        http_read(&client, &answer, false);
        assert_true(answer.keeps);
        assert_int_equal(answer.status, statuses[i % 4]);
    }
    http_expect_end(&client);
    http_close(&client);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    http_open(&client, &admin);
    for (const char *at = request; *at != '\0'; at++) {
        (void)fixture_turn(fixture, 0);
        assert_true(peer_send_all(&client.peer, at, 1, test_deadline_ms()));
    }
    http_read(&client, &answer, false);
    assert_int_equal(answer.status, 200);
    http_expect_end(&client);
    http_close(&client);
}

static void expect_refused(const struct throng_address *admin, const char *request, int status)
{
    http_open(&client, admin);
    http_send(&client, request);
    http_read(&client, &answer, false);
    assert_int_equal(answer.status, status);
    assert_false(answer.keeps);
    http_expect_end(&client);
    http_close(&client);
}

static void what_is_no_request_is_refused_and_the_connection_ends(void **state)
{
    static char head[8194];
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    expect_refused(&admin, "GET /\r\n\r\n", 400);
    expect_refused(&admin, "GET / HTTP/1.1\r\n\r\n", 400);
    expect_refused(&admin, "GET / HTTP/1.1\nHost: a\n\n", 400);
    expect_refused(&admin, "POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405);
    assert_non_null(strstr(answer.head, "\r\nAllow: GET, HEAD\r\n"));
    expect_refused(&admin, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 413);
    expect_refused(&admin,
                   "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413);
    expect_refused(&admin, "GET / HTTP/3.0\r\n\r\n", 505);
    /* 8,192 bytes and one more. */
    int begun = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(head + begun, 'x', 8193 - 4 - (size_t)begun);
    memcpy(head + 8193 - 4, "\r\n\r\n", 5);
    expect_refused(&admin, head, 431);
    memcpy(head + 8192 - 4, "\r\n\r\n", 5);
    http_open(&client, &admin);
    http_send(&client, head);
    http_read(&client, &answer, false);
    assert_int_equal(answer.status, 200);
    http_close(&client);
    assert_int_equal(ask(fixture, &admin, "/metrics"), 200);
    assert_true(http_metric(&answer, "throng_admin_requests_total{class=\"4xx\"}") == 7);
    assert_true(http_metric(&answer, "throng_admin_requests_total{class=\"5xx\"}") == 1);
    assert_true(http_metric(&answer, "throng_admin_requests_total{class=\"2xx\"}") == 1);
}

/* ---- whatever happens in the server ---- */

/* A handler that takes its time: until the admin listener says so. */
static void think_long(struct server_fixture *fixture, const struct throng_event *event)
{
    const struct throng_address *admin = fixture->context;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    if (event->type != THRONG_EVENT_MESSAGE) {
        return;
    }
    while (http_get(admin, "/healthz", &answer) != 503 && test_now_ms() < deadline_ms) {
        test_pause_us(10000);
    }
    assert_int_equal(answer.status, 503);
    assert_memory_equal(answer.body, "stuck: the logic thread", 23);
    assert_int_equal(http_get(admin, "/metrics", &answer), 200);
    assert_true(http_metric(&answer, "throng_logic_stalled_seconds") >= 0.2);
    assert_true(http_metric(&answer, "throng_events_unreleased") >= 1);
}

static void it_answers_while_the_logic_thread_is_stuck(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.logic_stall_ms = STUCK_MS;
    struct throng_address admin = start(fixture);
    struct peer peer;
    fixture->handle = think_long;
    fixture->context = &admin;
    (void)fixture_open(fixture, &peer);
    fixture_send_frame(fixture, &peer, "go", 2);
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).messages_received == 1 &&
                               fixture_counters(fixture).events_unreleased == 0 &&
                               fixture->journal.messages == 1);
    /* It is back: at the latest when it has been seen to be. */
    FIXTURE_UNTIL(fixture, http_get(&admin, "/healthz", &answer) == 200);
    assert_string_equal(answer.body, "ok\n");
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void it_answers_while_every_slot_is_taken(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[4];
    fixture->options.max_connections = 4;
    struct throng_address admin = start(fixture);
    for (uint32_t i = 0; i < 4; i++) {
        (void)fixture_open(fixture, &peers[i]);
    }
    struct peer extra;
    fixture_connect(fixture, &extra);
    fixture_expect_reset(fixture, &extra);
    assert_int_equal(ask(fixture, &admin, "/metrics"), 200);
    assert_true(http_metric(&answer, "throng_slots_taken") == 4);
    assert_true(http_metric(&answer, "throng_connections_max") == 4);
    assert_true(http_metric(&answer, "throng_connections_refused_total{reason=\"full\"}") == 1);
    assert_int_equal(ask(fixture, &admin, "/healthz"), 200);
    peer_close(&extra);
    for (uint32_t i = 0; i < 4; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
}

static void a_drain_is_no_health(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    throng_server_drain(fixture->server, (uint32_t)test_deadline_ms());
    assert_int_equal(ask(fixture, &admin, "/healthz"), 503);
    assert_memory_equal(answer.body, "draining", 8);
    fixture_expect_end(fixture, &peer);
    peer_close(&peer);
    FIXTURE_UNTIL(fixture, fixture->answer == THRONG_ESTOPPED);
    assert_int_equal(http_get(&admin, "/healthz", &answer), 503);
    assert_int_equal(http_get(&admin, "/metrics", &answer), 200);
    assert_true(http_metric(&answer, "throng_draining") == 1);
    assert_true(http_metric(&answer, "throng_connections_closed_total{reason=\"drained\"}") == 1);
}

/* ---- who means harm ---- */

static void a_hundred_silent_connections_keep_nobody_out(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    static struct peer silent[100];
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(peer_connect(&silent[i], &admin, NULL));
        if (i % 2 == 0) { /* half of them begin a request */
            (void)peer_send(&silent[i], "GET /metrics HTTP/1.1\r\nX", 24);
        }
    }
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(ask(fixture, &admin, "/metrics"), 200);
        assert_true(http_metric(&answer, "throng_admin_connections") <= PLACES);
    }
    /* All but the last few had to go. */
    for (uint32_t i = 0; i < 100 - PLACES; i++) {
        enum peer_answer end = peer_await_end(&silent[i], test_deadline_ms());
        assert_true(end == PEER_RESET ||
                    end == PEER_END); /* on a slow machine their time was over */
    }
    struct peer player;
    (void)fixture_open(fixture, &player);
    fixture_expect_echo(fixture, &player, "hello", 5);
    peer_close(&player);
    for (uint32_t i = 0; i < 100; i++) {
        peer_close(&silent[i]);
    }
    fixture_expect_settled(fixture);
}

static void the_oldest_idle_connection_makes_room(void **state)
{
    static struct http_client idle[PLACES];
    struct server_fixture *fixture = *state;
    struct throng_address admin = start(fixture);
    for (uint32_t i = 0; i < PLACES; i++) {
        http_open(&idle[i], &admin);
        http_send(&idle[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        http_read(&idle[i], &answer, false);
    }
    assert_int_equal(ask(fixture, &admin, "/healthz"), 200);
    assert_int_equal(peer_await_end(&idle[0].peer, test_deadline_ms()), PEER_RESET);
    for (uint32_t i = 1; i < PLACES; i++) {
        http_send(&idle[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        http_read(&idle[i], &answer, false);
        assert_int_equal(answer.status, 200);
    }
    for (uint32_t i = 0; i < PLACES; i++) {
        http_close(&idle[i]);
    }
}

/* ---- life ---- */

static void it_is_there_again_after_a_restart_on_the_same_port(void **state)
{
    struct server_fixture *fixture = *state;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    uint32_t descriptors = process_descriptors();
    struct throng_address admin = start(fixture);
    http_open(&client, &admin);
    http_send(&client, "GET /metrics HTTP/1.1\r\n"); /* the stop ends what is open */
    fixture_stop(fixture);
    http_expect_end(&client);
    http_close(&client);
    assert_int_equal(process_descriptors(), descriptors);
    fixture->options.admin = throng_address_text(&admin, text);
    fixture_start(fixture);
    struct throng_address again;
    assert_int_equal(throng_server_admin_address(fixture->server, &again), 0);
    assert_int_equal(again.port, admin.port);
    assert_int_equal(ask(fixture, &again, "/metrics"), 200);
    assert_true(http_metric(&answer, "throng_admin_requests_total{class=\"2xx\"}") == 0);
}

static void an_address_in_use_fails_the_start(void **state)
{
    struct server_fixture *fixture = *state;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    struct throng_error error;
    fixture_start(fixture);
    fixture->options.admin = throng_address_text(&fixture->address, text);
    assert_int_equal(fixture_start_refused(fixture, &error), THRONG_EADDRINUSE);
    assert_non_null(strstr(error.text, "admin"));
    assert_non_null(strstr(error.text, text));
    struct throng_address address;
    assert_int_equal(throng_server_admin_address(fixture->server, &address), THRONG_EINVAL);
    assert_int_equal(throng_server_admin_address(fixture->server, NULL), THRONG_EINVAL);
    assert_int_equal(throng_server_admin_address(NULL, &address), THRONG_EINVAL);
}

static void any_address_answers_both_families(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_address bound;
    fixture->options.admin = "tcp://*:0";
    fixture_start(fixture);
    assert_int_equal(throng_server_admin_address(fixture->server, &bound), 0);
    struct throng_address four = peer_loopback(THRONG_ADDRESS_IPV4, bound.port);
    assert_int_equal(ask(fixture, &four, "/metrics"), 200);
    struct host host;
    if (!host_open(&host, THRONG_ADDRESS_IPV6)) {
        print_message("without ::1: this machine has none\n");
        return;
    }
    host_close(&host);
    struct throng_address six = peer_loopback(THRONG_ADDRESS_IPV6, bound.port);
    assert_int_equal(ask(fixture, &six, "/metrics"), 200);
}

static void the_log_warns_of_an_address_that_is_not_loopback(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.admin = "tcp://127.0.0.2:0";
    fixture_start(fixture);
    assert_null(strstr(fixture->log_last, "no loopback"));
    fixture_stop(fixture);
    fixture->options.admin = "tcp://*:0";
    fixture_start(fixture);
    assert_non_null(strstr(fixture->log_last, "no loopback"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_paths_and_the_page_that_names_them_answer),
        cmocka_unit_test(the_numbers_are_those_of_the_counters),
        cmocka_unit_test(a_head_has_no_body),
        cmocka_unit_test(requests_in_a_row_are_answered_in_order),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(what_is_no_request_is_refused_and_the_connection_ends),
        cmocka_unit_test(it_answers_while_the_logic_thread_is_stuck),
        cmocka_unit_test(it_answers_while_every_slot_is_taken),
        cmocka_unit_test(a_drain_is_no_health),
        cmocka_unit_test(a_hundred_silent_connections_keep_nobody_out),
        cmocka_unit_test(the_oldest_idle_connection_makes_room),
        cmocka_unit_test(it_is_there_again_after_a_restart_on_the_same_port),
        cmocka_unit_test(an_address_in_use_fails_the_start),
        cmocka_unit_test(any_address_answers_both_families),
        cmocka_unit_test(the_log_warns_of_an_address_that_is_not_loopback),
    };
    return fixture_run_tests("server_admin", tests, sizeof(tests) / sizeof(tests[0]));
}
