/* SPDX-License-Identifier: MIT
 * The process's holdings, from /proc and from allocations.linux.c. */
#include "holdings.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "allocations.h"
#include "process.h"
#include "stopwatch.h"

/* A sanitizer maps as it likes. */
#ifdef ALLOCATIONS_WRAPPED
#define MAPS_COUNT false
#else
#define MAPS_COUNT true
#endif

/* "7f5c2a000000-7f5c2a021000 rw-p 00000000 00:00 0    [heap]" */
static size_t line_bytes(const char *line)
{
    char *end;
    unsigned long long from = strtoull(line, &end, 16);
    unsigned long long to = *end == '-' ? strtoull(end + 1, NULL, 16) : from;
    bool is_elastic = strstr(line, "[heap]") != NULL || strstr(line, "[stack]") != NULL;
    return is_elastic ? 0 : (size_t)(to - from);
}

/* Without a heap and without stdio, which would change what is measured. */
static size_t map_bytes(void)
{
    static char text[1 << 18];
    size_t used = 0;
    ssize_t got;
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    while (file >= 0 && (got = read(file, text + used, sizeof(text) - 1 - used)) > 0) {
        used += (size_t)got;
    }
    close(file);
    text[used] = '\0';
    size_t sum = 0;
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end == NULL) {
            break;
        }
        *end = '\0';
        sum += line_bytes(line);
        line = end + 1;
    }
    return sum;
}

struct holdings holdings_take(void)
{
    return (struct holdings){
        .descriptors = process_descriptors(),
        .threads = process_threads(),
        .heap_blocks = allocations_blocks(),
        .heap_bytes = allocations_bytes(),
        .mmap_bytes = allocations_mapped_bytes(),
        .map_bytes = MAPS_COUNT ? map_bytes() : 0,
    };
}

struct holdings holdings_take_after(const struct holdings *before)
{
    (void)process_await_threads(before->threads);
    return holdings_take();
}

bool holdings_differ(const struct holdings *before, const struct holdings *after, char *text,
                     size_t size)
{
    const struct {
        const char *name;
        size_t before;
        size_t after;
    } rows[] = {
        {"descriptors", before->descriptors, after->descriptors},
        {"threads", before->threads, after->threads},
        {"heap blocks", before->heap_blocks, after->heap_blocks},
        {"heap bytes", before->heap_bytes, after->heap_bytes},
        {"bytes from mmap", before->mmap_bytes, after->mmap_bytes},
        {"bytes of mappings", before->map_bytes, after->map_bytes},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].before != rows[i].after) {
            (void)snprintf(text, size, "%s: %zu before, %zu after", rows[i].name, rows[i].before,
                           rows[i].after);
            return true;
        }
    }
    return false;
}

/* ---- sleep ---- */

/* The letter behind the name's closing bracket; '?' for a thread that has gone. */
static char thread_state(const char *id)
{
    char path[64];
    char text[512];
    (void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", id);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
    close(file);
    if (got <= 0) {
        return '?';
    }
    text[got] = '\0';
    const char *bracket = strrchr(text, ')');
    return bracket != NULL && bracket[1] == ' ' ? bracket[2] : '?';
}

static bool all_others_sleep(void)
{
    bool asleep = true;
    char own[24];
    (void)snprintf(own, sizeof(own), "%d", (int)getpid());
    DIR *folder = opendir("/proc/self/task");
    if (folder == NULL) {
        return false;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, own) != 0) {
            asleep = asleep && thread_state(entry->d_name) == 'S';
        }
    }
    (void)closedir(folder);
    return asleep;
}

bool holdings_await_sleep(void)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    const struct timespec moment = {.tv_nsec = 200000};
    /* A thread whose call waits for the runner's word sleeps as well; but that word comes before
     * the one for our next calls, so it is awake at the second look. */
    for (uint32_t looks = 0; looks < 2;) {
        looks = all_others_sleep() ? looks + 1 : 0;
        if (test_now_ms() > deadline_ms) {
            return false;
        }
        if (looks == 0) {
            (void)nanosleep(&moment, NULL);
        }
    }
    return true;
}
