/* SPDX-License-Identifier: MIT
 * The bytes that a connection sends and expects back. Message n of connection c is its length (4
 * bytes, big-endian), a stamp (c, n) of 8 bytes, and filler that is the same in every message; or a
 * typed message (throng/message.h) in one of whose fields the stamp is. So a position in the stream
 * says what stands there, and nothing else is remembered. Pure. */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 4u
#define FRAME_STAMP 8u

/* Bytes of a typed message: type, no request, and a map of five fields. */
#define FRAME_TYPED_BYTES 64u

struct frames {
    size_t frame;    /* bytes of a whole frame */
    size_t stamp;    /* where in a frame the stamp is */
    size_t capacity; /* whole frames in `bytes` */
    uint8_t *bytes;  /* frames, ready but for their stamps */
};

/* Makes frames with `size` bytes of payload, FRAME_TYPED_BYTES if they are `typed`; false: no
 * memory. */
bool frames_create(struct frames *frames, size_t size, size_t capacity, bool typed);
void frames_destroy(struct frames *frames);

/* Stamps the first `count` (up to capacity) frames of `bytes` as messages `first` and following. */
void frames_stamp(struct frames *frames, uint32_t conn, uint64_t first, size_t count);

/* Whether `data` is what stands from byte `position` on in the stream of `conn`: every length and
 * every stamp is compared, the filler of each 64th message too. */
bool frames_check(const struct frames *frames, uint32_t conn, uint64_t position,
                  const uint8_t *data, size_t size);

#endif
