/* SPDX-License-Identifier: MIT
 * A swarm under test: what its handler saw, connection by connection, and a way to run code of the
 * test on the swarm's threads. The test's thread waits for what it expects, with a deadline. */
#ifndef TEST_SUPPORT_SWARM_WORLD_H
#define TEST_SUPPORT_SWARM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/swarm.h>

#include "check.h"
#include "monitor.h"

/* What one connection has been through. */
struct swarm_record {
    uint32_t opens;
    uint32_t closes; /* on_closed, whether it was up or not */
    uint32_t messages;
    uint64_t bytes;
    int error; /* of the latest on_closed */
    bool is_up;
};

struct swarm_world;

/* The test's own part of a handler; on the swarm's thread, with nothing locked. */
typedef void swarm_world_open(struct swarm_world *world, struct throng_swarm_thread *thread,
                              uint32_t index);
typedef void swarm_world_message(struct swarm_world *world, struct throng_swarm_thread *thread,
                                 uint32_t index, const void *data, size_t size);
typedef void swarm_world_closed(struct swarm_world *world, struct throng_swarm_thread *thread,
                                uint32_t index, int error);
typedef void swarm_world_task(struct swarm_world *world, struct throng_swarm_thread *thread);

struct swarm_world {
    /* The test sets these before swarm_world_start. */
    struct throng_swarm_options options;
    swarm_world_open *on_open; /* each may be NULL */
    swarm_world_message *on_message;
    swarm_world_closed *on_closed;
    void *context;

    struct throng_swarm *swarm;

    /* Inside the monitor, which is told of each change. */
    struct test_monitor monitor;
    struct swarm_record *records;
    uint32_t opens;
    uint32_t closes;
    uint32_t messages;
    uint64_t bytes;
    uint32_t disorder; /* calls that contradict each other: the teardown fails the test */
    swarm_world_task *task;
    uint64_t task_threads; /* bit per thread that has still to run it */
};

/* Options for that many connections to `target`. */
void swarm_world_open_options(struct swarm_world *world, uint32_t connections, const char *target);

/* Starts; an error's text fails the test. */
void swarm_world_start(struct swarm_world *world);

/* Starts with options that must be refused; answers the code. */
int swarm_world_start_refused(struct swarm_world *world, struct throng_error *error);

/* Stops, if it runs; frees; fails the test if the handler's calls contradicted each other. */
void swarm_world_close(struct swarm_world *world);

/* Waits until a counter of the world has reached `least`; a deadline fails the test. */
void swarm_world_await(struct swarm_world *world, const uint32_t *counter, uint32_t least);
void swarm_world_await_bytes(struct swarm_world *world, uint64_t least);

/* The number in a counter. */
uint32_t swarm_world_read(struct swarm_world *world, const uint32_t *counter);

/* A copy of a record. */
struct swarm_record swarm_world_record(struct swarm_world *world, uint32_t index);

/* Runs `task` once on each thread of the swarm, in on_turn, and waits for it. */
void swarm_world_run(struct swarm_world *world, swarm_world_task *task);

/* Whether a connection is that thread's. */
static inline bool swarm_world_is_on(const struct swarm_world *world,
                                     const struct throng_swarm_thread *thread, uint32_t index)
{
    return index % throng_swarm_threads(world->swarm) == throng_swarm_thread_index(thread);
}

#endif
