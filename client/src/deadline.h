/* SPDX-License-Identifier: MIT
 * A time limit over a whole call, or over several: the point in time at which it ends. Used by both
 * clients and by dial.c, on the thread that owns the connection. */
#ifndef TG_DEADLINE_H
#define TG_DEADLINE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/clock.h"
#include "os/socket.h"

#define TG_NS_PER_MS 1000000u

struct tg_deadline {
    uint64_t at_ns; /* TG_DEADLINE_NEVER: no limit */
};

#define TG_DEADLINE_NEVER UINT64_MAX

/* `timeout_ms` from now; negative: never. */
static inline struct tg_deadline tg_deadline_after(uint64_t now_ns, int64_t timeout_ms)
{
    if (timeout_ms < 0) {
        return (struct tg_deadline){TG_DEADLINE_NEVER};
    }
    return (struct tg_deadline){now_ns + (uint64_t)timeout_ms * TG_NS_PER_MS};
}

static inline bool tg_deadline_is_over(struct tg_deadline deadline, uint64_t now_ns)
{
    return now_ns >= deadline.at_ns;
}

/* What is left, rounded up, so that a wait for it does not end early and is not repeated at once;
 * -1: no limit. */
static inline int tg_deadline_left_ms(struct tg_deadline deadline, uint64_t now_ns)
{
    if (deadline.at_ns == TG_DEADLINE_NEVER) {
        return -1;
    }
    if (tg_deadline_is_over(deadline, now_ns)) {
        return 0;
    }
    uint64_t left_ms = (deadline.at_ns - now_ns + TG_NS_PER_MS - 1) / TG_NS_PER_MS;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* Waits until `sock` is readable or writable, or failed, and looks at least once. 1; 0: the
 * deadline is over; or an error. */
static inline int tg_deadline_wait(struct tg_deadline deadline, tg_socket sock, bool for_write)
{
    return tg_socket_wait(sock, for_write, tg_deadline_left_ms(deadline, tg_clock_ns()));
}

#endif
