/* SPDX-License-Identifier: MIT
 * What the load client sends: each payload is a function of (seed, connection, sequence, size), and
 * its size one of (seed, connection, sequence), so every byte of an echo can be verified without
 * keeping a copy. Pure; any thread.
 *
 *     0         4                  12
 *     +---------+------------------+---------------------------+
 *     | connec- | sequence         | pseudo-random, 8 bytes a  |    size >= 12
 *     | tion    |                  | step, the last cut short  |
 *     +---------+------------------+---------------------------+
 *     | the pseudo-random bytes only, cut short                |    size < 12
 *     +--------------------------------------------------------+
 *
 * Numbers are in the machine's own byte order: only this process reads them. */
#ifndef STRESS_PAYLOAD_H
#define STRESS_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From this size on a payload names its connection and sequence. */
#define PAYLOAD_HEADER_BYTES 12

/* What all payloads of a run depend on. */
struct payload_kind {
    uint64_t seed;
    uint32_t size_min;
    uint32_t size_max;
};

uint32_t payload_size(const struct payload_kind *kind, uint32_t connection, uint64_t sequence);

/* Writes payload_size() bytes, which `bytes` must hold; answers how many. */
size_t payload_fill(const struct payload_kind *kind, uint32_t connection, uint64_t sequence,
                    uint8_t *bytes);

/* Whether these are the bytes, all of them, of that message. */
bool payload_matches(const struct payload_kind *kind, uint32_t connection, uint64_t sequence,
                     const void *data, size_t size);

/* The connection and sequence that a payload names. False if it is too short to. */
bool payload_names(const void *data, size_t size, uint32_t *connection, uint64_t *sequence);

#endif
