/* SPDX-License-Identifier: MIT
 * The monitor on POSIX. */
#include "monitor.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct parts {
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* A condition that waits by the stopwatch's clock. */
static bool open_condition(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0) {
        return false;
    }
    bool is_open = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
                   pthread_cond_init(condition, &monotonic) == 0;
    (void)pthread_condattr_destroy(&monotonic);
    return is_open;
}

bool test_monitor_open(struct test_monitor *monitor)
{
    struct parts *parts = malloc(sizeof(*parts));
    monitor->system = parts;
    if (parts == NULL || pthread_mutex_init(&parts->lock, NULL) != 0) {
        goto free_parts;
    }
    if (open_condition(&parts->changed)) {
        return true;
    }
    (void)pthread_mutex_destroy(&parts->lock);
free_parts:
    free(parts);
    monitor->system = NULL;
    return false;
}

void test_monitor_close(struct test_monitor *monitor)
{
    struct parts *parts = monitor->system;
    (void)pthread_cond_destroy(&parts->changed);
    (void)pthread_mutex_destroy(&parts->lock);
    free(parts);
    monitor->system = NULL;
}

void test_monitor_enter(struct test_monitor *monitor)
{
    struct parts *parts = monitor->system;
    (void)pthread_mutex_lock(&parts->lock);
}

void test_monitor_leave(struct test_monitor *monitor)
{
    struct parts *parts = monitor->system;
    (void)pthread_mutex_unlock(&parts->lock);
}

void test_monitor_tell(struct test_monitor *monitor)
{
    struct parts *parts = monitor->system;
    (void)pthread_cond_broadcast(&parts->changed);
}

bool test_monitor_await(struct test_monitor *monitor, int64_t deadline_ns)
{
    struct parts *parts = monitor->system;
    const struct timespec deadline = {.tv_sec = deadline_ns / 1000000000,
                                      .tv_nsec = deadline_ns % 1000000000};
    return pthread_cond_timedwait(&parts->changed, &parts->lock, &deadline) == 0;
}
