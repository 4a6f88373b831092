/* SPDX-License-Identifier: MIT
 * A table of types with its requests: the object that the user makes. Made and looked at in
 * messages.c, fed in dispatch.c, asked in ask.c. One thread at a time. */
#ifndef TG_MESSAGE_MESSAGES_H
#define TG_MESSAGE_MESSAGES_H

#include <throng/message.h>

#include "message/requests.h"

struct tg_message_type {
    uint32_t type;
    const char *name;
    throng_message_handler *handler;
    struct throng_message_limits limits;
};

struct throng_messages {
    struct throng_messages_options options;
    struct throng_decoder *decoder;
    struct tg_message_type *types; /* by type */
    struct tg_requests requests;
    struct throng_messages_counters counters;
    struct throng_message_fault fault; /* the last one */
    bool is_dispatching;
};

/* The row of a type, or NULL. */
const struct tg_message_type *tg_messages_find(const struct throng_messages *messages,
                                               uint32_t type);

/* Ends a request and tells its owner. */
void tg_messages_end_request(struct throng_messages *messages, struct tg_request *request,
                             int result, struct throng_message *reply);

#endif
