/* SPDX-License-Identifier: MIT
 * Messages that are written piece by piece: each arrives whole and in its place or not at all, and
 * what is answered is what throng_write_data answers. */
#include <string.h>

#include "pattern.h"
#include "slow_reader.h"

static void make_message(uint8_t *message, uint32_t number, size_t size)
{
    test_fill_pattern(message, size, number);
    if (size >= sizeof number) {
        memcpy(message, &number, sizeof number);
    }
}

/* Appends it in pieces of `piece` bytes; the first error, or 0. */
static int append_pieces(struct throng_writer *writer, const uint8_t *message, size_t size,
                         size_t piece)
{
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += piece) {
        result = throng_writer_append(writer, message + at, size - at < piece ? size - at : piece);
    }
    return result;
}

/* Writes message `number` in pieces; what throng_write_end answers. */
static int write_pieces(struct server_fixture *fixture, throng_conn conn, uint32_t number,
                        size_t size, size_t piece)
{
    uint8_t message[SLOW_READER_LONGEST];
    struct throng_writer writer;
    assert_true(size <= sizeof message);
    make_message(message, number, size);
    int result = throng_write_begin(fixture->server, conn, &writer);
    if (result == 0) {
        const int appended = append_pieces(&writer, message, size, piece);
        result = throng_write_end(&writer);
        assert_int_equal(appended == 0 || appended == result, 1);
    }
    return result;
}

static void start(struct server_fixture *fixture, enum throng_when_send_full policy)
{
    slow_reader_options(fixture);
    fixture->options.when_send_full = policy;
    fixture_start(fixture);
}

static void finish(struct server_fixture *fixture, struct peer *peer)
{
    peer_close(peer);
    fixture_expect_settled(fixture);
}

static void expect_number(struct server_fixture *fixture, const struct peer *peer, uint32_t number,
                          size_t size)
{
    uint8_t message[SLOW_READER_LONGEST];
    make_message(message, number, size);
    fixture_expect_frame(fixture, peer, message, size);
}

static void every_size_in_pieces_of_every_size_arrives_whole(void **state)
{
    static const size_t sizes[] = {0,    1,    3,    4,    507,  508,  509,  1015, 1016,
                                   1020, 1024, 2044, 2045, 2048, 2049, 3999, 4000};
    static const size_t pieces[] = {1, 7, 508, 512, 2049, 4000};
    struct server_fixture *fixture = *state;
    struct peer peer;
    uint32_t number = 0;
    start(fixture, THRONG_WHEN_SEND_FULL_REFUSE);
    throng_conn conn = slow_reader_open(fixture, &peer);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            assert_int_equal(write_pieces(fixture, conn, number, sizes[i], pieces[j]), 0);
            expect_number(fixture, &peer, number, sizes[i]);
            number++;
        }
    }
    assert_int_equal(fixture_counters(fixture).messages_written, number);
    finish(fixture, &peer);
}

static void each_takes_its_place_when_it_ends(void **state)
{
    static const size_t sizes[] = {4, 100, 508, 509, 2000, 4000};
    struct server_fixture *fixture = *state;
    struct peer peer;
    uint8_t message[SLOW_READER_LONGEST];
    uint32_t sent = 0;
    uint32_t received = 0;
    start(fixture, THRONG_WHEN_SEND_FULL_REFUSE);
    throng_conn conn = slow_reader_open(fixture, &peer);
    for (uint32_t round = 0; round < 36; round++) {
        const size_t size = sizes[round % 6];
        struct throng_writer first;
        struct throng_writer second;
        /* The first ends last, with writes, another writer and a flush in between. */
        assert_int_equal(throng_write_begin(fixture->server, conn, &first), 0);
        make_message(message, sent + 3, size);
        assert_int_equal(append_pieces(&first, message, size / 2, 300), 0);
        assert_int_equal(slow_reader_write(fixture, conn, sent, sizes[round / 6]), 0);
        assert_int_equal(throng_write_begin(fixture->server, conn, &second), 0);
        assert_int_equal(slow_reader_write(fixture, conn, sent + 1, 20), 0);
        (void)fixture_turn(fixture, 0);
        make_message(message, sent + 2, 700);
        assert_int_equal(append_pieces(&second, message, 700, 33), 0);
        assert_int_equal(throng_write_end(&second), 0);
        make_message(message, sent + 3, size);
        assert_int_equal(append_pieces(&first, message + size / 2, size - size / 2, 300), 0);
        assert_int_equal(throng_write_end(&first), 0);
        sent += 4;
        slow_reader_expect(fixture, &peer, received, sent - 1);
        received = sent;
    }
    finish(fixture, &peer);
}

