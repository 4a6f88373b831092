/* SPDX-License-Identifier: MIT
 * What the tests of the intake share. */
#include "intake_world.h"

#include <string.h>

struct world world;

static uint8_t buffer_memory[WORLD_BUFFERS_MAX * WORLD_BUFFER_BYTES];
static uint32_t buffer_tables[2 * WORLD_BUFFERS_MAX];
static uint8_t pool_memory[WORLD_POOL_MAX];
static struct tg_message_unit pool_tables[WORLD_POOL_MAX / TG_MESSAGE_UNIT_BYTES];

/* Byte `at` of the payload of a connection's message. */
static uint8_t payload_byte(uint32_t conn, uint64_t message, uint64_t at)
{
    return (uint8_t)(conn * 31 + message * 7 + at + (at >> 8));
}

/* Byte `position` of a connection's stream. */
static uint8_t stream_byte(uint32_t conn, uint64_t position)
{
    uint32_t size = world.conns[conn].size;
    uint64_t at = position % (size + 4);
    if (at < 4) {
        return (uint8_t)(size >> (24 - 8 * at));
    }
    return payload_byte(conn, position / (size + 4), at - 4);
}

void world_open(size_t pool_bytes, uint32_t message_bytes_max, uint32_t buffers, uint32_t conns,
                uint32_t size)
{
    assert_true(pool_bytes <= WORLD_POOL_MAX && buffers <= WORLD_BUFFERS_MAX);
    assert_true(conns <= WORLD_CONNS_MAX);
    memset(&world, 0, sizeof world);
    memset(buffer_tables, 0, sizeof buffer_tables);
    memset(pool_tables, 0, sizeof pool_tables);
    tg_recv_pool_init(&world.buffers, buffer_memory, WORLD_BUFFER_BYTES, buffers, buffer_tables);
    tg_message_pool_init(&world.messages, pool_memory, pool_bytes, pool_tables);
    world.rules = (struct tg_frame_rules){message_bytes_max, THRONG_BYTE_ORDER_BIG};
    world.pieces = calloc(1, tg_intake_pieces_bytes(conns));
    assert_non_null(world.pieces);
    tg_intake_init(&world.intake, &world.buffers, &world.messages, &world.rules, world.pieces,
                   conns);
    world.current = TG_INDEX_NONE;
    world.conn_count = conns;
    for (uint32_t i = 0; i < conns; i++) {
        world_join(i, size);
        assert_true(world.conns[i].is_read);
    }
}

void world_send(uint32_t conn, uint64_t bytes)
{
    world.conns[conn].available += bytes;
}

uint32_t world_index(const struct tg_reader *reader)
{
    const struct world_conn *conn =
        (const struct world_conn *)((const char *)reader - offsetof(struct world_conn, reader));
    return (uint32_t)(conn - world.conns);
}

uint32_t world_count(enum tg_reader_place place)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world.conn_count; i++) {
        count += world.conns[i].reader.place == place;
    }
    return count;
}

/* ---- the owner ---- */

static void hand_up(struct world_conn *conn, const struct tg_message *message)
{
    uint32_t index = world_index(&conn->reader);
    assert_int_equal(message->size, conn->size);
    for (uint32_t i = 0; i < message->size; i++) {
        if (message->data[i] != payload_byte(index, conn->messages, i)) {
            fail_msg("connection %" PRIu32 ", message %" PRIu32 ", byte %" PRIu32, index,
                     conn->messages, i);
        }
    }
    conn->messages++;
    conn->turn = world.turns;
    assert_true(world.lent_count < WORLD_LENT_MAX);
    struct world_lent *lent = &world.lent[world.lent_count++];
    *lent = (struct world_lent){.block = message->block, .buffer = TG_INDEX_NONE};
    if (message->block == TG_MESSAGE_NONE) {
        lent->buffer = tg_reader_buffer(&world.intake, &conn->reader);
        tg_recv_pool_retain(&world.buffers, lent->buffer);
    }
}

static void give_back(void)
{
    for (uint32_t i = 0; i < world.lent_count; i++) {
        if (world.lent[i].block != TG_MESSAGE_NONE) {
            tg_message_pool_give(&world.messages, world.lent[i].block);
        } else {
            tg_recv_pool_release(&world.buffers, world.lent[i].buffer, 1);
        }
    }
    world.lent_count = 0;
}

static void drop_current(void)
{
    if (world.current != TG_INDEX_NONE) {
        tg_recv_pool_release(&world.buffers, world.current, 1);
        world.current = TG_INDEX_NONE;
    }
}

/* Whether there is room in a receive buffer: at least a sixteenth of one. */
static bool find_room(void)
{
    if (world.current != TG_INDEX_NONE && world.buffers.references[world.current] == 1) {
        world.fill = 0; /* nobody reads from it any more */
    }
    if (world.current == TG_INDEX_NONE || !world.shares ||
        WORLD_BUFFER_BYTES - world.fill < WORLD_BUFFER_BYTES / 16) {
        drop_current();
        world.current = tg_recv_pool_take(&world.buffers);
        world.fill = 0;
    }
    return world.current != TG_INDEX_NONE;
}

