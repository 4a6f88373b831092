/* SPDX-License-Identifier: MIT
 * The script: sizes from a table of limits, bytes from one table of noise. A message is a window of
 * the noise, which begins where its hash says: so it is written with one copy and compared with one
 * comparison. */
#include "script.h"

#include <string.h>

#include "base/assert.h"
#include "base/prng.h"
#include "codec/frame.h"
#include "room_ledger.h"

/* Beginnings of windows; a power of two. */
#define WINDOWS 65536u

static struct script_rules script;
static uint8_t noise[WINDOWS + SCRIPT_MESSAGE_MAX];

/* Where sizes are interesting: the blocks of 512 bytes, what still is one block less its header,
 * the change to large blocks, the large block. X(middle, reach, weight) */
static const struct {
    uint32_t least;
    uint32_t count;
    uint32_t weight;
} size_classes[] = {
    {0, 5, 60},      {5, 60, 70},    {64, 200, 30},  {506, 12, 40},
    {1000, 101, 20}, {2040, 20, 20}, {300, 900, 16},
};

void script_begin(const struct script_rules *rules)
{
    TG_REQUIRE(rules->message_bytes_max <= SCRIPT_MESSAGE_MAX);
    script = *rules;
    struct tg_prng prng = {42};
    if (noise[0] == 0 && noise[1] == 0 && noise[2] == 0) {
        for (size_t i = 0; i < sizeof noise; i++) {
            noise[i] = (uint8_t)(tg_prng_next(&prng) >> 32);
        }
        noise[0] = 1;
    }
}

static uint64_t hash_of(uint32_t life, uint32_t message, enum script_way way)
{
    uint64_t key = script.seed + ((uint64_t)life << 33) + ((uint64_t)message << 1) + (uint64_t)way;
    struct tg_prng prng = {key * 0xd6e8feb86659fd93u};
    return tg_prng_next(&prng);
}

static uint32_t long_size(uint32_t pick, uint32_t spread)
{
    switch (pick % 4) {
    case 0:
        return script.receive_buffer_bytes - 8 + spread % 13;
    case 1:
        return script.message_bytes_max - spread % 5;
    case 2:
        return 16896 - 8 + spread % 13;
    default:
        return spread % (script.message_bytes_max + 1);
    }
}

static uint32_t short_size(uint32_t pick, uint32_t spread)
{
    uint32_t last = sizeof size_classes / sizeof size_classes[0] - 1;
    uint32_t class = 0;
    pick &= 255;
    while (class < last && pick >= size_classes[class].weight) {
        pick -= size_classes[class ++].weight;
    }
    return size_classes[class].least + spread % size_classes[class].count;
}

static bool is_numbered(enum script_way way)
{
    return script.is_numbered && way == SCRIPT_DOWN;
}

static uint32_t any_size_of(uint64_t hash)
{
    uint32_t pick = (uint32_t)(hash >> 16);
    uint32_t spread = (uint32_t)(hash >> 40);
    bool is_long = (hash >> 32 & 255) < script.long_parts;
    uint32_t size = is_long ? long_size(pick, spread) : short_size(pick, spread);
    return size <= script.message_bytes_max ? size : spread % (script.message_bytes_max + 1);
}

static uint32_t size_of(uint64_t hash, enum script_way way)
{
    uint32_t size = any_size_of(hash);
    uint32_t least = is_numbered(way) ? SCRIPT_NUMBER_BYTES : script.size_least;
    return size < least ? least : size;
}

static void write_number(uint8_t *target, uint32_t number)
{
    for (uint32_t i = 0; i < SCRIPT_NUMBER_BYTES; i++) {
        target[i] = (uint8_t)(number >> 8 * i);
    }
}

static uint32_t read_number(const uint8_t *source)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < SCRIPT_NUMBER_BYTES; i++) {
        number |= (uint32_t)source[i] << 8 * i;
    }
    return number;
}

uint32_t script_size(uint32_t life, uint32_t message, enum script_way way)
{
    return size_of(hash_of(life, message, way), way);
}

const uint8_t *script_payload(uint32_t life, uint32_t message, enum script_way way)
{
    static uint8_t numbered[SCRIPT_MESSAGE_MAX];
    uint64_t hash = hash_of(life, message, way);
    if (!is_numbered(way)) {
        return noise + hash % WINDOWS;
    }
    memcpy(numbered, noise + hash % WINDOWS, size_of(hash, way));
    write_number(numbered, message);
    return numbered;
}

bool script_has_beats(void)
{
    return script.size_least > 0;
}

uint32_t script_number(const void *data, size_t size, uint32_t expected)
{
    return script.is_numbered && size >= SCRIPT_NUMBER_BYTES ? read_number(data) : expected;
}

bool script_is(uint32_t life, uint32_t message, enum script_way way, const void *data, size_t size)
{
    uint64_t hash = hash_of(life, message, way);
    const uint8_t *bytes = data;
    size_t skipped = is_numbered(way) ? SCRIPT_NUMBER_BYTES : 0;
    if (size != size_of(hash, way) || (skipped > 0 && read_number(bytes) != message)) {
        return false;
    }
    return size == skipped ||
           memcmp(bytes + skipped, noise + hash % WINDOWS + skipped, size - skipped) == 0;
}

void script_header(uint8_t header[4], uint32_t length)
{
    tg_frame_length_write(header, length, script.byte_order);
}

/* ---- the stream ---- */

static void load(struct script_cursor *cursor)
{
    uint64_t hash = hash_of(cursor->life, cursor->message, (enum script_way)cursor->way);
    cursor->at = 0;
    cursor->size = size_of(hash, (enum script_way)cursor->way);
    cursor->payload = noise + hash % WINDOWS;
    script_header(cursor->header, cursor->size);
    if (cursor->is_numbered) {
        write_number(cursor->number, cursor->message);
    }
}

