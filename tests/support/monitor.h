/* SPDX-License-Identifier: MIT
 * A lock with a condition: who is inside may wait for what the others tell. */
#ifndef TEST_SUPPORT_MONITOR_H
#define TEST_SUPPORT_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct test_monitor {
    void *system; /* the platform's lock and condition */
};

/* False if the system has none left. close: nobody is inside any more. */
bool test_monitor_open(struct test_monitor *monitor);
void test_monitor_close(struct test_monitor *monitor);

void test_monitor_enter(struct test_monitor *monitor);
void test_monitor_leave(struct test_monitor *monitor);

/* Inside: wakes all that wait, once the caller has left. */
void test_monitor_tell(struct test_monitor *monitor);

/* Inside: waits, outside, until somebody tells, until test_now_ns() is deadline_ns, or for no
 * reason; and is inside again. False at the deadline. */
bool test_monitor_await(struct test_monitor *monitor, int64_t deadline_ns);

#endif
