/* SPDX-License-Identifier: MIT
 * What a client received and its user has not read yet: a byte stream in one piece of memory, with
 * the end of its last whole frame known. Pure; used by both clients, on the thread that owns the
 * connection.
 *
 *      0        begin              whole_end          end          capacity
 *      | read   | whole messages   | frame coming in  | room       |
 *
 * Every message lies in one piece, so it is read where it lies. What is left moves to the front
 * when the frame coming in would not fit otherwise, or when the room is used up and half of the
 * memory has been read: each byte moves at most once for each byte that was read. */
#ifndef TG_INBOX_H
#define TG_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/frame.h"

struct tg_inbox {
    uint8_t *bytes;
    size_t capacity; /* at least one longest frame */
    size_t begin;
    size_t whole_end;
    size_t end;
    struct tg_frame_rules rules;
    bool drops_empty; /* empty messages are heartbeats: they are counted, not kept */
    bool is_broken;   /* the frame at whole_end is over the limit: nothing after it can be read */
};

/* An empty inbox over `storage`, which stays the caller's, and which keeps empty messages. */
void tg_inbox_init(struct tg_inbox *inbox, void *storage, size_t capacity,
                   const struct tg_frame_rules *rules);

/* Forgets everything. */
void tg_inbox_clear(struct tg_inbox *inbox);

/* Whether tg_inbox_room would answer room. There is always some if no whole message waits. Neither
 * of the two is for a broken inbox: what comes after it means nothing, so it is not received. */
bool tg_inbox_has_room(const struct tg_inbox *inbox);

/* Where received bytes go, and how many: at least as many as the frame coming in still lacks if no
 * whole message waits. Moves bytes, so messages that were taken are no longer valid. */
uint8_t *tg_inbox_room(struct tg_inbox *inbox, size_t *size);

/* `size` bytes were put into the room. Answers how many empty messages it dropped of those that
 * these bytes made whole. */
size_t tg_inbox_fill(struct tg_inbox *inbox, size_t size);

/* Looks at the first frame that was not taken; PARTIAL if there is none. */
enum tg_frame_status tg_inbox_peek(const struct tg_inbox *inbox, struct tg_frame *frame);

/* Takes the whole frame that peek showed. Its payload stays valid until tg_inbox_room or _clear. */
void tg_inbox_take(struct tg_inbox *inbox, const struct tg_frame *frame);

/* Takes up to `size` bytes out of the stream, whatever they mean. Answers how many. */
size_t tg_inbox_take_raw(struct tg_inbox *inbox, void *data, size_t size);

/* Whether the stream received so far ends inside a frame. */
static inline bool tg_inbox_is_partial(const struct tg_inbox *inbox)
{
    return inbox->end > inbox->whole_end;
}

static inline size_t tg_inbox_bytes(const struct tg_inbox *inbox)
{
    return inbox->end - inbox->begin;
}

#endif
