/* SPDX-License-Identifier: MIT
 * A program under test as a child process, its output in pipes. Reports instead of asserting where that
 * matters; a child that a failed test left over is killed by child_end. */
#ifndef TEST_SUPPORT_CHILD_H
#define TEST_SUPPORT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <throng/types.h>

struct child {
    pid_t pid;  /* 0: none, or already waited for */
    int out;    /* its standard output */
    int err;    /* its standard error */
    int status; /* exit status once it has ended; 128 + the signal's number if one killed it */
};

/* Runs arguments[0] (a path) with them; the array ends with NULL. Fails the test if it cannot. */
void child_start(struct child *child, const char *const *arguments);

/* The next line of standard output, without its end: false at the end of the output or after limit_ms. */
bool child_read_line(const struct child *child, char *line, size_t size, int limit_ms);

/* Reads "listening on tcp://HOST:PORT". */
bool child_read_address(const struct child *child, struct throng_address *address, int limit_ms);

/* Waits for its end; false after limit_ms. What it wrote meanwhile goes to `out` and `err` (either may be
 * NULL), cut at `size`, NUL-terminated. */
bool child_await_end(struct child *child, char *out, char *err, size_t size, int limit_ms);

/* Kills what still runs and closes the pipes. */
void child_end(struct child *child);

#endif
