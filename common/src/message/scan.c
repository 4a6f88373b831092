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
    uint64_t left;        /* a map's keys count */
    struct tg_node *next; /* what its next value is noted in */
    bool is_map;
};

struct scanner {
    const uint8_t *data;
    size_t size;
    size_t at;          /* the byte looked at */
    struct level level; /* the innermost one; depth 0 owes the value itself */
    uint64_t owed;      /* by those around it */
    uint64_t nodes;     /* announced so far, begun or owed */
    uint32_t depth;
    const struct throng_message_limits *limits;
    struct throng_message_fault *fault;
    struct tg_node *base; /* nodes_max of them */
    struct tg_node *node; /* of the value looked at */
    size_t step;          /* 1; 0: nobody wants them, and all values are noted in one */
    struct level around[TG_MESSAGE_DEPTH_MOST]; /* from the outermost to the one around this one */
};

static int fail(struct scanner *scanner, enum throng_message_fault_kind kind, uint64_t value,
                uint64_t limit)
{
    return tg_fault_set(scanner->fault, kind, scanner->at, value, limit);
}

static bool is_at_key(const struct scanner *scanner)
{
    return scanner->level.is_map && scanner->level.left % 2 == 0;
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
    uint64_t size = 0;
    const int result = read_size(scanner, width, &size);
    return result < 0 ? result : pass_bytes(scanner, 1 + width, size, is_key);
}

/* An ext is a string with one byte more in front of it, its type. */
static int pass_long_ext(struct scanner *scanner, uint32_t width)
{
    uint64_t size = 0;
    const int result = read_size(scanner, width, &size);
    return result < 0 ? result : pass_bytes(scanner, 2 + width, size, false);
}

/* A container of `header` bytes announces `count` values. Nodes are given out as values are
 * announced. */
static int enter(struct scanner *scanner, uint32_t header, uint64_t count, bool is_map)
{
    const size_t bytes_left = scanner->size - scanner->at - header;
    if (scanner->owed + scanner->level.left + count > bytes_left) {
        return fail(scanner, THRONG_FAULT_COUNT, is_map ? count / 2 : count, bytes_left);
    }
    if (scanner->nodes + count > scanner->limits->nodes_max) {
        return fail(scanner, THRONG_FAULT_NODES, scanner->nodes + count,
                    scanner->limits->nodes_max);
    }
    /* Empty ones count as a level too: what is refused does not depend on what is inside. */
    if (scanner->depth == scanner->limits->depth_max) {
        return fail(scanner, THRONG_FAULT_DEPTH, (uint64_t)scanner->depth + 1,
                    scanner->limits->depth_max);
    }
    struct tg_node *children = scanner->base + scanner->nodes * scanner->step;
    scanner->at += header;
    scanner->nodes += count;
    scanner->node->children = children;
    if (count > 0) {
        scanner->owed += scanner->level.left;
        scanner->around[scanner->depth++] = scanner->level;
        scanner->level = (struct level){count, children, is_map};
    }
    return 0;
}

static int enter_long(struct scanner *scanner, uint32_t width, bool is_map)
{
    uint64_t count = 0;
    const int result = read_size(scanner, width, &count);
    return result < 0 ? result : enter(scanner, 1 + width, is_map ? 2 * count : count, is_map);
}

/* What the bytes c0..df begin. */
enum form {
    FORM_NONE,
    FORM_FIXED,    /* `number` bytes in all */
    FORM_BYTES,    /* a length of `number` bytes, then that many */
    FORM_EXT,      /* the same with a type between */
    FORM_EXT_SIZE, /* a type, then `number` bytes */
    FORM_ARRAY,    /* a count of `number` bytes */
    FORM_MAP,
};

