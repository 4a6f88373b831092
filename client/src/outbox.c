/* SPDX-License-Identifier: MIT
 * The outbox of the non-blocking client. Pure; called by client.c. */
#include "outbox.h"

#include <string.h>

#include "base/assert.h"
#include "codec/frame.h"

void tg_outbox_init(struct tg_outbox *outbox, void *storage, size_t capacity)
{
    TG_REQUIRE(capacity >= 1);
    outbox->bytes = storage;
    outbox->capacity = capacity;
    tg_outbox_clear(outbox);
}

void tg_outbox_clear(struct tg_outbox *outbox)
{
    outbox->begin = 0;
    outbox->size = 0;
}

bool tg_outbox_fits(const struct tg_outbox *outbox, size_t payload_bytes)
{
    size_t room = outbox->capacity - outbox->size;
    return room >= THRONG_FRAME_HEADER_BYTES && payload_bytes <= room - THRONG_FRAME_HEADER_BYTES;
}

/* Copies to the end, in two pieces where the memory ends between. */
static void append(struct tg_outbox *outbox, const void *data, size_t size)
{
    size_t end = (outbox->begin + outbox->size) % outbox->capacity;
    size_t first = outbox->capacity - end;
    first = first < size ? first : size;
    memcpy(outbox->bytes + end, data, first);
    memcpy(outbox->bytes, (const uint8_t *)data + first, size - first);
    outbox->size += size;
}

void tg_outbox_push(struct tg_outbox *outbox, const void *payload, uint32_t payload_bytes,
                    enum throng_byte_order order)
{
    TG_REQUIRE(tg_outbox_fits(outbox, payload_bytes));
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_frame_length_write(header, payload_bytes, order);
    append(outbox, header, sizeof(header));
    if (payload_bytes > 0) {
        append(outbox, payload, payload_bytes);
    }
}

const uint8_t *tg_outbox_front(const struct tg_outbox *outbox, size_t *size)
{
    size_t piece = outbox->capacity - outbox->begin;
    *size = piece < outbox->size ? piece : outbox->size;
    return outbox->bytes + outbox->begin;
}

void tg_outbox_pop(struct tg_outbox *outbox, size_t size)
{
    TG_REQUIRE(size <= outbox->size);
    outbox->size -= size;
    /* An empty ring starts again at the front, so that the next burst lies in one piece and touches
     * the memory that is warm. */
    outbox->begin = outbox->size == 0 ? 0 : (outbox->begin + size) % outbox->capacity;
}
