/* SPDX-License-Identifier: MIT
 * One value as throng_value_... see it, be it bytes that were scanned or an object of
 * MessagePack-C. Pure. */
#ifndef TG_MESSAGE_ITEM_H
#define TG_MESSAGE_ITEM_H

#include <throng/value.h>

struct tg_item {
    enum throng_value_kind kind;
    bool is_negative; /* an INTEGER below 0: `number` is its two's complement */
    uint32_t size;    /* bytes of a STRING or BIN; elements of an ARRAY, pairs of a MAP */
    union {
        uint64_t number; /* INTEGER; BOOL: 0 or 1 */
        double fraction; /* FLOAT */
        const void *bytes;
    };
};

/* The value that begins at `bytes`. It must have been scanned: nothing says where it ends. */
void tg_item_read(const uint8_t *bytes, struct tg_item *item);

/* A number as it lies in a message: `width` bytes (1, 2, 4, 8), the highest first. */
static inline uint64_t tg_item_load(const uint8_t *bytes, uint32_t width)
{
    switch (width) { /* each of them is one move and a swap */
    case 1:
        return bytes[0];
    case 2:
        return (uint64_t)bytes[0] << 8 | bytes[1];
    case 4:
        return (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 8 |
               bytes[3];
    default:
        return (uint64_t)bytes[0] << 56 | (uint64_t)bytes[1] << 48 | (uint64_t)bytes[2] << 40 |
               (uint64_t)bytes[3] << 32 | (uint64_t)bytes[4] << 24 | (uint64_t)bytes[5] << 16 |
               (uint64_t)bytes[6] << 8 | bytes[7];
    }
}

#endif
