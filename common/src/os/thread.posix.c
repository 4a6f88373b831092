/* SPDX-License-Identifier: MIT
 * Threads on pthreads, and what belongs to a thread or process on Linux: its descriptor table, its
 * limits, its processors. */
#include "os/thread.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

/* --- start and join ------------------------------------------------------------------------ */

struct thread_start {
    void (*main)(void *);
    void *argument;
};

static void *run_thread(void *memory)
{
    struct thread_start start = *(struct thread_start *)memory;
    free(memory);
    start.main(start.argument);
    return NULL;
}

static int create_thread(struct tg_thread *thread, const char *name, struct thread_start *start)
{
    pthread_t created;
    if (pthread_create(&created, NULL, run_thread, start) != 0) {
        return THRONG_ENOMEM;
    }
    (void)pthread_setname_np(created, name);
    thread->handle = (uintptr_t)created;
    return 0;
}

int tg_thread_start(struct tg_thread *thread, const char *name, void (*main)(void *),
                    void *argument)
{
    TG_REQUIRE(strlen(name) <= 15);
    struct thread_start *start = malloc(sizeof *start);
    if (start == NULL) {
        return THRONG_ENOMEM;
    }
    start->main = main;
    start->argument = argument;
    /* A thread inherits the mask of its creator: blocked before it runs, it never sees a signal. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = create_thread(thread, name, start);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(start);
    }
    return error;
}

void tg_thread_join(struct tg_thread *thread)
{
    int answer = pthread_join((pthread_t)thread->handle, NULL);
    TG_ENSURE(answer == 0);
    thread->handle = 0;
}

uintptr_t tg_thread_self(void)
{
    return (uintptr_t)pthread_self();
}

/* --- a descriptor table of one's own --------------------------------------------------------- */

#define KEEP_MAX 128
#define CLOSE_TRIES_MAX (1u << 20) /* without /proc: as many numbers as the usual hard limit has */
#define CLOSE_RANGE_UNSHARE_FLAG 2u

struct keep_set {
    unsigned numbers[KEEP_MAX]; /* ascending, without doubles */
    uint32_t count;
};

static int compare_numbers(const void *left, const void *right)
{
    unsigned a = *(const unsigned *)left;
    unsigned b = *(const unsigned *)right;
    return (a > b) - (a < b);
}

static void fill_keep_set(struct keep_set *set, const tg_socket *keep, uint32_t count)
{
    uint32_t total = 0;
    for (unsigned standard = 0; standard <= 2; standard++) {
        set->numbers[total++] = standard;
    }
    for (uint32_t i = 0; i < count; i++) {
        set->numbers[total++] = (unsigned)keep[i];
    }
    qsort(set->numbers, total, sizeof set->numbers[0], compare_numbers);
    set->count = 1;
    for (uint32_t i = 1; i < total; i++) {
        if (set->numbers[i] != set->numbers[set->count - 1]) {
            set->numbers[set->count++] = set->numbers[i];
        }
    }
}

static bool is_kept(const struct keep_set *set, unsigned number)
{
    return bsearch(&number, set->numbers, set->count, sizeof number, compare_numbers) != NULL;
}

/* Linux 5.9. Copies the table and closes in one step, so that no descriptor is doubled even for a
 * moment above the highest one kept. False, with nothing done, if the system does not know it. */
static bool unshare_by_range(const struct keep_set *set)
{
#ifdef SYS_close_range
    unsigned above = set->numbers[set->count - 1] + 1;
    if (syscall(SYS_close_range, above, UINT_MAX, CLOSE_RANGE_UNSHARE_FLAG) != 0) {
        return false;
    }
    for (uint32_t i = 1; i < set->count; i++) {
        unsigned first = set->numbers[i - 1] + 1;
        unsigned last = set->numbers[i] - 1;
        if (first <= last) {
            (void)syscall(SYS_close_range, first, last, 0u);
        }
    }
    return true;
#else
    (void)set;
    return false;
#endif
}

static void close_listed(const struct keep_set *set, DIR *directory)
{
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char *end;
        unsigned long number = strtoul(entry->d_name, &end, 10);
        bool is_number = *end == '\0' && end != entry->d_name && number <= INT_MAX;
        if (is_number && (int)number != dirfd(directory) && !is_kept(set, (unsigned)number)) {
            (void)close((int)number);
        }
    }
}

static void close_all_but(const struct keep_set *set)
{
    /* thread-self, not self: the latter shows the table of the process's first thread. */
    DIR *directory = opendir("/proc/thread-self/fd");
    if (directory != NULL) {
        close_listed(set, directory);
        (void)closedir(directory);
        return;
    }
    uint32_t limit = tg_descriptor_limit();
    unsigned end = limit < CLOSE_TRIES_MAX ? limit : CLOSE_TRIES_MAX;
    for (unsigned number = 3; number < end; number++) {
        if (!is_kept(set, number)) {
            (void)close((int)number);
        }
    }
}

int tg_thread_own_descriptors(const tg_socket *keep, uint32_t count)
{
    struct keep_set set;
    TG_REQUIRE(count <= KEEP_MAX - 3);
    fill_keep_set(&set, keep, count);
    if (unshare_by_range(&set)) {
        return 0;
    }
    if (unshare(CLONE_FILES) != 0) {
        return THRONG_ENOTSUP;
    }
    close_all_but(&set);
    return 0;
}

/* --- limits -------------------------------------------------------------------------------- */

static uint32_t limit_number(rlim_t limit)
{
    return limit == RLIM_INFINITY || limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
}

uint32_t tg_descriptor_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit_number(limit.rlim_cur) : UINT32_MAX;
}

uint32_t tg_descriptor_limit_raise(uint32_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return UINT32_MAX;
    }
    if (limit_number(limit.rlim_cur) < wanted) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit_number(limit.rlim_max) < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            limit.rlim_cur = before;
        }
    }
    return limit_number(limit.rlim_cur);
}

uint32_t tg_descriptor_count(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) {
        return 0;
    }
    uint32_t count = 0;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(directory);
    return count - 1; /* the directory itself */
}

uint32_t tg_processor_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return (uint32_t)CPU_COUNT(&set);
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more than the 1,024 that cpu_set_t can name */
    return online < 1 ? 1 : (uint32_t)online;
}
