/* SPDX-License-Identifier: MIT
 * What is said in the simulated world: pure functions of the seed. Message k of life n upward (to
 * the server) and downward has a size and bytes that both ends work out for themselves, so nothing
 * of what was sent needs to be kept, and each byte that arrives can be compared. */
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
    uint32_t size_least;           /* 1 where an empty message is a heartbeat, else 0 */
    /* Messages downward begin with their number: some may be dropped for newer ones. Needs
     * message_bytes_max >= SCRIPT_NUMBER_BYTES. */
    bool is_numbered;
    enum throng_byte_order byte_order;
};

#define SCRIPT_NUMBER_BYTES 4u

/* Numbers from here on are of messages to rooms: what those say is the script of this life. */
#define SCRIPT_ROOM_FIRST (UINT32_C(1) << 31)
#define SCRIPT_ROOM_LIFE (UINT32_C(1) << 30)

/* The rules of the world that begins. */
void script_begin(const struct script_rules *rules);

uint32_t script_size(uint32_t life, uint32_t message, enum script_way way);
/* Its bytes, until the next call. */
const uint8_t *script_payload(uint32_t life, uint32_t message, enum script_way way);

/* Whether an empty message is a heartbeat. */
bool script_has_beats(void);
/* The number of a message that came down; `expected` where messages have none. */
uint32_t script_number(const void *data, size_t size, uint32_t expected);

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
    uint8_t number[SCRIPT_NUMBER_BYTES];
    uint8_t way;
    bool is_numbered;
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

/* A peer's look at what comes down to it: the stream, heartbeats between two messages, and gaps
 * where messages were dropped for newer ones. */
struct script_reader {
    struct script_cursor cursor;
    uint8_t start[4 + SCRIPT_NUMBER_BYTES]; /* of a frame of which it is not clear what it is */
    uint8_t start_have;
    uint32_t beats;
    uint32_t missed; /* messages that never came */
    uint32_t life;
    uint32_t direct; /* within a message of a room: the next message for this life alone */
    bool in_room;
};

void script_reader_start(struct script_reader *reader, uint32_t life);
/* Whether these bytes may follow. */
bool script_reader_take(struct script_reader *reader, const uint8_t *data, uint32_t size);
/* The next message for this life alone. */
uint32_t script_reader_next(const struct script_reader *reader);
/* Whether a message, or a heartbeat, has begun and not ended. */
bool script_reader_is_inside(const struct script_reader *reader);

#endif
