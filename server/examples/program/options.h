/* SPDX-License-Identifier: MIT
 * What the parts of the programs' options share: options.c (the command line), config.c (the INI
 * file), help.c (--help). */
#ifndef PROGRAM_OPTIONS_H
#define PROGRAM_OPTIONS_H

#include <throng/options.h>

/* Where a program listens that was told nothing. */
#define PROGRAM_LISTEN "tcp://127.0.0.1:7000"

/* More than the server has. */
#define PROGRAM_OPTIONS_MAX 128u

struct program_settings {
    struct throng_server_options *options;
    const char *program; /* argv[0] */
    const char *purpose;
    const char *given[PROGRAM_OPTIONS_MAX]; /* the text last given for each option, or NULL */
};

/* Sets one of the server's options. 0, or the exit status after a line on standard error. */
int program_set_option(const char *name, const char *value);

/* Reads an INI file. 0, or the exit status after lines on standard error. */
int program_read_config(const char *file);

/* Prints an INI file that --config reads back to the same options. */
void program_print_config(const struct program_settings *settings);

/* --help: the server's options; then a line for each of the program's own, `value` NULL if it takes
 * none; then the end. */
void program_print_help_head(const struct program_settings *settings);
void program_print_help_line(const char *name, const char *value, const char *help);
void program_print_help_foot(void);

#endif
