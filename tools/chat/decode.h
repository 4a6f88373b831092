/* SPDX-License-Identifier: MIT
 * Makes events of a message of the server. Pure: bytes were decoded before, what comes out is safe
 * to print. */
#ifndef CHAT_DECODE_H
#define CHAT_DECODE_H

#include <throng/message.h>

#include "event.h"

/* What we asked, for answers that do not repeat it. */
struct asked {
    uint32_t type;
    uint64_t from;              /* of a list: where it was to begin */
    char room[EVENT_NAME_SIZE]; /* "" if the request had none */
};

typedef void event_sink(void *context, const struct event *event);

/* Calls `sink` for each event in the message, 0 or more. `asked`: what it answers; NULL if it is no
 * answer to anything of ours. `event` is room to work in. */
void decode_message(const struct throng_message *message, const struct asked *asked,
                    struct event *event, event_sink *sink, void *context);

#endif
