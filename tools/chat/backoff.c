/* SPDX-License-Identifier: MIT
 * See backoff.h. */
#include "backoff.h"

uint32_t backoff_wait_ms(struct backoff *backoff, uint64_t lived_ms, uint64_t chance)
{
    uint32_t limit = BACKOFF_FIRST_MS;
    if (lived_ms >= BACKOFF_GOOD_MS) {
        backoff->tries = 0;
    }
    for (uint32_t i = 0; i < backoff->tries && limit < BACKOFF_MOST_MS; i++) {
        limit *= 2;
    }
    if (limit > BACKOFF_MOST_MS) {
        limit = BACKOFF_MOST_MS;
    }
    if (backoff->tries < UINT32_MAX) {
        backoff->tries++;
    }
    return (uint32_t)(chance % (limit + 1u));
}
