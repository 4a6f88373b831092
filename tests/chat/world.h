/* SPDX-License-Identifier: MIT
 * A chat without a network: connections are numbers, rooms are lists, time is set. What the chat
 * sends is kept, what it asks for can be refused. For the tests of the handlers and the fuzzer. */
#ifndef CHAT_WORLD_H
#define CHAT_WORLD_H

#include "../../server/examples/chat/chat.h"

#define WORLD_CONNS 12
#define WORLD_ROOMS 8
#define WORLD_INBOX 64
#define WORLD_MESSAGE_BYTES 65536

#define WORLD_TOKEN "open sesame"

struct world_message {
    size_t size;
    uint8_t *data;
};

struct world_conn {
    struct chat_user *user; /* NULL: not connected */
    bool is_closing;        /* the chat has closed it */
    bool was_aborted;
    uint32_t first; /* of the inbox, not yet read */
    uint32_t count;
    struct world_message inbox[WORLD_INBOX];
};

struct world_room {
    uint64_t id; /* 0: free */
    bool has[WORLD_CONNS + 1];
};

struct world {
    struct chat chat;
    struct chat_settings settings;
    struct world_conn conns[WORLD_CONNS + 1]; /* 0 is nobody */
    struct world_room rooms[WORLD_ROOMS];
    uint64_t last_room;
    uint64_t now_ms;
    bool no_broadcasts; /* answered with THRONG_EAGAIN */
    bool no_writes;
    bool no_joins;
    uint64_t lost; /* messages for which an inbox had no room */
    /* Not NULL: messages are shown to it instead of kept. */
    void (*on_message)(const void *data, size_t size);
};

/* A chat with small limits; `change` NULL or what to change before the start. */
struct world *world_open(void (*change)(struct chat_settings *settings));
void world_close(struct world *world);

/* A connection comes, from 10.0.0.(conn); and goes. */
void world_connect(struct world *world, uint32_t conn);
void world_disconnect(struct world *world, uint32_t conn);

/* Time passes. */
void world_pass(struct world *world, uint64_t ms);

/* A connection sends these bytes. */
void world_send(struct world *world, uint32_t conn, const void *data, size_t size);

/* Takes the next message out of an inbox; false: there is none. Valid until the inbox is full
 * again. */
bool world_take(struct world *world, uint32_t conn, const uint8_t **data, size_t *size);
void world_forget(struct world *world, uint32_t conn);

/* The chat's state holds, and its rooms are those that the connections hear. */
bool world_holds(const struct world *world);

#endif
