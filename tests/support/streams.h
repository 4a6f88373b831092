/* SPDX-License-Identifier: MIT
 * Listens to what the process says on its standard streams. */
#ifndef TEST_SUPPORT_STREAMS_H
#define TEST_SUPPORT_STREAMS_H

#include <stddef.h>

/* How many bytes came out of standard output and standard error during run(context), from any
 * thread. Nobody sees them. */
size_t test_streams_said(void (*run)(void *context), void *context);

#endif
