/* SPDX-License-Identifier: MIT
 * Puts the messages of one connection together from the pieces in which the stream arrives. Called
 * by whoever receives: a worker, a client. The thread that owns the message pool.
 *
 * `have` says where the stream stands:
 *
 *   0        1 .. 3                4 .. 4 + size - 1
 *   between  collecting header[]   `size` is known; payload bytes so far are in `block`, which
 *   frames                         does not exist before the first of them is kept
 */
#include "codec/assembler.h"

#include <string.h>

#include "base/assert.h"

_Static_assert(sizeof(struct tg_assembler) == 16, "one for each connection, idle or not");

#define HEADER_BYTES ((uint32_t)THRONG_FRAME_HEADER_BYTES)

/* A message of at most this size gets its whole block with its first byte: growing would copy more
 * than it saves. */
#define WHOLE_AT_ONCE_BYTES 4096u

void tg_assembler_init(struct tg_assembler *assembler)
{
    *assembler = (struct tg_assembler){.block = TG_MESSAGE_NONE};
}

void tg_assembler_reset(struct tg_assembler *assembler, struct tg_message_pool *pool)
{
    if (assembler->block != TG_MESSAGE_NONE) {
        tg_message_pool_give(pool, assembler->block);
    }
    tg_assembler_init(assembler);
}

/* Collects header bytes; answers whether the header is whole. */
static bool collect_header(struct tg_assembler *assembler, const struct tg_frame_rules *rules,
                           struct tg_input *input)
{
    if (assembler->have >= HEADER_BYTES) {
        return true;
    }
    while (input->size > 0) {
        assembler->header[assembler->have++] = input->data[0];
        tg_input_skip(input, 1);
        if (assembler->have == HEADER_BYTES) {
            assembler->size = tg_frame_length_read(assembler->header, rules->byte_order);
            return true;
        }
    }
    return false;
}

/* The payload so far moves to another block. */
static void move_to(struct tg_assembler *assembler, struct tg_message_pool *pool, uint32_t block,
                    uint32_t kept)
{
    uint32_t old = assembler->block;
    if (old != TG_MESSAGE_NONE) {
        memcpy(tg_message_pool_data(pool, block), tg_message_pool_data(pool, old), kept);
        tg_message_pool_give(pool, old);
    }
    assembler->block = block;
}

/* Makes room for `kept` + `coming` payload bytes. False, with everything as before, if the pool is
 * used up. */
static bool make_room(struct tg_assembler *assembler, struct tg_message_pool *pool, uint32_t kept,
                      uint32_t coming)
{
    uint32_t old = assembler->block;
    uint32_t needed = kept + coming;
    if (old != TG_MESSAGE_NONE && needed <= tg_message_pool_capacity(pool, old)) {
        return true;
    }
    /* Blocks are powers of two, so asking for what has come doubles the block at least. What the
     * peer merely claims is not asked for: a header costs it nothing. */
    if (assembler->size <= WHOLE_AT_ONCE_BYTES) {
        needed = assembler->size;
    }
    uint32_t block = tg_message_pool_take(pool, needed);
    if (block == TG_MESSAGE_NONE) {
        return false;
    }
    move_to(assembler, pool, block, kept);
    return true;
}

bool tg_assembler_take_kept(struct tg_assembler *assembler, struct tg_message_pool *pool)
{
    TG_REQUIRE(assembler->have >= HEADER_BYTES);
    uint32_t block = tg_message_pool_take_kept(pool);
    if (block == TG_MESSAGE_NONE) {
        return false;
    }
    TG_REQUIRE(assembler->size <= tg_message_pool_capacity(pool, block));
    move_to(assembler, pool, block, assembler->have - HEADER_BYTES);
    return true;
}

static enum tg_assembly finish(struct tg_assembler *assembler, struct tg_message *message,
                               const uint8_t *data)
{
    *message =
        (struct tg_message){.data = data, .size = assembler->size, .block = assembler->block};
    tg_assembler_init(assembler);
    return TG_ASSEMBLY_MESSAGE;
}

/* The frame is cut somewhere: part of it came before, or part of it is yet to come. */
static enum tg_assembly continue_frame(struct tg_assembler *assembler, struct tg_message_pool *pool,
                                       const struct tg_frame_rules *rules, struct tg_input *input,
                                       struct tg_message *message)
{
    if (!collect_header(assembler, rules, input)) {
        return TG_ASSEMBLY_NEEDS_INPUT;
    }
    if (assembler->size > rules->message_bytes_max) {
        message->size = assembler->size;
        return TG_ASSEMBLY_TOO_LARGE;
    }
    uint32_t kept = assembler->have - HEADER_BYTES;
    uint32_t missing = assembler->size - kept;
    if (kept == 0 && missing <= input->size) {
        /* Only the header was cut off: the payload lies whole in the input. */
        const uint8_t *payload = input->data;
        tg_input_skip(input, missing);
        return finish(assembler, message, payload);
    }
    if (input->size == 0) {
        return TG_ASSEMBLY_NEEDS_INPUT;
    }
    uint32_t coming = missing < input->size ? missing : (uint32_t)input->size;
    if (!make_room(assembler, pool, kept, coming)) {
        return TG_ASSEMBLY_NO_MEMORY;
    }
    uint8_t *payload = tg_message_pool_data(pool, assembler->block);
    memcpy(payload + kept, input->data, coming);
    tg_input_skip(input, coming);
    assembler->have += coming;
    if (coming < missing) {
        return TG_ASSEMBLY_NEEDS_INPUT;
    }
    return finish(assembler, message, payload);
}

enum tg_assembly tg_assembler_next(struct tg_assembler *assembler, struct tg_message_pool *pool,
                                   const struct tg_frame_rules *rules, struct tg_input *input,
                                   struct tg_message *message)
{
    if (assembler->have == 0) {
        struct tg_frame frame;
        if (tg_frame_read(input->data, input->size, rules, &frame) == TG_FRAME_WHOLE) {
            *message = (struct tg_message){
                .data = frame.payload, .size = frame.size, .block = TG_MESSAGE_NONE};
            tg_input_skip(input, HEADER_BYTES + (size_t)frame.size);
            return TG_ASSEMBLY_MESSAGE;
        }
    }
    return continue_frame(assembler, pool, rules, input, message);
}
