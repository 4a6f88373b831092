/* SPDX-License-Identifier: MIT
 * Shows that an assertion of the library stops the process. */
#ifndef TEST_SUPPORT_DEATH_H
#define TEST_SUPPORT_DEATH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `run(context)` aborts, tried in a child process where the system can fork one; elsewhere
 * in this one, so that the context may only be used for another such try. What is said on standard
 * error (its beginning, NUL-terminated) goes to `text`. The caller has started no threads. */
bool test_aborts(void (*run)(void *context), void *context, char *text, size_t text_size);

#endif
