/* SPDX-License-Identifier: MIT
 * What the parts of bench_load share: the load as a whole, and the two ways to run a slice of
 * it. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../../tools/stress/histogram.h"

#include "frames.h"
#include "options.h"

/* A server that says nothing for so long has lost something. */
#define SILENCE_MS 10000

/* Cycles of churn in one slice. Each leaves a TIME_WAIT behind for a minute, of which systems keep
 * 65,000 to 260,000. */
#define CHURN_MAX 3000u

/* Several loads open connections to one server, whose backlog may be 4,096. */
#define ASK_EACH 512u

#define READ_BYTES 65536u
#define EVENTS 256

struct load_conn {
    int descriptor;
    uint32_t index;
    uint64_t due;      /* stream position up to which is to be sent: whole frames */
    uint64_t sent;     /* up to which was sent */
    uint64_t received; /* up to which came back */
    bool waits_writable;
    uint32_t oldest;   /* in `sent_at`: of the oldest message in flight */
    uint64_t *sent_at; /* ns, `window` of them */
};

struct load {
    struct load_options options;
    struct frames frames;
    int epoll_fd;
    struct load_conn *conns;
    uint64_t *sent_at; /* of all connections */
    uint64_t churned;  /* connections that churn has made so far */
    uint64_t ticks;    /* asked for so far */
    bool open;         /* slices may come */

    /* The slice that runs, or the last one. */
    uint64_t deadline; /* ns: nothing is begun from here on */
    uint64_t begun;    /* messages, or cycles of churn */
    uint64_t messages; /* of these, answered */
    struct histogram latency;
    uint8_t input[READ_BYTES];
};

/* Reserves what the connections need. False, after a line on standard error: no memory. */
bool echo_create(struct load *load);

/* Opens the connections, which then stay open. With `ask` each ASK_EACHth one, and the last, has a
 * message answered before the next one is opened: so the server has accepted them when this
 * answers, and they never outgrow its backlog. False, after a line on standard error: one
 * failed. */
bool echo_open(struct load *load, bool ask);

/* Keeps `window` messages in flight on each active connection for `duration_ns`, then waits for the
 * last answers. False, after a line on standard error, if a connection was lost or a byte wrong. */
bool echo_slice(struct load *load, uint64_t duration_ns);

/* Closes them, by reset with options.later: 65,000 leave no TIME_WAIT behind. */
void echo_close(struct load *load);

/* For `duration_ns`: sends one message on the first connection, on which the server sends `tick`
 * messages to each; reads and compares them all; again. Latency is a tick's, from the asking to the
 * last byte. False as above. */
bool tick_slice(struct load *load, uint64_t duration_ns);

/* Keeps `connections` clients busy for `duration_ns`, or until CHURN_MAX of them have gone: each
 * connects, sends one message, reads it back, ends its side, awaits the server's end and starts
 * anew. Their latency is that of the whole cycle. False as above. */
bool churn_slice(struct load *load, uint64_t duration_ns);

/* ---- helpers of all ---- */

uint64_t now_ns(void);

/* A socket that is connected, or still connecting if it is not to block; -1, after a line on
 * standard error. Source addresses are taken in turn, `per_source` connections each. */
int dial(const struct load *load, uint64_t number, uint32_t per_source, bool blocking);

/* Prints `what` with the text of errno. Answers false. */
bool lost(const char *what);

#endif
