/* SPDX-License-Identifier: MIT
 * A peer that plays its part on a thread of its own, for tests whose client blocks. The part
 * reports by its answer instead of asserting: assertions belong to the test's thread. */
#ifndef TEST_SUPPORT_SCRIPT_H
#define TEST_SUPPORT_SCRIPT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "peer.h"
#include "thread.h"

struct script {
    /* Set by the test. */
    struct peer peer; /* the thread's from script_start to script_end */
    bool (*play)(struct script *script);
    size_t size; /* whatever the part needs to know */

    _Atomic bool is_over; /* the test wants the part to end early; parts with a loop look at it */
    bool is_running;
    bool went_well;
    struct test_thread thread;
};

/* Starts the thread; false if there is none to be had. */
bool script_start(struct script *script);

/* Waits for the part to end, and its thread. Answers what the part answered. */
bool script_join(struct script *script);

/* For parts: a slow peer's pause between two steps. */
void script_dawdle(int pause_ms);

/* For parts: waits until the peer has something to receive, or limit_ms. */
bool script_await_input(const struct script *script, int limit_ms);

#endif
