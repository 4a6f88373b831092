/* SPDX-License-Identifier: MIT
 * A stream of messages that is read in pieces, for the tests of the assembler. Each piece ends at a
 * guard page. */
#ifndef TEST_UNIT_CUT_STREAM_H
#define TEST_UNIT_CUT_STREAM_H

#include "check.h"
#include "codec/assembler.h"
#include "guard.h"

#define POOL_BYTES (4u * 1024 * 1024)
#define STREAM_MAX (512u * 1024)
#define MESSAGES_MAX 512u

extern struct tg_message_pool pool;
extern struct tg_assembler assembler;
extern struct tg_frame_rules rules;
extern struct test_guard guard;

/* What is sent, and how much of it has come out. */
struct cut_stream {
    uint8_t bytes[STREAM_MAX];
    size_t size;
    struct {
        size_t at; /* of the payload */
        uint32_t size;
    } messages[MESSAGES_MAX];
    uint32_t count;
    uint32_t seen;
};

extern struct cut_stream stream;

/* Group set-up and tear-down of cmocka. */
int open_stream(void **state);
int close_stream(void **state);

/* A new assembler, a pool of that size, an empty stream. */
void start(size_t pool_bytes, uint32_t message_bytes_max, enum throng_byte_order order);

/* Sends a message of that size whose bytes tell their place. */
void add_message(uint32_t size);

/* The message is the next one that was sent. */
void check_message(const struct tg_message *message);

/* Reads the input until it is used up or something else than a message comes. */
enum tg_assembly read_input(struct tg_input *input);

/* The same with a copy of the piece that ends at the guard page. */
enum tg_assembly read_piece(const uint8_t *data, size_t size);

/* Reads the whole stream, cut at the given places (ascending). */
void read_stream(const size_t *cuts, size_t count);

#endif
