/* SPDX-License-Identifier: MIT
 * How much of the processor another process has used. */
#ifndef BENCH_SERVER_CLOCK_H
#define BENCH_SERVER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server_time {
    uint64_t cpu_ns;       /* exact: all threads, in user mode and in the kernel */
    uint64_t user_ticks;   /* as the timer saw it: good over many seconds only */
    uint64_t system_ticks; /* likewise; _SC_CLK_TCK of them are a second */
};

/* False: there is no such process. */
bool server_time_read(pid_t pid, struct server_time *time);

#endif
