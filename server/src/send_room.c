/* SPDX-License-Identifier: MIT
 * The bounds of a connection's queue, and appending within them. Logic thread. */
#include "send_room.h"

#include "codec/frame.h"
#include "state.h"

static uint32_t percent_of(uint32_t count, uint32_t percent)
{
    return (uint32_t)((uint64_t)count * percent / 100);
}

/* Beside the reserve there is room for a longest message, or nobody could ever send one. */
void tg_send_reserve_init(struct throng_server *server)
{
    uint32_t percent = server->config.options.send_reserve_percent;
    size_t longest = THRONG_FRAME_HEADER_BYTES + (size_t)server->config.options.message_bytes_max;
    uint32_t blocks = (uint32_t)((longest + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES);
    uint32_t most = server->blocks.small_count > blocks ? server->blocks.small_count - blocks : 0;
    server->reserve.small_blocks = percent_of(server->blocks.small_count, percent);
    if (server->reserve.small_blocks > most) {
        server->reserve.small_blocks = most;
    }
    server->reserve.large_blocks = percent_of(server->blocks.large_count, percent);
}

/* What its own limit leaves to `pending`. */
static uint32_t units_beside_out(const struct tg_seat *seat)
{
    return seat->units_max > seat->units_out ? seat->units_max - seat->units_out : 0;
}

/* The blocks that everybody may take. */
static struct tg_chain_bounds common_bounds(const struct throng_server *server,
                                            const struct tg_seat *seat)
{
    return (struct tg_chain_bounds){.units_max = units_beside_out(seat),
                                    .small_kept = server->reserve.small_blocks,
                                    .large_kept = server->reserve.large_blocks};
}

static bool keeps_up(const struct tg_seat *seat)
{
    return seat->units_out == 0;
}

/* With the reserve: a few blocks, or its share of those that are left if that is more. Counted by
 * small ones: every message needs some of those. A long message may not come out of it just because
 * it is the first: a game that tells thousands something long would give the reserve to those that
 * never read it. */
static struct tg_chain_bounds reserve_bounds(const struct throng_server *server,
                                             const struct tg_seat *seat)
{
    struct tg_chain_bounds bounds = {.units_max = units_beside_out(seat)};
    uint32_t share = tg_index_stack_count(&server->blocks.small_free) / server->seats_taken;
    share = share > TG_RESERVE_UNITS_LEAST ? share : TG_RESERVE_UNITS_LEAST;
    bounds.units_max = share < bounds.units_max ? share : bounds.units_max;
    return bounds;
}

static bool append_within(struct throng_server *server, struct tg_seat *seat,
                          const struct tg_chain_bounds *bounds, const void *data, size_t size)
{
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_frame_length_write(header, (uint32_t)size, server->config.options.byte_order);
    return tg_chain_append_within(&seat->pending, &server->blocks, seat->id, bounds, header,
                                  sizeof(header), data, size);
}

bool tg_send_append(struct throng_server *server, struct tg_seat *seat, const void *data,
                    size_t size)
{
    struct tg_chain_bounds bounds = common_bounds(server, seat);
    if (TG_LIKELY(append_within(server, seat, &bounds, data, size))) {
        return true;
    }
    if (!keeps_up(seat)) {
        return false;
    }
    bounds = reserve_bounds(server, seat);
    return append_within(server, seat, &bounds, data, size);
}

/* ---- in place of older ones ---- */

/* Units of a message alone. */
static uint32_t units_alone(size_t bytes)
{
    return (uint32_t)((bytes + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Out of what is there for everybody, and what it drops. The newest has room beside what its peer
 * was handed already. */
static struct tg_chain_bounds replace_bounds(const struct throng_server *server,
                                             const struct tg_seat *seat, size_t bytes)
{
    const struct tg_block_pool *pool = &server->blocks;
    const uint32_t beside = units_beside_out(seat);
    return (struct tg_chain_bounds){.units_max = beside > units_alone(bytes) ? beside
                                                                             : units_alone(bytes),
                                    .small_kept = smaller(server->reserve.small_blocks,
                                                          tg_index_stack_count(&pool->small_free)),
                                    .large_kept = smaller(server->reserve.large_blocks,
                                                          tg_index_stack_count(&pool->large_free))};
}

/* With the reserve: its part of that, or as much as it drops. */
static struct tg_chain_bounds replace_bounds_reserve(const struct throng_server *server,
                                                     const struct tg_seat *seat)
{
    struct tg_chain_bounds bounds = reserve_bounds(server, seat);
    if (bounds.units_max < seat->pending.units) {
        bounds.units_max = smaller(seat->pending.units, units_beside_out(seat));
    }
    return bounds;
}

static void drop_oldest_message(struct throng_server *server, struct tg_seat *seat)
{
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_chain_peek(&seat->pending, &server->blocks, header, sizeof(header));
    uint32_t size = tg_frame_length_read(header, server->config.options.byte_order);
    tg_chain_drop(&seat->pending, &server->blocks, sizeof(header) + (size_t)size);
    tg_count(&server->counters.messages_dropped, 1);
}

bool tg_send_replace(struct throng_server *server, struct tg_seat *seat, const void *data,
                     size_t size)
{
    const size_t bytes = THRONG_FRAME_HEADER_BYTES + size;
    struct tg_chain_bounds bounds = replace_bounds(server, seat, bytes);
    /* Nothing is dropped for a message that is refused all the same. */
    if (!tg_chain_has_room_instead(&seat->pending, &server->blocks, &bounds, bytes)) {
        bounds = replace_bounds_reserve(server, seat);
        if (!keeps_up(seat) ||
            !tg_chain_has_room_instead(&seat->pending, &server->blocks, &bounds, bytes)) {
            return false;
        }
    }
    /* Each round drops a message; an empty chain has room. */
    while (!append_within(server, seat, &bounds, data, size)) {
        TG_REQUIRE(!tg_chain_is_empty(&seat->pending));
        drop_oldest_message(server, seat);
    }
    return true;
}

/* ---- built piece by piece ---- */

static bool build_within(struct throng_server *server, const struct tg_seat *seat,
                         struct tg_chain *built, const struct tg_chain_bounds *bounds,
                         const void *data, size_t size)
{
    return tg_chain_append_within(built, &server->blocks, seat->id, bounds, NULL, 0, data, size);
}

bool tg_send_build(struct throng_server *server, const struct tg_seat *seat, struct tg_chain *built,
                   const void *data, size_t size)
{
    struct tg_chain_bounds bounds = common_bounds(server, seat);
    bounds.units_max = UINT32_MAX;
    if (build_within(server, seat, built, &bounds, data, size)) {
        return true;
    }
    bounds = reserve_bounds(server, seat);
    return keeps_up(seat) && build_within(server, seat, built, &bounds, data, size);
}

bool tg_send_build_replacing(struct throng_server *server, struct tg_seat *seat,
                             struct tg_chain *built, const void *data, size_t size)
{
    struct tg_chain_bounds bounds = replace_bounds(server, seat, size);
    bounds.units_max = UINT32_MAX;
    while (!build_within(server, seat, built, &bounds, data, size)) {
        if (tg_chain_is_empty(&seat->pending)) {
            return false;
        }
        drop_oldest_message(server, seat);
    }
    return true;
}

bool tg_send_join(struct throng_server *server, struct tg_seat *seat, struct tg_chain *built)
{
    if (tg_send_is_over_limit(server, seat, built->bytes)) {
        return false;
    }
    tg_chain_join(&seat->pending, built, &server->blocks);
    return true;
}

void tg_send_join_replacing(struct throng_server *server, struct tg_seat *seat,
                            struct tg_chain *built)
{
    while (!tg_chain_is_empty(&seat->pending) &&
           tg_send_is_over_limit(server, seat, built->bytes)) {
        drop_oldest_message(server, seat);
    }
    tg_chain_join(&seat->pending, built, &server->blocks);
}

/* ---- asking ---- */

bool tg_send_is_over_limit(const struct throng_server *server, const struct tg_seat *seat,
                           size_t bytes)
{
    uint64_t units = (uint64_t)seat->units_out + seat->pending.units +
                     tg_chain_units_for(&seat->pending, &server->blocks, bytes);
    return units > seat->units_max;
}

bool tg_send_is_short(size_t bytes)
{
    return units_alone(bytes) <= TG_RESERVE_UNITS_LEAST;
}

bool tg_send_would_fit(const struct throng_server *server, const struct tg_seat *seat, size_t bytes,
                       uint32_t promised)
{
    struct tg_chain_bounds common = common_bounds(server, seat);
    struct tg_chain_bounds reserved = reserve_bounds(server, seat);
    struct tg_chain chain = seat->pending;
    if (seat->policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST) {
        tg_chain_init(&chain); /* it drops what is in the way */
        common.units_max = units_alone(bytes);
        reserved = replace_bounds_reserve(server, seat);
    }
    common.small_kept += promised;
    reserved.small_kept += promised;
    return tg_chain_has_room(&chain, &server->blocks, &common, bytes) ||
           (keeps_up(seat) && tg_chain_has_room(&chain, &server->blocks, &reserved, bytes));
}

void tg_send_memory_is_short(struct throng_server *server)
{
    atomic_store_explicit(&server->shared.send_memory_short, true, memory_order_relaxed);
}

void tg_send_memory_look(struct throng_server *server)
{
    if (atomic_load_explicit(&server->shared.send_memory_short, memory_order_relaxed) &&
        tg_index_stack_count(&server->blocks.small_free) > server->reserve.small_blocks &&
        !tg_writable_waits_for_memory(server)) {
        atomic_store_explicit(&server->shared.send_memory_short, false, memory_order_relaxed);
    }
}
