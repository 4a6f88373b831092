/* SPDX-License-Identifier: MIT
 * The final report: a table to read, or one JSON object (README.md has the keys). Main thread. */
#ifndef STRESS_REPORT_H
#define STRESS_REPORT_H

#include <stdio.h>

#include "run.h"

void report_table(FILE *file, const struct stress_options *options, const struct outcome *outcome);
void report_json(FILE *file, const struct stress_options *options, const struct outcome *outcome);

#endif
