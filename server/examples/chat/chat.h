/* SPDX-License-Identifier: MIT
 * The chat as main.c drives it: events in, messages out. All ways out go through an outlet, so that
 * tests and the fuzzer are one as well as a server is. One thread.
 *
 *     main.c --event--> chat.c --request--> handlers.c, moderation.c --asks, changes--> state.c
 *                                                    '--tell.c--> outlet --> throng */
#ifndef CHAT_CHAT_H
#define CHAT_CHAT_H

#include <throng/message.h>

#include "state.h"

/* Where messages go and who hears a room. Each answers as the throng function of its name. */
struct chat_outlet {
    void *end;
    int (*write)(void *end, throng_conn conn, const void *data, size_t size);
    int (*close)(void *end, throng_conn conn);
    int (*abort)(void *end, throng_conn conn);
    int (*room_create)(void *end, throng_room *room);
    int (*room_destroy)(void *end, throng_room room);
    int (*room_join)(void *end, throng_room room, throng_conn conn);
    int (*room_leave)(void *end, throng_room room, throng_conn conn);
    int (*room_broadcast)(void *end, throng_room room, const void *data, size_t size,
                          throng_conn except);
};

struct chat_settings {
    struct chat_sizes sizes;
    struct chat_flood_rule lines; /* what a user may say */
    struct chat_flood_rule asks;  /* what else it may ask for */
    uint32_t mute_s;              /* for flooding */
    uint32_t room_users_max;
    uint32_t room_keep_s; /* how long an empty room is remembered */
    uint32_t hello_timeout_s;
    uint32_t message_bytes_max;
    char token[CHAT_TOKEN_BYTES_MAX]; /* the operators' */
    size_t token_size;                /* 0: there are none */
    uint64_t seed[2];
};

/* Longest body of a line: texts, names, numbers and keys. */
#define CHAT_LINE_BODY_MAX 2048

/* Bytes that an answer can have besides the history: a page of rooms with their topics. */
#define CHAT_ANSWER_BYTES_MAX 49152

struct chat {
    struct chat_state state;
    struct chat_settings settings;
    struct chat_outlet outlet;
    struct throng_messages *messages;
    throng_room everybody;
    uint64_t now_ms;  /* from any origin, never running backwards */
    uint64_t wall_ms; /* since 1970 */
    /* What is being handled, and the message that is being written. */
    struct chat_user *user;
    struct throng_message *message;
    struct throng_pack pack;
    uint32_t room_for; /* bytes at `out` */
    uint8_t *out;
    uint8_t line[CHAT_LINE_BODY_MAX];
};

/* Reserves everything. False with a sentence in `error`. */
bool chat_create(struct chat *chat, const struct chat_settings *settings,
                 const struct chat_outlet *outlet, struct throng_error *error);
void chat_destroy(struct chat *chat);

/* Tells the time; before each batch of events. */
void chat_set_time(struct chat *chat, uint64_t now_ms, uint64_t wall_ms);

/* A connection came: its user, to be given to the others; NULL: it was turned away. */
struct chat_user *chat_opened(struct chat *chat, throng_conn conn,
                              const struct throng_address *address);
void chat_received(struct chat *chat, struct chat_user *user, const void *data, size_t size);
void chat_closed(struct chat *chat, struct chat_user *user);

/* Once a second or so: who never said hello goes, empty rooms are forgotten. */
void chat_swept(struct chat *chat);

/* The server is about to end: says so to everybody. */
void chat_stopping(struct chat *chat);

#endif
