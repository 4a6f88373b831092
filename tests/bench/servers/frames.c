/* SPDX-License-Identifier: MIT
 * See frames.h. */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

#include "echo_server.h"

ptrdiff_t frames_whole(const uint8_t *data, size_t size, uint64_t *messages)
{
    size_t at = 0;
    while (size - at >= HEADER_BYTES) {
        uint32_t length = (uint32_t)data[at] << 24 | (uint32_t)data[at + 1] << 16 |
                          (uint32_t)data[at + 2] << 8 | (uint32_t)data[at + 3];
        if (length > MESSAGE_MAX) {
            return -1;
        }
        if (size - at - HEADER_BYTES < length) {
            break;
        }
        (*messages)++;
        at += HEADER_BYTES + length;
    }
    return (ptrdiff_t)at;
}

void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0) {
        return; /* there may be no memory yet, and memcpy wants some even for nothing */
    }
    if (bytes->size + size > bytes->capacity) {
        bytes->capacity = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        if (bytes->data == NULL) {
            echo_give_up("realloc");
        }
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void bytes_consume(struct bytes *bytes, size_t size)
{
    bytes->size -= size;
    if (bytes->size > 0) {
        memmove(bytes->data, bytes->data + size, bytes->size);
    }
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}
