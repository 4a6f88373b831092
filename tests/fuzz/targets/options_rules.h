/* SPDX-License-Identifier: MIT
 * What server/include/throng/options.h says of the server's options, written down a second time. */
#ifndef FUZZ_OPTIONS_RULES_H
#define FUZZ_OPTIONS_RULES_H

#include <throng/options.h>

#include "fuzz.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define WORKERS_MOST 64u

static inline bool fuzz_is_in(uint64_t value, uint64_t least, uint64_t most)
{
    return value >= least && value <= most;
}

/* `least` doubled until it is at least `value`. */
static inline uint64_t fuzz_power_of_two(uint64_t value, uint64_t least)
{
    uint64_t power = least;
    while (power < value) {
        power *= 2;
    }
    return power;
}

/* Whether these options, on the fuzzer's system, are to be accepted; but for the descriptors. */
bool fuzz_options_are_allowed(const struct throng_server_options *asked);

/* What was accepted has the numbers that were asked for, or the defaults, in their ranges. */
void fuzz_check_numbers(const struct throng_server_options *asked,
                        const struct throng_server_options *final);

#endif
