/* SPDX-License-Identifier: MIT
 * Randomness from the kernel, for the seeds that are drawn at start. Any thread. */
#include "os/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

#include <throng/error.h>

/* getrandom hands out at least this much in one piece, whatever signals arrive. */
#define WHOLE_BYTES 256u

int tg_random_fill(void *bytes, size_t size)
{
    uint8_t *next = bytes;
    size_t left = size;
    while (left > 0) {
        size_t want = left < WHOLE_BYTES ? left : WHOLE_BYTES;
        ssize_t got = getrandom(next, want, 0);
        if (got < 0 && errno == EINTR) {
            continue; /* only before the system's pool is ready, early in its boot */
        }
        if (got <= 0) {
            return THRONG_ESYSTEM;
        }
        next += got;
        left -= (size_t)got;
    }
    return 0;
}
