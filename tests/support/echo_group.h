/* SPDX-License-Identifier: MIT
 * One echo host for all tests of a file: set-up and tear-down of a cmocka group. */
#ifndef TEST_SUPPORT_ECHO_GROUP_H
#define TEST_SUPPORT_ECHO_GROUP_H

#include "echo_host.h"

extern struct echo_host echo; /* on 127.0.0.1, from start_echo to stop_echo */

int start_echo(void **state);
int stop_echo(void **state);

#endif
