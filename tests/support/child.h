/* SPDX-License-Identifier: MIT
 * A program under test as a child process, its output in pipes. Reports instead of asserting where
 * that matters; a child that a failed test left over is killed by child_end. Lines end with \n
 * alone, whatever the system's do. */
#ifndef TEST_SUPPORT_CHILD_H
#define TEST_SUPPORT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/types.h>

struct child {
    intptr_t process; /* the system's number or handle; 0: none, or already waited for */
    intptr_t out;     /* its standard output; -1: none */
    intptr_t err;     /* its standard error; -1: none */
    uint32_t id;      /* Windows: of the process */
    int status; /* exit status once it has ended; 128 + the signal's number if one killed it */
};

/* How a user asks a program to end. */
enum child_request {
    CHILD_TERMINATE, /* SIGTERM; Ctrl-Break on Windows */
    CHILD_INTERRUPT, /* SIGINT; on Windows Ctrl-Break as well: Ctrl-C cannot be sent to one program */
};

/* Runs arguments[0] (a path) with them; the array ends with NULL. Fails the test if it cannot. */
void child_start(struct child *child, const char *const *arguments);

/* False if the request could not be made. */
bool child_request(const struct child *child, enum child_request request);

/* Takes what there is of standard output (`from_err`: standard error), at most `size` bytes; waits
 * for the first one. The count; 0 if none came within limit_ms; -1 at the end of the output. */
ptrdiff_t child_read(const struct child *child, bool from_err, char *text, size_t size,
                     int limit_ms);

/* Waits for the end of the process itself, whose output has ended: true, and its status is
 * known. */
bool child_await_exit(struct child *child, int limit_ms);

/* The next line of standard output, without its end: false at the end of the output or after
 * limit_ms. */
bool child_read_line(const struct child *child, char *line, size_t size, int limit_ms);

/* Reads "listening on tcp://HOST:PORT". */
bool child_read_address(const struct child *child, struct throng_address *address, int limit_ms);

/* Waits for its end; false after limit_ms. What it wrote meanwhile goes to `out` and `err` (either
 * may be NULL), cut at `size`, NUL-terminated. */
bool child_await_end(struct child *child, char *out, char *err, size_t size, int limit_ms);

/* Kills what still runs and closes the pipes. */
void child_end(struct child *child);

#endif
