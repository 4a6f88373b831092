/* SPDX-License-Identifier: MIT
 * The ring between two threads. */
#include "base/ring.h"

#include <string.h>

#include "base/prng.h"
#include "check.h"
#include "death.h"
#include "thread.h"

#define RING_ENTRIES_MAX 1024u

struct entry {
    uint64_t number;
    uint64_t check; /* tells a torn or stale entry from a whole one */
};

static struct entry storage[RING_ENTRIES_MAX];

/* An empty ring that has already carried `index` entries, modulo 2^32. */
static void open_ring(struct tg_ring *ring, uint32_t capacity, uint32_t index)
{
    memset(storage, 0xa5, sizeof storage);
    tg_ring_init(ring, storage, capacity, sizeof(struct entry));
    ring->tail = index;
    ring->head_seen = index;
    ring->head = index;
    ring->tail_seen = index;
    atomic_store(&ring->tail_shared, index);
    atomic_store(&ring->head_shared, index);
}

static bool push(struct tg_ring *ring, uint64_t number)
{
    struct entry *entry = tg_ring_claim(ring);
    if (entry == NULL) {
        return false;
    }
    *entry = (struct entry){number, ~number};
    tg_ring_push(ring);
    return true;
}

/* The oldest entry's number, taken; UINT64_MAX if there is none. */
static uint64_t pop(struct tg_ring *ring)
{
    struct entry *entry = tg_ring_peek(ring);
    if (entry == NULL) {
        return UINT64_MAX;
    }
    uint64_t number = entry->number;
    tg_ring_pop(ring);
    return number;
}

static void the_capacity_is_the_next_power_of_two(void **state)
{
    (void)state;
    assert_int_equal(tg_ring_capacity_for(1), 1);
    assert_int_equal(tg_ring_capacity_for(2), 2);
    assert_int_equal(tg_ring_capacity_for(3), 4);
    assert_int_equal(tg_ring_capacity_for(64), 64);
    assert_int_equal(tg_ring_capacity_for(65), 128);
    assert_int_equal(tg_ring_capacity_for(0x40000001), 0x80000000);
    assert_int_equal(tg_ring_capacity_for(0x80000000), 0x80000000);
    assert_int_equal(tg_ring_storage_bytes(128, 24), 3072);
}

static void nothing_is_visible_before_it_is_published(void **state)
{
    (void)state;
    struct tg_ring ring;
    open_ring(&ring, 4, 0);
    assert_false(tg_ring_publish(&ring));
    assert_true(push(&ring, 7));
    assert_false(tg_ring_has_entries(&ring));
    assert_null(tg_ring_peek(&ring));
    assert_true(tg_ring_publish(&ring));
    assert_false(tg_ring_publish(&ring));
    assert_true(tg_ring_has_entries(&ring));
    assert_int_equal(pop(&ring), 7);
    assert_false(tg_ring_has_entries(&ring));
}

static void a_claim_that_is_not_pushed_leaves_no_entry(void **state)
{
    (void)state;
    struct tg_ring ring;
    open_ring(&ring, 4, 0);
    void *claimed = tg_ring_claim(&ring);
    assert_ptr_equal(tg_ring_claim(&ring), claimed);
    assert_false(tg_ring_publish(&ring));
    assert_null(tg_ring_peek(&ring));
}

static void room_comes_back_only_when_it_is_returned(void **state)
{
    (void)state;
    struct tg_ring ring;
    open_ring(&ring, 2, 0);
    assert_true(push(&ring, 1));
    assert_true(push(&ring, 2));
    assert_false(push(&ring, 3));
    tg_ring_publish(&ring);
    assert_int_equal(pop(&ring), 1);
    assert_int_equal(pop(&ring), 2);
    assert_false(push(&ring, 3));
    assert_true(tg_ring_return(&ring));
    assert_false(tg_ring_return(&ring));
    assert_true(push(&ring, 3));
    assert_true(push(&ring, 4));
    assert_false(push(&ring, 5));
}

