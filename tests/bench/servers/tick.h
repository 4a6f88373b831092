/* SPDX-License-Identifier: MIT
 * What the servers of the row "tick" share: at each word of the load every connection gets a few
 * messages, the same to each, stamped so that the load can tell that all came and in order. */
#ifndef BENCH_TICK_H
#define BENCH_TICK_H

#include <stddef.h>
#include <stdint.h>

#define TICK_MESSAGE_BYTES 64u
#define TICK_FRAME_BYTES (4u + TICK_MESSAGE_BYTES)
#define TICK_MESSAGES_MAX 64u

struct tick {
    uint32_t connections; /* no tick before so many are here */
    uint32_t messages;    /* for each in a tick */
    uint64_t ticks;       /* so far */
    const uint8_t *bytes; /* `messages` frames, one behind the other */
};

/* Reads CONNECTIONS and MESSAGES of the command line. Ends the process if they are not right. */
void tick_create(struct tick *tick, const char *connections, const char *messages);

/* Makes the frames of the next tick. */
void tick_next(struct tick *tick);

/* The last line, on standard error. */
void tick_print_counts(const struct tick *tick, uint64_t accepted, uint64_t sent);

#endif
