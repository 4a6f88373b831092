/* SPDX-License-Identifier: MIT
 * The inbox of a client. Pure; called by tcp.c and client.c. */
#include "inbox.h"

#include <string.h>

#include "base/assert.h"

static void require_order(const struct tg_inbox *inbox)
{
    TG_REQUIRE(inbox->begin <= inbox->whole_end);
    TG_REQUIRE(inbox->whole_end <= inbox->end);
    TG_REQUIRE(inbox->end <= inbox->capacity);
}

void tg_inbox_init(struct tg_inbox *inbox, void *storage, size_t capacity,
                   const struct tg_frame_rules *rules)
{
    TG_REQUIRE(capacity >= THRONG_FRAME_HEADER_BYTES + (size_t)rules->message_bytes_max);
    inbox->bytes = storage;
    inbox->capacity = capacity;
    inbox->rules = *rules;
    inbox->drops_empty = false;
    tg_inbox_clear(inbox);
}

void tg_inbox_clear(struct tg_inbox *inbox)
{
    inbox->begin = 0;
    inbox->whole_end = 0;
    inbox->end = 0;
    inbox->is_broken = false;
}

static enum tg_frame_status read_frame(const struct tg_inbox *inbox, size_t at,
                                       struct tg_frame *frame)
{
    frame->size = 0;
    return tg_frame_read(inbox->bytes + at, inbox->end - at, &inbox->rules, frame);
}

/* Whether the frame that is coming in cannot be finished where it lies. */
static bool is_cramped(const struct tg_inbox *inbox)
{
    struct tg_frame frame;
    (void)read_frame(inbox, inbox->whole_end, &frame);
    size_t room = inbox->capacity - inbox->whole_end;
    return room < THRONG_FRAME_HEADER_BYTES + (size_t)frame.size;
}

static bool should_compact(const struct tg_inbox *inbox)
{
    if (inbox->begin == 0) {
        return false;
    }
    if (inbox->begin == inbox->whole_end) {
        return is_cramped(inbox);
    }
    return inbox->end == inbox->capacity && inbox->begin >= inbox->capacity / 2;
}

bool tg_inbox_has_room(const struct tg_inbox *inbox)
{
    TG_REQUIRE(!inbox->is_broken);
    return inbox->end < inbox->capacity || should_compact(inbox);
}

static void compact(struct tg_inbox *inbox)
{
    memmove(inbox->bytes, inbox->bytes + inbox->begin, tg_inbox_bytes(inbox));
    inbox->whole_end -= inbox->begin;
    inbox->end -= inbox->begin;
    inbox->begin = 0;
}

uint8_t *tg_inbox_room(struct tg_inbox *inbox, size_t *size)
{
    require_order(inbox);
    TG_REQUIRE(!inbox->is_broken);
    if (tg_inbox_bytes(inbox) == 0 || should_compact(inbox)) {
        compact(inbox);
    }
    *size = inbox->capacity - inbox->end;
    return inbox->bytes + inbox->end;
}

/* Moves `size` bytes from `at` to the end of the whole messages. */
static void close_gap(struct tg_inbox *inbox, size_t at, size_t size)
{
    if (at > inbox->whole_end) {
        memmove(inbox->bytes + inbox->whole_end, inbox->bytes + at, size);
    }
}

size_t tg_inbox_fill(struct tg_inbox *inbox, size_t size)
{
    TG_REQUIRE(size <= inbox->capacity - inbox->end);
    struct tg_frame frame;
    enum tg_frame_status status;
    size_t dropped = 0;
    size_t at = inbox->whole_end; /* further on than that by what was dropped */
    inbox->end += size;
    while ((status = read_frame(inbox, at, &frame)) == TG_FRAME_WHOLE) {
        size_t frame_bytes = THRONG_FRAME_HEADER_BYTES + (size_t)frame.size;
        if (frame.size == 0 && inbox->drops_empty) {
            dropped++;
        } else {
            close_gap(inbox, at, frame_bytes);
            inbox->whole_end += frame_bytes;
        }
        at += frame_bytes;
    }
    close_gap(inbox, at, inbox->end - at);
    inbox->end -= at - inbox->whole_end;
    inbox->is_broken = status == TG_FRAME_TOO_LARGE;
    require_order(inbox);
    return dropped;
}

enum tg_frame_status tg_inbox_peek(const struct tg_inbox *inbox, struct tg_frame *frame)
{
    return read_frame(inbox, inbox->begin, frame);
}

void tg_inbox_take(struct tg_inbox *inbox, const struct tg_frame *frame)
{
    TG_REQUIRE(frame->payload == inbox->bytes + inbox->begin + THRONG_FRAME_HEADER_BYTES);
    inbox->begin += THRONG_FRAME_HEADER_BYTES + (size_t)frame->size;
    require_order(inbox);
}

size_t tg_inbox_take_raw(struct tg_inbox *inbox, void *data, size_t size)
{
    size_t have = tg_inbox_bytes(inbox);
    size_t taken = size < have ? size : have;
    memcpy(data, inbox->bytes + inbox->begin, taken);
    inbox->begin += taken;
    /* The cut may lie inside a frame. Who mixes both ways of reading knows where frames begin: the
     * next one begins here. */
    inbox->whole_end = inbox->begin;
    (void)tg_inbox_fill(inbox, 0);
    return taken;
}
