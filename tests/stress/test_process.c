/* SPDX-License-Identifier: MIT
 * What the load client says of its own use: time and memory grow by what is used. */
#include <string.h>

#include "check.h"
#include "stopwatch.h"

#include "../../tools/stress/process.h"

#define MEMORY_BYTES (64u << 20)

static void work_counts_as_processor_time(void **state)
{
    struct process_usage before;
    struct process_usage after;
    volatile uint64_t sum = 0;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    (void)state;
    process_usage(&before);
    do {
        for (uint32_t i = 0; i < 1000000; i++) {
            sum = sum + i;
        }
        process_usage(&after);
    } while (after.user_seconds < before.user_seconds + 0.1 && test_now_ms() < deadline_ms);
    assert_true(after.user_seconds >= before.user_seconds + 0.1);
    assert_true(after.user_seconds < before.user_seconds + 60);
    assert_true(after.system_seconds >= before.system_seconds);
}

static void touched_memory_counts_at_its_most(void **state)
{
    struct process_usage before;
    struct process_usage during;
    struct process_usage after;
    (void)state;
    process_usage(&before);
    volatile uint8_t *memory = malloc(MEMORY_BYTES);
    assert_non_null((void *)(uintptr_t)memory);
    for (size_t i = 0; i < MEMORY_BYTES; i += 512) {
        memory[i] = 1;
    }
    process_usage(&during);
    free((void *)(uintptr_t)memory);
    process_usage(&after);
    assert_true(before.peak_rss_bytes > 0);
    assert_true(during.peak_rss_bytes >= before.peak_rss_bytes + MEMORY_BYTES / 2);
    /* A sanitizer keeps notes beside each byte. */
    assert_true(during.peak_rss_bytes < before.peak_rss_bytes + UINT64_C(16) * MEMORY_BYTES);
    /* The most, not the present; of a peak that has passed Linux may take back some 100 KiB. */
    assert_true(after.peak_rss_bytes >= before.peak_rss_bytes + MEMORY_BYTES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_counts_as_processor_time),
        cmocka_unit_test(touched_memory_counts_at_its_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
