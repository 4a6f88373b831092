/* SPDX-License-Identifier: MIT
 * Torture at start: each system call, or each allocation, of a start and of a stop fails once,
 * every time in a child process of its own.
 *
 *   torture calls|allocations server|client|fake BACKEND
 *
 * THRONG_TORTURE=full plays every error that a call can answer, not only the first of its row.
 * THRONG_TORTURE_VERBOSE=1 prints a line for each run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "faults.h"
#include "stopwatch.h"
#include "verdict.h"

#define SCENARIOS_MAX 16u
#define HANGS_MAX 2u /* then a scenario is given up: each costs the whole time limit */
#define TRIES 3u     /* for a place that a run does not come by again */
#define ALLOCATIONS_MAX 1000u

static struct verdict verdicts[SCENARIOS_MAX];
static struct run run; /* too long for the stack */
static struct run first_run;
static struct subject *subject;

/* ---- one run ---- */

static void order(const struct scenario *scenario, bool with_filter, uint32_t refused_allocation)
{
    memset(subject, 0, sizeof(*subject));
    subject->scenario = scenario;
    subject->with_filter = with_filter;
    subject->refused_allocation = refused_allocation;
    run.work = subject_work;
    run.context = subject;
    run.unknown_call = scenario->unknown_call;
    run.limit_ms = scenario->limit_ms > 0 ? scenario->limit_ms : 2 * test_deadline_ms();
    run.target = NULL;
}

/* ThreadSanitizer takes a descriptor's number for the same file in every thread. */
#ifdef TORTURE_WITHOUT_PRIVATE_TABLES
#define PRIVATE_TABLES false
#else
#define PRIVATE_TABLES true
#endif

/* Nothing fails: is the scenario possible here, and does the test see no leak where there is
 * none? */
static void rehearse(struct verdict *verdict, bool with_filter)
{
    const struct scenario *scenario = verdict->scenario;
    if (scenario->descriptors_limit != 0 && !PRIVATE_TABLES) {
        print_message("skipped: -fsanitize=thread knows no private descriptor tables\n");
        skip();
    }
    order(scenario, with_filter, 0);
    run_child(&run);
    if (run.end == RUN_NO_FILTER) {
        print_message("skipped: this system has no filter that asks about system calls\n");
        skip();
    }
    if (run.end == RUN_ENDED && subject->rehearsal.result == THRONG_ENOTSUP) {
        print_message("skipped: %s\n", subject->rehearsal.error.text);
        skip();
    }
    if (subject->rehearsal.result != 0) {
        fail_msg("it cannot even start: %s", subject->rehearsal.error.text);
    }
    verdict_judge(verdict, &run, subject, "nothing");
    assert_int_equal(verdict->went_on, 1);
    *verdict = (struct verdict){.scenario = scenario};
}

/* ---- system calls ---- */

static void fail_call(struct verdict *verdict, const struct seen_call *call, int error)
{
    char what[96];
    (void)snprintf(what, sizeof(what), "%s: %s number %u of thread %u with %s",
                   call->phase == SUBJECT_START ? "start" : "stop", fault_call_name(call->number),
                   call->nth, call->thread, strerrorname_np(error));
    for (uint32_t i = 0; i < TRIES; i++) {
        order(verdict->scenario, true, 0);
        run.target = call;
        run.target_error = error;
        run_child(&run);
        if (run.was_injected || run.end != RUN_ENDED) {
            verdict_judge(verdict, &run, subject, what);
            return;
        }
    }
    verdict_say("%s: missed\n", what);
    verdict->missed++;
}

static void fail_each_call(struct verdict *verdict)
{
    const char *size = getenv("THRONG_TORTURE");
    uint32_t errors_most = size != NULL && strcmp(size, "full") == 0 ? FAULT_ERRORS_MAX : 1;
    for (uint32_t i = 0; i < first_run.call_count && verdict->hangs < HANGS_MAX; i++) {
        const struct seen_call *call = &first_run.calls[i];
        const struct fault_rule *rule = fault_rule_for(call->number, call->arguments);
        if (rule == NULL || (call->number == verdict->scenario->unknown_call)) {
            continue;
        }
        verdict->places += rule->errors[0] != 0 ? 1 : 0;
        for (uint32_t e = 0; e < errors_most && e < FAULT_ERRORS_MAX && rule->errors[e] != 0; e++) {
            fail_call(verdict, call, rule->errors[e]);
        }
    }
}

