/* SPDX-License-Identifier: MIT
 * Memory that ends at a page which nobody may touch: a reader that goes one byte too far dies on
 * the spot, with and without a sanitizer. */
#ifndef TEST_SUPPORT_GUARD_H
#define TEST_SUPPORT_GUARD_H

#include <stddef.h>
#include <stdint.h>

struct test_guard {
    uint8_t *memory;
    size_t room;       /* usable bytes, a multiple of the page size */
    size_t page_bytes; /* of the forbidden page behind them */
};

/* Room for at least `bytes`. Ends the test if the system refuses. */
void test_guard_open(struct test_guard *guard, size_t bytes);

/* The last `size` bytes before the forbidden page. */
uint8_t *test_guard_tail(const struct test_guard *guard, size_t size);

/* A copy of data[0..size) that ends at the forbidden page, valid until the next copy. */
const uint8_t *test_guard_copy(const struct test_guard *guard, const void *data, size_t size);

void test_guard_close(struct test_guard *guard);

#endif