static void peek_seen_never_takes_a_fresh_look(void **state)
{
    (void)state;
    struct tg_ring ring;
    open_ring(&ring, 4, 0);
    push(&ring, 1);
    push(&ring, 2);
    tg_ring_publish(&ring);
    assert_null(tg_ring_peek_seen(&ring));
    assert_non_null(tg_ring_peek(&ring));
    push(&ring, 3);
    tg_ring_publish(&ring);
    for (uint64_t number = 1; number <= 2; number++) {
        struct entry *entry = tg_ring_peek_seen(&ring);
        assert_non_null(entry);
        assert_int_equal(entry->number, number);
        tg_ring_pop(&ring);
    }
    assert_null(tg_ring_peek_seen(&ring));
    assert_int_equal(pop(&ring), 3);
}

static void pop_blindly(void *context)
{
    tg_ring_pop(context);
}

static void an_entry_that_was_not_peeked_cannot_be_popped(void **state)
{
    (void)state;
    char text[120];
    struct tg_ring ring;
    open_ring(&ring, 4, 0);
    assert_true(test_aborts(pop_blindly, &ring, text, sizeof text));
    assert_non_null(strstr(text, "requirement failed"));
}

static void every_capacity_fills_and_empties_while_the_indices_wrap(void **state)
{
    (void)state;
    for (uint32_t capacity = 1; capacity <= RING_ENTRIES_MAX; capacity *= 2) {
        struct tg_ring ring;
        open_ring(&ring, capacity, UINT32_MAX - capacity - 1);
        for (uint64_t round = 0; round < 4; round++) {
            for (uint64_t i = 0; i < capacity; i++) {
                assert_true(push(&ring, round * capacity + i));
            }
            assert_false(push(&ring, 0));
            tg_ring_publish(&ring);
            for (uint64_t i = 0; i < capacity; i++) {
                assert_int_equal(pop(&ring), round * capacity + i);
            }
            assert_int_equal(pop(&ring), UINT64_MAX);
            tg_ring_return(&ring);
        }
        assert_true(ring.tail < UINT32_MAX / 2); /* it did wrap */
    }
}

/* Two threads. */

struct flow {
    struct tg_ring ring;
    uint64_t count;
    uint64_t seed;
    time_t deadline;
    uint64_t sent;
    uint64_t received;
    uint64_t wrong; /* entries out of order or not whole */
};

/* Gives the processor to the other thread; false when the time is over. */
static bool wait_for_the_other(const struct flow *flow)
{
    test_thread_yield();
    return time(NULL) < flow->deadline;
}

static void produce(void *context)
{
    struct flow *flow = context;
    struct tg_prng prng = {flow->seed};
    while (flow->sent < flow->count) {
        uint32_t batch = 1 + tg_prng_below(&prng, 100);
        while (batch > 0 && flow->sent < flow->count && push(&flow->ring, flow->sent)) {
            flow->sent++;
            batch--;
        }
        tg_ring_publish(&flow->ring);
        if (batch > 0 && !wait_for_the_other(flow)) {
            break;
        }
    }
}

static void consume(struct flow *flow)
{
    struct tg_prng prng = {flow->seed + 1};
    while (flow->received < flow->count) {
        uint32_t batch = 1 + tg_prng_below(&prng, 100);
        struct entry *entry;
        while (batch > 0 && (entry = tg_ring_peek(&flow->ring)) != NULL) {
            flow->wrong += entry->number != flow->received || entry->check != ~entry->number;
            entry->check = 0;
            tg_ring_pop(&flow->ring);
            flow->received++;
            batch--;
        }
        tg_ring_return(&flow->ring);
        if (batch > 0 && !wait_for_the_other(flow)) {
            break;
        }
    }
}

static void run_flow(uint32_t capacity, uint32_t count, uint64_t seed)
{
    static struct flow flow;
    flow = (struct flow){.count = count, .seed = seed, .deadline = time(NULL) + 50};
    open_ring(&flow.ring, capacity, UINT32_MAX - count / 2);
    struct test_thread producer;
    assert_true(test_thread_start(&producer, produce, &flow));
    consume(&flow);
    assert_true(test_thread_join(&producer));
    assert_int_equal(flow.sent, count);
    assert_int_equal(flow.received, count);
    assert_int_equal(flow.wrong, 0);
    assert_false(tg_ring_has_entries(&flow.ring));
}

