/* SPDX-License-Identifier: MIT
 * Runs one piece of work in a child process, watches the system calls of all its threads, and lets
 * one of them fail. The parent is asked by the kernel before each call (seccomp's user
 * notification, Linux 5.5), answers an error or lets it go on, and kills a child that is over its
 * time. Needs no root.
 *
 *   parent: run_child ------ fork ---> child: work(context)
 *              |  <-- the filter's descriptor --- run_filter_calls()
 *              |  <-- each call, each mark ------ run_mark(), whatever throng calls
 *              '--- "fails with EMFILE" or "goes on" ---> */
#ifndef TEST_TORTURE_RUNNER_H
#define TEST_TORTURE_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUN_CALLS_MAX 4096u
#define RUN_THREADS_MAX 72u

/* A call as it can be found again in another run: the nth of its kind by that thread in that phase.
 * A thread's own calls come in order, those of several do not. */
struct seen_call {
    uint32_t phase;
    uint32_t thread; /* in order of appearance; 0 is the first one */
    uint32_t nth;    /* from 1 */
    long number;
    uint64_t arguments[6];
};

enum run_end {
    RUN_ENDED = 0, /* the child answered 0 */
    RUN_DIED,      /* a signal, or another exit status */
    RUN_HUNG,      /* killed at the deadline */
    RUN_NO_FILTER, /* the system has no such filter */
};

struct run {
    /* What shall happen. */
    void (*work)(void *context); /* in the child; ends with run_filter_calls called or not */
    void *context;
    const struct seen_call *target; /* NULL: nothing fails */
    int target_error;               /* errno */
    long unknown_call;              /* always answers ENOSYS, as on an older kernel; 0: none */
    int limit_ms;

    /* What happened. */
    enum run_end end;
    int status; /* of waitpid */
    bool was_injected;
    uint32_t call_count;
    uint32_t unknown_count; /* calls that are in no row of the table; the last of them: */
    long last_unknown;
    struct seen_call calls[RUN_CALLS_MAX];
};

/* Memory that parent and children share; for the life of the process. Fails the process. */
void *run_share(size_t bytes);

void run_child(struct run *run);

/* ---- in the child ---- */

/* From here on every call is the parent's to decide. False if the system has no such filter. */
bool run_filter_calls(void);

enum run_window {
    RUN_CLOSED = 0, /* calls go on unseen */
    RUN_OPEN,       /* every call is seen and may fail */
    RUN_OTHERS,     /* those of the first thread go on unseen */
};

/* Nothing happens without a filter. */
void run_mark(enum run_window window, uint32_t phase);

#endif
