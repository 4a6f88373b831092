/* SPDX-License-Identifier: MIT
 * Frames in an array of bytes, and bytes that grow: what the servers share that have no buffers
 * from their library. */
#ifndef BENCH_SERVER_FRAMES_H
#define BENCH_SERVER_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MESSAGE_MAX 65536u
#define HEADER_BYTES 4u
#define FRAME_MAX (HEADER_BYTES + MESSAGE_MAX)

/* The bytes of all whole frames at the beginning of `data`; -1 at a length over MESSAGE_MAX. Adds
 * the number of frames to *messages. An echo's answer to them is these very bytes. */
ptrdiff_t frames_whole(const uint8_t *data, size_t size, uint64_t *messages);

/* Bytes from 0 to `size`. */
struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

void bytes_append(struct bytes *bytes, const void *data, size_t size);

/* Takes away the first `size`. */
void bytes_consume(struct bytes *bytes, size_t size);

/* Gives the memory back too: an idle connection has none. */
void bytes_free(struct bytes *bytes);

#ifdef __cplusplus
}
#endif

#endif
