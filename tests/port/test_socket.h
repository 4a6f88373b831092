/* SPDX-License-Identifier: MIT
 * What the test of the socket seam (test_socket.c) wants of the file for this system. */
#ifndef TEST_SOCKET_H
#define TEST_SOCKET_H

#include "os/socket.h"

/* A connection that waits at the listener, as a socket that does not block. */
tg_socket accept_waiting(tg_socket listener);

/* An option's value; the test fails if there is none. `name` is the system's. */
int integer_option(tg_socket sock, int level, int name);

/* A connected pair through a listener on 127.0.0.1. (test_socket.c) */
void connect_pair(tg_socket *near_end, tg_socket *far_end);

/* Tests of what this system alone has. The number of those that failed. */
int run_system_socket_tests(void);

#define DEADLINE_MS 20000

#endif
