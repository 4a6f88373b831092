/* SPDX-License-Identifier: MIT
 * What the parts of the programs' options share: options.c (the command line), extra.c (what one
 * program has besides), config.c (the INI file), help.c (--help). */
#ifndef PROGRAM_OPTIONS_H
#define PROGRAM_OPTIONS_H

#include "program.h"

/* Where a program listens that was told nothing. */
#define PROGRAM_LISTEN "tcp://127.0.0.1:7000"

/* More than the server has. */
#define PROGRAM_OPTIONS_MAX 128u

struct program_settings {
    struct throng_server_options *options;
    const char *path; /* argv[0] */
    const struct program *program;
    const char *given[PROGRAM_OPTIONS_MAX]; /* the text last given for each option, or NULL */
};

/* Sets one of the server's options, or of the program's. 0, or the exit status after a line on
 * standard error. */
int program_set_option(const char *name, const char *value);

/* Whether two names are one: '-' and '_' are the same. */
bool program_same_name(const char *left, const char *right);

/* The program's own (extra.c): its defaults; the option of that name or NULL; setting it, as above;
 * a line of --help and of a config file for each. */
void program_default_extras(const struct program *program);
const struct program_option *program_find_extra(const struct program *program, const char *name);
int program_set_extra(const struct program_option *option, const char *value);
void program_print_extras_help(const struct program *program);
void program_print_extras_config(const struct program *program);

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
