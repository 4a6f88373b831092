/* SPDX-License-Identifier: MIT
 * The limit of connections per address: who is over it is reset and never reported, others notice
 * nothing, and what was counted is given back however a connection ends. */
#include <string.h>

#include "host.h"
#include "server_fixture.h"

static void skip_without_ipv6(void)
{
    struct host host;
    if (!host_open(&host, THRONG_ADDRESS_IPV6)) {
        print_message("skipped: this machine has no ::1\n");
        skip();
    }
    host_close(&host);
}

/* A peer with the source 127.0.0.`number`. */
static struct peer connect_from(const struct server_fixture *fixture, uint8_t number)
{
    struct peer peer;
    struct peer_options options = {.source = peer_loopback(THRONG_ADDRESS_IPV4, 0)};
    options.source.bytes[3] = number;
    if (!peer_connect(&peer, &fixture->address, &options)) {
        fail_msg("127.0.0.%u cannot connect", number);
    }
    return peer;
}

static void expect_served(struct server_fixture *fixture, const struct peer *peer)
{
    fixture_expect_echo(fixture, peer, "welcome", 7);
}

static void expect_turned_away(struct server_fixture *fixture, struct peer *peer)
{
    fixture_expect_reset(fixture, peer);
    peer_close(peer);
}

/* Whoever is turned away has a slot until the port is done with it. */
static void expect_connections(struct server_fixture *fixture, uint32_t count)
{
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).connections == count);
}

static void who_is_over_the_limit_is_reset_and_never_reported(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[3];
    fixture->options.connections_per_address = 3;
    fixture_start(fixture);
    for (uint32_t i = 0; i < 3; i++) {
        peers[i] = connect_from(fixture, 5);
        expect_served(fixture, &peers[i]);
    }
    for (uint32_t i = 0; i < 40; i++) {
        struct peer extra = connect_from(fixture, 5);
        if (i % 2 == 0) {
            expect_turned_away(fixture, &extra);
        } else { /* if it is the send that hears of the reset, the receive hears of an end */
            (void)peer_send_frame(&extra, "let me in", 9, test_deadline_ms());
            fixture_expect_gone(fixture, &extra);
            peer_close(&extra);
        }
    }
    struct peer other = connect_from(fixture, 6);
    expect_served(fixture, &other);
    for (uint32_t i = 0; i < 3; i++) {
        expect_served(fixture, &peers[i]);
        peer_close(&peers[i]);
    }
    peer_close(&other);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.opened, 4);
    assert_int_equal(fixture->journal.closed, 4);
    assert_int_equal(fixture->journal.messages, 3 + 1 + 3);
    struct throng_counters counters = fixture_counters(fixture);
    assert_int_equal(counters.refused_address, 40);
    assert_int_equal(counters.refused, 0);
    assert_int_equal(counters.closed, 44);
    assert_int_equal(throng_server_closed_count(fixture->server, THRONG_CLOSE_ABORTED), 0);
    assert_int_equal(throng_server_closed_count(fixture->server, THRONG_CLOSE_RESET), 0);
}

static void the_log_names_the_address_and_the_limit_once_a_second(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.connections_per_address = 1;
    fixture_start(fixture);
    struct peer peer = connect_from(fixture, 77);
    expect_served(fixture, &peer);
    fixture->log_lines = 0;
    int64_t begin_ms = test_now_ms();
    for (uint32_t i = 0; i < 40; i++) {
        struct peer extra = connect_from(fixture, 77);
        expect_turned_away(fixture, &extra);
    }
    FIXTURE_UNTIL(fixture, fixture->log_lines > 0);
    assert_true(fixture->log_lines <= 1 + (uint32_t)((test_now_ms() - begin_ms) / 1000));
    assert_non_null(strstr(fixture->log_last, "tcp://127.0.0.77:"));
    assert_non_null(strstr(fixture->log_last, "has 1 connections (connections_per_address)"));
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void abort_it(struct server_fixture *fixture, const struct peer *peer)
{
    (void)peer;
    assert_int_equal(throng_abort(fixture->server, fixture->last_open.conn), 0);
}

static void close_it(struct server_fixture *fixture, const struct peer *peer)
{
    (void)peer;
    assert_int_equal(throng_close(fixture->server, fixture->last_open.conn), 0);
    journal_note_closing(&fixture->journal, fixture->last_open.conn);
}

static void end_it(struct server_fixture *fixture, const struct peer *peer)
{
    (void)fixture;
    peer_finish(peer);
}

static void send_nonsense(struct server_fixture *fixture, const struct peer *peer)
{
    (void)fixture;
    assert_true(peer_send_all(peer, "\xff\xff\xff\xff", 4, test_deadline_ms()));
}

static void a_place_is_given_back_however_a_connection_ends(void **state)
{
    static void (*const ends[])(struct server_fixture * fixture, const struct peer *peer) = {
        abort_it, close_it, end_it, send_nonsense};
    struct server_fixture *fixture = *state;
    fixture->options.connections_per_address = 1;
    fixture_start(fixture);
    for (uint32_t i = 0; i < 40; i++) {
        struct peer peer = connect_from(fixture, 9);
        expect_served(fixture, &peer);
        ends[i % 4](fixture, &peer);
        fixture_expect_gone(fixture, &peer);
        if (i % 3 == 0) {
            peer_reset(&peer);
        } else {
            peer_close(&peer);
        }
        expect_connections(fixture, 0);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).refused_address, 0);
}