/* Fills what lies in a row, from `number` on; answers the number after the last one. */
static uint64_t push_run(struct tg_ring *ring, uint32_t most, uint64_t number, uint32_t expected)
{
    uint32_t count;
    struct entry *run = tg_ring_claim_run(ring, most, &count);
    assert_int_equal(count, expected);
    for (uint32_t i = 0; i < count; i++) {
        run[i] = (struct entry){number, ~number};
        number++;
    }
    tg_ring_push_run(ring, count);
    return number;
}

static uint64_t pop_run(struct tg_ring *ring, uint32_t most, uint64_t number, uint32_t expected)
{
    uint32_t count;
    const struct entry *run = tg_ring_peek_run(ring, most, &count);
    assert_int_equal(count, expected);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(run[i].number, number);
        number++;
    }
    tg_ring_pop_run(ring, count);
    return number;
}

/* Eight places, of which five are taken when the indices pass the end: a run ends there, and the
 * next one begins at the first place. */
static void a_run_ends_at_the_end_of_the_ring_at_its_limit_and_where_there_is_no_more(void **state)
{
    struct tg_ring ring;
    uint64_t in = 100;
    uint64_t out = 100;
    (void)state;
    open_ring(&ring, 8, UINT32_MAX - 2); /* the first run has the places 5, 6 and 7 */
    in = push_run(&ring, 100, in, 3);
    in = push_run(&ring, 4, in, 4);
    in = push_run(&ring, 100, in, 1);
    uint32_t count;
    (void)tg_ring_claim_run(&ring, 1, &count);
    assert_int_equal(count, 0); /* full */

    out = pop_run(&ring, 100, out, 0); /* nothing was published */
    assert_true(tg_ring_publish(&ring));
    out = pop_run(&ring, 100, out, 0); /* and nobody has looked */
    assert_int_equal(tg_ring_look(&ring), 8);
    out = pop_run(&ring, 2, out, 2);
    out = pop_run(&ring, 100, out, 1);
    (void)tg_ring_claim_run(&ring, 1, &count);
    assert_int_equal(count, 0); /* taken, but not returned */
    tg_ring_return(&ring);
    in = push_run(&ring, 100, in, 3);
    out = pop_run(&ring, 100, out, 5);
    assert_int_equal(out, 108);
    assert_int_equal(in, 111);
}

static void pop_more_than_was_seen(void *context)
{
    struct tg_ring ring;
    (void)context;
    open_ring(&ring, 8, 0);
    (void)push(&ring, 1);
    (void)tg_ring_publish(&ring);
    (void)tg_ring_look(&ring);
    tg_ring_pop_run(&ring, 2);
}

static void a_run_that_was_not_seen_cannot_be_popped(void **state)
{
    char said[200];
    (void)state;
    assert_true(test_aborts(pop_more_than_was_seen, NULL, said, sizeof said));
    assert_non_null(strstr(said, "tail_seen"));
}

static void a_million_entries_cross_in_order_and_whole(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    run_flow(1024, test_scaled(4000000), seed);
    run_flow(16, test_scaled(1000000), seed);
    run_flow(1, test_scaled(50000), seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_capacity_is_the_next_power_of_two),
        cmocka_unit_test(nothing_is_visible_before_it_is_published),
        cmocka_unit_test(a_claim_that_is_not_pushed_leaves_no_entry),
        cmocka_unit_test(room_comes_back_only_when_it_is_returned),
        cmocka_unit_test(peek_seen_never_takes_a_fresh_look),
        cmocka_unit_test(an_entry_that_was_not_peeked_cannot_be_popped),
        cmocka_unit_test(every_capacity_fills_and_empties_while_the_indices_wrap),
        cmocka_unit_test(a_run_ends_at_the_end_of_the_ring_at_its_limit_and_where_there_is_no_more),
        cmocka_unit_test(a_run_that_was_not_seen_cannot_be_popped),
        cmocka_unit_test(a_million_entries_cross_in_order_and_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
