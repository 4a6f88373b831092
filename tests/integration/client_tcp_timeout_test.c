/* SPDX-License-Identifier: MIT
 * The blocking client and a peer that is slow, or says nothing: each call ends at its time limit,
 * whatever drips in or out meanwhile, and is told from the end of the stream. */
#include <string.h>

#include "tcp_pair.h"

/* More than the system buffers on the way, whatever it is set to by default. */
#define HUGE_BYTES (64u * 1024u * 1024u)

/* How much later than its limit a call may end on a loaded machine; far less than it would take if
 * every byte began the limit anew. */
static int64_t latest_ms(int limit_ms)
{
    return limit_ms + test_deadline_ms() / 2;
}

/* --- time limits of reading ---------------------------------------------------------------- */

static void nothing_to_read_is_told_from_the_end(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[8];
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 8, 0), THRONG_EAGAIN);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 8, 1), THRONG_EAGAIN);
    tcp_pair_send(pair, "\0\0\0\3bye", 7);
    peer_finish(&pair->peer);
    tcp_pair_expect_read(pair, "bye", 3);
    tcp_pair_expect_error(pair, THRONG_EEOF);
    tcp_pair_expect_error(pair, THRONG_EEOF);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, message, 8, 0), THRONG_EEOF);
}

static void a_read_waits_for_its_limit_and_not_longer(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[8];
    tcp_pair_connect(pair);
    int64_t begin_ms = test_now_ms();
    assert_int_equal(throng_tcp_read(pair->tcp, message, 8, 60), THRONG_EAGAIN);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, message, 8, 40), THRONG_EAGAIN);
    assert_in_range(test_now_ms() - begin_ms, 99, latest_ms(100));
}

static bool answer_later(struct script *script)
{
    uint8_t question;
    return peer_receive_all(&script->peer, &question, 1, test_deadline_ms()) &&
           peer_send_all(&script->peer, "\0\0\0\2hi", 6, test_deadline_ms());
}

static void a_read_without_a_limit_waits_for_the_message(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[8];
    tcp_pair_connect(pair);
    tcp_pair_play(pair, answer_later, 0);
    assert_int_equal(throng_tcp_send_raw(pair->tcp, "?", 1, -1), 0);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 8, -1), 2);
    assert_memory_equal(message, "hi", 2);
    tcp_pair_expect_played(pair);
}

/* Part of a frame, a byte every other millisecond, for longer than the reader has any patience. */
static bool drip_slowly(struct script *script)
{
    int64_t end_ms = test_now_ms() + 2 * latest_ms(100);
    bool is_sent = peer_send_all(&script->peer, "\0\0\377\377", 4, test_deadline_ms());
    while (is_sent && !atomic_load(&script->is_over) && test_now_ms() < end_ms) {
        script_dawdle(2);
        is_sent = peer_send_all(&script->peer, "x", 1, test_deadline_ms());
    }
    return is_sent;
}

static void bytes_that_drip_in_do_not_stretch_a_reads_limit(void **state)
{
    static uint8_t message[65536];
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    tcp_pair_play(pair, drip_slowly, 0);
    int64_t begin_ms = test_now_ms();
    int64_t result = throng_tcp_read(pair->tcp, message, sizeof(message), 100);
    int64_t took_ms = test_now_ms() - begin_ms;
    atomic_store(&pair->script.is_over, true);
    tcp_pair_expect_played(pair);
    assert_int_equal(result, THRONG_EAGAIN);
    assert_in_range(took_ms, 99, latest_ms(100));
}

/* --- time limits of writing ---------------------------------------------------------------- */

static void a_write_that_times_out_breaks_the_connection(void **state)
{
    static uint8_t message[HUGE_BYTES];
    struct tcp_pair *pair = *state;
    pair->options.message_bytes_max = HUGE_BYTES;
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "\0\0\0\2hi\0\0\0\3bye", 13);
    tcp_pair_expect_read(pair, "hi", 2);
    int64_t begin_ms = test_now_ms();
    assert_int_equal(throng_tcp_write(pair->tcp, message, HUGE_BYTES, 50), THRONG_ETIMEDOUT);
    assert_in_range(test_now_ms() - begin_ms, 49, latest_ms(50));
    assert_int_equal(throng_tcp_write(pair->tcp, "x", 1, 0), THRONG_ETIMEDOUT);
    assert_int_equal(throng_tcp_send_raw(pair->tcp, "x", 1, 0), THRONG_ETIMEDOUT);
    assert_int_equal(throng_tcp_shutdown(pair->tcp), THRONG_ETIMEDOUT);
    assert_int_equal(throng_tcp_receive_raw(pair->tcp, message, 1, 0), THRONG_ETIMEDOUT);
    tcp_pair_expect_error(pair, THRONG_ETIMEDOUT);
}

/* Takes 64 KiB every other millisecond: seconds for HUGE_BYTES, but never long without any. */
static bool swallow_slowly(struct script *script)
{
    static uint8_t bytes[65536];
    while (!atomic_load(&script->is_over)) {
        (void)peer_receive(&script->peer, bytes, sizeof(bytes));
        script_dawdle(2);
    }
    return true;
}

static void bytes_that_drip_out_do_not_stretch_a_writes_limit(void **state)
{
    static uint8_t message[HUGE_BYTES];
    struct tcp_pair *pair = *state;
    pair->options.message_bytes_max = HUGE_BYTES;
    tcp_pair_connect(pair);
    tcp_pair_play(pair, swallow_slowly, 0);
    int64_t begin_ms = test_now_ms();
    int result = throng_tcp_write(pair->tcp, message, HUGE_BYTES, 200);
    int64_t took_ms = test_now_ms() - begin_ms;
    atomic_store(&pair->script.is_over, true);
    tcp_pair_expect_played(pair);
    assert_int_equal(result, THRONG_ETIMEDOUT);
    assert_in_range(took_ms, 199, latest_ms(200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tcp_pair_setup, tcp_pair_teardown)
        TEST(nothing_to_read_is_told_from_the_end),
        TEST(a_read_waits_for_its_limit_and_not_longer),
        TEST(a_read_without_a_limit_waits_for_the_message),
        TEST(bytes_that_drip_in_do_not_stretch_a_reads_limit),
        TEST(a_write_that_times_out_breaks_the_connection),
        TEST(bytes_that_drip_out_do_not_stretch_a_writes_limit),
    };
    return cmocka_run_group_tests_name("the blocking client's time limits", tests, NULL, NULL);
}
