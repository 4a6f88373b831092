/* SPDX-License-Identifier: MIT
 * Questions about the bits of a number. */
#ifndef TG_BASE_BITS_H
#define TG_BASE_BITS_H

#include <stdint.h>

/* The position of the lowest set bit; bits != 0. */
static inline uint32_t tg_bits_lowest(uint64_t bits)
{
    return (uint32_t)__builtin_ctzll(bits);
}

/* The position of the highest set bit; bits != 0. */
static inline uint32_t tg_bits_highest(uint64_t bits)
{
    return 63u - (uint32_t)__builtin_clzll(bits);
}

#endif
