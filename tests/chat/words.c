/* SPDX-License-Identifier: MIT
 * See words.h. */
#include "words.h"

#include <string.h>

static struct throng_decoder *decoder;
struct throng_message taken;

int create_decoder(void **state)
{
    (void)state;
    return throng_decoder_create(&decoder, NULL, NULL);
}

int destroy_decoder(void **state)
{
    (void)state;
    throng_decoder_destroy(decoder);
    return 0;
}

/* ---- a client's words ---- */

void send_fields(struct world *world, uint32_t conn, uint32_t type, const struct field fields[3])
{
    uint8_t bytes[4096];
    struct throng_pack pack;
    uint32_t count = 0;
    while (count < 3 && fields[count].key != NULL) {
        count++;
    }
    throng_pack_to_buffer(&pack, bytes, sizeof(bytes));
    throng_pack_envelope(&pack, type, 1);
    throng_pack_map(&pack, count);
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].text != NULL) {
            throng_pack_field_text(&pack, fields[i].key, fields[i].text);
        } else {
            throng_pack_field_u64(&pack, fields[i].key, fields[i].number);
        }
    }
    int64_t size = throng_pack_end(&pack);
    assert_true(size > 0);
    world_send(world, conn, bytes, (size_t)size);
}

/* ---- what it hears ---- */

void expect(struct world *world, uint32_t conn, uint32_t type)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    if (!world_take(world, conn, &data, &size)) {
        fail_msg("connection %u got nothing, and should have got %u", conn, type);
    }
    assert_int_equal(throng_decode(decoder, data, size, &taken), 0);
    if (taken.type != type) {
        fail_msg("connection %u got type %u, and should have got %u", conn, taken.type, type);
    }
}

void expect_nothing(const struct world *world, uint32_t conn)
{
    assert_int_equal(world->conns[conn].count, 0);
}

uint64_t number_of(const char *key)
{
    uint64_t number = 0;
    assert_int_equal(throng_body_u64(&taken, key, &number), 0);
    return number;
}

void expect_text(const char *key, const char *expected)
{
    const char *text = NULL;
    size_t size = 0;
    assert_int_equal(throng_body_string(&taken, key, &text, &size), 0);
    if (size != strlen(expected) || memcmp(text, expected, size) != 0) {
        fail_msg("%s is \"%.*s\" instead of \"%s\"", key, (int)size, text, expected);
    }
}

void expect_refused(struct world *world, uint32_t conn, enum chat_code code)
{
    expect(world, conn, CHAT_REFUSED);
    assert_int_equal(number_of("code"), code);
}

void expect_goodbye(struct world *world, uint32_t conn, enum chat_code code)
{
    expect(world, conn, CHAT_GOODBYE);
    assert_int_equal(number_of("code"), code);
    assert_true(world->conns[conn].is_closing);
}

/* ---- usual steps ---- */

static const char *const names[] = {"", "ana", "bob", "cy", "dan", "eve", "fay", "gus", "hal"};

void say_hello(struct world *world, uint32_t conn)
{
    world_connect(world, conn);
    SEND(world, conn, CHAT_HELLO, TEXT("name", names[conn]), NUMBER("version", 1));
    expect(world, conn, CHAT_HELLO);
}

struct world *open_lobby(uint32_t count)
{
    struct world *world = world_open(NULL);
    for (uint32_t conn = 1; conn <= count; conn++) {
        say_hello(world, conn);
        SEND(world, conn, CHAT_JOIN, TEXT("room", "lobby"));
        expect(world, conn, CHAT_JOIN);
    }
    for (uint32_t conn = 1; conn <= count; conn++) {
        world_forget(world, conn);
    }
    return world;
}

void say(struct world *world, uint32_t conn, const char *text)
{
    SEND(world, conn, CHAT_SAY, TEXT("room", "lobby"), TEXT("text", text));
}

void become_operator(struct world *world, uint32_t conn)
{
    SEND(world, conn, CHAT_OPERATOR, TEXT("token", WORLD_TOKEN));
    expect(world, conn, CHAT_OPERATOR);
}
