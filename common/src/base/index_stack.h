/* SPDX-License-Identifier: MIT
 * LIFO of free indices 0..capacity-1 for an array of records. Indices that were never handed out
 * are not stored, so an unused array costs no resident memory. One owner thread. */
#ifndef TG_BASE_INDEX_STACK_H
#define TG_BASE_INDEX_STACK_H

#include <stddef.h>
#include <stdint.h>

#define TG_INDEX_NONE UINT32_MAX

struct tg_index_stack {
    uint32_t *returned; /* indices that came back, latest last */
    uint32_t returned_count;
    uint32_t fresh; /* the first index that was never handed out */
    uint32_t capacity;
};

static inline size_t tg_index_stack_storage_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(uint32_t);
}

/* Full stack over `storage` (caller's, kept). The lowest index comes out first. */
void tg_index_stack_init(struct tg_index_stack *stack, void *storage, uint32_t capacity);

/* A free index, the latest returned first; TG_INDEX_NONE if there is none. */
uint32_t tg_index_stack_pop(struct tg_index_stack *stack);

/* Gives an index back. It must be out: each is held once. */
void tg_index_stack_push(struct tg_index_stack *stack, uint32_t index);

/* How many indices are free. */
static inline uint32_t tg_index_stack_count(const struct tg_index_stack *stack)
{
    return stack->returned_count + (stack->capacity - stack->fresh);
}

#endif
