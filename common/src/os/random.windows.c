/* SPDX-License-Identifier: MIT
 * Randomness from the system, for the seeds that are drawn at start. Any thread. */
#include "os/random.h"

#include <stdint.h>
#include <windows.h>

#include <bcrypt.h>

#include <throng/error.h>

int tg_random_fill(void *bytes, size_t size)
{
    uint8_t *next = bytes;
    size_t left = size;
    while (left > 0) {
        ULONG piece = left < INT32_MAX ? (ULONG)left : INT32_MAX;
        if (BCryptGenRandom(NULL, next, piece, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) {
            return THRONG_ESYSTEM;
        }
        next += piece;
        left -= piece;
    }
    return 0;
}
