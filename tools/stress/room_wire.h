/* SPDX-License-Identifier: MIT
 * How rooms are talked to: what scenario_rooms.c says and hears, in the bytes of a server. Two of
 * them: room_wire_raw.c (throng-rooms) and room_wire_chat.c (throng-chat-server). The swarm's
 * threads; a wire has no memory but what `create` reserved for a thread. */
#ifndef STRESS_ROOM_WIRE_H
#define STRESS_ROOM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "room_check.h"

enum room_news_kind {
    ROOM_NEWS_NONE = 0, /* nothing that we need */
    ROOM_NEWS_GREETED,  /* the answer to `hello` */
    ROOM_NEWS_JOINED,   /* we are in `room`; its next line will be `number` */
    ROOM_NEWS_LINE,
    ROOM_NEWS_REFUSED, /* the server says no: `text` */
    ROOM_NEWS_BROKEN,  /* no message of this protocol */
};

/* Pointers are into the message. */
struct room_news {
    enum room_news_kind kind;
    uint32_t room; /* UINT32_MAX: none of ours */
    uint64_t number;
    uint32_t sender; /* its connection; ROOM_NOT_OURS: some person; ROOM_UNKNOWN: it does not say */
    uint64_t sequence; /* UINT64_MAX: the line does not say */
    uint64_t time_ns;  /* likewise */
    const char *text;  /* `text_len` bytes */
    size_t text_len;
};

/* A line that is to be said, or that should have been. */
struct room_words {
    uint32_t connection;
    uint32_t room;
    uint64_t sequence; /* of this connection in this room */
    uint64_t time_ns;  /* from when its latency counts */
};

struct room_wire {
    /* Longest message that is written. */
    size_t (*bytes_max)(const struct stress_options *options);

    /* A thread's memory, reserved on the main thread; NULL: the system has none. Both are NULL
     * where the wire needs none. */
    void *(*create)(const struct stress_options *options);
    void (*destroy)(void *memory);

    /* Each writes a message of at most bytes_max bytes and answers its size. `hello` is NULL where
     * nothing is said before a join. */
    size_t (*hello)(const struct stress_options *options, uint32_t connection, uint8_t *bytes);
    size_t (*join)(const struct stress_options *options, uint32_t room, uint8_t *bytes);
    size_t (*say)(const struct stress_options *options, const struct room_words *words,
                  uint8_t *bytes);

    /* Reads what has come. */
    void (*read)(void *memory, const struct stress_options *options, const void *data, size_t size,
                 struct room_news *news);

    /* Whether a line has the words that it should. */
    bool (*matches)(const struct stress_options *options, const struct room_news *news,
                    const struct room_words *words);
};

extern const struct room_wire room_wire_raw;
extern const struct room_wire room_wire_chat;

#endif
