/* SPDX-License-Identifier: MIT
 * See payload.h. A word of the stream costs one multiplication, and the words do not wait for each
 * other, so that filling and verifying cost little beside the kernel's copying. */
#include "payload.h"

#include <string.h>

/* The increment and the two multipliers of the splitmix64 generator (Steele, Lea, Flood 2014). */
#define STEP UINT64_C(0x9e3779b97f4a7c15)
#define MULTIPLIER_1 UINT64_C(0xbf58476d1ce4e5b9)
#define MULTIPLIER_2 UINT64_C(0x94d049bb133111eb)

static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * MULTIPLIER_1;
    value = (value ^ (value >> 27)) * MULTIPLIER_2;
    return value ^ (value >> 31);
}

/* Where the stream of one message begins. */
static uint64_t stream_start(const struct payload_kind *kind, uint32_t connection,
                             uint64_t sequence)
{
    return mix(mix(kind->seed + STEP * (connection + UINT64_C(1))) + sequence);
}

/* Word `index` of a stream. One round of mix: enough for no two places to look alike. */
static uint64_t stream_word(uint64_t start, size_t index)
{
    uint64_t value = start + STEP * index;
    value = (value ^ (value >> 30)) * MULTIPLIER_1;
    return value ^ (value >> 29);
}

static uint32_t size_in_range(const struct payload_kind *kind, uint64_t start)
{
    uint64_t span = (uint64_t)kind->size_max - kind->size_min + 1;
    /* The high half of the product: even over the span, without a division. */
    return kind->size_min + (uint32_t)(((start >> 32) * span) >> 32);
}

uint32_t payload_size(const struct payload_kind *kind, uint32_t connection, uint64_t sequence)
{
    return size_in_range(kind, stream_start(kind, connection, sequence));
}

static void fill_stream(uint64_t start, uint8_t *bytes, size_t size)
{
    size_t words = size / 8;
    for (size_t i = 0; i < words; i++) {
        uint64_t word = stream_word(start, i);
        memcpy(bytes + 8 * i, &word, 8);
    }
    if (size % 8 != 0) {
        uint64_t word = stream_word(start, words);
        memcpy(bytes + 8 * words, &word, size % 8);
    }
}

/* Collects all differences before it looks at them: no branch per word. */
static bool stream_matches(uint64_t start, const uint8_t *bytes, size_t size)
{
    uint64_t difference = 0;
    size_t words = size / 8;
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * i, 8);
        difference |= word ^ stream_word(start, i);
    }
    uint64_t last = stream_word(start, words);
    return difference == 0 && memcmp(bytes + 8 * words, &last, size % 8) == 0;
}

size_t payload_fill(const struct payload_kind *kind, uint32_t connection, uint64_t sequence,
                    uint8_t *bytes)
{
    uint64_t start = stream_start(kind, connection, sequence);
    size_t size = size_in_range(kind, start);
    size_t header = 0;
    if (size >= PAYLOAD_HEADER_BYTES) {
        memcpy(bytes, &connection, 4);
        memcpy(bytes + 4, &sequence, 8);
        header = PAYLOAD_HEADER_BYTES;
    }
    fill_stream(start, bytes + header, size - header);
    return size;
}

bool payload_names(const void *data, size_t size, uint32_t *connection, uint64_t *sequence)
{
    if (size < PAYLOAD_HEADER_BYTES) {
        return false;
    }
    const uint8_t *bytes = data;
    memcpy(connection, bytes, 4);
    memcpy(sequence, bytes + 4, 8);
    return true;
}

bool payload_matches(const struct payload_kind *kind, uint32_t connection, uint64_t sequence,
                     const void *data, size_t size)
{
    uint64_t start = stream_start(kind, connection, sequence);
    if (size != size_in_range(kind, start)) {
        return false;
    }
    const uint8_t *bytes = data;
    uint32_t named_connection;
    uint64_t named_sequence;
    if (payload_names(data, size, &named_connection, &named_sequence)) {
        return named_connection == connection && named_sequence == sequence &&
               stream_matches(start, bytes + PAYLOAD_HEADER_BYTES, size - PAYLOAD_HEADER_BYTES);
    }
    return size == 0 || stream_matches(start, bytes, size);
}
