/* SPDX-License-Identifier: MIT
 * What is said in the simulated world: pure functions of the seed. Message k of life n upward (to the
 * server) and downward has a size and bytes that both ends work out for themselves, so nothing of
 * what was sent needs to be kept, and each byte that arrives can be compared. */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include <throng/wire.h>

/* Longest message that a script has. */
#define SCRIPT_MESSAGE_MAX 65536u

enum script_way {
    SCRIPT_UP,
    SCRIPT_DOWN
};

struct script_rules {
    uint64_t seed;
    uint32_t message_bytes_max;    /* of the server: 1..SCRIPT_MESSAGE_MAX */
    uint32_t receive_buffer_bytes; /* sizes around it are frequent */
    uint32_t long_parts;           /* of 256: how many messages are long ones */
    enum throng_byte_order byte_order;
};

/* The rules of the world that begins. */
void script_begin(const struct script_rules *rules);

uint32_t script_size(uint32_t life, uint32_t message, enum script_way way);
const uint8_t *script_payload(uint32_t life, uint32_t message, enum script_way way);

/* Whether the bytes are those of that message. */
bool script_is(uint32_t life, uint32_t message, enum script_way way, const void *data, size_t size);

/* The header of a frame that announces `length`. */
void script_header(uint8_t header[4], uint32_t length);

/* A place in the endless stream of a life's frames. */
struct script_cursor {
    uint32_t life;
    uint32_t message; /* the one in which, or before which, we are */
    uint32_t at;      /* bytes of its frame that lie behind us; 0: between two */
    uint32_t size;    /* of its payload */
    const uint8_t *payload;
    uint8_t header[4];
    uint8_t way;
};

void script_cursor_start(struct script_cursor *cursor, uint32_t life, enum script_way way);

/* Bytes to the end of the frame. */
uint32_t script_cursor_left(const struct script_cursor *cursor);

/* The next `size` bytes of the stream; the cursor moves on. */
void script_cursor_fill(struct script_cursor *cursor, uint8_t *data, uint32_t size);

/* Moves over `size` bytes. */
void script_cursor_skip(struct script_cursor *cursor, uint32_t size);

/* Whether the stream goes on with these bytes; the cursor moves on over those that do. */
bool script_cursor_check(struct script_cursor *cursor, const uint8_t *data, uint32_t size);

#endif
