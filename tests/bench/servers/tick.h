/* SPDX-License-Identifier: MIT
 * What the servers of the rows "tick" and "broadcast" share: at each word of the load every
 * connection gets a few messages, the same to each, stamped so that the load can tell that all came
 * and in order. */
#ifndef BENCH_TICK_H
#define BENCH_TICK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TICK_HEADER_BYTES 4u
#define TICK_FRAME_BYTES_MAX 4096u
#define TICK_MESSAGES_MAX 64u

struct tick {
    uint32_t connections; /* no tick before so many are here */
    uint32_t messages;    /* for each in a tick */
    uint64_t ticks;       /* so far */
    size_t frame;         /* bytes of each, header included */
    const uint8_t *bytes; /* `messages` frames, one behind the other */
};

/* Reads CONNECTIONS, MESSAGES and SIZE (payload bytes of each) of the command line. Ends the
 * process if they are not right. */
void tick_create(struct tick *tick, const char *connections, const char *messages,
                 const char *size);

/* Makes the frames of the next tick. */
void tick_next(struct tick *tick);

/* The last line, on standard error. */
void tick_print_counts(const struct tick *tick, uint64_t accepted, uint64_t sent);

#ifdef __cplusplus
}
#endif

#endif
