/* SPDX-License-Identifier: MIT
 * What the echo servers of the bench have in common: argument, listener, the lines that they print.
 * All else is each server's own, written as its library is meant to be used.
 *
 *     NAME [PORT]    prints "listening on tcp://127.0.0.1:PORT"; ends at SIGTERM */
#ifndef BENCH_ECHO_SERVER_H
#define BENCH_ECHO_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct echo_counts {
    uint64_t accepted;
    uint64_t messages;
};

/* Raises the descriptor limit as far as allowed, opens a non-blocking listener on 127.0.0.1 (PORT
 * of the command line, 0 or none: any). What it accepts has TCP_NODELAY, which Linux hands down.
 * Ends the process with a line on standard error if it cannot. */
int echo_listen(int argc, char **argv);

/* The same on one port for `count` threads: a listener for each, among which the kernel spreads
 * what comes. PORT is any. */
void echo_listen_shared(int *listeners, uint32_t count);

/* Prints the line that tells the listener's port: all is ready, signals too. */
void echo_announce(int listener);

/* Descriptors that this process may have: a table by descriptor needs so many entries. */
uint32_t echo_descriptors_max(void);

/* From now on SIGTERM and SIGINT interrupt system calls and make echo_stopped() true. For loops
 * without a library that has signals of its own. */
void echo_catch_signals(void);
bool echo_stopped(void);

/* The last line, on standard error: tools/bench compares it with what its load counted. */
void echo_print_counts(const struct echo_counts *counts);

/* Ends the process with a line on standard error, errno's text in it. */
void echo_give_up(const char *what) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
