/* SPDX-License-Identifier: MIT
 * See server_clock.h. */
#include "server_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The kernel looks at each timer interrupt whether a thread is in user mode; what it counts here
 * is made from that. */
static bool read_ticks(pid_t pid, struct server_time *time)
{
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    /* The name, in brackets, may hold anything. Fields 14 and 15 are wanted, field 3 follows it. */
    const char *rest = strrchr(text, ')');
    return rest != NULL &&
           sscanf(rest + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64,
                  &time->user_ticks, &time->system_ticks) == 2;
}

bool server_time_read(pid_t pid, struct server_time *time)
{
    clockid_t clock;
    struct timespec cpu;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &cpu) != 0) {
        return false;
    }
    time->cpu_ns = (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec;
    return read_ticks(pid, time);
}
