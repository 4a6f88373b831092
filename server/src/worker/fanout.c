/* SPDX-License-Identifier: MIT
 * Fan-out: what is broadcast to the members of rooms. Worker thread. */
#include "worker/fanout.h"

#include "base/assert.h"
#include "base/yield.h"
#include "codec/frame.h"
#include "worker/members.h"
#include "worker/watch.h"
#include "worker/worker.h"

/* When a broadcast would leave less than this part of the references, only those get it to whom
 * everything was sent. */
#define SHORT_PART 8u

/* Broadcasts that are taken in one walk over the members. */
#define RUN_MAX 16u

void tg_fanout_init(struct tg_fanout *fanout, uint32_t reference_first, uint32_t reference_count)
{
    fanout->reference_first = reference_first;
    fanout->reference_count = reference_count;
    fanout->fresh = 0;
    fanout->free = TG_BLOCK_NONE;
    fanout->free_count = reference_count;
}

/* ---- references ---- */

static uint32_t take_reference(struct tg_worker *worker)
{
    struct tg_fanout *fanout = &worker->fanout;
    uint32_t index = fanout->free;
    TG_REQUIRE(fanout->free_count > 0);
    fanout->free_count--;
    if (index == TG_BLOCK_NONE) {
        return fanout->reference_first + fanout->fresh++;
    }
    fanout->free = worker->shared->blocks->blocks[index].next;
    return index;
}

/* One holder less of a message; the last one of the last worker sends its blocks home. */
static void let_go(struct tg_worker *worker, uint32_t message, struct tg_chain *home)
{
    struct tg_block_pool *pool = worker->shared->blocks;
    TG_REQUIRE(worker->fanout.references_of[message] > 0);
    if (--worker->fanout.references_of[message] > 0) {
        return;
    }
    tg_yield();
    /* release: what we did with the blocks is done. acquire: so is what the other workers did. */
    if (atomic_fetch_sub_explicit(&worker->shared->fanout.workers_left[message], 1,
                                  memory_order_acq_rel) > 1) {
        return;
    }
    struct tg_chain chain = {.head = message, .tail = message};
    while (pool->blocks[chain.tail].next != TG_BLOCK_NONE) {
        chain.tail = pool->blocks[chain.tail].next;
    }
    tg_chain_join(home, &chain, pool);
}

static void append_block(struct tg_chain *chain, struct tg_block_pool *pool, uint32_t index)
{
    struct tg_chain one = {.head = index, .tail = index};
    pool->blocks[index].next = TG_BLOCK_NONE;
    tg_chain_join(chain, &one, pool);
}

/* Takes the references out of a chain that was sent or dropped. What is left goes home. */
static void take_out(struct tg_worker *worker, struct tg_chain *chain)
{
    struct tg_fanout *fanout = &worker->fanout;
    struct tg_block_pool *pool = worker->shared->blocks;
    struct tg_chain home;
    tg_chain_init(&home);
    for (uint32_t index = chain->head; index != TG_BLOCK_NONE;) {
        struct tg_block *block = &pool->blocks[index];
        const uint32_t next = block->next;
        if (tg_block_is_reference(pool, index)) {
            const uint32_t message = block->message;
            block->next = fanout->free;
            fanout->free = index;
            fanout->free_count++;
            let_go(worker, message, &home);
        } else {
            append_block(&home, pool, index);
        }
        index = next;
    }
    *chain = home;
}

void tg_fanout_collect(struct tg_worker *worker)
{
    if (worker->fanout.free_count < worker->fanout.reference_count) {
        take_out(worker, &worker->done); /* else there is none in it */
    }
}

/* ---- sending ---- */

static void send_soon(struct tg_worker *worker, const struct tg_slot *slot)
{
    struct tg_fanout *fanout = &worker->fanout;
    struct tg_slot_rooms *own = tg_slot_rooms_of(worker, slot);
    if (own->send_due) {
        return;
    }
    const uint32_t link = tg_worker_slot_index(worker, slot) + 1;
    own->send_due = true;
    own->send_next = 0;
    *(fanout->send_first == 0
          ? &fanout->send_first
          : &worker->shared->fanout.slots[fanout->send_last - 1].send_next) = link;
    fanout->send_last = link;
}

static void send_to(struct tg_worker *worker, struct tg_slot *slot)
{
    if (slot->state < TG_SLOT_OPEN || slot->state > TG_SLOT_FLUSHING) {
        return;
    }
    tg_slot_send(worker, slot);
    /* Not settled here: this may be in the middle of the commands, and a reply behind this one
     * (close.pml: DRAIN_SETTLES_AT_ONCE). Most have nothing to settle. */
    if (slot->state != TG_SLOT_OPEN || (slot->flags & TG_SLOT_FLOW_PAUSED) != 0) {
        tg_worker_touch(worker, slot);
    }
}

