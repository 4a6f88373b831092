/* SPDX-License-Identifier: MIT
 * Typed messages: what may reach MessagePack-C, and what comes out of it.
 *
 * Bytes of any kind: the scan says yes to exactly those that a plain recursive reader takes for one
 * value within the limits; what it lets pass holds as many values, as deep, as the reader has
 * counted; MessagePack-C decodes it, within the memory that was reserved, into the same values; and
 * written again it is the same value.
 *
 * A message made of the input's choices, through the pack, into a buffer or a sink: it passes, and
 * the fields read from it are those that were written.
 *
 *   byte 0   bit 0: which of the two; bits 1..7: limits, or the buffer's size
 *   1 ...    the bytes; or the choices */
#include <throng/message_object.h>

#include <string.h>

#include "fuzz.h"

#define DEPTH_MOST 4u
#define NODES_MOST 12u
#define STRING_MOST 6u
#define KEY_MOST 3u

static struct throng_decoder *decoder;
static uint8_t envelope_and_body[3 + 512];
static uint8_t again[4096];

/* ---- the plain reader ---- */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    const struct throng_message_limits *limits;
    uint32_t nodes;
    uint32_t depth_seen;
};

static bool read_value(struct reader *reader, uint32_t depth, bool is_key);

static bool read_number(struct reader *reader, uint32_t bytes, uint64_t *number)
{
    *number = 0;
    for (; bytes > 0; bytes--) {
        if (reader->at == reader->end) {
            return false;
        }
        *number = *number * 256 + *reader->at++;
    }
    return true;
}

static bool read_bytes(struct reader *reader, uint64_t size, bool is_limited, bool is_key)
{
    if (is_limited && (size > reader->limits->string_bytes_max ||
                       (is_key && size > reader->limits->key_bytes_max))) {
        return false;
    }
    if (size > (uint64_t)(reader->end - reader->at)) {
        return false;
    }
    reader->at += size;
    return true;
}

static bool read_long(struct reader *reader, uint32_t width, bool is_key)
{
    uint64_t size;
    return read_number(reader, width, &size) && read_bytes(reader, size, true, is_key);
}

static bool read_ext(struct reader *reader, uint64_t size)
{
    uint64_t type;
    return reader->limits->ext_allowed && read_number(reader, 1, &type) &&
           read_bytes(reader, size, true, false);
}

static bool read_items(struct reader *reader, uint32_t depth, uint64_t count, bool is_map)
{
    if (depth + 1 > reader->limits->depth_max) {
        return false;
    }
    reader->depth_seen = depth + 1 > reader->depth_seen ? depth + 1 : reader->depth_seen;
    for (uint64_t i = 0; i < count; i++) {
        if ((is_map && !read_value(reader, depth + 1, true)) ||
            !read_value(reader, depth + 1, false)) {
            return false;
        }
    }
    return true;
}

static bool read_typed(struct reader *reader, uint32_t depth, uint8_t first, bool is_key)
{
    static const uint8_t fixed[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8};
    uint64_t count;
    if (first == 0xc0 || first == 0xc2 || first == 0xc3) {
        return true;
    }
    if (first >= 0xc4 && first <= 0xc6) {
        return read_long(reader, 1u << (first - 0xc4), is_key);
    }
    if (first >= 0xc7 && first <= 0xc9) {
        return reader->limits->ext_allowed && read_number(reader, 1u << (first - 0xc7), &count) &&
               read_ext(reader, count);
    }
    if (first >= 0xca && first <= 0xd3) {
        return read_bytes(reader, fixed[first - 0xca], false, false);
    }
    if (first >= 0xd4 && first <= 0xd8) {
        return read_ext(reader, UINT64_C(1) << (first - 0xd4));
    }
    if (first >= 0xd9 && first <= 0xdb) {
        return read_long(reader, 1u << (first - 0xd9), is_key);
    }
    if (first >= 0xdc) {
        return read_number(reader, first % 2 == 0 ? 2 : 4, &count) &&
               read_items(reader, depth, count, first >= 0xde);
    }
    return false;
}

