/* SPDX-License-Identifier: MIT
 * The chat between its parts: what was typed becomes requests, what the server says goes into the
 * model. Main thread. */
#ifndef CHAT_CHAT_H
#define CHAT_CHAT_H

#include "model.h"
#include "options.h"
#include "session.h"

struct chat {
    struct model model;
    struct session *session;
    char status[256];  /* of the connection, in words; "" when all is well */
    bool quit;         /* /quit was typed */
    bool refused;      /* the server does not want us: the session has ended */
    unsigned entering; /* rooms that were asked for and not answered yet */
    bool look_at_next; /* at the next room that is entered */
    int64_t (*unix_ms)(void);
};

/* `sink` hears of new lines, NULL: nobody. THRONG_EINVAL, THRONG_ENOMEM, with a text. */
int chat_begin(struct chat *chat, const struct chat_options *options,
               const struct throng_address *addresses, size_t address_count, model_sink *sink,
               void *context, struct throng_error *error);
void chat_end(struct chat *chat);

/* Somebody typed a line (input.c). */
void chat_input(struct chat *chat, const char *line);

/* Something to say to whoever types. */
void chat_note(struct chat *chat, enum line_kind kind, const char *text);

/* Whether a line that is typed now can be sent: connected, and in all the rooms. Who reads a pipe
 * waits for it. */
bool chat_takes_input(const struct chat *chat);

#endif