static const struct {
    uint8_t form;
    uint8_t number;
} forms[32] = {
    {FORM_FIXED, 1},    {FORM_NONE, 0},      {FORM_FIXED, 1},    {FORM_FIXED, 1}, /* c0 */
    {FORM_BYTES, 1},    {FORM_BYTES, 2},     {FORM_BYTES, 4},                     /* c4: bin */
    {FORM_EXT, 1},      {FORM_EXT, 2},       {FORM_EXT, 4},                       /* c7 */
    {FORM_FIXED, 5},    {FORM_FIXED, 9},                                          /* ca: float */
    {FORM_FIXED, 2},    {FORM_FIXED, 3},     {FORM_FIXED, 5},    {FORM_FIXED, 9}, /* cc: unsigned */
    {FORM_FIXED, 2},    {FORM_FIXED, 3},     {FORM_FIXED, 5},    {FORM_FIXED, 9}, /* d0: signed */
    {FORM_EXT_SIZE, 1}, {FORM_EXT_SIZE, 2},  {FORM_EXT_SIZE, 4},                  /* d4 */
    {FORM_EXT_SIZE, 8}, {FORM_EXT_SIZE, 16},                                      /* d7 */
    {FORM_BYTES, 1},    {FORM_BYTES, 2},     {FORM_BYTES, 4},                     /* d9: string */
    {FORM_ARRAY, 2},    {FORM_ARRAY, 4},     {FORM_MAP, 2},      {FORM_MAP, 4},   /* dc, de */
};

/* A value whose first byte is c0..df. */
static int scan_typed(struct scanner *scanner, uint8_t first, bool is_key)
{
    const uint32_t number = forms[first - 0xc0].number;
    const enum form form = (enum form)forms[first - 0xc0].form;
    if ((form == FORM_EXT || form == FORM_EXT_SIZE) && !scanner->limits->ext_allowed) {
        return fail(scanner, THRONG_FAULT_EXT, first, 0);
    }
    switch (form) {
    case FORM_FIXED:
        return pass(scanner, number);
    case FORM_BYTES:
        return pass_long(scanner, number, is_key);
    case FORM_EXT:
        return pass_long_ext(scanner, number);
    case FORM_EXT_SIZE:
        return pass_bytes(scanner, 2, number, false);
    case FORM_ARRAY:
        return enter_long(scanner, number, false);
    case FORM_MAP:
        return enter_long(scanner, number, true);
    case FORM_NONE:
        break;
    }
    return fail(scanner, THRONG_FAULT_RESERVED, first, 0);
}

static bool is_string(uint8_t first)
{
    return (first >= 0xa0 && first <= 0xbf) || (first >= 0xd9 && first <= 0xdb);
}

