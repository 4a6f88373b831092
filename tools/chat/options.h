/* SPDX-License-Identifier: MIT
 * The command line of throng-chat. Main thread, at start. */
#ifndef CHAT_OPTIONS_H
#define CHAT_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "../../server/examples/chat/protocol.h"

#define OPTIONS_COMPLAINT_SIZE 256

struct chat_options {
    const char *connect; /* in argv, as all of these */
    const char *name;    /* "" if it was left out */
    const char *rooms[CHAT_JOINED_MAX];
    size_t room_count;
    bool plain;
    bool no_color;
};

enum options_result {
    OPTIONS_GO = 0,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_BAD, /* `complaint` names the option, its value and what it must be */
};

enum options_result chat_options_read(struct chat_options *options, int argc, char *const *argv,
                                      char complaint[OPTIONS_COMPLAINT_SIZE]);

void chat_options_help(FILE *file);

#endif
