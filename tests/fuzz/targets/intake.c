/* SPDX-License-Identifier: MIT
 * The intake: connections of one thread that put their messages together from one small pool. Peers
 * send messages of any size in any pieces, stop in the middle, leave; the owner keeps messages for
 * a while, rests from reading, closes whom the intake names. Each message must come up once, in
 * order and unchanged. In the end all peers send what they owe and the owner keeps nothing: then
 * every message must come within a bounded number of turns, without anybody being closed, and all
 * memory must be home.
 *
 *   byte 0   bit 0: long messages; bit 1: the port runs ahead; bits 2-4: receive buffers less four
 *   1 ...    operations: bits 0-2 what, bits 3-4 which connection, bits 5-7 of what kind */
#include "codec/intake.h"

#include "fuzz.h"
#include "intake_world.h"

#define TURNS_MAX 600u

static void queue_message(struct fuzz_script *script, struct conn *conn, uint32_t kind)
{
    uint32_t value = fuzz_byte(script);
    world_queue(conn, kind < 4 ? value : world.message_max - value / 4 * (kind - 4));
}

/* The intake may name one that stands still: its connection is closed. */
static void tick(void)
{
    struct tg_reader *reader = tg_intake_tick(&world.intake);
    if (reader != NULL) {
        FUZZ_CHECK(reader->place == TG_READER_HOLDING);
        struct conn *conn = TG_CONTAINER_OF(reader, struct conn, reader);
        world_leave(conn);
        world_join(conn);
    }
}

static void check_counts(void)
{
    uint32_t lacking = 0;
    uint32_t holding = 0;
    uint32_t rights = 0;
    for (uint32_t i = 0; i < CONNS; i++) {
        uint32_t place = world.conns[i].reader.place;
        lacking += place == TG_READER_LACKING;
        holding += place == TG_READER_HOLDING;
        rights += place == TG_READER_FINISHED || place == TG_READER_OWED ||
                  place == TG_READER_LEAVING;
    }
    FUZZ_CHECK(world.intake.lacking_count == lacking && world.intake.holder_count == holding);
    FUZZ_CHECK(world.intake.right_count == rights);
    FUZZ_CHECK(world.messages.kept_here + holding <= world.messages.kept_count);
    /* For each right there is a block, here or with the owner. */
    FUZZ_CHECK(rights + holding <= world.messages.kept_count);
}

static void step(struct fuzz_script *script)
{
    uint32_t operation = fuzz_byte(script);
    uint32_t kind = operation >> 5;
    struct conn *conn = &world.conns[operation >> 3 & (CONNS - 1)];
    switch (operation & 7) {
    case 0:
        queue_message(script, conn, kind);
        world_send(conn, kind == 0 ? 0 : UINT32_MAX);
        break;
    case 1:
        queue_message(script, conn, kind);
        break;
    case 2:
        world_send(conn, fuzz_byte(script) << kind);
        break;
    case 3:
        (void)world_turn(kind);
        break;
    case 4:
        (void)world_give_back(kind == 7 ? 0 : kind);
        (void)world_turn(kind);
        break;
    case 5:
        tick();
        break;
    case 6:
        conn->rests = !conn->rests; /* as soon as the input at hand is used up */
        if (!conn->rests) {
            world_resume(conn);
        }
        break;
    default:
        if (kind == 7) {
            world_leave(conn);
            world_join(conn);
        } else if (kind == 6) {
            conn->ends = true;
        } else {
            (void)world_turn(kind);
            (void)world_turn(kind);
        }
        break;
    }
}

static bool all_have_come(void)
{
    bool all = true;
    for (uint32_t i = 0; i < CONNS; i++) {
        all = all && world.conns[i].come == world.conns[i].size_count;
    }
    return all;
}

/* Everybody is honest from here on, and the thread sleeps only if there is nothing to do. */
static void finish(void)
{
    for (uint32_t i = 0; i < CONNS; i++) {
        world.conns[i].ends = false;
        world_send(&world.conns[i], UINT32_MAX);
        world_resume(&world.conns[i]);
    }
    bool is_awake = true;
    for (uint32_t i = 0; i < TURNS_MAX && is_awake; i++) {
        is_awake = world_give_back(0);
        is_awake = world_turn(i) || is_awake;
        check_counts();
    }
    FUZZ_CHECK(!is_awake);
    FUZZ_CHECK(all_have_come());
}

static void close_world(void)
{
    for (uint32_t i = 0; i < CONNS; i++) {
        world_leave(&world.conns[i]);
    }
    (void)world_give_back(0);
    for (uint32_t i = 0; i < 4; i++) {
        while (tg_intake_next_turn(&world.intake) != NULL) {
            FUZZ_CHECK(false); /* nobody is left whose turn it could be */
        }
    }
    check_counts();
    FUZZ_CHECK(tg_message_pool_used_bytes(&world.messages) == 0);
    FUZZ_CHECK(world.messages.kept_here == world.messages.kept_count);
    FUZZ_CHECK(world.intake.reserve != TG_INDEX_NONE && !world.intake.halted);
    FUZZ_CHECK(tg_index_stack_count(&world.buffers.free) == world.buffers.count - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = fuzz_script_open(data, size);
    uint32_t options = fuzz_byte(&script);
    world_open((options & 1) != 0, (options & 2) != 0, 4 + (options >> 2 & 7),
               fuzz_salt(data, size));
    while (!fuzz_is_over(&script)) {
        step(&script);
        check_counts();
    }
    finish();
    close_world();
    return 0;
}
