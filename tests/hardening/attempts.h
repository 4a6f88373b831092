/* SPDX-License-Identifier: MIT
 * What somebody would try who has taken over a server's thread: one system call each, as errno or
 * 0. */
#ifndef TEST_ATTEMPTS_H
#define TEST_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

/* What a child process found, in memory that it shares with its parent. */
#define ATTEMPTS_MAX 64

struct attempt {
    const char *name;
    int (*make)(void);
};

/* The calls that the filter has to refuse with EPERM. */
extern const struct attempt attempts[];
extern const size_t attempt_count;

/* Files and connections, which landlock has to refuse with EACCES. (EPERM: what is left of
 * them.) */
extern const struct attempt file_attempts[];
extern const size_t file_attempt_count;

/* An io_uring made beforehand, and through it an open(2) of a file for reading and for writing: the
 * filter does not see it. prepare: false if this kernel has none. */
bool attempt_ring_prepare(void);
int attempt_ring_open(const char *path, int flags);

#endif
