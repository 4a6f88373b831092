/* SPDX-License-Identifier: MIT
 * All that throng-chat has seen: rooms, members, lines, and which of them are new. Events go in,
 * lines come out; it knows no socket, no screen, no clock. Main thread. */
#ifndef CHAT_MODEL_H
#define CHAT_MODEL_H

#include "event.h"
#include "room.h"

/* The rooms that one may be in, and the one of the server itself (index 0, without a name). */
#define MODEL_ROOMS_MAX (CHAT_JOINED_MAX + 1)

/* Is called once for each line that is new: never for one that was shown before a reconnect. */
typedef void model_sink(void *context, const struct room *room, const struct line *line);

struct model {
    char name[EVENT_NAME_SIZE]; /* ours */
    struct room rooms[MODEL_ROOMS_MAX];
    size_t room_count; /* 1 or more; in the order of entering */
    size_t current;    /* the one that is looked at */
    uint64_t changes;  /* counts up whenever something may look different */
    uint64_t doubled;  /* lines that came twice, and were not shown again */
    uint64_t missed;   /* lines that never came: their numbers were passed over */
    model_sink *sink;
    void *context;
};

void model_begin(struct model *model, const char *name, model_sink *sink, void *context);
void model_end(struct model *model);

/* What the server said. */
void model_take(struct model *model, const struct event *event, int64_t now_ms);

/* What the program has to say; into `room`, or into the one that is looked at if it is NULL. */
void model_note(struct model *model, struct room *room, enum line_kind kind, int64_t now_ms,
                const char *text);

/* Our private message is on its way. */
void model_told(struct model *model, const char *name, const char *text, int64_t now_ms);

/* The connection is gone: we are in no room, and know nobody. Lines stay. */
void model_disconnected(struct model *model);

/* The room of this name, NULL if there is none; or it is made, NULL if there are too many. */
struct room *model_find(struct model *model, const char *name);
struct room *model_want(struct model *model, const char *name);

/* Looks at a room, which is read by that. False if there is none such. */
bool model_look(struct model *model, size_t index);

/* Forgets a room, and looks at the one before it. */
void model_forget(struct model *model, struct room *room);

/* A candidate for completion (editor.h): a command, a room (#), or a name that is here. */
bool model_candidate(void *model, const char *word, bool first, size_t index, char *candidate,
                     size_t candidate_size);

#endif