void tg_fanout_send(struct tg_worker *worker)
{
    struct tg_fanout *fanout = &worker->fanout;
    while (fanout->send_first != 0) {
        const uint32_t index = fanout->send_first - 1;
        struct tg_slot_rooms *own = &worker->shared->fanout.slots[index];
        struct tg_slot *slot = tg_worker_slot(worker, index);
        fanout->send_first = own->send_next;
        own->send_due = false;
        send_to(worker, slot);
    }
}

bool tg_fanout_sends_soon(const struct tg_worker *worker, const struct tg_slot *slot)
{
    return tg_slot_rooms_of(worker, slot)->send_due;
}

uint32_t tg_fanout_later_bytes(const struct tg_worker *worker, const struct tg_slot *slot)
{
    return slot->in_rooms ? tg_slot_rooms_of(worker, slot)->later.bytes : 0;
}

bool tg_fanout_take_later(struct tg_worker *worker, struct tg_slot *slot)
{
    struct tg_chain *later = &tg_slot_rooms_of(worker, slot)->later;
    if (tg_chain_is_empty(later)) {
        return false;
    }
    TG_REQUIRE(tg_chain_is_empty(&slot->queue));
    tg_chain_join(&slot->queue, later, worker->shared->blocks);
    return true;
}

/* ---- limits ---- */

struct limit {
    uint32_t units_max;
    uint32_t policy; /* enum throng_when_send_full */
};

static struct limit limit_of(const struct tg_worker *worker, const struct tg_slot *slot)
{
    const struct tg_fanout_shared *shared = &worker->shared->fanout;
    /* relaxed: a limit that is set while something is on its way holds for it or for the next. */
    const uint32_t word = atomic_load_explicit(&shared->limits[tg_worker_slot_index(worker, slot)],
                                               memory_order_relaxed);
    return word != 0 ? (struct limit){.units_max = word >> 2, .policy = word & 3}
                     : (struct limit){shared->units_max, (uint32_t)shared->policy};
}

/* Whether what comes now may have to make room for what is newer. */
static bool is_droppable(const struct tg_slot *slot, const struct limit *limit)
{
    return limit->policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST &&
           (slot->flags & TG_SLOT_UNSENT) != 0;
}

static size_t oldest_bytes(const struct tg_worker *worker, const struct tg_chain *later)
{
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_chain_peek(later, worker->shared->blocks, header, sizeof(header));
    return sizeof(header) + tg_frame_length_read(header, worker->shared->rules.byte_order);
}

/* The oldest message of `later` goes. */
static void drop_oldest(struct tg_worker *worker, struct tg_chain *later)
{
    struct tg_chain dropped;
    tg_chain_init(&dropped);
    tg_chain_advance(later, worker->shared->blocks, oldest_bytes(worker, later), &dropped);
    take_out(worker, &dropped);
    tg_chain_join(&worker->done, &dropped, worker->shared->blocks);
    tg_count(&worker->counters.messages_dropped, 1);
}

void tg_fanout_make_way(struct tg_worker *worker, struct tg_slot *slot, uint32_t units)
{
    if (tg_chain_is_empty(&slot->queue) || (slot->flags & TG_SLOT_UNSENT) != 0) {
        return;
    }
    const struct limit limit = limit_of(worker, slot);
    if (limit.policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST &&
        slot->queue.units + units > limit.units_max) {
        tg_slot_send(worker, slot);
    }
}

bool tg_fanout_write_later(struct tg_worker *worker, struct tg_slot *slot, struct tg_chain *chain)
{
    struct tg_chain *later = &tg_slot_rooms_of(worker, slot)->later;
    const struct limit limit = limit_of(worker, slot);
    const bool replaces = is_droppable(slot, &limit);
    if (tg_chain_is_empty(later) && !replaces) {
        return false;
    }
    tg_chain_join(later, chain, worker->shared->blocks);
    while (replaces && slot->queue.units + later->units > limit.units_max &&
           oldest_bytes(worker, later) < later->bytes) {
        drop_oldest(worker, later);
    }
    return true;
}

/* ---- a broadcast ---- */

struct broadcast {
    const struct tg_chain *chain;
    struct tg_room_part *part;
    uint64_t except;   /* the connection that does not get it, or 0 */
    uint32_t blocks;   /* of the chain: references for each member */
    uint32_t shortage; /* of send memory: TG_COMMAND_SHORT, SCARCE */
    bool is_short;     /* only those get it to whom everything was sent */
    bool is_large;     /* there are not so many references: each member is sent to at once */
    bool is_last; /* no command follows: each member is sent to behind what it got of the run */
    uint32_t
        done; /* the front of worker->done when it was looked through; what is sent goes before it */
};

