/* SPDX-License-Identifier: MIT
 * LIFO of free indices. Called by the owner of the array whose records the indices name. */
#include "base/index_stack.h"

#include "base/assert.h"

void tg_index_stack_init(struct tg_index_stack *stack, void *storage, uint32_t capacity)
{
    TG_REQUIRE(storage != NULL || capacity == 0);
    TG_REQUIRE(capacity < TG_INDEX_NONE);
    stack->returned = storage;
    stack->returned_count = 0;
    stack->fresh = 0;
    stack->capacity = capacity;
}

uint32_t tg_index_stack_pop(struct tg_index_stack *stack)
{
    if (stack->returned_count > 0) {
        return stack->returned[--stack->returned_count];
    }
    if (stack->fresh < stack->capacity) {
        return stack->fresh++;
    }
    return TG_INDEX_NONE;
}

void tg_index_stack_push(struct tg_index_stack *stack, uint32_t index)
{
    TG_REQUIRE(index < stack->fresh);
    /* More returned than ever handed out: some index came back twice. */
    TG_REQUIRE(stack->returned_count < stack->fresh);
    stack->returned[stack->returned_count++] = index;
}
