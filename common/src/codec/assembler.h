/* SPDX-License-Identifier: MIT
 * Turns the pieces of a byte stream, cut anywhere, into messages. A message that lies whole in one
 * piece is handed up where it lies; one that does not is put together once in a block of the
 * message pool. The block grows with the bytes that really came (at most twice as large), never
 * with the length that a peer merely claims. Pure but for its pool; one per connection. */
#ifndef TG_CODEC_ASSEMBLER_H
#define TG_CODEC_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer/message_pool.h"
#include "codec/frame.h"

struct tg_assembler {
    uint32_t block;    /* holds the payload bytes so far, or TG_MESSAGE_NONE */
    uint32_t have;     /* header and payload bytes so far; 0 = between frames */
    uint32_t size;     /* payload length once the header is whole */
    uint8_t header[4]; /* while it is being collected */
};

enum tg_assembly {
    TG_ASSEMBLY_NEEDS_INPUT = 0, /* the input is used up */
    TG_ASSEMBLY_MESSAGE = 1,     /* *message is set; call again for the next one */
    TG_ASSEMBLY_TOO_LARGE = 2,   /* message->size is the claimed length; the stream is lost */
    TG_ASSEMBLY_NO_MEMORY =
        3, /* the pool is used up: call again with the rest of the input later */
};

struct tg_message {
    const uint8_t *data; /* never NULL, also for size 0 */
    uint32_t size;
    uint32_t
        block; /* pool block that now belongs to the caller, or TG_MESSAGE_NONE: inside the input */
};

/* The input moves forward as bytes are used. */
struct tg_input {
    const uint8_t *data;
    size_t size;
};

static inline void tg_input_skip(struct tg_input *input, size_t bytes)
{
    input->data += bytes;
    input->size -= bytes;
}

void tg_assembler_init(struct tg_assembler *assembler);

enum tg_assembly tg_assembler_next(struct tg_assembler *assembler, struct tg_message_pool *pool,
                                   const struct tg_frame_rules *rules, struct tg_input *input,
                                   struct tg_message *message);

/* After TG_ASSEMBLY_NO_MEMORY: goes on in a block that the pool has set aside, which must hold a
 * longest message, so that this one will ask for no more. False, with everything as before, if
 * there is none. */
bool tg_assembler_take_kept(struct tg_assembler *assembler, struct tg_message_pool *pool);

/* Whether the stream stands inside a frame. */
static inline bool tg_assembler_is_partial(const struct tg_assembler *assembler)
{
    return assembler->have > 0;
}

/* Gives back what is held. The assembler is as new. */
void tg_assembler_reset(struct tg_assembler *assembler, struct tg_message_pool *pool);

#endif
