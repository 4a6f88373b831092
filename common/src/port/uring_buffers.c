/* SPDX-License-Identifier: MIT
 * The receive buffers that the io_uring backend has lent to the kernel, in a ring that both see.
 *
 * A buffer of the pool has one reference for each claim on it: those of completions, which the
 * caller drops, and those of the kernel, counted in references[]. With incremental buffers the
 * kernel has one, until the buffer is full; else it has one for each piece not yet filled.
 *
 *    pool --lend--> kernel --completion--> caller --tg_recv_pool_release--> pool */
#include "port/uring.h"

#define PAGE_BYTES 4096u

/* The only group of buffers in a ring. */
#define GROUP 0

_Static_assert((TG_URING_LENT_MAX & (TG_URING_LENT_MAX - 1)) == 0, "a ring has 2^n places");
_Static_assert(offsetof(struct tg_uring_buffer, tail) == 14, "the kernel's layout");

#define RING_BYTES (TG_URING_LENT_MAX * sizeof(struct tg_uring_buffer))

size_t tg_uring_buffers_bytes(const struct tg_port_options *options)
{
    /* A page more, to align the ring in memory that is not. */
    return PAGE_BYTES + RING_BYTES + options->buffers_max * (sizeof(uint32_t) + sizeof(uint16_t));
}

/* How much of a buffer one receive can fill, and how many of those make a buffer. Without
 * incremental buffers a small message uses a whole piece up. */
static void choose_pieces(struct tg_uring_port *port)
{
    uint32_t buffer_bytes = port->base.recv_pool->buffer_bytes;
    port->piece_bytes = buffer_bytes;
    if (!tg_uring_has(port, TG_URING_INCREMENTAL)) {
        uint32_t most = port->base.turn_bytes < TG_URING_PIECE_BYTES ? port->base.turn_bytes
                                                                     : TG_URING_PIECE_BYTES;
        port->piece_bytes = buffer_bytes < most ? buffer_bytes : most;
        /* An identifier has 16 bits, and there must be one for each piece of the pool. */
        uint32_t least =
            (uint32_t)(((uint64_t)buffer_bytes * port->base.recv_pool->count) / (UINT16_MAX / 2)) +
            1;
        if (least < buffer_bytes / TG_URING_LENT_MAX + 1) {
            least = buffer_bytes / TG_URING_LENT_MAX + 1; /* a buffer is lent whole */
        }
        if (port->piece_bytes < least) {
            port->piece_bytes = least < buffer_bytes ? least : buffer_bytes;
        }
    }
    port->pieces_per_buffer = buffer_bytes / port->piece_bytes;
}

static uint32_t choose_lent(const struct tg_uring_port *port)
{
    uint32_t least = port->pieces_per_buffer > TG_URING_LENT_MIN ? port->pieces_per_buffer
                                                                 : TG_URING_LENT_MIN;
    uint32_t wanted = TG_URING_LENT_BYTES / port->piece_bytes;
    uint32_t lent = TG_URING_LENT_MIN;
    while (lent < TG_URING_LENT_MAX && (lent < least || lent * 2 <= wanted)) {
        lent *= 2;
    }
    return lent;
}

int tg_uring_buffers_open(struct tg_uring_port *port, uint8_t *memory)
{
    bool incremental = tg_uring_has(port, TG_URING_INCREMENTAL);
    choose_pieces(port);
    uint8_t *aligned = memory + (PAGE_BYTES - ((uintptr_t)memory & (PAGE_BYTES - 1))) % PAGE_BYTES;
    port->lent_ring = (struct tg_uring_buffer *)(void *)aligned;
    port->fill = (uint32_t *)(void *)(aligned + RING_BYTES);
    port->references = (uint16_t *)(void *)(port->fill + port->base.recv_pool->count);
    port->lent_max = choose_lent(port);
    port->lent_mask = port->lent_max - 1;
    port->receive_bytes_mean = 1024; /* until the first ones came */

    const struct tg_uring_buffer_ring argument = {
        .addr = (uintptr_t)port->lent_ring,
        .entries = port->lent_max,
        .group = GROUP,
        .flags = incremental ? TG_PBUF_INCREMENTAL : 0,
    };
    return tg_uring_register(&port->ring, TG_REGISTER_PBUF_RING, &argument, 1);
}

void tg_uring_buffers_close(struct tg_uring_port *port)
{
    struct tg_recv_pool *pool = port->base.recv_pool;
    for (uint32_t i = 0; i < pool->count; i++) {
        if (port->references[i] > 0) {
            tg_recv_pool_release(pool, i, port->references[i]);
        }
    }
}

static void lend_piece(struct tg_uring_port *port, uint32_t buffer, uint32_t piece)
{
    struct tg_uring_buffer *place = &port->lent_ring[port->lent_tail & port->lent_mask];
    place->addr = (uintptr_t)tg_recv_pool_data(port->base.recv_pool, buffer) +
                  (uint64_t)piece * port->piece_bytes;
    place->len = port->piece_bytes;
    place->id = (uint16_t)(buffer * port->pieces_per_buffer + piece);
    port->lent_tail++;
    port->lent++;
    port->references[buffer]++;
}

void tg_uring_buffers_lend(struct tg_uring_port *port)
{
    struct tg_recv_pool *pool = port->base.recv_pool;
    uint16_t before = port->lent_tail;
    /* A buffer is lent whole: with fewer pieces free than it has, it waits. */
    while (port->lent + port->pieces_per_buffer <= port->lent_max) {
        uint32_t buffer = tg_recv_pool_take(pool);
        if (buffer == TG_INDEX_NONE) {
            break;
        }
        port->fill[buffer] = 0;
        for (uint32_t piece = 0; piece < port->pieces_per_buffer; piece++) {
            if (piece > 0) {
                tg_recv_pool_retain(pool, buffer);
            }
            lend_piece(port, buffer, piece);
        }
    }
    if (port->lent_tail != before) {
        /* release: pairs with the kernel's acquire; makes the places before it visible. */
        __atomic_store_n(&port->lent_ring[0].tail, port->lent_tail, __ATOMIC_RELEASE);
    }
}

bool tg_uring_buffers_any(const struct tg_uring_port *port)
{
    return port->lent > 0 || tg_index_stack_count(&port->base.recv_pool->free) > 0;
}

static void end_claim(struct tg_uring_port *port, uint32_t buffer)
{
    port->lent--;
    port->references[buffer]--;
}

struct tg_uring_piece tg_uring_buffers_take(struct tg_uring_port *port, const struct tg_cqe *cqe)
{
    struct tg_recv_pool *pool = port->base.recv_pool;
    uint32_t id = cqe->flags >> TG_CQE_BUFFER_SHIFT;
    struct tg_uring_piece piece;
    if (tg_uring_has(port, TG_URING_INCREMENTAL)) {
        piece = (struct tg_uring_piece){.buffer = id, .offset = port->fill[id]};
        if (cqe->res > 0) {
            port->fill[id] += (uint32_t)cqe->res;
            TG_ENSURE(port->fill[id] <= port->piece_bytes);
            tg_recv_pool_retain(pool, id);
        }
        if ((cqe->flags & TG_CQE_BUFFER_MORE) == 0) {
            end_claim(port, id);
            tg_recv_pool_release(pool, id, 1);
        }
        return piece;
    }
    piece.buffer = id / port->pieces_per_buffer;
    piece.offset = id % port->pieces_per_buffer * port->piece_bytes;
    end_claim(port, piece.buffer);
    if (cqe->res <= 0) {
        tg_recv_pool_release(pool, piece.buffer, 1);
    }
    return piece;
}
