/* SPDX-License-Identifier: MIT
 * The scan. See scan.h; the bytes are those of MessagePack's specification:
 *
 *   00..7f  small number   90..9f  array   c0 nil  c1 unused  c2 c3 bool   c4..c6 bin   c7..c9 ext
 *   80..8f  map            a0..bf  string  ca cb float   cc..cf unsigned   d0..d3 signed
 *   e0..ff  -32..-1        d4..d8  ext of 1, 2, 4, 8, 16   d9..db string   dc dd array   de df map */
#include "message/scan.h"

#include "message/fault.h"

/* An array or map that lacks values. */
struct level {
    uint64_t left; /* a map's keys count */
    bool is_map;
};

struct scanner {
    const uint8_t *data;
    size_t size;
    size_t at;      /* the byte looked at */
    uint64_t owed;  /* values announced and not begun */
    uint64_t nodes; /* begun */
    uint32_t depth;
    const struct throng_message_limits *limits;
    struct throng_message_fault *fault;
    struct level levels[TG_MESSAGE_DEPTH_MOST + 1];
};

static int fail(struct scanner *scanner, enum throng_message_fault_kind kind, uint64_t value,
                uint64_t limit)
{
    return tg_fault_set(scanner->fault, kind, scanner->at, value, limit);
}

static bool is_at_key(const struct scanner *scanner)
{
    const struct level *level = &scanner->levels[scanner->depth];
    return level->is_map && level->left % 2 == 0;
}

/* The value whose first byte is looked at is `bytes` long in all. */
static int pass(struct scanner *scanner, uint64_t bytes)
{
    const size_t left = scanner->size - scanner->at;
    if (bytes > left) {
        return fail(scanner, THRONG_FAULT_TRUNCATED, bytes, left);
    }
    scanner->at += (size_t)bytes;
    return 0;
}

/* Reads the number of `width` bytes behind the first one. 0 or the fault's code. */
static int read_size(struct scanner *scanner, uint32_t width, uint64_t *number)
{
    const size_t left = scanner->size - scanner->at;
    if (1 + (size_t)width > left) {
        return fail(scanner, THRONG_FAULT_TRUNCATED, 1 + (uint64_t)width, left);
    }
    *number = 0;
    for (uint32_t i = 1; i <= width; i++) {
        *number = *number << 8 | scanner->data[scanner->at + i];
    }
    return 0;
}

/* A string, bin or ext: `header` bytes, then `size`. */
static int pass_bytes(struct scanner *scanner, uint32_t header, uint64_t size, bool is_key)
{
    if (is_key && size > scanner->limits->key_bytes_max) {
        return fail(scanner, THRONG_FAULT_KEY_BYTES, size, scanner->limits->key_bytes_max);
    }
    if (size > scanner->limits->string_bytes_max) {
        return fail(scanner, THRONG_FAULT_STRING_BYTES, size, scanner->limits->string_bytes_max);
    }
    return pass(scanner, header + size);
}

/* The length of a string or bin lies in `width` bytes. */
static int pass_long(struct scanner *scanner, uint32_t width, bool is_key)
{
    uint64_t size;
    const int result = read_size(scanner, width, &size);
    return result < 0 ? result : pass_bytes(scanner, 1 + width, size, is_key);
}

/* An ext is a string with one byte more in front of it. */
static int pass_ext(struct scanner *scanner, uint8_t first)
{
    if (!scanner->limits->ext_allowed) {
        return fail(scanner, THRONG_FAULT_EXT, first, 0);
    }
    if (first >= 0xd4) {
        return pass_bytes(scanner, 2, UINT64_C(1) << (first - 0xd4), false);
    }
    const uint32_t width = 1u << (first - 0xc7);
    uint64_t size;
    const int result = read_size(scanner, width, &size);
    return result < 0 ? result : pass_bytes(scanner, 2 + width, size, false);
}

