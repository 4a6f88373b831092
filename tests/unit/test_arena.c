/* SPDX-License-Identifier: MIT
 * The arena's free list and the generation counter. */
#include "conn/arena.h"

#include <stdatomic.h>

#include "base/index_stack.h"
#include "check.h"
#include "event/event.h"
#include "thread.h"

struct memory {
    struct tg_arena arena;
    void *slots;
    void *timers;
    void *narrow;
    void *wide;
    void *links;
};

static void set_up(struct memory *memory, uint32_t capacity)
{
    /* Slots are only pointed at here, so a small stand-in for their memory would do; the real size
     * shows that the three sizes are right. */
    memory->slots = calloc(1, tg_arena_slots_bytes(capacity));
    memory->timers = calloc(1, tg_arena_timers_bytes(capacity));
    memory->narrow = calloc(1, tg_ends_narrow_bytes(capacity));
    memory->wide = calloc(1, tg_ends_wide_bytes(capacity));
    memory->links = calloc(1, tg_arena_links_bytes(capacity));
    assert_true(memory->slots != NULL && memory->timers != NULL && memory->narrow != NULL &&
                memory->wide != NULL && memory->links != NULL);
    const struct tg_ends ends = {memory->narrow, memory->wide};
    tg_arena_init(&memory->arena, memory->slots, memory->timers, &ends, memory->links, capacity);
}

static void tear_down(struct memory *memory)
{
    free(memory->slots);
    free(memory->timers);
    free(memory->narrow);
    free(memory->wide);
    free(memory->links);
}

static void an_arena_gives_each_slot_once_and_then_says_that_it_is_full(void **state)
{
    (void)state;
    struct memory memory;
    set_up(&memory, 3);
    assert_true(tg_arena_has_free(&memory.arena));
    assert_int_equal(tg_arena_take(&memory.arena), 0);
    assert_int_equal(tg_arena_take(&memory.arena), 1);
    assert_int_equal(tg_arena_take(&memory.arena), 2);
    assert_int_equal(tg_arena_take(&memory.arena), TG_INDEX_NONE);
    assert_false(tg_arena_has_free(&memory.arena));
    tear_down(&memory);
}

static void the_slot_freed_last_is_taken_first(void **state)
{
    (void)state;
    struct memory memory;
    set_up(&memory, 4);
    for (int i = 0; i < 3; i++) {
        (void)tg_arena_take(&memory.arena);
    }
    tg_arena_give(&memory.arena, 0);
    tg_arena_give(&memory.arena, 2);
    assert_int_equal(tg_arena_take(&memory.arena), 2);
    assert_int_equal(tg_arena_take(&memory.arena), 0);
    assert_int_equal(tg_arena_take(&memory.arena), 3);
    assert_int_equal(tg_arena_take(&memory.arena), TG_INDEX_NONE);
    tear_down(&memory);
}

/* ---- many workers ---- */

#define THREADS 4
#define SHARED_SLOTS 8

struct contest {
    struct memory memory;
    uint32_t rounds; /* per thread */
    _Atomic uint32_t holders[SHARED_SLOTS];
    _Atomic uint32_t violations;
    _Atomic uint64_t taken;
};

static void take_and_give(void *argument)
{
    struct contest *contest = argument;
    for (uint32_t i = 0; i < contest->rounds; i++) {
        uint32_t slot = tg_arena_take(&contest->memory.arena);
        if (slot == TG_INDEX_NONE) {
            continue;
        }
        if (atomic_fetch_add(&contest->holders[slot], 1) != 0) {
            atomic_fetch_add(&contest->violations, 1);
        }
        atomic_fetch_add(&contest->taken, 1);
        atomic_fetch_sub(&contest->holders[slot], 1);
        tg_arena_give(&contest->memory.arena, slot);
    }
}

static void no_slot_is_held_by_two_workers_at_once(void **state)
{
    (void)state;
    static struct contest contest;
    set_up(&contest.memory, SHARED_SLOTS);
    contest.rounds = test_scaled(200000);
    struct test_thread threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_true(test_thread_start(&threads[i], take_and_give, &contest));
    }
    for (int i = 0; i < THREADS; i++) {
        assert_true(test_thread_join(&threads[i]));
    }
    assert_int_equal(atomic_load(&contest.violations), 0);
    assert_true(atomic_load(&contest.taken) >= contest.rounds);
    bool seen[SHARED_SLOTS] = {false};
    for (int i = 0; i < SHARED_SLOTS; i++) {
        uint32_t slot = tg_arena_take(&contest.memory.arena);
        assert_true(slot < SHARED_SLOTS && !seen[slot]);
        seen[slot] = true;
    }
    assert_int_equal(tg_arena_take(&contest.memory.arena), TG_INDEX_NONE);
    tear_down(&contest.memory);
}

/* ---- generations ---- */

static void generations_of_two_workers_never_meet(void **state)
{
    (void)state;
    struct tg_generations first = {0};
    struct tg_generations second = {0};
    static uint64_t seen[20000];
    for (int i = 0; i < 20000; i += 2) {
        seen[i] = tg_generations_next(&first);
        seen[i + 1] = tg_generations_next(&second);
        assert_true(seen[i] != 0 && seen[i + 1] != 0);
    }
    for (int i = 2; i < 20000; i++) {
        /* Each worker's own are strictly rising, so only the two blocks could overlap. */
        assert_true(seen[i] > seen[i - 2]);
        assert_true(seen[i] != seen[i - 1]);
    }
}

static void a_restarted_worker_continues_after_every_generation_given_before(void **state)
{
    (void)state;
    struct tg_generations before = {0};
    uint64_t last = 0;
    for (int i = 0; i < 10000; i++) {
        last = tg_generations_next(&before);
    }
    struct tg_generations after = {0};
    assert_true(tg_generations_next(&after) > last);
}

static void an_id_carries_its_slot(void **state)
{
    (void)state;
    assert_int_equal(tg_conn_slot(UINT64_C(1) << TG_SLOT_BITS | 64999), 64999);
    assert_int_equal(tg_conn_slot(UINT64_MAX), 1048575);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_gives_each_slot_once_and_then_says_that_it_is_full),
        cmocka_unit_test(the_slot_freed_last_is_taken_first),
        cmocka_unit_test(no_slot_is_held_by_two_workers_at_once),
        cmocka_unit_test(generations_of_two_workers_never_meet),
        cmocka_unit_test(a_restarted_worker_continues_after_every_generation_given_before),
        cmocka_unit_test(an_id_carries_its_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
