/* SPDX-License-Identifier: MIT
 * The completions of one wait as a backend writes them, and its counting. Used by the backends, on
 * the port's own thread. */
#ifndef TG_PORT_BATCH_H
#define TG_PORT_BATCH_H

#include "base/assert.h"
#include "port/port.h"

struct tg_batch {
    struct tg_completion *completions;
    uint32_t count;
    uint32_t capacity;
    uint32_t bytes; /* received */
};

static inline bool tg_batch_is_full(const struct tg_batch *batch)
{
    return batch->count == batch->capacity;
}

/* The next completion, which the caller fills whole. The batch must not be full. */
static inline struct tg_completion *tg_batch_add(struct tg_batch *batch,
                                                 enum tg_completion_kind kind, int32_t result)
{
    TG_REQUIRE(batch->count < batch->capacity);
    struct tg_completion *completion = &batch->completions[batch->count++];
    completion->kind = (uint8_t)kind;
    completion->result = result;
    return completion;
}

static inline void tg_batch_add_stream(struct tg_batch *batch, enum tg_completion_kind kind,
                                       int32_t result, struct tg_stream *stream)
{
    tg_batch_add(batch, kind, result)->stream = stream;
}

static inline struct tg_stream *tg_stream_of_link(struct tg_list *link)
{
    return TG_CONTAINER_OF(link, struct tg_stream, link);
}

static inline struct tg_listener *tg_listener_of_link(struct tg_list *link)
{
    return TG_CONTAINER_OF(link, struct tg_listener, link);
}

/* One writer: a load and a store, without the price of an atomic addition. */
static inline void tg_count_one(_Atomic uint64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

#endif
