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

/* [1, nil, {"id": bin of 8 bytes, "x": 1.5, "y": -2.25, "hp": 200, "text": 14 bytes}]: the stamp is
 * in "id". */
static const uint8_t typed_payload[FRAME_TYPED_BYTES] = {
    0x93, 0x01, 0xc0, 0x85, 0xa2, 0x69, 0x64, 0xc4, 0x08, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e,
    0x2e, 0xa1, 0x78, 0xcb, 0x3f, 0xf8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa1, 0x79, 0xcb, 0xc0,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa2, 0x68, 0x70, 0xcc, 0xc8, 0xa4, 0x74, 0x65, 0x78,
    0x74, 0xae, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x2c, 0x20, 0x74, 0x68, 0x72, 0x6f, 0x6e, 0x67, 0x21,
};

#define TYPED_STAMP 9u /* in the payload */

static void fill_frame(const struct frames *frames, uint8_t *frame, size_t size, bool typed)
{
    const uint8_t header[FRAME_HEADER] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16),
                                          (uint8_t)(size >> 8), (uint8_t)size};
    memcpy(frame, header, sizeof(header));
    if (typed) {
        memcpy(frame + FRAME_HEADER, typed_payload, FRAME_TYPED_BYTES);
        return;
    }
    for (size_t at = FRAME_HEADER + FRAME_STAMP; at < frames->frame; at++) {
        frame[at] = (uint8_t)(at * 167 + 13);
    }
}

bool frames_create(struct frames *frames, size_t size, size_t capacity, bool typed)
{
    frames->frame = FRAME_HEADER + size;
    frames->stamp = FRAME_HEADER + (typed ? TYPED_STAMP : 0);
    frames->capacity = capacity;
    frames->bytes = malloc(frames->frame * capacity);
    if (frames->bytes == NULL) {
        return false;
    }
    for (size_t i = 0; i < capacity; i++) {
        fill_frame(frames, frames->bytes + i * frames->frame, size, typed);
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
    uint8_t *at = frames->bytes + frames->stamp;
    for (size_t i = 0; i < count; i++) {
        uint64_t stamp = stamp_of(conn, first + i);
        memcpy(at, &stamp, sizeof(stamp));
        at += frames->frame;
    }
}

/* Whether `data`, a frame's bytes from `at` on, has what `expected` has in its part [from, to). */
static bool check_part(const uint8_t *data, size_t at, size_t size, const uint8_t *expected,
                       size_t from, size_t to)
{
    const size_t begin = at > from ? at : from;
    const size_t end = at + size < to ? at + size : to;
    return begin >= end || memcmp(data + (begin - at), expected + (begin - from), end - begin) == 0;
}

/* The part of frame `number` from byte `at` on. */
static bool check_piece(const struct frames *frames, uint32_t conn, uint64_t number, size_t at,
                        const uint8_t *data, size_t size)
{
    const uint64_t stamp = stamp_of(conn, number);
    const uint8_t *frame = frames->bytes;
    const size_t behind = frames->stamp + FRAME_STAMP;
    if (!check_part(data, at, size, frame, 0, FRAME_HEADER) ||
        !check_part(data, at, size, (const uint8_t *)&stamp, frames->stamp, behind)) {
        return false;
    }
    return number % FILLER_CHECKED_EACH != 0 ||
           (check_part(data, at, size, frame + FRAME_HEADER, FRAME_HEADER, frames->stamp) &&
            check_part(data, at, size, frame + behind, behind, frames->frame));
}

static bool check_whole(const struct frames *frames, uint32_t conn, uint64_t number,
                        const uint8_t *data)
{
    uint64_t stamp = stamp_of(conn, number);
    if (memcmp(data, frames->bytes, FRAME_HEADER) != 0 ||
        memcmp(data + frames->stamp, &stamp, sizeof(stamp)) != 0) {
        return false;
    }
    return number % FILLER_CHECKED_EACH != 0 ||
           check_piece(frames, conn, number, 0, data, frames->frame);
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
