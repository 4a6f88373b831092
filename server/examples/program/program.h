/* SPDX-License-Identifier: MIT
 * What the bundled server programs share: options from the command line and a config file, signals,
 * a log sink. Not part of the library; copy it if it fits. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <throng/server.h>

/* An option that one program has besides the server's: a number or a text. */
struct program_option {
    const char *name; /* "history-lines"; a config file may say history_lines */
    const char *unit; /* of a number "lines", of a text what it is: "FILE" */
    const char *help; /* what it sets, a line */
    uint32_t *number; /* where the value goes; NULL: it is a text */
    uint32_t fallback;
    uint32_t least;
    uint32_t most;
    const char **text; /* NULL stays if it is not given */
};

/* What a program changes of the server's defaults. */
struct program_preset {
    const char *name;
    const char *value;
};

struct program {
    const char *purpose;
    const struct program_preset *presets;
    size_t preset_count;
    const struct program_option *options;
    size_t option_count;
    /* Sets what follows from other options, when all are read; NULL: nothing does. */
    void (*settle)(struct throng_server_options *options);
    /* For --budget: writes the terms of the program's own memory, answers how many. NULL: it has
     * none. */
    size_t (*budget)(const struct throng_server_options *options, struct throng_budget_term *terms,
                     size_t capacity);
};

/* Reads the command line (and --config FILE) into `options`, which has its defaults already, and
 * into the program's own. The strings stay in argv or in this module. Answers 0: go on; else the
 * process is to exit with *status: after --help, --version, --budget (0), or a bad option (2),
 * which was reported on standard error. */
int program_read(struct throng_server_options *options, int argc, char **argv,
                 const struct program *program, int *status);

/* The same, for a program that has nothing of its own. */
int program_read_options(struct throng_server_options *options, int argc, char **argv,
                         const char *purpose, int *status);

/* Starts the server, prints "listening on tcp://HOST:PORT" for each listener on standard output,
 * and makes requests to end (SIGTERM, SIGINT; Windows: Ctrl-C, Ctrl-Break, a closed console) count
 * in program_signalled() and wake the server. NULL, after a line on standard error and with the
 * exit status set, if it cannot start. */
struct throng_server *program_start(const struct throng_server_options *options, int *status);

/* Milliseconds since 1970, by the clock on the wall. No system call where the system can do
 * without. */
uint64_t program_wall_ms(void);

/* Fills bytes that nobody can guess. False: the system gives none. Before the start. */
bool program_random(void *bytes, size_t size);

/* Requests to end so far: 0 = go on, 1 = drain, 2 and more = stop now. */
int program_signalled(void);

/* Prints the counters that matter to standard error, stops the server. Answers the exit status. */
int program_finish(struct throng_server *server);

#endif
