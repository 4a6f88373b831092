/* SPDX-License-Identifier: MIT
 * The chat's logic: connections that come, go and send any bytes, requests with any fields, and an
 * outlet that refuses. After each step the state must hold, the rooms must have the members that it
 * says, and what was sent must be one whole message of the protocol; in the end nothing of anybody
 * is left.
 *
 *   operations: bits 0-3 what, bits 4-7 which connection (of 12; the rest are the first ones again) */
#include <stdlib.h>

#include <throng/message.h>

#include "../../chat/world.h"

#include "fuzz.h"

/* Long enough for every ban, mute and memory of a room to end. */
#define FOR_GOOD_MS (UINT64_C(2000) * CHAT_SECONDS_MAX)

static const char *const words[] = {
    "",    "ana",  "ANA", "bob",    "lobby",     "den", "x",         "server",
    "a b", "\xff", "hi",  "\x1b[m", "127.0.0.1", "::1", WORLD_TOKEN, "10.0.0.2"};

static const char *const keys[] = {"name",  "room", "text",    "token",
                                   "after", "from", "seconds", "address"};

static void on_message(const void *data, size_t size)
{
    struct throng_message_limits limits = {.bytes_max = WORLD_MESSAGE_BYTES};
    FUZZ_CHECK(throng_message_scan(data, size, &limits, NULL) == 0);
    FUZZ_CHECK(*(const uint8_t *)data == 0x93);
}

/* For all runs. */
static struct world *world;

/* What MessagePack-C allocates hangs on memory that a leak checker does not look through. */
static void close_world(void)
{
    world_close(world);
}

static void open_world(void)
{
    if (world == NULL) {
        world = world_open(NULL);
        world->on_message = on_message;
        (void)atexit(close_world);
    }
}

/* A request with up to three fields, of these words and numbers. */
static void send_request(struct fuzz_script *script, uint32_t conn)
{
    uint8_t bytes[512];
    struct throng_pack pack;
    uint32_t kind = fuzz_byte(script);
    uint32_t fields = kind >> 6;
    throng_pack_to_buffer(&pack, bytes, sizeof(bytes));
    throng_pack_envelope(&pack, 1 + (kind & 31), (int32_t)(kind >> 5 & 1));
    throng_pack_map(&pack, fields + 1);
    throng_pack_field_u64(&pack, "version", 1);
    for (uint32_t i = 0; i < fields; i++) {
        uint32_t value = fuzz_byte(script);
        const char *key = keys[value & 7];
        if ((value & 7) >= 4 && (value & 7) < 7) {
            throng_pack_field_u64(&pack, key, value >> 3);
        } else {
            throng_pack_field_text(&pack, key, words[value >> 3 & 15]);
        }
    }
    int64_t size = throng_pack_end(&pack);
    FUZZ_CHECK(size > 0);
    world_send(world, conn, bytes, (size_t)size);
}

static void send_bytes(struct fuzz_script *script, uint32_t conn)
{
    const uint8_t *data = NULL;
    size_t size = fuzz_bytes(script, fuzz_byte(script) & 63, &data);
    world_send(world, conn, data, size);
}

/* Somebody who is there and has a name, in few bytes. */
static void come_in(uint32_t conn, uint32_t word)
{
    uint8_t bytes[128];
    struct throng_pack pack;
    world_connect(world, conn);
    throng_pack_to_buffer(&pack, bytes, sizeof(bytes));
    throng_pack_envelope(&pack, CHAT_HELLO, 1);
    throng_pack_map(&pack, 2);
    throng_pack_field_u64(&pack, "version", 1);
    throng_pack_field_text(&pack, "name", words[word & 15]);
    int64_t size = throng_pack_end(&pack);
    world_send(world, conn, bytes, (size_t)size);
}

static void step(struct fuzz_script *script)
{
    uint32_t operation = fuzz_byte(script);
    uint32_t conn = (operation >> 4) % WORLD_CONNS + 1;
    switch (operation & 15) {
    case 0:
        world_connect(world, conn);
        break;
    case 1:
        world_disconnect(world, conn);
        break;
    case 2:
        world_pass(world, (uint64_t)fuzz_byte(script) * 100);
        break;
    case 3:
        chat_swept(&world->chat);
        break;
    case 4:
        world->no_broadcasts = !world->no_broadcasts;
        break;
    case 5:
        world->no_writes = !world->no_writes;
        break;
    case 6:
        world->no_joins = !world->no_joins;
        break;
    case 7:
        send_bytes(script, conn);
        break;
    case 8:
    case 9:
        come_in(conn, fuzz_byte(script));
        break;
    default:
        send_request(script, conn);
    }
    FUZZ_CHECK(world_holds(world));
}

static void empty(void)
{
    world->no_broadcasts = false;
    world->no_writes = false;
    world->no_joins = false;
    for (uint32_t conn = 1; conn <= WORLD_CONNS; conn++) {
        world_disconnect(world, conn);
    }
    world_pass(world, FOR_GOOD_MS);
    chat_swept(&world->chat);
    const struct chat_state *state = &world->chat.state;
    FUZZ_CHECK(state->user_count == 0 && state->room_count == 0);
    FUZZ_CHECK(chat_user_longest_waiting(state) == NULL);
    FUZZ_CHECK(world_holds(world));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = fuzz_script_open(data, size);
    open_world();
    while (!fuzz_is_over(&script)) {
        step(&script);
    }
    empty();
    return 0;
}
