/* SPDX-License-Identifier: MIT
 * What a run must have come to: an error that is documented and has a text, or a start that serves;
 * nothing left behind in either case; and then a start that goes as if nothing had been. */
#include "verdict.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "faults.h"

void verdict_say(const char *format, ...)
{
    if (getenv("THRONG_TORTURE_VERBOSE") != NULL) {
        va_list arguments;
        va_start(arguments, format);
        (void)vprintf(format, arguments);
        va_end(arguments);
    }
}

__attribute__((format(printf, 4, 5))) static void complain(uint32_t *counter,
                                                           const struct verdict *verdict,
                                                           const char *what, const char *format,
                                                           ...)
{
    va_list arguments;
    (*counter)++;
    printf("%s (%s): %s fails: ", verdict->scenario->name, verdict->scenario->backend, what);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static bool is_documented(const struct scenario *scenario, int result)
{
    const int *code = scenario->documented;
    while (*code != 0 && *code != result) {
        code++;
    }
    return *code != 0;
}

/* False: complained. */
static bool judge_end(struct verdict *verdict, const struct run *run, const struct subject *subject,
                      const char *what)
{
    const struct seen_call *last = run->call_count > 0 ? &run->calls[run->call_count - 1] : NULL;
    if (run->end == RUN_HUNG) {
        complain(&verdict->hangs, verdict, what, "it hangs in \"%s\" after %d ms, last call %s",
                 subject->step, run->limit_ms,
                 last == NULL ? "(none)" : fault_call_name(last->number));
        return false;
    }
    if (run->end != RUN_ENDED || !subject->is_complete) {
        complain(&verdict->wrong, verdict, what, "it dies in \"%s\" (%s %d)", subject->step,
                 WIFSIGNALED(run->status) ? "signal" : "exit status",
                 WIFSIGNALED(run->status) ? WTERMSIG(run->status) : WEXITSTATUS(run->status));
        return false;
    }
    return true;
}

static bool judge_tortured(struct verdict *verdict, const struct subject_round *round,
                           const char *what)
{
    if (round->result == 0 && !round->was_served) {
        complain(&verdict->wrong, verdict, what, "it starts and does not serve");
        return false;
    }
    if (round->result != 0 && !is_documented(verdict->scenario, round->result)) {
        complain(&verdict->wrong, verdict, what, "an error that is not documented: %d, %s (%s)",
                 round->result, throng_error_name(round->result), round->error.text);
        return false;
    }
    if (round->result != 0 &&
        (round->error.code != round->result || round->error.text[0] == '\0')) {
        complain(&verdict->wrong, verdict, what, "%s, but error.code %d and the text \"%s\"",
                 throng_error_name(round->result), round->error.code, round->error.text);
        return false;
    }
    return true;
}

/* The text names what only the library can know: what it had wanted the call for. */
static bool judge_text(struct verdict *verdict, const struct run *run,
                       const struct subject_round *round, const char *what)
{
    const struct seen_call *call = run->target;
    const struct fault_rule *rule = call == NULL ? NULL
                                                 : fault_rule_for(call->number, call->arguments);
    if (round->result != 0 && rule != NULL && rule->must_say != NULL &&
        strstr(round->error.text, rule->must_say) == NULL) {
        complain(&verdict->wrong, verdict, what, "no word of \"%s\" in \"%s\"", rule->must_say,
                 round->error.text);
        return false;
    }
    return true;
}

static bool judge_after(struct verdict *verdict, const struct subject *subject, const char *what)
{
    const struct subject_round *after = &subject->after;
    if (after->result != 0 || !after->was_served) {
        complain(&verdict->wrong, verdict, what, "the next start %s (%s)",
                 after->result != 0 ? "fails" : "does not serve", after->error.text);
        return false;
    }
    if (subject->tortured.leak[0] != '\0' || after->leak[0] != '\0') {
        complain(&verdict->leaks, verdict, what, "%s; after the next start and stop: %s",
                 subject->tortured.leak, after->leak);
        return false;
    }
    return true;
}

void verdict_judge(struct verdict *verdict, const struct run *run, const struct subject *subject,
                   const char *what)
{
    const struct subject_round *round = &subject->tortured;
    verdict->injected++;
    if (!judge_end(verdict, run, subject, what) || !judge_tortured(verdict, round, what) ||
        !judge_text(verdict, run, round, what) || !judge_after(verdict, subject, what)) {
        return;
    }
    if (round->result == 0) {
        verdict->went_on++;
    } else {
        verdict->refused++;
    }
    verdict_say("%s (%s): %s fails: %s %s\n", verdict->scenario->name, verdict->scenario->backend,
                what, round->result == 0 ? "goes on" : throng_error_name(round->result),
                round->result == 0 ? "" : round->error.text);
}

bool verdict_is_good(const struct verdict *verdict)
{
    enum scenario_fault fault = verdict->scenario->fault;
    return verdict->injected > 0 && (verdict->leaks > 0) == (fault == SCENARIO_LEAKS) &&
           (verdict->hangs > 0) == (fault == SCENARIO_HANGS) &&
           (verdict->wrong > 0) == (fault == SCENARIO_WRONG);
}

void verdict_print_head(void)
{
    printf("%-30s %-14s %6s %8s %6s %7s %6s %5s %5s %5s %6s\n", "scenario", "backend", "places",
           "injected", "clean", "went on", "missed", "leaks", "hangs", "wrong", "s");
}

void verdict_print(const struct verdict *verdict)
{
    printf("%-30s %-14s %6u %8u %6u %7u %6u %5u %5u %5u %6.1f\n", verdict->scenario->name,
           verdict->scenario->backend, verdict->places, verdict->injected, verdict->refused,
           verdict->went_on, verdict->missed, verdict->leaks, verdict->hangs, verdict->wrong,
           verdict->seconds);
}