static uint32_t count_blocks(const struct tg_block_pool *pool, const struct tg_chain *chain)
{
    uint32_t count = 0;
    for (uint32_t i = chain->head; i != TG_BLOCK_NONE; i = pool->blocks[i].next) {
        count++;
    }
    return count;
}

static void miss(struct tg_worker *worker, const struct broadcast *broadcast)
{
    tg_count(&broadcast->part->dropped, 1);
    tg_count(&worker->counters.broadcast_drops, 1);
}

/* Appends the message to one of the slot's chains. There are references enough. */
static void refer(struct tg_worker *worker, struct tg_slot *slot, struct tg_chain *target,
                  const struct broadcast *broadcast)
{
    struct tg_block_pool *pool = worker->shared->blocks;
    struct tg_chain added = {.head = TG_BLOCK_NONE, .tail = TG_BLOCK_NONE, .bytes = 0, .units = 0};
    for (uint32_t i = broadcast->chain->head; i != TG_BLOCK_NONE; i = pool->blocks[i].next) {
        uint32_t index = take_reference(worker);
        pool->blocks[index] = (struct tg_block){.next = TG_BLOCK_NONE,
                                                .begin = pool->blocks[i].begin,
                                                .end = pool->blocks[i].end,
                                                .target = i,
                                                .message = broadcast->chain->head};
        *(added.head == TG_BLOCK_NONE ? &added.head : &pool->blocks[added.tail].next) = index;
        added.tail = index;
    }
    added.bytes = broadcast->chain->bytes;
    added.units = broadcast->chain->units;
    worker->fanout.references_of[broadcast->chain->head] += broadcast->blocks;
    tg_chain_join(target, &added, pool);
    tg_count(&worker->counters.broadcast_deliveries, 1);
    if (!broadcast->is_last) {
        send_soon(worker, slot);
    }
}

static uint32_t references_in(const struct tg_block_pool *pool, const struct tg_chain *chain)
{
    uint32_t count = 0;
    for (uint32_t i = chain->head; i != TG_BLOCK_NONE; i = pool->blocks[i].next) {
        count += tg_block_is_reference(pool, i) ? 1 : 0;
    }
    return count;
}

/* Whether the newest can take the place of older ones. For want of references or of send memory it
 * needs one whose place it takes; and if it is the last that memory suffices for, nobody may keep
 * it waiting. Nothing is dropped for a message that cannot be had all the same. */
static bool can_replace(const struct tg_worker *worker, const struct tg_chain *later,
                        const struct broadcast *broadcast)
{
    const uint32_t free_count = worker->fanout.free_count;
    if ((broadcast->shortage & TG_COMMAND_SCARCE) != 0 ||
        (broadcast->is_short && tg_chain_is_empty(later))) {
        return false;
    }
    return free_count >= broadcast->blocks ||
           free_count + references_in(worker->shared->blocks, later) >= broadcast->blocks;
}

/* DROP_OLDEST, and something is unsent: the newest takes the place of older ones. For want of send
 * memory it takes the place of all, since others may still have those. */
static void replace(struct tg_worker *worker, struct tg_slot *slot,
                    const struct broadcast *broadcast, uint32_t units_max)
{
    struct tg_chain *later = &tg_slot_rooms_of(worker, slot)->later;
    const bool frees_memory = (broadcast->shortage & TG_COMMAND_SHORT) != 0;
    bool needs_place = broadcast->is_short;
    if (!can_replace(worker, later, broadcast)) {
        miss(worker, broadcast);
        return;
    }
    while (!tg_chain_is_empty(later) &&
           (needs_place || frees_memory || worker->fanout.free_count < broadcast->blocks ||
            slot->queue.units + later->units + broadcast->chain->units > units_max)) {
        drop_oldest(worker, later);
        tg_count(&broadcast->part->dropped, 1);
        needs_place = false;
    }
    refer(worker, slot, later, broadcast);
}

static bool takes_broadcasts(const struct tg_slot *slot)
{
    return slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_DRAINING;
}

