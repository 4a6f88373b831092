/* SPDX-License-Identifier: MIT
 * Watches a swarm. The handler's functions run on the swarm's threads, all others on the test's. */
#include "swarm_world.h"

#include <string.h>

#include "stopwatch.h"

static void lock(struct swarm_world *world)
{
    test_monitor_enter(&world->monitor);
}

static void unlock(struct swarm_world *world)
{
    test_monitor_leave(&world->monitor);
}

static void unlock_and_tell(struct swarm_world *world)
{
    test_monitor_tell(&world->monitor);
    unlock(world);
}

/* ---- the handler ---- */

static void on_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    struct swarm_world *world = context;
    lock(world);
    struct swarm_record *record = &world->records[index];
    world->disorder += record->is_up || !swarm_world_is_on(world, thread, index);
    record->is_up = true;
    record->opens++;
    world->opens++;
    unlock_and_tell(world);
    if (world->on_open != NULL) {
        world->on_open(world, thread, index);
    }
}

static void on_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    struct swarm_world *world = context;
    if (world->on_message != NULL) {
        world->on_message(world, thread, index, data, size);
    }
    lock(world);
    struct swarm_record *record = &world->records[index];
    world->disorder += !record->is_up || data == NULL;
    record->messages++;
    record->bytes += size;
    world->messages++;
    world->bytes += size;
    unlock_and_tell(world);
}

static void on_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    struct swarm_world *world = context;
    lock(world);
    struct swarm_record *record = &world->records[index];
    world->disorder += error >= 0 || !swarm_world_is_on(world, thread, index);
    record->is_up = false;
    record->closes++;
    record->error = error;
    world->closes++;
    unlock_and_tell(world);
    if (world->on_closed != NULL) {
        world->on_closed(world, thread, index, error);
    }
}

static uint64_t on_turn(void *context, struct throng_swarm_thread *thread, uint64_t now_ns)
{
    struct swarm_world *world = context;
    uint64_t bit = UINT64_C(1) << throng_swarm_thread_index(thread);
    lock(world);
    world->disorder += now_ns > throng_swarm_now_ns();
    swarm_world_task *task = (world->task_threads & bit) != 0 ? world->task : NULL;
    unlock(world);
    if (task != NULL) {
        task(world, thread);
        lock(world);
        world->task_threads &= ~bit;
        unlock_and_tell(world);
    }
    return UINT64_MAX;
}

/* ---- life ---- */

void swarm_world_open_options(struct swarm_world *world, uint32_t connections, const char *target)
{
    memset(world, 0, sizeof(*world));
    assert_true(test_monitor_open(&world->monitor));
    world->records = calloc(connections, sizeof(struct swarm_record));
    assert_non_null(world->records);
    throng_swarm_options_init(&world->options);
    world->options.connections = connections;
    world->options.targets[0] = target;
    world->options.handler = (struct throng_swarm_handler){.context = world,
                                                           .on_open = on_open,
                                                           .on_message = on_message,
                                                           .on_closed = on_closed,
                                                           .on_turn = on_turn};
}

void swarm_world_start(struct swarm_world *world)
{
    struct throng_error error = {0};
    int result = throng_swarm_start(&world->swarm, &world->options, &error);
    if (result != 0) {
        fail_msg("throng_swarm_start: %s: %s", throng_error_name(result), error.text);
    }
}

int swarm_world_start_refused(struct swarm_world *world, struct throng_error *error)
{
    memset(error, 0, sizeof(*error));
    int result = throng_swarm_start(&world->swarm, &world->options, error);
    assert_int_not_equal(result, 0);
    assert_int_equal(error->code, result);
    assert_string_not_equal(error->text, "");
    assert_null(world->swarm);
    return result;
}

void swarm_world_close(struct swarm_world *world)
{
    throng_swarm_stop(world->swarm);
    world->swarm = NULL;
    uint32_t disorder = world->disorder;
    free(world->records);
    test_monitor_close(&world->monitor);
    assert_int_equal(disorder, 0);
}

/* ---- waiting ---- */

static int64_t deadline_from_now_ns(void)
{
    return test_now_ns() + (int64_t)test_deadline_ms() * 1000000;
}

void swarm_world_await(struct swarm_world *world, const uint32_t *counter, uint32_t least)
{
    int64_t deadline_ns = deadline_from_now_ns();
    bool in_time = true;
    lock(world);
    while (*counter < least && in_time) {
        in_time = test_monitor_await(&world->monitor, deadline_ns);
    }
    uint32_t reached = *counter;
    uint32_t opens = world->opens;
    uint32_t messages = world->messages;
    uint32_t closes = world->closes;
    unlock(world);
    if (reached < least) {
        fail_msg("%u instead of %u at the deadline; opened %u, messages %u, closed %u", reached,
                 least, opens, messages, closes);
    }
}

void swarm_world_await_bytes(struct swarm_world *world, uint64_t least)
{
    int64_t deadline_ns = deadline_from_now_ns();
    bool in_time = true;
    lock(world);
    while (world->bytes < least && in_time) {
        in_time = test_monitor_await(&world->monitor, deadline_ns);
    }
    uint64_t reached = world->bytes;
    unlock(world);
    assert_true(reached >= least);
}

uint32_t swarm_world_read(struct swarm_world *world, const uint32_t *counter)
{
    lock(world);
    uint32_t number = *counter;
    unlock(world);
    return number;
}

struct swarm_record swarm_world_record(struct swarm_world *world, uint32_t index)
{
    lock(world);
    struct swarm_record record = world->records[index];
    unlock(world);
    return record;
}

void swarm_world_run(struct swarm_world *world, swarm_world_task *task)
{
    uint32_t threads = throng_swarm_threads(world->swarm);
    int64_t deadline_ns = deadline_from_now_ns();
    bool in_time = true;
    lock(world);
    world->task = task;
    world->task_threads = threads == 64 ? UINT64_MAX : (UINT64_C(1) << threads) - 1;
    unlock(world);
    throng_swarm_wake(world->swarm);
    lock(world);
    while (world->task_threads != 0 && in_time) {
        in_time = test_monitor_await(&world->monitor, deadline_ns);
    }
    uint64_t left = world->task_threads;
    world->task_threads = 0;
    unlock(world);
    assert_true(left == 0); /* a wake was lost, or a thread is stuck */
}
