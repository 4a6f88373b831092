/* SPDX-License-Identifier: MIT
 * See process.h. */
#include "process.h"

#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

void process_usage(struct process_usage *usage)
{
    struct rusage used = {0};
    (void)getrusage(RUSAGE_SELF, &used); /* fails for a wrong first argument only */
    usage->user_seconds = seconds_of(&used.ru_utime);
    usage->system_seconds = seconds_of(&used.ru_stime);
    /* KiB on Linux and the BSDs. */
    usage->peak_rss_bytes = (uint64_t)used.ru_maxrss * 1024;
}

bool process_has_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}
