/* SPDX-License-Identifier: MIT
 * See frames.h. Millions of frames a second pass here: the usual one, whole in one piece, costs two
 * comparisons. */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

/* One message of so many has its filler compared. */
#define FILLER_CHECKED_EACH 64u

/* 20 bits of connection, 44 of message: neither wraps in a bench. */
static uint64_t stamp_of(uint32_t conn, uint64_t number)
{
    return (uint64_t)conn << 44 | number;
}

bool frames_create(struct frames *frames, size_t size, size_t capacity)
{
    frames->frame = FRAME_HEADER + size;
    frames->capacity = capacity;
    frames->bytes = malloc(frames->frame * capacity);
    if (frames->bytes == NULL) {
        return false;
    }
    for (size_t i = 0; i < capacity; i++) {
        uint8_t *frame = frames->bytes + i * frames->frame;
        uint8_t header[FRAME_HEADER] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16),
                                        (uint8_t)(size >> 8), (uint8_t)size};
        memcpy(frame, header, sizeof(header));
        for (size_t at = FRAME_PREFIX; at < frames->frame; at++) {
            frame[at] = (uint8_t)(at * 167 + 13);
        }
    }
    frames_stamp(frames, 0, 0, capacity);
    return true;
}

void frames_destroy(struct frames *frames)
{
    free(frames->bytes);
    frames->bytes = NULL;
}

void frames_stamp(struct frames *frames, uint32_t conn, uint64_t first, size_t count)
{
    uint8_t *at = frames->bytes + FRAME_HEADER;
    for (size_t i = 0; i < count; i++) {
        uint64_t stamp = stamp_of(conn, first + i);
        memcpy(at, &stamp, sizeof(stamp));
        at += frames->frame;
    }
}

/* The part of frame `number` from byte `at` on. */
static bool check_piece(const struct frames *frames, uint32_t conn, uint64_t number, size_t at,
                        const uint8_t *data, size_t size)
{
    uint64_t stamp = stamp_of(conn, number);
    size_t end = at + size;
    if (at < FRAME_PREFIX) {
        uint8_t prefix[FRAME_PREFIX];
        memcpy(prefix, frames->bytes, FRAME_HEADER);
        memcpy(prefix + FRAME_HEADER, &stamp, sizeof(stamp));
        size_t until = end < FRAME_PREFIX ? end : FRAME_PREFIX;
        if (memcmp(data, prefix + at, until - at) != 0) {
            return false;
        }
    }
    if (number % FILLER_CHECKED_EACH != 0 || end <= FRAME_PREFIX) {
        return true;
    }
    size_t from = at > FRAME_PREFIX ? at : FRAME_PREFIX;
    return memcmp(data + (from - at), frames->bytes + from, end - from) == 0;
}

static bool check_whole(const struct frames *frames, uint32_t conn, uint64_t number,
                        const uint8_t *data)
{
    uint64_t stamp = stamp_of(conn, number);
    if (memcmp(data, frames->bytes, FRAME_HEADER) != 0 ||
        memcmp(data + FRAME_HEADER, &stamp, sizeof(stamp)) != 0) {
        return false;
    }
    return number % FILLER_CHECKED_EACH != 0 ||
           memcmp(data + FRAME_PREFIX, frames->bytes + FRAME_PREFIX,
                  frames->frame - FRAME_PREFIX) == 0;
}

bool frames_check(const struct frames *frames, uint32_t conn, uint64_t position,
                  const uint8_t *data, size_t size)
{
    uint64_t number = position / frames->frame;
    size_t at = position % frames->frame;
    while (size > 0) {
        size_t piece = frames->frame - at < size ? frames->frame - at : size;
        bool good = piece == frames->frame ? check_whole(frames, conn, number, data)
                                           : check_piece(frames, conn, number, at, data, piece);
        if (!good) {
            return false;
        }
        data += piece;
        size -= piece;
        number++;
        at = 0;
    }
    return true;
}
