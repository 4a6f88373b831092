/* SPDX-License-Identifier: MIT
 * What came back: each connection's echoes must arrive whole and in the order of sending. Tells
 * lost, duplicated, reordered, corrupted and foreign messages apart, as far as the payloads can:
 * those below 12 bytes do not name their connection and sequence, so they are tried against their
 * neighbours. One verifier per thread, which owns it. Pure. */
#ifndef STRESS_VERIFY_H
#define STRESS_VERIFY_H

#include "payload.h"

/* Messages that were passed over and may still come late, per thread. Beyond that they stay lost,
 * and one that comes late counts as a duplicate. */
#define VERIFY_MISSING_MAX 4096

/* One connection's place in its stream: sequences below `next` are settled, those from `next` to
 * `sent` are on their way. */
struct verify_stream {
    uint64_t sent;
    uint64_t next;
};

struct verify_missing {
    uint32_t connection;
    uint64_t sequence;
};

struct verifier {
    struct payload_kind kind;
    uint32_t connections; /* a name from here on is no connection's */

    uint64_t lost;
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t corrupted;
    uint64_t foreign;

    uint32_t missing_count;
    struct verify_missing missing[VERIFY_MISSING_MAX];
};

/* Takes in one echo. True: it was the expected one, `next` is advanced by one. False: something
 * was wrong; it is counted, and `next` is advanced over what has been settled by it: what came
 * damaged, and what was passed over. */
bool verify_echo(struct verifier *verifier, struct verify_stream *stream, uint32_t connection,
                 const void *data, size_t size);

#endif
