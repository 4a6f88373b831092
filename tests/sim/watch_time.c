/* SPDX-License-Identifier: MIT
 * Served time. */
#include "watch_time.h"

/* What a worker takes for an absence, and how long it hears its peers afterwards (worker.h), ns. */
#define ABSENCE_NS (1000 * WATCH_MS)
#define RETURN_NS (1000 * WATCH_MS)

/* The worker looks at its clock a little before or after us, and its clock has milliseconds. */
#define SLACK_NS (5 * WATCH_MS)
#define GRACE_NS (60 * WATCH_MS)

/* It judges work and wait together: of a short wait that was to be longer the work has the rest. */
#define TICK_NS (250 * WATCH_MS)

void watch_time_begin(struct watch_time *time, uint64_t now_ns)
{
    *time = (struct watch_time){.since_ns = now_ns};
}

static uint64_t longest_gap(const struct watch_time *time)
{
    uint64_t limit_ns = time->is_waiting ? time->limit_ns : TICK_NS;
    return limit_ns > UINT64_MAX / 2 ? UINT64_MAX / 2 : limit_ns + ABSENCE_NS;
}

static struct watch_time after(struct watch_time time, uint64_t now_ns)
{
    uint64_t gap_ns = now_ns - time.since_ns;
    uint64_t longest_ns = longest_gap(&time);
    /* Only what is one for certain: the worker adds its work to the wait after it. */
    bool is_absence = gap_ns > longest_ns + ABSENCE_NS;
    if (is_absence) {
        /* Of one after another a tick counts, of a single one nothing, nor of the second after it;
         * which of both it was is seen by its own look at the clock alone. */
        time.served.most += TICK_NS;
    } else {
        time.served.most += gap_ns;
    }
    uint64_t whole_ns = gap_ns + (time.is_waiting ? time.work_ns : 0);
    if (whole_ns + SLACK_NS + TICK_NS > longest_ns) {
        time.absent_until = now_ns + RETURN_NS + GRACE_NS;
    } else if (time.since_ns >= time.absent_until) {
        time.served.least += gap_ns;
    }
    time.work_ns = gap_ns;
    time.since_ns = now_ns;
    return time;
}

void watch_time_wait(struct watch_time *time, uint64_t now_ns, int64_t limit_ns)
{
    const struct watch_time before = *time;
    *time = after(before, now_ns);
    if (limit_ns < 0) {
        /* No timer runs: it has no reason to ask how long it was away. */
        time->served.most = before.served.most + (now_ns - before.since_ns);
    }
    time->is_waiting = true;
    time->limit_ns = limit_ns < 0 ? UINT64_MAX : (uint64_t)limit_ns;
}

void watch_time_return(struct watch_time *time, uint64_t now_ns)
{
    *time = after(*time, now_ns);
    time->is_waiting = false;
}

struct watch_stamp watch_time_now(const struct watch_time *time, uint64_t now_ns)
{
    return after(*time, now_ns).served;
}
