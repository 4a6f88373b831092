/* SPDX-License-Identifier: MIT
 * The oracle's look at rooms: records, references and the blocks of broadcasts. */
#include <string.h>

#include "game_room.h"
#include "oracle.h"
#include "state.h"

#define BLOCKS_MAX (1u << 20)

static uint32_t references[BLOCKS_MAX]; /* by first block: those that are out, of one worker */

bool oracle_rooms_are_quiet(struct throng_server *server)
{
    const struct tg_room_table *table = &server->rooms;
    tg_server_collect_members(server);
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        const struct tg_fanout *fanout = &server->workers[i].fanout;
        if (fanout->free_count != fanout->reference_count) {
            return false;
        }
    }
    return table->member_count == 0 && table->due_first == 0 &&
           tg_index_stack_count(&table->free_members) == table->sizes.members &&
           tg_index_stack_count(&table->free_rooms) + table->room_count == table->sizes.rooms;
}

static const struct tg_chain *later_of(const struct tg_worker *worker, const struct tg_slot *slot)
{
    static const struct tg_chain none = {.head = TG_BLOCK_NONE, .tail = TG_BLOCK_NONE};
    return slot->in_rooms ? &worker->shared->fanout.slots[tg_worker_slot_index(worker, slot)].later
                          : &none;
}

static uint64_t own_units(const struct tg_block_pool *pool, const struct tg_chain *chain)
{
    uint64_t units = 0;
    for (uint32_t i = chain->head; i != TG_BLOCK_NONE; i = pool->blocks[i].next) {
        units += tg_block_is_reference(pool, i) ? 0 : tg_block_units(pool, i);
    }
    return units;
}

uint64_t oracle_own_units(const struct tg_worker *worker, const struct tg_slot *slot)
{
    return own_units(worker->shared->blocks, &slot->queue) +
           own_units(worker->shared->blocks, later_of(worker, slot));
}

static uint32_t count_references(const struct tg_block_pool *pool, const struct tg_chain *chain)
{
    uint32_t count = 0;
    for (uint32_t i = chain->head; i != TG_BLOCK_NONE; i = pool->blocks[i].next) {
        if (tg_block_is_reference(pool, i)) {
            references[pool->blocks[i].message]++;
            count++;
        }
    }
    return count;
}

static uint32_t count_of_worker(const struct tg_worker *worker)
{
    const struct tg_block_pool *pool = worker->shared->blocks;
    uint32_t count = 0;
    memset(references, 0, pool->reference_first * sizeof references[0]);
    for (uint32_t i = 0; i < worker->shared->arena->capacity; i++) {
        const struct tg_slot *slot = tg_worker_slot(worker, i);
        if (tg_worker_owns(worker, i)) {
            const struct tg_chain *later = later_of(worker, slot);
            TG_SIM_RULE(tg_chain_is_empty(later) || slot->state == TG_SLOT_CLOSING ||
                            (slot->flags & TG_SLOT_SENDING) != 0,
                        "what waits for its turn has nobody to wait for");
            count += count_references(pool, &slot->queue) + count_references(pool, later);
        }
    }
    return count;
}

uint64_t oracle_check_rooms(const struct throng_server *server)
{
    static bool is_out[BLOCKS_MAX];
    const struct tg_block_pool *pool = &server->blocks;
    uint64_t units = 0;
    TG_REQUIRE(pool->reference_first <= BLOCKS_MAX);
    memset(is_out, 0, pool->reference_first * sizeof is_out[0]);
    for (uint32_t i = 0; i < server->config.worker_count; i++) {
        const struct tg_worker *worker = &server->workers[i];
        const uint32_t count = count_of_worker(worker);
        TG_SIM_RULE(count + worker->fanout.free_count == worker->fanout.reference_count,
                    "references are lost");
        for (uint32_t block = 0; block < pool->reference_first; block++) {
            TG_SIM_RULE(references[block] == worker->fanout.references_of[block],
                        "a worker counts its references wrongly");
            is_out[block] = is_out[block] || references[block] > 0;
        }
    }
    for (uint32_t block = 0; block < pool->reference_first; block++) {
        for (uint32_t i = is_out[block] ? block : TG_BLOCK_NONE; i != TG_BLOCK_NONE;
             i = pool->blocks[i].next) {
            units += tg_block_units(pool, i);
        }
    }
    return units;
}
