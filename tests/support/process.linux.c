/* SPDX-License-Identifier: MIT
 * What the process holds, from /proc. */
#include "process.h"

#include <dirent.h>

#include "check.h"

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
