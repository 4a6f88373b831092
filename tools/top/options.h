/* SPDX-License-Identifier: MIT
 * The command line of throng-top. Main thread, at start. */
#ifndef TOP_OPTIONS_H
#define TOP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_COMPLAINT_SIZE 256

struct top_options {
    const char *connect; /* in argv */
    uint32_t interval_ms;
    bool plain;
    bool once;
    bool json;
};

enum options_result {
    OPTIONS_GO = 0,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_BAD, /* `complaint` names the option, its value and what it must be */
};

enum options_result top_options_read(struct top_options *options, int argc, char *const *argv,
                                     char complaint[OPTIONS_COMPLAINT_SIZE]);

void top_options_help(FILE *file);

#endif
