/* SPDX-License-Identifier: MIT
 * What a server program gives up: --user and --sandbox, and when each part of them happens around
 * the server's start. Main thread. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>

/* Values of the two options. 0, or the exit status after a line on standard error. */
int confine_take_user(const char *name);
int confine_take_sandbox(const char *choice);

/* Before the server starts, so that its threads are born into it: no files. After it, when its
 * ports are open: another user, no system calls but those of serving. Both do nothing unless asked
 * for. False, after a line on standard error, if something that was asked for cannot be had: the
 * program must not serve without it. */
bool confine_before_start(void);
bool confine_after_start(void);

#endif
