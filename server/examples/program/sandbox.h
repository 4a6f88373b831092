/* SPDX-License-Identifier: MIT
 * A cage around a running server program: it keeps what it has open and can open nothing else. Two
 * halves, because the kernel wants them at different times:
 *
 *   sandbox_close_files   before the server starts its threads: landlock holds for the calling thread
 *                         and those that it makes
 *   sandbox_close_calls   when everything is open: a seccomp filter on all threads at once
 *
 * Linux, in builds that found libseccomp (sandbox.linux.c); elsewhere it is refused
 * (sandbox.none.c), never left out in silence. Main thread. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

/* Whether this build can do it; if not, a line on standard error says why. */
bool sandbox_is_built(void);

/* From here on no thread made later writes, makes, runs or removes a file, or connects to anybody
 * by TCP; it reads only what the start needs: names of hosts, its own descriptors. (This one too.)
 * A kernel without landlock, before 5.13, gets a warning on standard error: there the other half
 * alone keeps files closed. False, after a line there, if it cannot be done. */
bool sandbox_close_files(void);

/* From here on every system call that a serving or stopping server does not make fails with EPERM,
 * on all threads: opening files and sockets, running programs, new processes and threads, memory
 * that can be run, looking into other processes. False, after a line on standard error, if it
 * cannot be done. */
bool sandbox_close_calls(void);

#endif
