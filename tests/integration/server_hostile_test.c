/* SPDX-License-Identifier: MIT
 * Peers that break the rules: lengths over the limit, other protocols, ends and resets in the
 * middle. Each costs its own connection and nothing else. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

/* A well-behaved peer that must not notice anything. */
static void expect_bystander_unharmed(struct server_fixture *fixture, struct peer *bystander)
{
    fixture_expect_echo(fixture, bystander, "still here", 10);
}

static void a_length_over_the_limit_closes_that_connection_alone(void **state)
{
    static const uint32_t lengths[] = {65537, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer bystander;
    (void)fixture_open(fixture, &bystander);
    for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct peer liar;
        throng_conn conn = fixture_open(fixture, &liar);
        uint8_t header[4];
        peer_frame_header(header, lengths[i]);
        fixture_send(fixture, &liar, header, sizeof(header));
        FIXTURE_UNTIL(fixture, fixture->journal.closed == i + 1);
        assert_int_equal(fixture->last_closed.conn.id, conn.id);
        assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_TOO_LARGE);
        fixture_expect_gone(fixture, &liar);
        peer_close(&liar);
        expect_bystander_unharmed(fixture, &bystander);
    }
    assert_int_equal(fixture->journal.messages, sizeof(lengths) / sizeof(lengths[0]));
    peer_close(&bystander);
    fixture_expect_settled(fixture);
}

static void the_log_names_a_length_over_the_limit_and_who_sent_it(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer liar;
    struct throng_address address;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    (void)fixture_open(fixture, &liar);
    peer_local_address(&liar, &address);
    fixture->log_lines = 0;
    fixture_send(fixture, &liar, "\0\1\0\1", 4); /* 65,537 */
    FIXTURE_UNTIL(fixture, fixture->log_lines == 1);
    assert_non_null(strstr(fixture->log_last, "65537"));
    assert_non_null(strstr(fixture->log_last, "65536"));
    assert_non_null(strstr(fixture->log_last, throng_address_text(&address, text)));
    peer_close(&liar);
    fixture_expect_settled(fixture);
}

static void a_length_at_the_limit_is_taken(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    fixture_connect(fixture, &peer);
    uint8_t *payload = malloc(65536);
    assert_non_null(payload);
    test_fill_pattern(payload, 65536, 1);
    fixture_expect_echo(fixture, &peer, payload, 65536);
    fixture_expect_echo(fixture, &peer, payload, 65535);
    free(payload);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void messages_before_a_length_over_the_limit_are_delivered(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0,   1,   'a',  0,    0,    0,    0,   0,   0,
                                    0, 2, 'b', 'c', 0xff, 0xff, 0xff, 0xff, 'x', 'y', 'z'};
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    throng_conn conn = fixture_open(fixture, &peer);
    assert_true(peer_send_all(&peer, bytes, sizeof(bytes), test_deadline_ms()));
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_TOO_LARGE);
    assert_int_equal(journal_find(&fixture->journal, conn)->messages, 3);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void other_protocols_on_the_port_are_turned_away_as_too_large(void **state)
{
    static const uint8_t tls[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03};
    static const char http[] = "GET / HTTP/1.1\r\nHost: example\r\n\r\n";
    static const char ssh[] = "SSH-2.0-OpenSSH_9.2\r\n";
    const struct {
        const void *data;
        size_t size;
    } greetings[] = {{tls, sizeof(tls)}, {http, sizeof(http) - 1}, {ssh, sizeof(ssh) - 1}};
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    for (uint32_t i = 0; i < 3; i++) {
        struct peer peer;
        (void)fixture_open(fixture, &peer);
        assert_true(peer_send_all(&peer, greetings[i].data, greetings[i].size, test_deadline_ms()));
        FIXTURE_UNTIL(fixture, fixture->journal.closed == i + 1);
        assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_TOO_LARGE);
        peer_close(&peer);
    }
    assert_int_equal(fixture->journal.messages, 0);
    fixture_expect_settled(fixture);
}

static void random_bytes_harm_nobody_else(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    uint64_t seed = test_seed();
    struct peer bystander;
    (void)fixture_open(fixture, &bystander);
    for (uint32_t i = 0; i < test_scaled(300); i++) {
        struct peer peer;
        (void)fixture_open(fixture, &peer);
        uint8_t noise[700];
        test_fill_pattern(noise, sizeof(noise), test_random(&seed));
        noise[0] &= (uint8_t)(i % 2 == 0 ? 0xff : 0); /* every second one claims less than 16 MiB */
        noise[1] &=
            (uint8_t)(i % 4 == 1 ? 0 : 0xff); /* and of those every second one is plausible */
        (void)peer_send(&peer, noise, 1 + test_random(&seed) % sizeof(noise));
        peer_finish(&peer);
        fixture_expect_gone(fixture, &peer);
        peer_close(&peer);
    }
    expect_bystander_unharmed(fixture, &bystander);
    peer_close(&bystander);
    fixture_expect_settled(fixture);
}

