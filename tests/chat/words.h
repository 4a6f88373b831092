/* SPDX-License-Identifier: MIT
 * The words in which the tests of the chat's handlers are written: what a client says in a world,
 * what it must hear, and the usual steps. */
#ifndef CHAT_WORDS_H
#define CHAT_WORDS_H

#include "check.h"
#include "world.h"

/* A test of these words: TEST(name) in a table of cmocka. */
int create_decoder(void **state);
int destroy_decoder(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, create_decoder, destroy_decoder)

/* ---- a client's words ---- */

struct field {
    const char *key;
    const char *text; /* NULL: it is a number */
    uint64_t number;
};

/* Sends request 1 with up to three fields. */
void send_fields(struct world *world, uint32_t conn, uint32_t type, const struct field fields[3]);

#define SEND(world, conn, type, ...)                                                               \
    send_fields(world, conn, type, (const struct field[3]){__VA_ARGS__})
#define TEXT(key, text)                                                                            \
    {                                                                                              \
        key, text, 0                                                                               \
    }
#define NUMBER(key, number)                                                                        \
    {                                                                                              \
        key, NULL, number                                                                          \
    }

/* ---- what it hears ---- */

/* What expect() has taken. */
extern struct throng_message taken;

/* The next message must be of this type. */
void expect(struct world *world, uint32_t conn, uint32_t type);
void expect_nothing(const struct world *world, uint32_t conn);
void expect_refused(struct world *world, uint32_t conn, enum chat_code code);
void expect_goodbye(struct world *world, uint32_t conn, enum chat_code code);

/* Fields of it. */
uint64_t number_of(const char *key);
void expect_text(const char *key, const char *expected);

/* ---- usual steps ---- */

/* Connects, under a name of its own: ana, bob, cy ... */
void say_hello(struct world *world, uint32_t conn);

/* The first `count` connections are in the room. */
struct world *open_lobby(uint32_t count);
void say(struct world *world, uint32_t conn, const char *text);
void become_operator(struct world *world, uint32_t conn);

#endif
