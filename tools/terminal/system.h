/* SPDX-License-Identifier: MIT
 * What the terminal programs want of the operating system: a clock, chance, and one place to wait
 * for the keyboard, a socket and a request to end. Main thread. */
#ifndef TERMINAL_SYSTEM_H
#define TERMINAL_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First thing in main: standard output gets every byte as written, a reader who went away is an
 * error of write and not the end of the process, characters are UTF-8; SIGINT, SIGTERM and SIGHUP
 * (Ctrl-C, and a console that is closed) become SYSTEM_INTERRUPTED. False, after a line to standard
 * error, if the system refuses. */
bool system_begin(void);

/* A clock that never goes back, from an unknown beginning. */
uint64_t system_now_ms(void);

/* Milliseconds since 1970, by the system's clock. */
int64_t system_unix_ms(void);

/* Local time of day as "HH:MM:SS" for a time in seconds since 1970. */
void system_time_of_day(int64_t unix_seconds, char text[9]);

/* Chance from the system; nobody can foretell it. */
uint64_t system_random(void);

/* Whether standard input, or standard output, is a terminal. */
bool system_input_is_terminal(void);
bool system_output_is_terminal(void);

enum {
    SYSTEM_INPUT = 1,       /* system_read_input has something to say */
    SYSTEM_SOCKET = 2,      /* the descriptor is ready */
    SYSTEM_INTERRUPTED = 4, /* somebody asked the program to end; stays set */
};

/* What to wait for. */
struct system_wait {
    bool input;          /* standard input */
    intptr_t descriptor; /* -1: none */
    bool read;
    bool write;
    int timeout_ms; /* -1: for ever */
};

/* Waits; answers bits of the above, 0 when the time is over or a signal came that is not a request
 * (the terminal has another size). */
unsigned system_wait(const struct system_wait *wait);

/* Whether somebody asked the program to end. */
bool system_interrupted(void);

/* Takes what standard input has, at most `size` bytes: their count; 0: it has ended; -1: nothing
 * now. */
int system_read_input(char *data, size_t size);

#endif
