/* SPDX-License-Identifier: MIT
 * What the bundled server programs want of the operating system: the requests to end that it
 * delivers, and a standard output that carries what was written. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stddef.h>

#include <throng/server.h>

/* First thing: from here on standard output gets every byte as it was written. (Windows would make
 * "\r\n" of "\n", and a program that reads our output would have to know where we run.) */
void system_begin(void);

/* From here on a request to end is counted and wakes the server, until system_ignore_requests:
 * after that it does nothing. Requests are
 *
 *   POSIX     SIGTERM, SIGINT, SIGHUP (unless it is ignored: nohup)
 *   Windows   Ctrl-C, Ctrl-Break; and the close of the console window, the log-off and the shutdown, of
 *             which each counts twice, with a pause: Windows leaves a program five seconds, so what is
 *             not drained by then stops at once */
void system_take_requests(struct throng_server *server);
int system_requests(void);
void system_ignore_requests(void);

/* As program_wall_ms and program_random. */
uint64_t system_wall_ms(void);
bool system_random(void *bytes, size_t size);

#endif
