/* SPDX-License-Identifier: MIT
 * What is told of a run that fails: the seed, its plan, its last steps, and the command that does
 * it again. */
#ifndef SIM_FAILURE_H
#define SIM_FAILURE_H

#include <stdint.h>

#include "options.h"

/* A failing process reports from here on: by an assertion, a signal, or a sanitizer. */
void failure_watch(const struct options *of_program);

/* The processor time that the next run may take. */
void failure_set_limit(void);

/* As if an assertion had failed. */
_Noreturn void failure_now(const char *text);

#endif
