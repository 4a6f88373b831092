/* SPDX-License-Identifier: MIT
 * Time in tests: a monotonic clock in milliseconds, and limits that grow where the sizes shrink. */
#ifndef TEST_SUPPORT_STOPWATCH_H
#define TEST_SUPPORT_STOPWATCH_H

#include <stdint.h>
#include <stdlib.h>

/* Since some point in the past. */
int64_t test_now_ns(void);

/* Sleeps for so long, or longer: for looking again at what has no wait of its own, and for the pace
 * of a load. */
void test_pause_us(uint32_t pause_us);

static inline int64_t test_now_ms(void)
{
    return test_now_ns() / 1000000;
}

/* `limit_ms` made longer by what THRONG_TEST_SCALE makes sizes smaller, at most tenfold: a build
 * that is scaled down is a slow one. */
static inline int test_patience_ms(int limit_ms)
{
    const char *text = getenv("THRONG_TEST_SCALE");
    long percent = text == NULL ? 100 : strtol(text, NULL, 10);
    if (percent < 10) {
        percent = 10;
    } else if (percent > 100) {
        percent = 100;
    }
    return (int)((long)limit_ms * 100 / percent);
}

/* Long enough for anything that is not broken: a test waits for a condition and gives up then. */
static inline int test_deadline_ms(void)
{
    return test_patience_ms(10000);
}

#endif
