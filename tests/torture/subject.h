/* SPDX-License-Identifier: MIT
 * One run of a scenario in a child process: a start and a stop of which one step fails, then the
 * same once more undisturbed. The parent reads what came of it from shared memory, also of a child
 * that hung or died. */
#ifndef TEST_TORTURE_SUBJECT_H
#define TEST_TORTURE_SUBJECT_H

#include "holdings.h"
#include "scenario.h"

/* The run's phases, as the runner counts calls. */
enum subject_phase {
    SUBJECT_START = 1,
    SUBJECT_STOP = 2
};

/* A start, a message there and back, a stop, and what is left. */
struct subject_round {
    int result;
    struct throng_error error;
    bool was_served;
    char leak[96]; /* "" if there is none */
};

struct subject {
    /* The parent's orders. */
    const struct scenario *scenario;
    bool with_filter;
    uint32_t refused_allocation; /* which one, from 1; 0: none */

    /* The child's report. */
    const char *step; /* what it is or was at */
    struct subject_round
        rehearsal; /* before anything fails: what cannot run here at all ends there */
    struct subject_round tortured;
    struct subject_round after;
    bool is_complete;
    uint32_t allocations; /* that the tortured round asked for */
    const char *refused;  /* the function that was refused; NULL: none */
};

/* The child's work; `context` is a struct subject in shared memory. */
void subject_work(void *context);

#endif