/* One value; of a container its start. */
static int scan_value(struct scanner *scanner)
{
    if (scanner->at == scanner->size) {
        return fail(scanner, THRONG_FAULT_TRUNCATED, scanner->owed + scanner->level.left, 0);
    }
    const uint8_t first = scanner->data[scanner->at];
    const bool is_key = is_at_key(scanner);
    if (is_key && !is_string(first) && !scanner->limits->any_keys) {
        return fail(scanner, THRONG_FAULT_KEY, first, 0);
    }
    scanner->level.left--;
    scanner->node = scanner->level.next;
    scanner->node->bytes = &scanner->data[scanner->at];
    scanner->level.next += scanner->step;
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

/* ---- the usual ones ---- */

/* Bytes of the values that are whole in themselves and need no limit but SHORT_STRING_MOST; 0: the
 * others. */
#define SIXTEEN(n) n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n
#define SHORT_STRING_MOST 31u
/* clang-format off */
static const uint8_t plain_bytes[256] = {
    SIXTEEN(1), SIXTEEN(1), SIXTEEN(1), SIXTEEN(1), SIXTEEN(1), SIXTEEN(1), SIXTEEN(1), SIXTEEN(1),
    SIXTEEN(0), SIXTEEN(0),                                         /* 80: containers */
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, /* a0: strings */
    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
    1,  0,  1,  1,  0,  0,  0,  0,  0,  0,  5,  9,  2,  3,  5,  9,  /* c0 */
    2,  3,  5,  9,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  /* d0 */
    SIXTEEN(1), SIXTEEN(1),
};
/* clang-format on */

/* All bytes of the value that begins at `at`, with `left` bytes up to the message's end, if it is
 * one that can be passed without a second look: a plain one, or a bin or string whose length is one
 * byte. 0: it is another, or not all there. */
static inline size_t plain_size(const struct scanner *scanner, const uint8_t *at, size_t left)
{
    const size_t bytes = plain_bytes[at[0]];
    if (bytes - 1 < left) { /* neither 0 nor too many */
        return bytes;
    }
    if ((at[0] != 0xc4 && at[0] != 0xd9) || left < 2 || at[1] > scanner->limits->string_bytes_max ||
        2 + (size_t)at[1] > left) {
        return 0;
    }
    return 2 + (size_t)at[1];
}

static void pass_elements(struct scanner *scanner)
{
    const uint8_t *const end = scanner->data + scanner->size;
    const uint8_t *at = scanner->data + scanner->at;
    struct tg_node *node = scanner->level.next;
    const size_t step = scanner->step;
    uint64_t left = scanner->level.left;
    for (; left > 0 && at < end; left--) {
        const size_t bytes = plain_size(scanner, at, (size_t)(end - at));
        if (bytes == 0) {
            break;
        }
        node->bytes = at;
        node += step;
        at += bytes;
    }
    scanner->level.next = node;
    scanner->at = (size_t)(at - scanner->data);
    scanner->level.left = left;
}

/* Pairs whose key is a short string. */
static void pass_pairs(struct scanner *scanner)
{
    const uint8_t *const end = scanner->data + scanner->size;
    const uint8_t *at = scanner->data + scanner->at;
    struct tg_node *node = scanner->level.next;
    const size_t step = scanner->step;
    uint64_t pairs = scanner->level.left / 2;
    if (scanner->level.left % 2 != 0) {
        return; /* a value's turn, which is not plain */
    }
    for (; pairs > 0 && at < end; pairs--) {
        const uint32_t key_size = at[0] - 0xa0u;
        const size_t left = (size_t)(end - at) - 1;
        if (key_size > SHORT_STRING_MOST || key_size >= left) {
            break;
        }
        const uint8_t *value = at + 1 + key_size;
        const size_t bytes = plain_size(scanner, value, left - key_size);
        if (bytes == 0) {
            break;
        }
        node->bytes = at;
        node[step].bytes = value;
        node += 2 * step;
        at = value + bytes;
    }
    scanner->level.next = node;
    scanner->at = (size_t)(at - scanner->data);
    scanner->level.left = 2 * pairs;
}

/* Passes what can be passed without a second look: nearly all of a usual message. Stops at the
 * first other value, or at its key. */
static void pass_plain(struct scanner *scanner)
{
    if (scanner->level.is_map) {
        pass_pairs(scanner);
    } else {
        pass_elements(scanner);
    }
}

int tg_message_scan(const uint8_t *data, size_t size, size_t offset,
                    const struct throng_message_limits *limits, struct tg_node *nodes,
                    struct throng_message_fault *fault)
{
    struct tg_node unread = {NULL, NULL};
    struct scanner scanner; /* not all of it is set: `around` is filled from its front */
    scanner.data = data;
    scanner.size = size;
    scanner.at = offset;
    scanner.base = nodes != NULL ? nodes : &unread;
    scanner.step = nodes != NULL ? 1 : 0;
    scanner.level = (struct level){1, scanner.base, false};
    scanner.owed = 0;
    scanner.nodes = 1;
    scanner.depth = 0;
    scanner.limits = limits;
    scanner.fault = fault;
    const bool has_plain = limits->string_bytes_max >= SHORT_STRING_MOST &&
                           limits->key_bytes_max >= SHORT_STRING_MOST;
    for (;;) {
        if (scanner.level.left > 0) {
            const int result = scan_value(&scanner);
            if (result < 0) {
                return result;
            }
            if (has_plain) {
                pass_plain(&scanner);
            }
        } else if (scanner.depth > 0) { /* a container lacks nothing more */
            scanner.level = scanner.around[--scanner.depth];
            scanner.owed -= scanner.level.left;
        } else {
            break;
        }
    }
    if (scanner.at < size) {
        return fail(&scanner, THRONG_FAULT_TRAILING, size - scanner.at, 0);
    }
    *fault = (struct throng_message_fault){0};
    return 0;
}
