/* SPDX-License-Identifier: MIT
 * The intake: anything in any order, and every message of honest peers arrives. */
#include "intake_world.h"
#include "pattern.h"

/* What each connection has to send. */
static uint64_t plan[WORLD_CONNS_MAX];

static void open_random(uint64_t *random)
{
    uint32_t longest = 256u << test_random(random) % 8;
    size_t block = tg_message_block_bytes(longest);
    uint32_t conns = (uint32_t)(2 + test_random(random) % 60);
    size_t pool_bytes = block * (2 + test_random(random) % 6);
    world_open(pool_bytes, longest, (uint32_t)(4 + test_random(random) % 12), conns, 0);
    world.runs_ahead = test_random(random) % 2 == 0;
    world.shares = test_random(random) % 2 == 0;
    for (uint32_t i = 0; i < conns; i++) {
        world.conns[i].size = (uint32_t)(test_random(random) % (longest + 1));
        plan[i] = (1 + test_random(random) % 6) * (world.conns[i].size + 4);
    }
}

enum step {
    STEP_GOES_ON,
    STEP_DONE,
    STEP_SLEEPS, /* nobody does anything any more */
};

static enum step step_random(uint64_t *random)
{
    bool is_done = true;
    bool all_did_their_part = true;
    for (uint32_t i = 0; i < world.conn_count; i++) {
        struct world_conn *conn = &world.conns[i];
        uint64_t sent = conn->position + conn->available;
        uint64_t bytes = 1 + test_random(random) % 5000;
        if (sent < plan[i] && test_random(random) % 4 == 0) {
            world_send(i, bytes < plan[i] - sent ? bytes : plan[i] - sent);
        }
        if (test_random(random) % 64 == 0) {
            conn->rests = true; /* when its input is used up */
        } else if (conn->rests && test_random(random) % 4 == 0) {
            world_resume(i);
        }
        is_done = is_done && conn->messages == plan[i] / (conn->size + 4);
        all_did_their_part = all_did_their_part && conn->position + conn->available == plan[i] &&
                             !conn->rests;
    }
    world.keep = test_random(random) % 4 == 0;
    bool goes_on = world_turn() || !all_did_their_part;
    return is_done ? STEP_DONE : goes_on ? STEP_GOES_ON : STEP_SLEEPS;
}

static void run_random(uint64_t seed)
{
    uint64_t random = seed;
    uint32_t steps = 0;
    enum step step;
    open_random(&random);
    while ((step = step_random(&random)) == STEP_GOES_ON && steps < 100000) {
        steps++;
    }
    if (step != STEP_DONE) {
        fail_msg("%s with seed %" PRIu64 ": %" PRIu32 " lack memory, %" PRIu32 " are owed, %" PRIu32
                 " hold, %" PRIu32 " are stopped",
                 step == STEP_SLEEPS ? "sleeps" : "stands still", seed,
                 world_count(TG_READER_LACKING), world_count(TG_READER_OWED),
                 world_count(TG_READER_HOLDING), world_count(TG_READER_STOPPED));
    }
    world.keep = false;
    world_close();
}

static void every_message_of_honest_peers_arrives_whatever_happens_when(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    for (uint32_t round = 0; round < test_scaled(400); round++) {
        run_random(test_random(&random));
    }
}

/* Seeds that stand still, each when one part of the rules is left out. */
static void what_once_stood_still_goes_on(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {8, 16, 76, 277, 297, 388, 1576, 3263};
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        run_random(seeds[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_of_honest_peers_arrives_whatever_happens_when),
        cmocka_unit_test(what_once_stood_still_goes_on),
    };
    return cmocka_run_group_tests_name("intake: any order", tests, NULL, NULL);
}
