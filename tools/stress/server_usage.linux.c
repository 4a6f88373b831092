/* SPDX-License-Identifier: MIT
 * See server_usage.h: two lines of /proc (proc(5)). */
#include "server_usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_file(uint32_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return len > 0;
}

/* Field `number` of a stat line, counted from 1 as in proc(5). The second is a name in brackets
 * that may hold blanks and brackets, so the count begins behind the last one. */
static uint64_t stat_field(const char *stat, int number)
{
    const char *at = strrchr(stat, ')');
    for (int field = 2; at != NULL && field < number; field++) {
        at = strchr(at + 1, ' ');
    }
    return at == NULL ? 0 : strtoull(at, NULL, 10);
}

bool server_usage_read(uint32_t pid, struct server_usage *usage)
{
    char stat[1024];
    char pages[128];
    if (!read_file(pid, "stat", stat, sizeof(stat)) ||
        !read_file(pid, "statm", pages, sizeof(pages))) {
        return false;
    }
    const char *resident = strchr(pages, ' '); /* the second field */
    uint64_t ticks = stat_field(stat, 14) + stat_field(stat, 15);
    usage->cpu_seconds = (double)ticks / (double)sysconf(_SC_CLK_TCK);
    usage->rss_bytes =
        resident == NULL ? 0 : strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}
