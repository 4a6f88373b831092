/* SPDX-License-Identifier: MIT
 * How long to wait before the next try to connect. Pure: time and chance are arguments. */
#ifndef CHAT_BACKOFF_H
#define CHAT_BACKOFF_H

#include <stdint.h>

/* "Full jitter": a wait is anything from 0 to a limit that doubles with each try. All clients of a
 * server that went away together come back spread over the whole of it (M. Brooker, "Exponential
 * Backoff And Jitter", AWS Architecture Blog, 2015). */
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MOST_MS 30000

/* A connection that lived so long was a good one: the tries count from the beginning. One that
 * ended sooner, perhaps by a server that takes everybody and drops them, does not. */
#define BACKOFF_GOOD_MS 10000

/* Zeroed: no try yet. */
struct backoff {
    uint32_t tries; /* since the last good connection */
};

/* The connection ended, or could not be made: `lived_ms` is how long it was there, 0 if it never
 * was. `chance` is any random number. Answers how long to wait. */
uint32_t backoff_wait_ms(struct backoff *backoff, uint64_t lived_ms, uint64_t chance);

#endif