void script_cursor_start(struct script_cursor *cursor, uint32_t life, enum script_way way)
{
    cursor->life = life;
    cursor->message = 0;
    cursor->way = (uint8_t)way;
    cursor->is_numbered = is_numbered(way);
    load(cursor);
}

uint32_t script_cursor_left(const struct script_cursor *cursor)
{
    return 4 + cursor->size - cursor->at;
}

/* The bytes that follow, at most `size` and as they lie in one piece. */
static const uint8_t *piece(const struct script_cursor *cursor, uint32_t *size)
{
    bool in_number = cursor->is_numbered && cursor->at >= 4 && cursor->at < 4 + SCRIPT_NUMBER_BYTES;
    uint32_t end = cursor->at < 4 ? 4 : in_number ? 4 + SCRIPT_NUMBER_BYTES : 4 + cursor->size;
    uint32_t left = end - cursor->at;
    *size = *size < left ? *size : left;
    return cursor->at < 4 ? cursor->header + cursor->at
           : in_number    ? cursor->number + (cursor->at - 4)
                          : cursor->payload + (cursor->at - 4);
}

static void advance(struct script_cursor *cursor, uint32_t size)
{
    cursor->at += size;
    if (cursor->at == 4 + cursor->size) {
        cursor->message++;
        load(cursor);
    }
}

void script_cursor_fill(struct script_cursor *cursor, uint8_t *data, uint32_t size)
{
    while (size > 0) {
        uint32_t part = size;
        const uint8_t *source = piece(cursor, &part);
        memcpy(data, source, part);
        advance(cursor, part);
        data += part;
        size -= part;
    }
}

void script_cursor_skip(struct script_cursor *cursor, uint32_t size)
{
    while (size > 0) {
        uint32_t part = size;
        (void)piece(cursor, &part);
        advance(cursor, part);
        size -= part;
    }
}

bool script_cursor_check(struct script_cursor *cursor, const uint8_t *data, uint32_t size)
{
    while (size > 0) {
        uint32_t part = size;
        const uint8_t *expected = piece(cursor, &part);
        if (memcmp(data, expected, part) != 0) {
            return false;
        }
        advance(cursor, part);
        data += part;
        size -= part;
    }
    return true;
}

/* ---- what comes down ---- */

void script_reader_start(struct script_reader *reader, uint32_t life)
{
    *reader = (struct script_reader){.life = life};
    script_cursor_start(&reader->cursor, life, SCRIPT_DOWN);
}

uint32_t script_reader_next(const struct script_reader *reader)
{
    return reader->in_room ? reader->direct : reader->cursor.message;
}

bool script_reader_is_inside(const struct script_reader *reader)
{
    return reader->cursor.at > 0 || reader->start_have > 0;
}

/* A numbered frame begins. False: it may not come now. */
static bool begin_numbered(struct script_reader *reader, uint32_t number)
{
    struct script_cursor *cursor = &reader->cursor;
    uint32_t next = number;
    if (number >= SCRIPT_ROOM_FIRST) {
        next = cursor->message;
        if (!room_ledger_hear(reader->life, number, &next)) {
            return false;
        }
    } else if (number < cursor->message) {
        return false;
    } else {
        room_ledger_pass(reader->life, number);
    }
    reader->missed += next - cursor->message;
    cursor->message = number;
    if (number >= SCRIPT_ROOM_FIRST) {
        reader->in_room = true;
        reader->direct = next;
        cursor->life = SCRIPT_ROOM_LIFE;
    }
    load(cursor);
    return true;
}

/* Behind a message of a room the life's own go on. */
static void end_frame(struct script_reader *reader)
{
    if (reader->in_room && reader->cursor.at == 0) {
        reader->in_room = false;
        reader->cursor.life = reader->life;
        reader->cursor.message = reader->direct;
        load(&reader->cursor);
    }
}

/* The start of a frame is there, as far as it is needed. False: it is none that may come now. */
static bool begin_frame(struct script_reader *reader)
{
    static const uint8_t beat[4];
    struct script_cursor *cursor = &reader->cursor;
    uint32_t have = reader->start_have;
    if (have == 4 && script_has_beats() && memcmp(reader->start, beat, 4) == 0) {
        reader->beats++;
        reader->start_have = 0;
        return true;
    }
    if (cursor->is_numbered && have < sizeof reader->start) {
        return true; /* its number is missing yet */
    }
    if (cursor->is_numbered && !begin_numbered(reader, read_number(reader->start + 4))) {
        return false;
    }
    reader->start_have = 0;
    bool is_right = script_cursor_check(cursor, reader->start, have);
    end_frame(reader);
    return is_right;
}

bool script_reader_take(struct script_reader *reader, const uint8_t *data, uint32_t size)
{
    struct script_cursor *cursor = &reader->cursor;
    if (!script_has_beats() && !cursor->is_numbered) {
        return script_cursor_check(cursor, data, size);
    }
    while (size > 0) {
        uint32_t part = 1;
        if (cursor->at == 0) {
            reader->start[reader->start_have++] = data[0];
            bool is_start = reader->start_have == 4 || reader->start_have == sizeof reader->start;
            if (is_start && !begin_frame(reader)) {
                return false;
            }
        } else {
            uint32_t left = script_cursor_left(cursor);
            part = size < left ? size : left;
            if (!script_cursor_check(cursor, data, part)) {
                return false;
            }
            end_frame(reader);
        }
        data += part;
        size -= part;
    }
    return true;
}
