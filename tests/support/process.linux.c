/* SPDX-License-Identifier: MIT
 * What the process holds, from /proc. */
#include "process.h"

#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#include "check.h"
#include "stopwatch.h"

static uint32_t count_entries(const char *path)
{
    uint32_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    closedir(folder);
    return count;
}

uint32_t process_descriptors(void)
{
    return count_entries("/proc/thread-self/fd") - 1;
}

uint32_t process_threads(void)
{
    return count_entries("/proc/self/task");
}

static void *count_threads(void *count)
{
    *(uint32_t *)count = process_threads();
    return NULL;
}

uint32_t process_threads_at_rest(void)
{
    pthread_t thread;
    uint32_t count = 0;
    assert_int_equal(pthread_create(&thread, NULL, count_threads, &count), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return count - 1; /* without the one that counted */
}

bool process_await_threads(uint32_t count)
{
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (process_threads() != count) {
        if (test_now_ms() > deadline_ms) {
            return false;
        }
        test_pause_us(1000);
    }
    return true;
}

size_t process_memory_bytes(void)
{
    char line[128];
    size_t kib = 0;
    bool found = false;
    /* Linux 4.14. Exact, where the counters in statm may lag behind by pages for each thread. */
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    assert_non_null(file);
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        found = sscanf(line, "Anonymous: %zu kB", &kib) == 1;
    }
    (void)fclose(file);
    assert_true(found);
    return kib * 1024;
}

/* Mappings side by side count as one, so their number would tell nothing. */
size_t process_mapped_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &pages), 1);
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}