static void one_that_is_too_long_leaves_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    static const uint8_t zeros[SLOW_READER_LONGEST + 1];
    struct throng_writer writer;
    start(fixture, THRONG_WHEN_SEND_FULL_REFUSE);
    throng_conn conn = slow_reader_open(fixture, &peer);
    assert_int_equal(throng_write_begin(fixture->server, conn, &writer), 0);
    assert_int_equal(throng_writer_append(&writer, zeros, SLOW_READER_LONGEST - 1), 0);
    assert_int_equal(throng_writer_append(&writer, zeros, 2), THRONG_ETOOBIG);
    assert_int_equal(throng_writer_append(&writer, zeros, 1), THRONG_ETOOBIG); /* it is kept */
    assert_int_equal(throng_write_end(&writer), THRONG_ETOOBIG);
    assert_int_equal(throng_write_begin(fixture->server, conn, &writer), 0);
    assert_int_equal(throng_writer_append(&writer, zeros, sizeof zeros), THRONG_ETOOBIG);
    throng_write_cancel(&writer);
    assert_int_equal(write_pieces(fixture, conn, 5, SLOW_READER_LONGEST, 1000), 0);
    slow_reader_expect(fixture, &peer, 5, 5);
    finish(fixture, &peer);
}

static void one_that_is_given_up_leaves_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    static const uint8_t zeros[3000];
    struct throng_writer writer;
    size_t queued = 0;
    start(fixture, THRONG_WHEN_SEND_FULL_REFUSE);
    throng_conn conn = slow_reader_open(fixture, &peer);
    for (uint32_t i = 0; i < 2000; i++) { /* more than there is memory for */
        assert_int_equal(throng_write_begin(fixture->server, conn, &writer), 0);
        assert_int_equal(throng_writer_append(&writer, zeros, 1 + i), 0);
        throng_write_cancel(&writer);
        throng_write_cancel(&writer);
    }
    assert_int_equal(throng_write_end(&writer), THRONG_EINVAL);
    assert_int_equal(throng_queued_bytes(fixture->server, conn, &queued), 0);
    assert_int_equal(queued, 0);
    assert_int_equal(slow_reader_write(fixture, conn, 1, 4), 0);
    slow_reader_expect(fixture, &peer, 1, 1);
    finish(fixture, &peer);
}

/* As many as throng_write_data takes, one after the other, until it refuses. */
static uint32_t fill(struct server_fixture *fixture, throng_conn conn, size_t size, int refusal)
{
    uint32_t number = 0;
    int result;
    while ((result = write_pieces(fixture, conn, number, size, 300)) == 0) {
        number++;
        assert_true(number < 100000);
    }
    assert_int_equal(result, refusal);
    return number;
}

static void a_full_queue_refuses_and_writable_says_when(void **state)
{
    static const size_t sizes[] = {SLOW_READER_BLOCK, 1020, SLOW_READER_LONGEST};
    struct server_fixture *fixture = *state;
    start(fixture, THRONG_WHEN_SEND_FULL_REFUSE);
    for (uint32_t i = 0; i < 3; i++) {
        struct peer peer;
        const size_t size = sizes[i];
        throng_conn conn = slow_reader_open(fixture, &peer);
        const uint64_t writable = fixture->journal.writables;
        const uint32_t count = fill(fixture, conn, size, THRONG_EAGAIN);
        assert_int_equal(count, SLOW_READER_QUEUE / ((size + 4 + 511) / 512));
        assert_int_equal(write_pieces(fixture, conn, 0, size, 100), THRONG_EAGAIN);
        slow_reader_expect(fixture, &peer, 0, count - 1);
        FIXTURE_UNTIL(fixture, fixture->journal.writables == writable + 1);
        assert_int_equal(write_pieces(fixture, conn, count, size, 100), 0);
        slow_reader_expect(fixture, &peer, count, count);
        peer_close(&peer);
    }
    fixture_expect_settled(fixture);
}

