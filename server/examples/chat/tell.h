/* SPDX-License-Identifier: MIT
 * Saying things: replies, refusals, notices. A message is begun, its fields are packed into
 * chat->pack, and it is sent to one user or to a room. Called by the handlers. */
#ifndef CHAT_TELL_H
#define CHAT_TELL_H

#include "chat.h"

/* Why a request is not done; what is 0 or NULL does not belong to it. */
struct refusal {
    enum chat_code code;
    const char *field; /* the key that was wrong */
    const char *value; /* what it had, if that can be shown */
    uint64_t given;    /* the number that went over `limit` */
    uint64_t limit;
    uint64_t wait_ms;
};

/* Begins a message with a map of so many fields. */
void tell_begin(struct chat *chat, enum chat_type type, uint32_t fields);

/* Begins the answer to the request at hand. */
void tell_begin_reply(struct chat *chat, uint32_t fields);

/* A field. */
void tell_name(struct chat *chat, const char *key, const struct chat_name *name);
void tell_text(struct chat *chat, const char *key, const char *text, size_t size);
void tell_number(struct chat *chat, const char *key, uint64_t number);

/* Sends what was begun to one user. Whoever cannot be answered for want of memory is disconnected:
 * nobody is left to wait for an answer that was lost. */
void tell_user(struct chat *chat, const struct chat_user *user);

/* Sends it to the user at hand, if its request wants an answer. */
void tell_reply(struct chat *chat);

/* Sends it to a room's members but one (THRONG_NOBODY: to all). False: there is no memory, nobody
 * got it. */
bool tell_room(struct chat *chat, const struct chat_room *room, throng_conn except);

/* Sends it to everybody who has said hello. False: as above. */
bool tell_everybody(struct chat *chat);

/* Sends a notice about who is in the room, which cannot be refused: if nobody got it, the room
 * is marked, and chat_swept says STALE as soon as it can. */
void tell_members(struct chat *chat, struct chat_room *room, throng_conn except);

/* Answers the request at hand with REFUSED. */
void tell_refused(struct chat *chat, const struct refusal *refusal);

/* That the user may not speak for so long; `by` NULL: the server says so. */
void tell_muted(struct chat *chat, const struct chat_user *user, uint64_t wait_ms,
                const struct chat_user *by, const char *text, size_t size);

#endif
