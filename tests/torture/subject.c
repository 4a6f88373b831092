/* SPDX-License-Identifier: MIT
 * The child's work. */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "allocations.h"
#include "check.h"
#include "filter.h"
#include "process.h"
#include "runner.h"

/* LeakSanitizer's, where it is linked: not 0 if a block is reachable from nowhere. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* Only of the tortured round. */
static bool windows_open;

static void open_window(enum subject_phase phase)
{
    if (windows_open) {
        run_mark(RUN_OPEN, phase);
        allocations_watch(true);
    }
}

/* The other threads' calls are seen until they sleep: how far they come with what the start has set
 * going must not depend on how fast the first thread closes the window. */
static void close_window(enum subject_phase phase)
{
    allocations_watch(false);
    if (!windows_open) {
        return;
    }
    run_mark(RUN_OTHERS, phase);
    if (phase == SUBJECT_START && !holdings_await_sleep()) {
        abort(); /* a thread that turns and turns: the parent tells */
    }
    run_mark(RUN_CLOSED, phase);
}

static void run_round(struct subject *subject, struct subject_round *round)
{
    const struct scenario *scenario = subject->scenario;
    struct holdings before = holdings_take();
    subject->step = "start";
    open_window(SUBJECT_START);
    round->result = scenario->start(scenario, &round->error);
    subject->step = "await sleep";
    close_window(SUBJECT_START);
    if (round->result == 0) {
        subject->step = "serve";
        round->was_served = scenario->serve(scenario);
        subject->step = "stop";
        open_window(SUBJECT_STOP);
        scenario->stop(scenario);
        close_window(SUBJECT_STOP);
    }
    subject->step = "compare";
    struct holdings after = holdings_take_after(&before);
    (void)holdings_differ(&before, &after, round->leak, sizeof(round->leak));
}

void subject_work(void *context)
{
    struct subject *subject = context;
    subject->step = "prepare";
    (void)process_threads_at_rest(); /* a sanitizer starts its own thread beside the first one */
    if (!subject->scenario->prepare(subject->scenario)) {
        return;
    }
    run_round(subject, &subject->rehearsal);
    if (subject->rehearsal.result != 0) {
        return;
    }
    subject->step = "filter";
    if (subject->with_filter && !run_filter_calls()) {
        _exit(FILTER_MISSING);
    }
    windows_open = true;
    allocations_refuse(subject->refused_allocation);
    run_round(subject, &subject->tortured);
    subject->allocations = allocations_count();
    subject->refused = allocations_refused();
    windows_open = false;
    run_round(subject, &subject->after);
    if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0) {
        (void)snprintf(subject->after.leak, sizeof(subject->after.leak), "LeakSanitizer's report");
    }
    subject->step = "end";
    subject->is_complete = true;
}
