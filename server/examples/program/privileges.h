/* SPDX-License-Identifier: MIT
 * Who a server program is: root while it opens its ports, then somebody who may do nothing. Main
 * thread. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>

/* Looks the user up, before anything is started. False, after a line on standard error, if there is
 * no such user, it is root itself, this process is not root and could not become anybody, or the
 * system knows no such thing (Windows). */
bool privileges_find(const char *user);

/* Becomes that user for ever, on all threads: groups, group, user, and with them every capability.
 * False, after a line on standard error, if it did not come out so: the process is to end. */
bool privileges_drop(void);

#endif
