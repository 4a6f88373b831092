/* SPDX-License-Identifier: MIT
 * The envelope [type, request, body] up to its body, in whatever form MessagePack has for an array
 * and a number (others do not always choose the shortest). See scan.h. */
#include "message/fault.h"
#include "message/scan.h"

struct reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    struct throng_message_fault *fault;
};

static int fail(const struct reader *reader, enum throng_message_fault_kind kind, uint64_t value)
{
    return tg_fault_set(reader->fault, kind, reader->at, value, 0);
}

/* Whether `bytes` more are there. */
static bool has(const struct reader *reader, size_t bytes)
{
    return reader->size - reader->at >= bytes;
}

static int fail_short(const struct reader *reader, size_t bytes)
{
    return tg_fault_set(reader->fault, THRONG_FAULT_TRUNCATED, reader->at, bytes,
                        reader->size - reader->at);
}

static int read_array(struct reader *reader)
{
    static const uint8_t forms[][5] = {{0x93}, {0xdc, 0, 3}, {0xdd, 0, 0, 0, 3}};
    static const size_t sizes[] = {1, 3, 5};
    if (!has(reader, 1)) {
        return fail_short(reader, 1);
    }
    const uint8_t first = reader->data[reader->at];
    const size_t form = first == 0x93 ? 0 : first == 0xdc ? 1 : 2;
    if (first != forms[form][0]) {
        return fail(reader, THRONG_FAULT_ENVELOPE, first);
    }
    if (!has(reader, sizes[form])) {
        return fail_short(reader, sizes[form]);
    }
    for (size_t i = 1; i < sizes[form]; i++) {
        if (reader->data[reader->at + i] != forms[form][i]) {
            return fail(reader, THRONG_FAULT_ENVELOPE, first);
        }
    }
    reader->at += sizes[form];
    return 0;
}

/* Bytes of a number by its first one; 0: it is none. */
static size_t number_bytes(uint8_t first)
{
    static const uint8_t bytes[] = {2, 3, 5, 9, 2, 3, 5, 9}; /* cc..d3 */
    if (first < 0x80 || first >= 0xe0) {
        return 1;
    }
    return first >= 0xcc && first <= 0xd3 ? bytes[first - 0xcc] : 0;
}

/* Reads a whole number in the range of 33 bits with sign; `wrong` is the fault if it is none. */
static int read_number(struct reader *reader, enum throng_message_fault_kind wrong, int64_t *number)
{
    if (!has(reader, 1)) {
        return fail_short(reader, 1);
    }
    const uint8_t first = reader->data[reader->at];
    const size_t bytes = number_bytes(first);
    if (bytes == 0) {
        return fail(reader, wrong, first);
    }
    if (!has(reader, bytes)) {
        return fail_short(reader, bytes);
    }
    if (bytes == 1) {
        *number = first < 0x80 ? first : (int64_t)first - 256;
    } else {
        /* Signed ones begin with their sign in every bit. */
        const bool negative = first >= 0xd0 && reader->data[reader->at + 1] >= 0x80;
        uint64_t bits = negative ? UINT64_MAX : 0;
        for (size_t i = 1; i < bytes; i++) {
            bits = bits << 8 | reader->data[reader->at + i];
        }
        if (negative ? bits < UINT64_MAX - UINT32_MAX : bits > UINT32_MAX) {
            return fail(reader, wrong, first);
        }
        *number = negative ? -(int64_t)(UINT64_MAX - bits) - 1 : (int64_t)bits;
    }
    reader->at += bytes;
    return 0;
}

static int read_type(struct reader *reader, struct tg_envelope *envelope)
{
    const size_t before = reader->at;
    int64_t number = 0;
    const int result = read_number(reader, THRONG_FAULT_TYPE, &number);
    if (result < 0) {
        return result;
    }
    if (number < 0) {
        reader->at = before;
        return fail(reader, THRONG_FAULT_TYPE, reader->data[before]);
    }
    envelope->type = (uint32_t)number;
    return 0;
}

static int read_request(struct reader *reader, struct tg_envelope *envelope)
{
    const size_t before = reader->at;
    if (has(reader, 1) && reader->data[before] == 0xc0) {
        reader->at++;
        return 0;
    }
    int64_t number = 0;
    const int result = read_number(reader, THRONG_FAULT_REQUEST, &number);
    if (result < 0) {
        return result;
    }
    if (number == 0 || number > THRONG_REQUEST_ID_MAX || number < -THRONG_REQUEST_ID_MAX) {
        reader->at = before;
        return fail(reader, THRONG_FAULT_REQUEST, reader->data[before]);
    }
    envelope->is_reply = number < 0;
    envelope->request = (uint32_t)(number < 0 ? -number : number);
    return 0;
}

int tg_envelope_read(const uint8_t *data, size_t size, struct tg_envelope *envelope,
                     struct throng_message_fault *fault)
{
    if (size >= 3 && data[0] == 0x93 && data[1] < 0x80 && data[2] == 0xc0) {
        *envelope = (struct tg_envelope){.type = data[1], .body = 3}; /* the usual one */
        return 0;
    }
    struct reader reader = {data, size, 0, fault};
    *envelope = (struct tg_envelope){0};
    int result = read_array(&reader);
    if (result == 0) {
        result = read_type(&reader, envelope);
    }
    if (result == 0) {
        result = read_request(&reader, envelope);
    }
    envelope->body = reader.at;
    return result;
}
