/* SPDX-License-Identifier: MIT
 * The time in which a worker serves, as the contract of deadlines has it (throng/options.h):
 * neither its own absence counts, nor the second after it. Between what a worker may count at most
 * and at least lies what no contract says: exactly when it looks at the clock. */
#ifndef SIM_WATCH_TIME_H
#define SIM_WATCH_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_MS UINT64_C(1000000)

/* Two bounds of a point in served time, ns. */
struct watch_stamp {
    uint64_t most;
    uint64_t least;
};

struct watch_time {
    uint64_t since_ns; /* up to here it is counted */
    uint64_t limit_ns; /* of the wait that runs */
    uint64_t work_ns;  /* what lay before that wait */
    bool is_waiting;
    struct watch_stamp served;
    uint64_t absent_until; /* nothing counts for certain before */
};

void watch_time_begin(struct watch_time *time, uint64_t now_ns);

/* The worker begins to wait, or returns. */
void watch_time_wait(struct watch_time *time, uint64_t now_ns, int64_t limit_ns);
void watch_time_return(struct watch_time *time, uint64_t now_ns);

struct watch_stamp watch_time_now(const struct watch_time *time, uint64_t now_ns);

#endif
