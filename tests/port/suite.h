/* SPDX-License-Identifier: MIT
 * What the contract suite runs besides the contract's themes: suite.linux.c, suite.windows.c. */
#ifndef TEST_PORT_SUITE_H
#define TEST_PORT_SUITE_H

#include <stdbool.h>

/* A second way in which a backend can run here. False: there is none of that name. */
bool choose_mode(const char *mode);

/* What belongs to the system, before the themes; what belongs to one backend, after them. Each
 * answers the number of tests that failed. */
int run_system_tests(void);
int run_backend_tests(void);

#endif