static void a_full_queue_closes_where_the_policy_says_so(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    start(fixture, THRONG_WHEN_SEND_FULL_CLOSE);
    throng_conn conn = slow_reader_open(fixture, &peer);
    (void)fill(fixture, conn, 2000, THRONG_ECLOSING);
    assert_int_equal(write_pieces(fixture, conn, 0, 4, 4), THRONG_ECLOSING);
    fixture_expect_reset(fixture, &peer);
    finish(fixture, &peer);
    assert_int_equal(fixture->journal.closed_for[THRONG_CLOSE_SLOW_READER], 1);
}

static void a_full_queue_drops_the_oldest_where_the_policy_says_so(void **state)
{
    enum {
        STATES = 2000
    };
    struct server_fixture *fixture = *state;
    struct peer peer;
    uint64_t chance = 1;
    size_t queued = 0;
    start(fixture, THRONG_WHEN_SEND_FULL_DROP_OLDEST);
    throng_conn conn = slow_reader_open(fixture, &peer);
    for (uint32_t number = 0; number < STATES; number++) {
        const size_t size = 4 + test_random(&chance) % (SLOW_READER_LONGEST - 3);
        const int result = number % 3 == 0 ? slow_reader_write(fixture, conn, number, size)
                                           : write_pieces(fixture, conn, number, size, 200);
        assert_int_equal(result, 0);
        if (test_random(&chance) % 8 == 0) {
            (void)fixture_turn(fixture, 0);
        }
    }
    (void)fixture_turn(fixture, 0);
    assert_int_equal(throng_queued_bytes(fixture->server, conn, &queued), 0);
    assert_true(queued <= (SLOW_READER_QUEUE + 8) * 512);
    const uint32_t received = slow_reader_expect_some(fixture, &peer, STATES - 1);
    assert_int_equal(received + fixture_counters(fixture).messages_dropped, STATES);
    assert_int_equal(fixture_counters(fixture).writes_refused, 0);
    finish(fixture, &peer);
}

static void the_newest_take_the_place_of_as_many_as_they_need(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    size_t queued = 0;
    start(fixture, THRONG_WHEN_SEND_FULL_DROP_OLDEST);
    throng_conn conn = slow_reader_open(fixture, &peer);
    for (uint32_t number = 0; number < 200; number++) { /* of two blocks each */
        assert_int_equal(write_pieces(fixture, conn, number, 1020, 100), 0);
    }
    assert_int_equal(throng_queued_bytes(fixture->server, conn, &queued), 0);
    assert_int_equal(queued, SLOW_READER_QUEUE * 512);
    assert_int_equal(fixture_counters(fixture).messages_dropped, 136);
    slow_reader_expect(fixture, &peer, 136, 199);
    finish(fixture, &peer);
}

/* Everything that there is, in messages that nobody ends; then the connection writes again. */
static void memory_that_is_short_refuses_and_comes_back(void **state)
{
    enum {
        WRITERS = 400
    };
    static struct throng_writer writers[WRITERS];
    static const uint8_t zeros[SLOW_READER_LONGEST];
    struct server_fixture *fixture = *state;
    struct peer peer;
    uint32_t refused = 0;
    slow_reader_options(fixture);
    fixture->options.send_small_bytes = 512 * 1024;
    fixture->options.send_large_bytes = 33 * 512;
    fixture_start(fixture);
    throng_conn conn = slow_reader_open(fixture, &peer);
    for (uint32_t i = 0; i < WRITERS; i++) {
        assert_int_equal(throng_write_begin(fixture->server, conn, &writers[i]), 0);
        const int result = append_pieces(&writers[i], zeros, sizeof zeros, 400);
        assert_true(result == 0 || result == THRONG_EAGAIN);
        refused += result < 0;
    }
    assert_true(refused > WRITERS / 3 && refused < WRITERS);
    for (uint32_t i = 0; i < WRITERS; i++) {
        throng_write_cancel(&writers[i]);
    }
    FIXTURE_UNTIL(fixture, fixture->journal.writables == 1);
    assert_int_equal(write_pieces(fixture, conn, 1, SLOW_READER_LONGEST, 400), 0);
    slow_reader_expect(fixture, &peer, 1, 1);
    finish(fixture, &peer);
}