/* A game that is late with its releases keeps nobody out. */
static void a_place_is_given_back_before_closed_is_released(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.connections_per_address = 1;
    fixture_start(fixture);
    struct peer first = connect_from(fixture, 9);
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 1);
    fixture->keep = true;
    peer_close(&first);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_int_equal(fixture_counters(fixture).slots_taken, 1);
    struct peer second = connect_from(fixture, 9);
    FIXTURE_UNTIL(fixture, fixture->journal.opened == 2);
    fixture->keep = false;
    fixture_release_kept(fixture);
    expect_served(fixture, &second);
    peer_close(&second);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).refused_address, 0);
}

/* A listener for both families, and one for IPv4 alone. */
static void an_address_is_the_same_in_both_families_and_at_every_listener(void **state)
{
    struct server_fixture *fixture = *state;
    skip_without_ipv6();
    fixture->options.connections_per_address = 1;
    fixture->options.listen[0] = "tcp://*:0";
    fixture->options.listen[1] = "tcp://127.0.0.1:0";
    fixture_start(fixture);
    struct throng_address second;
    assert_int_equal(throng_server_listen_address(fixture->server, 1, &second), 0);
    struct throng_address targets[] = {
        peer_loopback(THRONG_ADDRESS_IPV4, fixture->address.port), /* as ::ffff:127.0.0.1 */
        peer_loopback(THRONG_ADDRESS_IPV4, second.port),
        peer_loopback(THRONG_ADDRESS_IPV6, fixture->address.port),
    };
    struct peer four, six, extra;
    assert_true(peer_connect(&four, &targets[0], NULL));
    expect_served(fixture, &four);
    assert_true(peer_connect(&extra, &targets[1], NULL));
    expect_turned_away(fixture, &extra);
    assert_true(peer_connect(&six, &targets[2], NULL));
    expect_served(fixture, &six);
    assert_true(peer_connect(&extra, &targets[2], NULL));
    expect_turned_away(fixture, &extra);
    peer_close(&four);
    expect_connections(fixture, 1);
    assert_true(peer_connect(&four, &targets[1], NULL));
    expect_served(fixture, &four);
    peer_close(&four);
    peer_close(&six);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).refused_address, 2);
}

/* One address comes 300 times, ten others 5 times each in between. */
static void one_greedy_address_takes_nothing_from_the_others(void **state)
{
    enum {
        SHARE = 20,
        GREEDY = 300,
        MODEST = 50
    };
    struct server_fixture *fixture = *state;
    static struct peer greedy[GREEDY];
    static struct peer modest[MODEST];
    fixture->options.max_connections = SHARE + MODEST + GREEDY; /* however late the server is */
    fixture->options.connections_per_address = SHARE;
    fixture_start(fixture);
    for (uint32_t i = 0; i < GREEDY; i++) {
        greedy[i] = connect_from(fixture, 2);
        if (i % (GREEDY / MODEST) == 0) {
            uint32_t number = i / (GREEDY / MODEST);
            modest[number] = connect_from(fixture, (uint8_t)(10 + number % 10));
        }
    }
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).refused_address == GREEDY - SHARE);
    for (uint32_t i = 0; i < MODEST; i++) {
        expect_served(fixture, &modest[i]);
        peer_close(&modest[i]);
    }
    assert_int_equal(fixture->journal.opened, SHARE + MODEST);
    for (uint32_t i = 0; i < GREEDY; i++) {
        peer_close(&greedy[i]);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).refused_address, GREEDY - SHARE);
    assert_int_equal(fixture_counters(fixture).refused, 0);
}

/* Who comes to a full server is turned away for that reason, whoever it is, and needs no slot. */
static void a_full_server_refuses_before_it_looks_at_the_address(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.max_connections = 1;
    fixture->options.connections_per_address = 1;
    fixture_start(fixture);
    struct peer peer = connect_from(fixture, 3);
    expect_served(fixture, &peer);
    struct peer extra = connect_from(fixture, 3);
    expect_turned_away(fixture, &extra);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).refused, 1);
    assert_int_equal(fixture_counters(fixture).refused_address, 0);
}

static size_t counts_bytes(const struct throng_server_options *options)
{
    struct throng_budget budget;
    assert_int_equal(throng_server_budget(options, &budget, NULL), 0);
    for (uint32_t i = 0; i < budget.term_count; i++) {
        if (strcmp(budget.terms[i].name, "address counts") == 0) {
            return budget.terms[i].bytes;
        }
    }
    fail_msg("the budget has no term for the counts");
    return 0;
}

static void the_counts_cost_memory_only_if_there_is_a_limit(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.max_connections = 65000;
    assert_int_equal(counts_bytes(&fixture->options), 0);
    fixture->options.connections_per_address = 10;
    assert_in_range(counts_bytes(&fixture->options), 65000 * 36, 65000 * 37);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_over_the_limit_is_reset_and_never_reported),
        cmocka_unit_test(the_log_names_the_address_and_the_limit_once_a_second),
        cmocka_unit_test(a_place_is_given_back_however_a_connection_ends),
        cmocka_unit_test(a_place_is_given_back_before_closed_is_released),
        cmocka_unit_test(an_address_is_the_same_in_both_families_and_at_every_listener),
        cmocka_unit_test(one_greedy_address_takes_nothing_from_the_others),
        cmocka_unit_test(a_full_server_refuses_before_it_looks_at_the_address),
        cmocka_unit_test(the_counts_cost_memory_only_if_there_is_a_limit),
    };
    return fixture_run_tests("server_addresses", tests, sizeof(tests) / sizeof(tests[0]));
}