/* The port takes what there is. False if there is no room. */
static bool take(struct world_conn *conn)
{
    if (!find_room()) {
        return false;
    }
    uint8_t *data = tg_recv_pool_data(&world.buffers, world.current) + world.fill;
    size_t room = WORLD_BUFFER_BYTES - world.fill;
    size_t size = conn->available < room ? conn->available : room;
    for (size_t i = 0; i < size; i++) {
        data[i] = stream_byte(world_index(&conn->reader), conn->position + i);
    }
    conn->available -= size;
    conn->position += size;
    conn->taken = world.current;
    conn->taken_data = data;
    conn->taken_bytes = size;
    tg_recv_pool_retain(&world.buffers, world.current);
    world.fill += size;
    if (!world.shares) {
        drop_current();
    }
    return true;
}

static void stop(struct world_conn *conn, bool hold_back)
{
    if (world.runs_ahead && conn->is_read && conn->available > 0 && conn->taken == TG_INDEX_NONE) {
        (void)take(conn);
    }
    conn->is_read = false;
    conn->is_held_back = hold_back;
    world.stops++;
}

static void read_on(struct world_conn *conn)
{
    if (conn->rests) {
        tg_intake_rest(&world.intake, &conn->reader);
        stop(conn, false);
    } else if (tg_intake_read(&world.intake, &conn->reader)) {
        conn->is_read = true;
        conn->is_held_back = false;
    } else {
        stop(conn, false);
    }
}

static void consume(struct world_conn *conn)
{
    for (;;) {
        struct tg_message message;
        enum tg_assembly result = tg_intake_next(&world.intake, &conn->reader, &message);
        if (result == TG_ASSEMBLY_MESSAGE) {
            hand_up(conn, &message);
        } else if (result == TG_ASSEMBLY_NEEDS_INPUT) {
            tg_intake_drop_input(&world.intake, &conn->reader);
            read_on(conn);
            return;
        } else {
            assert_int_equal(result, TG_ASSEMBLY_NO_MEMORY);
            stop(conn, true);
            return;
        }
    }
}

void world_resume(uint32_t index)
{
    struct world_conn *conn = &world.conns[index];
    conn->rests = false;
    if (!conn->is_read && !tg_reader_is_waiting(&conn->reader)) {
        read_on(conn);
    }
}

void world_leave(uint32_t index)
{
    struct world_conn *conn = &world.conns[index];
    tg_intake_leave(&world.intake, &conn->reader);
    conn->is_read = false;
    conn->has_left = true;
    if (conn->taken != TG_INDEX_NONE) {
        tg_recv_pool_release(&world.buffers, conn->taken, 1);
        conn->taken = TG_INDEX_NONE;
    }
}

void world_join(uint32_t index, uint32_t size)
{
    struct world_conn *conn = &world.conns[index];
    *conn = (struct world_conn){.size = size, .taken = TG_INDEX_NONE};
    tg_reader_init(&conn->reader);
    read_on(conn);
}

/* ---- the port ---- */

static void deliver(struct world_conn *conn)
{
    tg_intake_put_input(&world.intake, &conn->reader, conn->taken_data, conn->taken_bytes,
                        conn->taken);
    conn->taken = TG_INDEX_NONE;
    consume(conn);
}

bool world_wait(void)
{
    bool has_received = false;
    uint32_t first = world.next;
    bool is_empty = false;
    for (uint32_t i = 0; i < world.conn_count; i++) {
        uint32_t index = (first + i) % world.conn_count;
        struct world_conn *conn = &world.conns[index];
        if (conn->taken == TG_INDEX_NONE && conn->is_read && conn->available > 0 && !is_empty &&
            !take(conn)) {
            is_empty = true;
            world.next = index; /* first come first served */
        }
        if (conn->taken != TG_INDEX_NONE && !conn->is_held_back) {
            deliver(conn);
            has_received = true;
        }
    }
    return has_received;
}

bool world_turn(void)
{
    struct tg_reader *reader;
    world.turns++;
    if (!world.keep) {
        give_back();
    }
    while ((reader = tg_intake_next_turn(&world.intake)) != NULL) {
        struct world_conn *conn = &world.conns[world_index(reader)];
        if (tg_reader_buffer(&world.intake, reader) != TG_INDEX_NONE) {
            consume(conn);
        } else {
            read_on(conn);
        }
    }
    while ((reader = tg_intake_next_to_stop(&world.intake)) != NULL) {
        stop(&world.conns[world_index(reader)], false);
    }
    bool is_due = tg_intake_is_due(&world.intake);
    bool has_received = world_wait();
    return is_due || has_received || world.lent_count > 0;
}

void world_run(uint32_t turns)
{
    for (uint32_t i = 0; i < turns; i++) {
        (void)world_turn();
    }
}

void world_close(void)
{
    for (uint32_t i = 0; i < world.conn_count; i++) {
        world_leave(i);
    }
    give_back();
    drop_current();
    world_run(3);
    assert_int_equal(tg_message_pool_used_bytes(&world.messages), 0);
    assert_int_equal(world.messages.kept_here, world.messages.kept_count);
    assert_int_equal(tg_index_stack_count(&world.buffers.free), world.buffers.count - 1);
    assert_int_not_equal(world.intake.reserve, TG_INDEX_NONE);
    uint32_t pieces = 0;
    for (uint32_t i = world.intake.piece_free; i != TG_INDEX_NONE;
         i = world.intake.pieces[i].next) {
        pieces++;
    }
    assert_int_equal(pieces, world.intake.piece_fresh);
    assert_int_equal(world.intake.lacking_count + world.intake.holder_count, 0);
    assert_false(world.intake.halted);
    free(world.pieces);
}