static void a_connection_that_ends_meanwhile_is_told(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peers[2];
    struct throng_writer writers[3];
    static const uint8_t zeros[2000];
    start(fixture, THRONG_WHEN_SEND_FULL_REFUSE);
    throng_conn conn = slow_reader_open(fixture, &peers[0]);
    throng_conn closing = slow_reader_open(fixture, &peers[1]);
    assert_int_equal(throng_write_begin(fixture->server, conn, &writers[0]), 0);
    assert_int_equal(throng_writer_append(&writers[0], zeros, 2000), 0);
    assert_int_equal(throng_write_begin(fixture->server, closing, &writers[1]), 0);
    assert_int_equal(throng_writer_append(&writers[1], zeros, 2000), 0);
    assert_int_equal(throng_write_begin(fixture->server, closing, &writers[2]), 0);
    assert_int_equal(throng_writer_append(&writers[2], zeros, 20), 0);
    peer_close(&peers[0]);
    FIXTURE_UNTIL(fixture, fixture->journal.closed == 1);
    assert_int_equal(throng_close(fixture->server, closing), 0);
    assert_int_equal(throng_write_end(&writers[0]), THRONG_ESTALE);
    assert_int_equal(throng_writer_append(&writers[1], zeros, 1), THRONG_ECLOSING);
    assert_int_equal(throng_write_end(&writers[1]), THRONG_ECLOSING);
    assert_int_equal(throng_write_end(&writers[2]), THRONG_ECLOSING);
    assert_int_equal(throng_write_begin(fixture->server, conn, &writers[0]), THRONG_ESTALE);
    assert_int_equal(throng_write_begin(fixture->server, closing, &writers[1]), THRONG_ECLOSING);
    fixture_expect_end(fixture, &peers[1]);
    finish(fixture, &peers[1]);
}

static void misuse_is_refused(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    struct throng_writer writer = {0};
    start(fixture, THRONG_WHEN_SEND_FULL_REFUSE);
    throng_conn conn = slow_reader_open(fixture, &peer);
    assert_int_equal(throng_writer_append(&writer, "x", 1), THRONG_EINVAL);
    assert_int_equal(throng_write_end(&writer), THRONG_EINVAL);
    assert_int_equal(throng_write_end(NULL), THRONG_EINVAL);
    assert_int_equal(throng_writer_append(NULL, "x", 1), THRONG_EINVAL);
    throng_write_cancel(NULL);
    throng_write_cancel(&writer);
    assert_int_equal(throng_write_begin(NULL, conn, &writer), THRONG_EINVAL);
    assert_int_equal(throng_write_begin(fixture->server, conn, NULL), THRONG_EINVAL);
    assert_int_equal(throng_write_begin(fixture->server, (throng_conn){0}, &writer), THRONG_ESTALE);
    assert_int_equal(throng_write_end(&writer), THRONG_EINVAL); /* it did not begin */
    assert_int_equal(throng_write_begin(fixture->server, conn, &writer), 0);
    assert_int_equal(throng_writer_append(&writer, NULL, 1), THRONG_EINVAL);
    assert_int_equal(throng_write_end(&writer), THRONG_EINVAL);
    assert_int_equal(throng_write_begin(fixture->server, conn, &writer), 0);
    assert_int_equal(throng_writer_append(&writer, NULL, 0), 0);
    assert_int_equal(throng_writer_sink(&writer, "\1\0\0\0", 4), 0);
    assert_int_equal(throng_write_end(&writer), 0);
    assert_int_equal(throng_write_end(&writer), THRONG_EINVAL);
    fixture_expect_frame(fixture, &peer, "\1\0\0\0", 4);
    finish(fixture, &peer);
}

int main(void)
{
#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name, NULL, NULL, NULL                                                              \
    }
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_in_pieces_of_every_size_arrives_whole),
        cmocka_unit_test(each_takes_its_place_when_it_ends),
        cmocka_unit_test(one_that_is_too_long_leaves_nothing),
        cmocka_unit_test(one_that_is_given_up_leaves_nothing),
        cmocka_unit_test(a_full_queue_refuses_and_writable_says_when),
        cmocka_unit_test(a_full_queue_closes_where_the_policy_says_so),
        cmocka_unit_test(a_full_queue_drops_the_oldest_where_the_policy_says_so),
        cmocka_unit_test(the_newest_take_the_place_of_as_many_as_they_need),
        cmocka_unit_test(memory_that_is_short_refuses_and_comes_back),
        cmocka_unit_test(a_connection_that_ends_meanwhile_is_told),
        cmocka_unit_test(misuse_is_refused),
    };
    return fixture_run_tests("server_writer", tests, sizeof(tests) / sizeof(tests[0]));
}
