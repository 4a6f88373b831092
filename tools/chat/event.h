/* SPDX-License-Identifier: MIT
 * What the server said, taken out of its message: net makes events of messages, the model takes
 * them. Every text in it is safe to print (text_escape). */
#ifndef CHAT_EVENT_H
#define CHAT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "../../server/examples/chat/protocol.h"

/* A name as long as the protocol allows, and some room for what a server should not send. */
#define EVENT_NAME_SIZE 136
#define EVENT_TEXT_SIZE (CHAT_LINE_BYTES_MAX * 4 + 1)

enum event_kind {
    EVENT_NOTHING = 0,
    EVENT_WELCOME,     /* the answer to HELLO: name */
    EVENT_ENTERED,     /* the answer to JOIN: room, seq, text (the topic), by, number (members); its
                           history follows as EVENT_PAST, then EVENT_ENTERED_END */
    EVENT_PAST,        /* a line of the history: as EVENT_LINE */
    EVENT_ENTERED_END, /* room */
    EVENT_LINE,        /* room, seq, at_ms, name (who said it), text, is_action */
    EVENT_LEFT_ROOM,   /* the answer to LEAVE: room */
    EVENT_MEMBERS,     /* a list of a room's members begins: room */
    EVENT_MEMBER,      /* room, name */
    EVENT_MEMBERS_END, /* room; number: where the rest begins, 0: this was all */
    EVENT_ROOM_LISTED, /* room, number (members), text (topic) */
    EVENT_BAN_LISTED,  /* name (or address), number (seconds), text */
    EVENT_LIST_END,    /* of rooms or bans; number: where the rest begins; of: the list's type */
    EVENT_PRIVATE,     /* at_ms, name, text */
    EVENT_TOLD,        /* our private message was delivered: name */
    EVENT_JOINED,      /* room, at_ms, name */
    EVENT_LEFT,        /* room, at_ms, name, why, by, text */
    EVENT_RENAMED,     /* room, at_ms, old, name */
    EVENT_TOPIC,       /* room, at_ms, by, text */
    EVENT_ANNOUNCED,   /* at_ms, text */
    EVENT_WARNING,     /* number (ms), text */
    EVENT_MUTED,       /* number (ms), by */
    EVENT_KICKED,      /* room, by, text */
    EVENT_STALE,       /* room: the list of its members is not to be trusted */
    EVENT_GOODBYE,     /* code, text */
    EVENT_REFUSED, /* code, of (the request's type), text; room: of the request, "" if it had none */
    EVENT_DONE,    /* another request was done: of */
    EVENT_ODD,     /* what cannot be understood: text */
};

struct event {
    enum event_kind kind;
    bool is_action;
    uint32_t code;
    uint32_t of;
    uint32_t why;
    uint64_t seq;
    uint64_t number;
    int64_t at_ms; /* since 1970; 0: not known */
    char room[EVENT_NAME_SIZE];
    char name[EVENT_NAME_SIZE];
    char old[EVENT_NAME_SIZE]; /* ENTERED: the room as it was asked for */
    char by[EVENT_NAME_SIZE];
    char text[EVENT_TEXT_SIZE];
};

#endif
