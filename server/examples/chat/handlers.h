/* SPDX-License-Identifier: MIT
 * What a request does: one function for each type (handlers.c, for operators moderation.c), and the
 * steps that several of them share (steps.c). Called by chat.c, which has checked who may ask. */
#ifndef CHAT_HANDLERS_H
#define CHAT_HANDLERS_H

#include "tell.h"

/* Does the request at hand (chat->user, chat->message) and answers it. */
typedef void chat_handler(struct chat *chat);

chat_handler handle_hello;
chat_handler handle_name;
chat_handler handle_join;
chat_handler handle_leave;
chat_handler handle_rooms;
chat_handler handle_who;
chat_handler handle_say;
chat_handler handle_me;
chat_handler handle_tell;
chat_handler handle_topic;
chat_handler handle_ping;

chat_handler handle_operator;
chat_handler handle_kick;
chat_handler handle_mute;
chat_handler handle_unmute;
chat_handler handle_ban;
chat_handler handle_unban;
chat_handler handle_bans;
chat_handler handle_announce;
chat_handler handle_close_room;
chat_handler handle_whois;

/* ---- reading a request: false: it was refused, and the handler returns ---- */

/* A text of the request as bytes; only its length is checked. */
struct chat_text {
    const char *bytes;
    size_t size;
};

bool read_text(struct chat *chat, const char *key, size_t bytes_max, struct chat_text *text);

/* The same; empty if the field is not there. */
bool read_optional_text(struct chat *chat, const char *key, size_t bytes_max,
                        struct chat_text *text);
bool read_optional_number(struct chat *chat, const char *key, uint64_t *number);
bool read_seconds(struct chat *chat, uint32_t least, uint32_t *seconds);
bool read_user_name(struct chat *chat, struct chat_name *name);
bool read_room_name(struct chat *chat, struct chat_name *name);

/* A user that is here, a room that exists, a room that the asking user is in. */
struct chat_user *read_user(struct chat *chat);
struct chat_room *read_room(struct chat *chat);
struct chat_room *read_own_room(struct chat *chat);

/* Answers with a code and nothing else to say. */
void refuse(struct chat *chat, enum chat_code code);

/* ---- shared steps ---- */

/* How somebody is gone from a room; `by` may be NULL. */
struct leaving {
    enum chat_why why;
    const struct chat_user *by;
    struct chat_text text;
};

/* Out of one room; out of all. The others hear of it. */
void leave_room(struct chat *chat, struct chat_user *user, struct chat_room *room,
                const struct leaving *leaving);
void leave_all(struct chat *chat, struct chat_user *user, const struct leaving *leaving);

/* The last word to a user; then the connection is closed, and the name is free. */
void say_goodbye(struct chat *chat, struct chat_user *user, enum chat_code code,
                 const struct leaving *leaving);

/* May not speak for so long, also after coming again under the same name. */
void mute_user(struct chat *chat, struct chat_user *user, uint64_t wait_ms,
               const struct chat_user *by, struct chat_text text);

#endif