static void every_system_call_fails_once(void **state)
{
    struct verdict *verdict = *state;
    int64_t begin_ms = test_now_ms();
    rehearse(verdict, true);
    first_run = run;
    if (first_run.unknown_count > 0) {
        fail_msg("system call %ld is in no row of faults.linux.c", first_run.last_unknown);
    }
    assert_in_range(first_run.call_count, 1, RUN_CALLS_MAX - 1);
    fail_each_call(verdict);
    verdict->seconds = (double)(test_now_ms() - begin_ms) / 1000;
    assert_true(verdict_is_good(verdict));
    /* What threads meet at a stop is a matter of chance here and there; much of it would be a
     * broken test. */
    assert_true(verdict->missed * 4 <= verdict->places);
}

/* ---- allocations ---- */

static void every_allocation_fails_once(void **state)
{
    struct verdict *verdict = *state;
    char what[64];
    int64_t begin_ms = test_now_ms();
    rehearse(verdict, false);
    verdict->places = subject->allocations;
    assert_in_range(verdict->places, 1, ALLOCATIONS_MAX);
    for (uint32_t nth = 1; nth <= verdict->places && verdict->hangs < HANGS_MAX; nth++) {
        order(verdict->scenario, false, nth);
        run_child(&run);
        const char *name = subject->refused;
        (void)snprintf(what, sizeof(what), "allocation %u (%s)", nth, name == NULL ? "?" : name);
        if (name == NULL && run.end == RUN_ENDED) {
            verdict->missed++;
        } else {
            verdict_judge(verdict, &run, subject, what);
        }
    }
    verdict->seconds = (double)(test_now_ms() - begin_ms) / 1000;
    assert_true(verdict_is_good(verdict));
    assert_true(verdict->missed * 4 <= verdict->places);
}

/* ---- all of them ---- */

typedef const struct scenario *scenario_table(size_t index);

/* The C library keeps stacks and small blocks of its own back, which would look like leaks. It
 * reads this when a process begins, so begin again. */
static void tame_c_library(char **arguments)
{
    static const char tunables[] =
        "glibc.pthread.stack_cache_size=0:glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0";
    if (getenv("GLIBC_TUNABLES") == NULL && setenv("GLIBC_TUNABLES", tunables, 1) == 0) {
        (void)execv("/proc/self/exe", arguments);
    }
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: torture calls|allocations server|client|fake BACKEND\n");
    return 2;
}

int main(int count, char **arguments)
{
    struct CMUnitTest tests[SCENARIOS_MAX];
    size_t test_count = 0;
    if (count != 4) {
        return usage();
    }
    tame_c_library(arguments);
    bool calls = strcmp(arguments[1], "calls") == 0;
    scenario_table *table = strcmp(arguments[2], "server") == 0   ? server_scenario
                            : strcmp(arguments[2], "client") == 0 ? client_scenario
                                                                  : fake_scenario;
    subject = run_share(sizeof(*subject));
    const struct scenario *scenario;
    for (size_t i = 0; (scenario = table(i)) != NULL && test_count < SCENARIOS_MAX; i++) {
        if (strcmp(scenario->backend, arguments[3]) == 0) {
            verdicts[test_count].scenario = scenario;
            tests[test_count] = (struct CMUnitTest){
                .name = scenario->name,
                .test_func = calls ? every_system_call_fails_once : every_allocation_fails_once,
                .initial_state = &verdicts[test_count]};
            test_count++;
        }
    }
    if (test_count == 0) {
        return usage();
    }
    int failed = _cmocka_run_group_tests("torture", tests, test_count, NULL, NULL);
    uint32_t injected = 0;
    verdict_print_head();
    for (size_t i = 0; i < test_count; i++) {
        injected += verdicts[i].injected;
        verdict_print(&verdicts[i]);
    }
    return failed == 0 && injected == 0 ? 77 : failed;
}
