/* SPDX-License-Identifier: MIT
 * What a client's user wrote and the system has not taken yet: a ring of framed bytes. Pure; used
 * by client.c, on the thread that owns the connection. */
#ifndef TG_OUTBOX_H
#define TG_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/wire.h>

struct tg_outbox {
    uint8_t *bytes;
    size_t capacity;
    size_t begin; /* of the bytes that wait, 0..capacity-1 */
    size_t size;  /* of them; they may go on at the front of the memory */
};

/* An empty outbox over `storage`, which stays the caller's. */
void tg_outbox_init(struct tg_outbox *outbox, void *storage, size_t capacity);

/* Forgets everything. */
void tg_outbox_clear(struct tg_outbox *outbox);

/* Whether a frame of `payload_bytes` has room. */
bool tg_outbox_fits(const struct tg_outbox *outbox, size_t payload_bytes);

/* Appends one frame, which fits. */
void tg_outbox_push(struct tg_outbox *outbox, const void *payload, uint32_t payload_bytes,
                    enum throng_byte_order order);

/* The bytes to send next: *size of them in one piece, 0 if none waits. */
const uint8_t *tg_outbox_front(const struct tg_outbox *outbox, size_t *size);

/* The first `size` bytes of the front were sent. */
void tg_outbox_pop(struct tg_outbox *outbox, size_t size);

#endif
