/* SPDX-License-Identifier: MIT
 * Requests: each ends exactly once, by its reply, its time or its connection's end; nobody else's
 * reply matches. */
#include <throng/message.h>

#include <string.h>

#include "check.h"

#define MOST 4

static struct throng_messages *messages;
static struct throng_messages_counters counters;

static struct end {
    uint32_t count;
    int result;
    uint64_t conn;
    uint64_t value; /* of the reply's field x */
    uint32_t type;
} ends[8];

static void note_end(void *context, throng_conn conn, int result, struct throng_message *reply)
{
    struct end *end = context;
    end->count++;
    end->result = result;
    end->conn = conn.id;
    assert_int_equal(reply != NULL, result == 0 || result == THRONG_EREMOTE);
    if (reply != NULL) {
        end->type = reply->type;
        (void)throng_body_u64(reply, "x", &end->value);
    }
}

static int set_up(void **state)
{
    struct throng_messages_options options;
    (void)state;
    memset(ends, 0, sizeof ends);
    throng_messages_options_init(&options);
    options.requests_max = MOST;
    options.limits.bytes_max = 64;
    return throng_messages_create(&messages, &options, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    throng_messages_destroy(messages);
    return 0;
}

static int32_t ask(uint32_t end, uint64_t conn, uint64_t now_ms, uint32_t timeout_ms)
{
    int32_t id = 0;
    assert_int_equal(throng_request_begin(messages, (throng_conn){conn}, now_ms, timeout_ms,
                                          note_end, &ends[end], &id),
                     0);
    assert_true(id >= 1);
    return id;
}

/* A reply of type 5 with a field x; or of type 0. */
static int reply(uint64_t conn, uint32_t type, int32_t id, uint64_t x)
{
    uint8_t bytes[64];
    struct throng_pack pack;
    throng_pack_to_buffer(&pack, bytes, sizeof bytes);
    if (type == 0) {
        throng_pack_error_message(&pack, -id, -22, "no");
    } else {
        throng_pack_envelope(&pack, type, -id);
        throng_pack_map(&pack, 1);
        throng_pack_field_u64(&pack, "x", x);
    }
    const int64_t size = throng_pack_end(&pack);
    assert_true(size > 0);
    const int result =
        throng_messages_dispatch(messages, (throng_conn){conn}, NULL, bytes, (size_t)size);
    throng_messages_read_counters(messages, &counters);
    return result;
}

static void a_reply_ends_its_request_once(void **state)
{
    (void)state;
    const int32_t first = ask(0, 1, 1000, 500);
    const int32_t second = ask(1, 1, 1000, 500);
    assert_int_not_equal(first, second);
    assert_int_equal(reply(1, 5, second, 22), 0);
    assert_int_equal(reply(1, 5, first, 11), 0);
    assert_int_equal(ends[0].value, 11);
    assert_int_equal(ends[1].value, 22);
    assert_int_equal(ends[1].type, 5);
    assert_int_equal(reply(1, 5, first, 99), THRONG_EPROTOCOL);
    assert_int_equal(ends[0].count + ends[1].count, 2);
    assert_int_equal(ends[0].value, 11);
    assert_int_equal(counters.replies, 2);
    assert_int_equal(counters.replies_refused, 1);
    assert_int_equal(counters.requests_now, 0);
    assert_int_equal(throng_messages_wait_ms(messages, 1000), -1);
}

static void nobody_elses_reply_matches(void **state)
{
    (void)state;
    const int32_t id = ask(0, 1, 0, 500);
    assert_int_equal(reply(2, 5, id, 1), THRONG_EPROTOCOL);
    assert_int_equal(reply(1, 5, id + 1, 1), THRONG_EPROTOCOL);
    assert_int_equal(reply(1, 5, id + MOST, 1), THRONG_EPROTOCOL); /* the same bucket */
    assert_int_equal(ends[0].count, 0);
    assert_int_equal(reply(1, 5, id, 1), 0);
    assert_int_equal(ends[0].count, 1);
    assert_int_equal(counters.replies_refused, 3);
}

static void an_error_message_ends_it_as_well(void **state)
{
    (void)state;
    assert_int_equal(reply(1, 0, ask(0, 1, 0, 500), 0), 0);
    assert_int_equal(ends[0].result, THRONG_EREMOTE);
    assert_int_equal(ends[0].type, 0);
}

static void a_reply_that_cannot_be_read_ends_it(void **state)
{
    (void)state;
    const int32_t id = ask(0, 1, 0, 500);
    const uint8_t bytes[] = {0x93, 5, (uint8_t)(256 - id), 0xc1};
    assert_int_equal(throng_messages_dispatch(messages, (throng_conn){1}, NULL, bytes, 4),
                     THRONG_EPROTOCOL);
    assert_int_equal(ends[0].count, 1);
    assert_int_equal(ends[0].result, THRONG_EPROTOCOL);
}

static void time_ends_those_that_are_due_and_no_other(void **state)
{
    (void)state;
    const uint64_t origin = UINT64_C(0xfedcba9876543210);
    (void)ask(0, 1, origin, 500);
    (void)ask(1, 2, origin, 100);
    const int32_t id = ask(2, 3, origin + 50, 86400000);
    assert_int_equal(throng_messages_update(messages, origin + 99), 0);
    assert_true(throng_messages_wait_ms(messages, origin + 99) <= 1);
    assert_int_equal(throng_messages_update(messages, origin + 100), 1);
    assert_int_equal(ends[1].result, THRONG_ETIMEDOUT);
    assert_int_equal(ends[1].conn, 2);
    assert_int_equal(throng_messages_update(messages, origin + 499), 0);
    assert_int_equal(throng_messages_update(messages, origin + 500), 1);
    assert_int_equal(throng_messages_update(messages, origin + 86400049), 0);
    assert_int_equal(reply(3, 5, id, 1), 0);
    assert_int_equal(throng_messages_update(messages, origin + 86400050), 0);
    assert_int_equal(counters.timeouts, 2);
    assert_int_equal(ends[0].count + ends[1].count + ends[2].count, 3);
}

static void the_end_of_a_connection_ends_its_own(void **state)
{
    (void)state;
    (void)ask(0, 1, 0, 500);
    (void)ask(1, 2, 0, 500);
    (void)ask(2, 1, 0, 500);
    assert_int_equal(throng_messages_closed(messages, (throng_conn){1}), 2);
    assert_int_equal(ends[0].result, THRONG_ESTALE);
    assert_int_equal(ends[2].result, THRONG_ESTALE);
    assert_int_equal(ends[1].count, 0);
    assert_int_equal(throng_messages_closed(messages, (throng_conn){1}), 0);
}

static void there_is_a_limit_and_places_come_back(void **state)
{
    int32_t ids[MOST];
    int32_t id = 77;
    (void)state;
    for (uint32_t i = 0; i < MOST; i++) {
        ids[i] = ask(i, 1, 0, 500);
    }
    assert_int_equal(throng_request_begin(messages, (throng_conn){1}, 0, 500, note_end, NULL, &id),
                     THRONG_EAGAIN);
    assert_int_equal(id, 77);
    assert_int_equal(throng_request_cancel(messages, (throng_conn){2}, ids[0]), THRONG_ESTALE);
    assert_int_equal(throng_request_cancel(messages, (throng_conn){1}, ids[0]), 0);
    assert_int_equal(throng_request_cancel(messages, (throng_conn){1}, ids[0]), THRONG_ESTALE);
    const int32_t next = ask(5, 1, 0, 500);
    assert_int_equal(reply(1, 5, ids[0], 1), THRONG_EPROTOCOL); /* given up: late */
    assert_int_equal(reply(1, 5, next, 1), 0);
    assert_int_equal(ends[0].count, 0);
    assert_int_equal(ends[5].count, 1);
}

static void bad_arguments_are_refused(void **state)
{
    int32_t id;
    const throng_conn conn = {1};
    (void)state;
    assert_int_equal(throng_request_begin(NULL, conn, 0, 1, note_end, NULL, &id), THRONG_EINVAL);
    assert_int_equal(throng_request_begin(messages, conn, 0, 0, note_end, NULL, &id),
                     THRONG_EINVAL);
    assert_int_equal(throng_request_begin(messages, conn, 0, 86400001, note_end, NULL, &id),
                     THRONG_EINVAL);
    assert_int_equal(throng_request_begin(messages, conn, 0, 1, NULL, NULL, &id), THRONG_EINVAL);
    assert_int_equal(throng_request_begin(messages, conn, 0, 1, note_end, NULL, NULL),
                     THRONG_EINVAL);
}

/* Asks anew as soon as it is told: at the end of a connection for ever, if nobody counted. */
static void ask_again(void *context, throng_conn conn, int result, struct throng_message *answer)
{
    struct end *end = context;
    int32_t id;
    (void)answer;
    end->count++;
    end->result = result;
    (void)throng_request_begin(messages, conn, 0, 500, ask_again, context, &id);
}

static void who_asks_again_at_the_end_is_not_asked_for_ever(void **state)
{
    int32_t id;
    (void)state;
    assert_int_equal(
        throng_request_begin(messages, (throng_conn){1}, 0, 500, ask_again, &ends[0], &id), 0);
    assert_int_equal(throng_messages_closed(messages, (throng_conn){1}), 1);
    assert_int_equal(ends[0].count, 1);
    assert_int_equal(throng_messages_update(messages, 400), 0);
    throng_messages_read_counters(messages, &counters);
    assert_int_equal(counters.requests_now, 1);
}

/* Against a plain list: begins, replies, time and ends in any order, a hundred thousand times. */
static void any_order_of_things_agrees_with_a_plain_list(void **state)
{
    struct known {
        bool is_there;
        uint64_t conn;
        uint64_t due_ms;
        int32_t id;
    } known[MOST] = {{0}};
    uint64_t chance = test_seed();
    uint64_t now_ms = 5;
    (void)state;
    for (uint32_t step = 0; step < test_scaled(100000); step++) {
        chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407;
        const uint32_t place = (uint32_t)(chance >> 33) % MOST;
        const uint64_t conn = 1 + (chance >> 40) % 3;
        struct known *one = &known[place];
        switch ((chance >> 50) % 4) {
        case 0:
            if (!one->is_there) {
                const uint32_t timeout_ms = 1 + (uint32_t)(chance >> 20) % 3000;
                ends[place].count = 0;
                *one = (struct known){true, conn, now_ms + timeout_ms,
                                      ask(place, conn, now_ms, timeout_ms)};
            }
            break;
        case 1:
            if (one->is_there) {
                const bool own = one->conn == conn;
                assert_int_equal(reply(conn, 5, one->id, step), own ? 0 : THRONG_EPROTOCOL);
                assert_int_equal(ends[place].count, own);
                one->is_there = !own;
            }
            break;
        case 2: {
            uint32_t due = 0;
            now_ms += (chance >> 10) % 1000;
            for (uint32_t i = 0; i < MOST; i++) {
                if (known[i].is_there && known[i].due_ms <= now_ms) {
                    due++;
                    known[i].is_there = false;
                }
            }
            assert_int_equal(throng_messages_update(messages, now_ms), due);
            break;
        }
        default: {
            uint32_t gone = 0;
            for (uint32_t i = 0; i < MOST && (chance >> 12) % 8 == 0; i++) {
                gone += known[i].is_there && known[i].conn == conn;
                known[i].is_there = known[i].is_there && known[i].conn != conn;
            }
            if ((chance >> 12) % 8 == 0) {
                assert_int_equal(throng_messages_closed(messages, (throng_conn){conn}), gone);
            }
            break;
        }
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_reply_ends_its_request_once),
        TEST(nobody_elses_reply_matches),
        TEST(an_error_message_ends_it_as_well),
        TEST(a_reply_that_cannot_be_read_ends_it),
        TEST(time_ends_those_that_are_due_and_no_other),
        TEST(the_end_of_a_connection_ends_its_own),
        TEST(there_is_a_limit_and_places_come_back),
        TEST(bad_arguments_are_refused),
        TEST(who_asks_again_at_the_end_is_not_asked_for_ever),
        TEST(any_order_of_things_agrees_with_a_plain_list),
    };
    return cmocka_run_group_tests_name("message_requests", tests, NULL, NULL);
}