static bool read_value(struct reader *reader, uint32_t depth, bool is_key)
{
    if (reader->at == reader->end || ++reader->nodes > reader->limits->nodes_max) {
        return false;
    }
    const uint8_t first = *reader->at++;
    const bool is_string = (first >= 0xa0 && first <= 0xbf) || (first >= 0xd9 && first <= 0xdb);
    if (is_key && !is_string && !reader->limits->any_keys) {
        return false;
    }
    if (first <= 0x7f || first >= 0xe0) {
        return true;
    }
    if (first <= 0x8f) {
        return read_items(reader, depth, first - 0x80u, true);
    }
    if (first <= 0x9f) {
        return read_items(reader, depth, first - 0x90u, false);
    }
    if (first <= 0xbf) {
        return read_bytes(reader, first - 0xa0u, true, is_key);
    }
    return read_typed(reader, depth, first, is_key);
}

/* ---- what is read of it, and what MessagePack-C makes of it ---- */

/* A number; NaN and the infinities are none for throng_value_f64. */
static void check_number(throng_value value, const msgpack_object *object)
{
    uint64_t number = 0;
    int64_t negative = 0;
    double fraction = 0;
    const bool is_u64 = throng_value_u64(value, &number) == 0;
    const bool is_i64 = throng_value_i64(value, &negative) == 0;
    const bool is_f64 = throng_value_f64(value, &fraction) == 0;
    switch (object->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        FUZZ_CHECK(is_u64 && number == object->via.u64 && is_i64 == (number <= INT64_MAX));
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        FUZZ_CHECK(!is_u64 && is_i64 && negative == object->via.i64 && negative < 0);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        FUZZ_CHECK(!is_u64 && !is_i64);
        FUZZ_CHECK(is_f64 ? fraction == object->via.f64
                          : !(object->via.f64 - object->via.f64 == 0));
        break;
    default:
        FUZZ_CHECK(!is_u64 && !is_i64 && !is_f64);
        break;
    }
}

/* What a value is read as is what MessagePack-C has there. */
static void check_object(throng_value value)
{
    const msgpack_object *object = throng_value_object(value);
    const char *text = NULL;
    const void *bin = NULL;
    size_t size = 0;
    bool yes = false;
    FUZZ_CHECK(object != NULL);
    FUZZ_CHECK(throng_value_kind(value) == throng_value_kind(throng_object_value(object)));
    FUZZ_CHECK(throng_value_size(value) == throng_value_size(throng_object_value(object)));
    FUZZ_CHECK((throng_value_string(value, &text, &size) == 0) ==
               (object->type == MSGPACK_OBJECT_STR));
    FUZZ_CHECK(text == NULL || size == object->via.str.size);
    FUZZ_CHECK(text == NULL || size == 0 || text == object->via.str.ptr);
    FUZZ_CHECK((throng_value_bin(value, &bin, &size) == 0) == (object->type == MSGPACK_OBJECT_BIN));
    FUZZ_CHECK(bin == NULL || size == object->via.bin.size);
    FUZZ_CHECK(bin == NULL || size == 0 || bin == object->via.bin.ptr);
    FUZZ_CHECK((throng_value_bool(value, &yes) == 0) == (object->type == MSGPACK_OBJECT_BOOLEAN));
    FUZZ_CHECK(object->type != MSGPACK_OBJECT_BOOLEAN || yes == object->via.boolean);
    check_number(value, object);
}

/* A key finds the first pair that has it. */
static void check_key(throng_value map, throng_value key)
{
    char name[256];
    const char *text;
    size_t size;
    if (throng_value_string(key, &text, &size) != 0 || memchr(text, 0, size) != NULL) {
        return;
    }
    memcpy(name, text, size);
    name[size] = '\0';
    throng_value other;
    throng_value item;
    const char *first;
    size_t first_size;
    uint32_t i = 0;
    do {
        throng_map_at(map, i++, &other, &item);
    } while (throng_value_string(other, &first, &first_size) != 0 || first_size != size ||
             memcmp(first, text, size) != 0);
    FUZZ_CHECK(throng_value_object(throng_map_get(map, name)) == throng_value_object(item));
}

static uint32_t count_nodes(throng_value value, uint32_t depth, uint32_t *depth_seen)
{
    uint32_t nodes = 1;
    const enum throng_value_kind kind = throng_value_kind(value);
    FUZZ_CHECK(kind != THRONG_VALUE_NONE);
    check_object(value);
    if (kind == THRONG_VALUE_ARRAY || kind == THRONG_VALUE_MAP) {
        *depth_seen = depth + 1 > *depth_seen ? depth + 1 : *depth_seen;
    }
    for (uint32_t i = 0; i < throng_value_size(value); i++) {
        throng_value key;
        throng_value item = throng_array_at(value, i);
        if (kind == THRONG_VALUE_MAP) {
            throng_map_at(value, i, &key, &item);
            nodes += count_nodes(key, depth + 1, depth_seen);
            check_key(value, key);
        }
        nodes += count_nodes(item, depth + 1, depth_seen);
    }
    return nodes;
}

