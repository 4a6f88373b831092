/* SPDX-License-Identifier: MIT
 * Makes a system call unknown to this process, as an old kernel or a container's sandbox does. */
#ifndef TEST_PORT_DENY_H
#define TEST_PORT_DENY_H

#include <stdbool.h>
#include <stdint.h>

/* From now on call `number` answers `error` in the calling thread and those that it starts. For
 * child processes: it cannot be undone. False if this system has no such filters. */
bool deny_system_call(long number, int error);

/* The same for calls whose argument `place` (0 to 5) is `value`. */
bool deny_system_call_if(long number, unsigned place, uint32_t value, int error);

#endif