/* A container of `header` bytes announces `count` values. */
static int enter(struct scanner *scanner, uint32_t header, uint64_t count, bool is_map)
{
    const size_t left = scanner->size - scanner->at - header;
    if (scanner->owed + count > left) {
        return fail(scanner, THRONG_FAULT_COUNT, is_map ? count / 2 : count, left);
    }
    if (scanner->nodes + scanner->owed + count > scanner->limits->nodes_max) {
        return fail(scanner, THRONG_FAULT_NODES, scanner->nodes + scanner->owed + count,
                    scanner->limits->nodes_max);
    }
    /* Empty ones count as a level too: what is refused does not depend on what is inside. */
    if (scanner->depth == scanner->limits->depth_max) {
        return fail(scanner, THRONG_FAULT_DEPTH, (uint64_t)scanner->depth + 1,
                    scanner->limits->depth_max);
    }
    scanner->at += header;
    if (count > 0) {
        scanner->owed += count;
        scanner->levels[++scanner->depth] = (struct level){count, is_map};
    }
    return 0;
}

static int enter_long(struct scanner *scanner, uint32_t width, bool is_map)
{
    uint64_t count;
    const int result = read_size(scanner, width, &count);
    return result < 0 ? result : enter(scanner, 1 + width, is_map ? 2 * count : count, is_map);
}

/* A value whose first byte is c0..df. */
static int scan_typed(struct scanner *scanner, uint8_t first, bool is_key)
{
    static const uint8_t bytes_of_number[] = {5, 9, 2, 3, 5, 9, 2, 3, 5, 9}; /* ca..d3 */
    switch (first) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
        return pass(scanner, 1);
    case 0xc1:
        return fail(scanner, THRONG_FAULT_RESERVED, first, 0);
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return pass_long(scanner, 1u << (first - 0xc4), is_key);
    case 0xd9:
    case 0xda:
    case 0xdb:
        return pass_long(scanner, 1u << (first - 0xd9), is_key);
    case 0xdc:
    case 0xdd:
        return enter_long(scanner, 2u << (first - 0xdc), false);
    case 0xde:
    case 0xdf:
        return enter_long(scanner, 2u << (first - 0xde), true);
    default:
        return first >= 0xca && first <= 0xd3 ? pass(scanner, bytes_of_number[first - 0xca])
                                              : pass_ext(scanner, first);
    }
}

static bool is_string(uint8_t first)
{
    return (first >= 0xa0 && first <= 0xbf) || (first >= 0xd9 && first <= 0xdb);
}

/* One value; of a container its start. */
static int scan_value(struct scanner *scanner)
{
    if (scanner->at == scanner->size) {
        return fail(scanner, THRONG_FAULT_TRUNCATED, scanner->owed, 0);
    }
    const uint8_t first = scanner->data[scanner->at];
    const bool is_key = is_at_key(scanner);
    if (is_key && !is_string(first) && !scanner->limits->any_keys) {
        return fail(scanner, THRONG_FAULT_KEY, first, 0);
    }
    scanner->owed--;
    scanner->nodes++;
    scanner->levels[scanner->depth].left--;
    if (first < 0x80 || first >= 0xe0) {
        scanner->at++;
        return 0;
    }
    if (first < 0x90) {
        return enter(scanner, 1, 2 * (uint64_t)(first & 0x0f), true);
    }
    if (first < 0xa0) {
        return enter(scanner, 1, first & 0x0f, false);
    }
    if (first < 0xc0) {
        return pass_bytes(scanner, 1, first & 0x1f, is_key);
    }
    return scan_typed(scanner, first, is_key);
}

int tg_message_scan(const uint8_t *data, size_t size, size_t offset,
                    const struct throng_message_limits *limits, struct throng_message_fault *fault)
{
    struct scanner scanner = {.data = data,
                              .size = size,
                              .at = offset,
                              .owed = 1,
                              .limits = limits,
                              .fault = fault,
                              .levels = {{1, false}}};
    while (scanner.owed > 0) {
        const int result = scan_value(&scanner);
        if (result < 0) {
            return result;
        }
        while (scanner.depth > 0 && scanner.levels[scanner.depth].left == 0) {
            scanner.depth--;
        }
    }
    if (scanner.at < size) {
        return fail(&scanner, THRONG_FAULT_TRAILING, size - scanner.at, 0);
    }
    return tg_fault_set(fault, THRONG_FAULT_NONE, 0, 0, 0);
}