/* Written again and read again: the same bytes from then on. */
static void check_round_trip(throng_value body)
{
    static uint8_t twice[sizeof again];
    struct throng_message message;
    struct throng_pack pack;
    throng_pack_to_buffer(&pack, again, sizeof again);
    throng_pack_envelope(&pack, 7, 0);
    throng_pack_object(&pack, throng_value_object(body));
    const int64_t size = throng_pack_end(&pack);
    FUZZ_CHECK(size > 0 && throng_decode(decoder, again, (size_t)size, &message) == 0);
    throng_pack_to_buffer(&pack, twice, sizeof twice);
    throng_pack_envelope(&pack, 7, 0);
    throng_pack_object(&pack, throng_value_object(message.body));
    FUZZ_CHECK(throng_pack_end(&pack) == size && memcmp(again, twice, (size_t)size) == 0);
}

static void check_bytes(uint32_t choice, const uint8_t *data, size_t size)
{
    const struct throng_message_limits limits = {
        .depth_max = 1 + choice % DEPTH_MOST,
        .nodes_max = (choice & 8) != 0 ? NODES_MOST : 1000,
        .string_bytes_max = (choice & 16) != 0 ? STRING_MOST : 1000,
        .key_bytes_max = (choice & 16) != 0 ? KEY_MOST : 1000,
        .any_keys = (choice & 32) != 0,
        .ext_allowed = (choice & 64) != 0,
    };
    struct reader reader = {data, data + size, &limits, 0, 0};
    struct throng_message_fault fault;
    const int answer = throng_message_scan(data, size, &limits, &fault);
    const bool expected = read_value(&reader, 0, false) && reader.at == reader.end;
    FUZZ_CHECK((answer == 0) == expected);
    FUZZ_CHECK(answer == fault.code && (answer == 0) == (fault.kind == THRONG_FAULT_NONE));
    FUZZ_CHECK(fault.offset <= size);
    if (answer != 0) {
        return;
    }
    struct throng_message message;
    uint32_t depth_seen = 0;
    memcpy(envelope_and_body, "\x93\x07\xc0", 3);
    memcpy(envelope_and_body + 3, data, size);
    FUZZ_CHECK(throng_decode(decoder, envelope_and_body, 3 + size, &message) == 0);
    FUZZ_CHECK(count_nodes(message.body, 0, &depth_seen) == reader.nodes);
    FUZZ_CHECK(depth_seen == reader.depth_seen);
    check_round_trip(message.body);
}

/* ---- messages made of choices ---- */

static uint64_t choose_number(struct fuzz_script *script)
{
    return (UINT64_C(1) << fuzz_byte(script) % 64) + fuzz_byte(script) - 1;
}

/* Writes one value; expect_value reads the same choices. */
static void write_value(struct fuzz_script *script, struct throng_pack *pack, uint32_t depth)
{
    const uint8_t *data;
    size_t size;
    const uint32_t kind = fuzz_byte(script) % (depth < DEPTH_MOST ? 8 : 6);
    const uint32_t count = kind < 6 ? 0 : fuzz_byte(script) % 5;
    switch (kind) {
    case 0:
        throng_pack_nil(pack);
        return;
    case 1:
        throng_pack_bool(pack, fuzz_byte(script) % 2 != 0);
        return;
    case 2:
        throng_pack_u64(pack, choose_number(script));
        return;
    case 3:
        throng_pack_i64(pack, (int64_t)(0 - choose_number(script)));
        return;
    case 4:
        size = fuzz_byte(script) % 40;
        size = fuzz_bytes(script, size, &data);
        throng_pack_string(pack, (const char *)data, size);
        return;
    case 5:
        throng_pack_f64(pack, (double)choose_number(script) / 8);
        return;
    case 6:
        throng_pack_array(pack, count);
        break;
    default:
        throng_pack_map(pack, count);
        break;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (kind == 7) {
            throng_pack_text(pack, "key");
        }
        write_value(script, pack, depth + 1);
    }
}

static void expect_value(struct fuzz_script *script, throng_value value, uint32_t depth);

