/* SPDX-License-Identifier: MIT
 * The failure report. */
#include "failure.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "ledger.h"
#include "run.h"

/* A run takes hundredths of a second, under a sanitizer a few seconds. */
#define RUN_SECONDS_MAX 120

#define ALTERNATE_BYTES 262144u

static const struct options *options;
static bool has_reported;

/* The sanitizers', if there is one. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static void report(void)
{
    static char text[8192];
    const struct plan *plan = run_current();
    if (has_reported || plan == NULL) {
        return;
    }
    has_reported = true;
    plan_print(plan, text, sizeof text);
    (void)fprintf(stderr, "\n---- seed %llu failed ----\n%slast steps:\n",
                  (unsigned long long)plan->seed, text);
    tg_sim_print_tail();
    ledger_print_judged();
    (void)fprintf(stderr, "again: %s --seed %llu", options->program,
                  (unsigned long long)plan->seed);
    if (options->steps > 0) {
        (void)fprintf(stderr, " --steps %u", options->steps);
    }
    if (options->faults_text != NULL) {
        (void)fprintf(stderr, " --faults %s", options->faults_text);
    }
    (void)fprintf(stderr, "\n---- end of the report ----\n\n");
    (void)fflush(stderr);
}

static void on_signal(int number)
{
    if (number != SIGABRT) {
        (void)fprintf(stderr, "signal %d (%s)\n", number, strsignal(number));
    }
    report();
    (void)fflush(stdout);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void failure_watch(const struct options *of_program)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPROF};
    static char alternate[ALTERNATE_BYTES];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    options = of_program;
    (void)sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
        bool is_sanitizers = __sanitizer_set_death_callback != NULL &&
                             (signals[i] == SIGSEGV || signals[i] == SIGBUS);
        if (!is_sanitizers) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(report);
    }
}

void failure_set_limit(void)
{
    struct itimerval limit = {.it_value.tv_sec = RUN_SECONDS_MAX};
    (void)setitimer(ITIMER_PROF, &limit, NULL);
}

void failure_now(const char *text)
{
    (void)fprintf(stderr, "throng-sim: %s\n", text);
    abort();
}