static void an_end_inside_a_frame_is_told_from_an_end_between_two(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 2, 'd', 'e'};
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        struct peer peer;
        uint32_t closed = fixture->journal.closed;
        throng_conn conn = fixture_open(fixture, &peer);
        if (cut > 0) {
            assert_true(peer_send_all(&peer, bytes, cut, test_deadline_ms()));
        }
        peer_finish(&peer);
        FIXTURE_UNTIL(fixture, fixture->journal.closed > closed);
        bool whole = cut == 0 || cut == 7 || cut == 13;
        assert_int_equal(fixture->last_closed.reason,
                         whole ? THRONG_CLOSE_PEER : THRONG_CLOSE_TRUNCATED);
        assert_int_equal(journal_find(&fixture->journal, conn)->messages,
                         (cut >= 7 ? 1 : 0) + (cut >= 13 ? 1 : 0));
        peer_close(&peer);
    }
    fixture_expect_settled(fixture);
}

static void an_end_inside_a_long_body_is_truncated_and_its_memory_comes_back(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    struct peer peer;
    (void)fixture_open(fixture, &peer);
    uint8_t header[4];
    static const uint8_t half[30000];
    peer_frame_header(header, 60000);
    fixture_send(fixture, &peer, header, sizeof(header));
    fixture_send(fixture, &peer, half, sizeof(half));
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).bytes_received == 30004);
    /* The I/O thread counts the bytes first, and then the memory that they went to. */
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).assembly_bytes_used >= 30000);
    peer_finish(&peer);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_int_equal(fixture->last_closed.reason, THRONG_CLOSE_TRUNCATED);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void a_claimed_length_reserves_nothing(void **state)
{
    enum {
        PEERS = 100
    };
    struct server_fixture *fixture = *state;
    struct peer peers[PEERS];
    uint8_t bytes[14] = {0};
    fixture_start(fixture);
    peer_frame_header(bytes, 65536);
    for (uint32_t i = 0; i < PEERS; i++) {
        fixture_connect(fixture, &peers[i]);
        assert_true(peer_send_all(&peers[i], bytes, sizeof(bytes), test_deadline_ms()));
    }
    FIXTURE_UNTIL(fixture, fixture_counters(fixture).bytes_received == PEERS * sizeof(bytes));
    /* Ten bytes each: the smallest block of the pool, 256 bytes, holds them. */
    assert_true(fixture_counters(fixture).assembly_bytes_used <= PEERS * 256);
    for (uint32_t i = 0; i < PEERS; i++) {
        peer_close(&peers[i]);
    }
    fixture_expect_settled(fixture);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_TRUNCATED], PEERS);
}

static void two_thousand_connects_with_a_reset_leave_the_listener_alive(void **state)
{
    struct server_fixture *fixture = *state;
    fixture->options.max_connections = 4096; /* a slot for each, however late the server is */
    fixture_start(fixture);
    uint32_t rounds = test_scaled(2000);
    for (uint32_t i = 0; i < rounds; i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        peer_reset(&peer);
        (void)fixture_turn(fixture, 0);
    }
    struct peer peer;
    fixture_connect(fixture, &peer);
    expect_bystander_unharmed(fixture, &peer);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).refused, 0);
    assert_int_equal(fixture_counters(fixture).accept_pauses, 0);
}

static void health_checks_that_connect_and_close_make_no_log_noise(void **state)
{
    struct server_fixture *fixture = *state;
    fixture_start(fixture);
    fixture->log_lines = 0; /* what start has to say is not a peer's doing */
    uint32_t rounds = test_scaled(200);
    for (uint32_t i = 0; i < rounds; i++) {
        struct peer peer;
        fixture_connect(fixture, &peer);
        if (i % 2 == 0) {
            peer_close(&peer);
        } else {
            peer_reset(&peer);
        }
        (void)fixture_turn(fixture, 0);
    }
    fixture_expect_settled(fixture);
    if (fixture->log_lines != 0) {
        fail_msg("%" PRIu32 " log lines, the last: %s", fixture->log_lines, fixture->log_last);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_over_the_limit_closes_that_connection_alone),
        cmocka_unit_test(the_log_names_a_length_over_the_limit_and_who_sent_it),
        cmocka_unit_test(a_length_at_the_limit_is_taken),
        cmocka_unit_test(messages_before_a_length_over_the_limit_are_delivered),
        cmocka_unit_test(other_protocols_on_the_port_are_turned_away_as_too_large),
        cmocka_unit_test(random_bytes_harm_nobody_else),
        cmocka_unit_test(an_end_inside_a_frame_is_told_from_an_end_between_two),
        cmocka_unit_test(an_end_inside_a_long_body_is_truncated_and_its_memory_comes_back),
        cmocka_unit_test(a_claimed_length_reserves_nothing),
        cmocka_unit_test(two_thousand_connects_with_a_reset_leave_the_listener_alive),
        cmocka_unit_test(health_checks_that_connect_and_close_make_no_log_noise),
    };
    return fixture_run_tests("server_hostile", tests, sizeof(tests) / sizeof(tests[0]));
}