static void expect_items(struct fuzz_script *script, throng_value value, uint32_t depth,
                         bool is_map)
{
    const uint32_t count = fuzz_byte(script) % 5;
    FUZZ_CHECK(throng_value_kind(value) == (is_map ? THRONG_VALUE_MAP : THRONG_VALUE_ARRAY));
    FUZZ_CHECK(throng_value_size(value) == count);
    for (uint32_t i = 0; i < count; i++) {
        throng_value key;
        throng_value item = throng_array_at(value, i);
        if (is_map) {
            throng_map_at(value, i, &key, &item);
            FUZZ_CHECK(throng_value_kind(key) == THRONG_VALUE_STRING);
        }
        expect_value(script, item, depth + 1);
    }
}

static void expect_value(struct fuzz_script *script, throng_value value, uint32_t depth)
{
    const uint8_t *data;
    const char *text = NULL;
    size_t size;
    size_t got = 0;
    bool yes = false;
    uint64_t number = 0;
    int64_t negative = 0;
    double fraction = 0;
    const uint32_t kind = fuzz_byte(script) % (depth < DEPTH_MOST ? 8 : 6);
    switch (kind) {
    case 0:
        FUZZ_CHECK(throng_value_kind(value) == THRONG_VALUE_NIL);
        return;
    case 1:
        FUZZ_CHECK(throng_value_bool(value, &yes) == 0 && yes == (fuzz_byte(script) % 2 != 0));
        return;
    case 2:
        FUZZ_CHECK(throng_value_u64(value, &number) == 0 && number == choose_number(script));
        return;
    case 3:
        FUZZ_CHECK(throng_value_i64(value, &negative) == 0 &&
                   negative == (int64_t)(0 - choose_number(script)));
        return;
    case 4:
        size = fuzz_byte(script) % 40;
        size = fuzz_bytes(script, size, &data);
        FUZZ_CHECK(throng_value_string(value, &text, &got) == 0 && got == size);
        FUZZ_CHECK(size == 0 || memcmp(text, data, size) == 0);
        return;
    case 5:
        FUZZ_CHECK(throng_value_f64(value, &fraction) == 0 &&
                   fraction == (double)choose_number(script) / 8);
        return;
    default:
        expect_items(script, value, depth, kind == 7);
        return;
    }
}

/* A sink that keeps what it gets in `again`. */
static int keep(void *context, const void *data, size_t size)
{
    size_t *kept = context;
    FUZZ_CHECK(size >= 1 && size <= sizeof again - *kept);
    memcpy(again + *kept, data, size);
    *kept += size;
    return 0;
}

static void check_choices(uint32_t choice, const uint8_t *data, size_t size)
{
    static uint8_t small[256];
    struct fuzz_script script = fuzz_script_open(data, size);
    struct throng_pack pack;
    struct throng_message message;
    size_t kept = 0;
    throng_pack_to_sink(&pack, keep, &kept);
    throng_pack_envelope(&pack, 7, (int32_t)choice - 64);
    write_value(&script, &pack, 0);
    const int64_t bytes = throng_pack_end(&pack);
    FUZZ_CHECK(bytes > 3 && (size_t)bytes == kept);
    FUZZ_CHECK(throng_decode(decoder, again, kept, &message) == 0);
    FUZZ_CHECK(message.request == (uint32_t)(choice < 64 ? 64 - choice : choice - 64));
    script = fuzz_script_open(data, size);
    expect_value(&script, message.body, 0);

    /* The same into a buffer: whole if it fits, too long if not. */
    const size_t capacity = 2 * (size_t)choice;
    script = fuzz_script_open(data, size);
    throng_pack_to_buffer(&pack, small, capacity);
    throng_pack_envelope(&pack, 7, (int32_t)choice - 64);
    write_value(&script, &pack, 0);
    const int64_t answer = throng_pack_end(&pack);
    FUZZ_CHECK(answer == (kept <= capacity ? bytes : THRONG_ETOOBIG));
    FUZZ_CHECK(answer < 0 || memcmp(small, again, kept) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (decoder == NULL) { /* reserved once: a run takes nothing */
        const struct throng_message_limits limits = {.depth_max = DEPTH_MOST + 1,
                                                     .nodes_max = 1000,
                                                     .key_bytes_max = 1000,
                                                     .any_keys = true,
                                                     .ext_allowed = true};
        FUZZ_CHECK(throng_decoder_create(&decoder, &limits, NULL) == 0);
    }
    if (size < 1 || size > 256) {
        return 0;
    }
    if ((data[0] & 1) == 0) {
        check_bytes(data[0] >> 1, data + 1, size - 1);
    } else {
        check_choices(data[0] >> 1, data + 1, size - 1);
    }
    return 0;
}
