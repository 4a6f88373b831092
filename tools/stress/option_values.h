/* SPDX-License-Identifier: MIT
 * What the parts of the command line share: options.c (the table), option_values.c (numbers and
 * complaints), options_settle.c (what the options say together). Main thread, at start. */
#ifndef STRESS_OPTION_VALUES_H
#define STRESS_OPTION_VALUES_H

#include "options.h"

/* gcc takes "printf" for the system's own; a C library that brings one of C11 beside it names
 * that. */
#if defined(__MINGW_PRINTF_FORMAT)
#define CHECKED_FORMAT(text, first) __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))
#else
#define CHECKED_FORMAT(text, first) __attribute__((format(printf, text, first)))
#endif

struct options_reader {
    struct stress_options *options;
    char *complaint; /* OPTIONS_COMPLAINT_SIZE */
    uint64_t given;  /* bit i: option i of the table */
};

/* Writes the complaint. Always false, so that a reader can return it. */
CHECKED_FORMAT(2, 3)
bool options_complain(struct options_reader *reader, const char *format, ...);

/* Decimal digits up to `*end`, nothing above `most`. */
bool options_parse_whole(const char *text, const char **end, uint64_t most, uint64_t *number);

bool options_read_whole(struct options_reader *reader, const char *name, const char *value,
                        uint64_t least, uint64_t most, uint64_t *number);

/* Seconds with up to 9 decimals, as nanoseconds. */
bool options_read_seconds(struct options_reader *reader, const char *name, const char *value,
                          uint64_t least_ns, uint64_t *ns);

/* options_settle.c: defaults that depend on other options, and combinations that make no sense. */
bool options_settle(struct options_reader *reader);

#endif