static void deliver(struct tg_worker *worker, struct tg_slot *slot, struct broadcast *broadcast)
{
    const struct limit limit = limit_of(worker, slot);
    struct tg_chain *later = &tg_slot_rooms_of(worker, slot)->later;
    uint32_t units = slot->queue.units + later->units + broadcast->chain->units;
    if (worker->fanout.free_count < broadcast->blocks && worker->done.head != broadcast->done) {
        tg_fanout_collect(worker); /* members before this one were sent to at once */
        broadcast->done = worker->done.head;
    }
    if (units > limit.units_max && (slot->flags & TG_SLOT_UNSENT) == 0) {
        /* It is we who have not sent yet. */
        tg_slot_send(worker, slot);
        if (!takes_broadcasts(slot)) {
            return;
        }
        units = slot->queue.units + later->units + broadcast->chain->units;
    }
    const bool is_unsent = (slot->flags & TG_SLOT_UNSENT) != 0;
    if (is_droppable(slot, &limit)) {
        replace(worker, slot, broadcast, limit.units_max);
    } else if (limit.policy == THRONG_WHEN_SEND_FULL_CLOSE && units > limit.units_max) {
        miss(worker, broadcast);
        tg_slot_reset_slow_reader(worker, slot);
    } else if (units > limit.units_max || (broadcast->is_short && is_unsent) ||
               worker->fanout.free_count < broadcast->blocks) {
        miss(worker, broadcast);
    } else {
        refer(worker, slot, tg_chain_is_empty(later) ? &slot->queue : later, broadcast);
        if (broadcast->is_large) {
            tg_slot_send(worker, slot); /* its references may serve the next one */
        }
    }
}

/* Makes references free as far as that goes at once. Not during the walk: whoever is sent to may
 * fail, and leave the list that is being walked. */
static void make_room(struct tg_worker *worker, uint64_t references)
{
    tg_fanout_collect(worker);
    if (worker->fanout.free_count < references) {
        tg_fanout_send(worker);
        tg_fanout_collect(worker);
    }
}

static struct broadcast broadcast_of(const struct tg_worker *worker,
                                     const struct tg_command *command)
{
    return (struct broadcast){
        .chain = &command->chain,
        .part = &worker->fanout.parts[command->room],
        .except = command->conn,
        .blocks = count_blocks(worker->shared->blocks, &command->chain),
        .shortage = command->flags & (TG_COMMAND_SHORT | TG_COMMAND_SCARCE),
        .done = TG_BLOCK_NONE,
    };
}

static uint64_t references_for(const struct broadcast *broadcast)
{
    return (uint64_t)broadcast->part->members * broadcast->blocks;
}

/* Finds out who may get it, by what is there for it. Answers the references to have free. */
static uint64_t judge(struct tg_worker *worker, struct broadcast *broadcast)
{
    struct tg_fanout *fanout = &worker->fanout;
    const uint64_t references = references_for(broadcast) + fanout->reference_count / SHORT_PART;
    if (fanout->free_count < references) {
        make_room(worker, references);
    }
    broadcast->is_short = broadcast->shortage != 0 || fanout->free_count < references;
    broadcast->is_large = fanout->reference_count < references;
    return references;
}

/* Those that follow in the ring and go to the same room, as far as nothing is short. */
static uint32_t find_run(const struct tg_worker *worker, const struct tg_command *commands,
                         uint32_t count, struct broadcast *run, uint64_t references)
{
    uint32_t taken = 1;
    while (taken < count && taken < RUN_MAX && commands[taken].flags == TG_COMMAND_BROADCAST &&
           commands[taken].room == commands[0].room) {
        run[taken] = broadcast_of(worker, &commands[taken]);
        references += references_for(&run[taken]);
        if (references > worker->fanout.free_count) {
            break;
        }
        taken++;
    }
    return taken;
}

static void walk_members(struct tg_worker *worker, struct broadcast *run, uint32_t count)
{
    uint32_t next = run->part->first;
    for (uint32_t left = run->part->members; next != 0; left--) {
        TG_REQUIRE(left > 0);
        const struct tg_member_link *link = tg_member_link_at(worker, next);
        const struct tg_slot_rooms *own = &worker->shared->fanout.slots[link->slot];
        struct tg_slot *slot = tg_worker_slot(worker, link->slot);
        next = link->room_next; /* what is sent to this one may fail: it leaves the list then */
        for (uint32_t i = 0; i < count; i++) {
            if (slot->id != run[i].except && takes_broadcasts(slot)) {
                deliver(worker, slot, &run[i]);
            }
        }
        if (run->is_last && !own->send_due && !tg_chain_is_empty(&slot->queue)) {
            send_to(worker, slot);
        }
    }
}

uint32_t tg_fanout_take_broadcasts(struct tg_worker *worker, const struct tg_command *commands,
                                   uint32_t count)
{
    struct broadcast run[RUN_MAX];
    run[0] = broadcast_of(worker, &commands[0]);
    const uint64_t references = judge(worker, &run[0]);
    const uint32_t taken = run[0].is_short ? 1 : find_run(worker, commands, count, run, references);
    for (uint32_t i = 0; i < taken; i++) {
        run[i].is_last = taken == count;
        worker->fanout.references_of[run[i].chain->head] = 1;
    }
    walk_members(worker, run, taken);
    for (uint32_t i = 0; i < taken; i++) {
        let_go(worker, run[i].chain->head, &worker->done);
    }
    return taken;
}
