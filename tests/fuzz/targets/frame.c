/* SPDX-License-Identifier: MIT
 * The frame codec, held against a parser that is too plain to be wrong: the same stream in one
 * piece through tg_frame_read, then through the assembler in one piece, a byte at a time, and in
 * pieces that the input chooses. Same messages, same verdict, same bytes used.
 *
 *   byte 0   bit 0: byte order; bits 1-3: the limit
 *   byte 1-2 four piece sizes, taken in turns: 0-14 bytes, or 15 for all that is left
 *   3 ...    the stream */
#include <string.h>

#include "codec/assembler.h"
#include "codec/frame.h"
#include "fuzz.h"

#define STREAM_MAX 4096u
#define HEADER 4u
#define POOL_BYTES 16384u

static const uint32_t limits[8] = {1, 2, 5, 16, 40, 255, 65536, THRONG_MESSAGE_BYTES_LIMIT};

/* What the plain parser found. */
enum end {
    AT_BORDER,
    INSIDE_FRAME,
    TOO_LARGE
};

struct message {
    uint32_t at; /* of the payload, in the stream */
    uint32_t size;
};

struct truth {
    struct message messages[STREAM_MAX / HEADER];
    uint32_t count;
    enum end end;
    uint32_t used;    /* bytes of whole frames, and of a header that is too large */
    uint32_t claimed; /* the length in that header */
};

static struct truth truth;

/* Empty as long as no message is in it, so every run begins with the same pool. */
static struct tg_message_pool pool;
static uint8_t pool_memory[POOL_BYTES];
static struct tg_message_unit pool_tables[POOL_BYTES / TG_MESSAGE_UNIT_BYTES];

static uint32_t read_length(const uint8_t *header, bool little)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < HEADER; i++) {
        length += (uint32_t)header[i] << (little ? 8 * i : 24 - 8 * i);
    }
    return length;
}

static void find_truth(const uint8_t *stream, uint32_t size, const struct tg_frame_rules *rules)
{
    uint32_t at = 0;
    truth.count = 0;
    while (size - at >= HEADER) {
        uint64_t length = read_length(stream + at, rules->byte_order == THRONG_BYTE_ORDER_LITTLE);
        if (length > rules->message_bytes_max) {
            truth.end = TOO_LARGE;
            truth.claimed = (uint32_t)length;
            truth.used = at + HEADER;
            return;
        }
        if (at + HEADER + length > size) {
            break;
        }
        truth.messages[truth.count++] = (struct message){at + HEADER, (uint32_t)length};
        at += HEADER + (uint32_t)length;
    }
    truth.end = at == size ? AT_BORDER : INSIDE_FRAME;
    truth.used = at;
}

static void check_header(const uint8_t *header, uint32_t length, const struct tg_frame_rules *rules)
{
    uint8_t written[HEADER];
    tg_frame_length_write(written, length, rules->byte_order);
    FUZZ_CHECK(memcmp(written, header, HEADER) == 0);
}

static void check_frames(const uint8_t *stream, uint32_t size, const struct tg_frame_rules *rules)
{
    struct tg_frame frame = {0};
    enum tg_frame_status status;
    uint32_t at = 0;
    uint32_t count = 0;
    while ((status = tg_frame_read(stream + at, size - at, rules, &frame)) == TG_FRAME_WHOLE) {
        FUZZ_CHECK(count < truth.count);
        FUZZ_CHECK(frame.payload == stream + truth.messages[count].at);
        FUZZ_CHECK(frame.size == truth.messages[count].size);
        check_header(stream + at, frame.size, rules);
        at += HEADER + frame.size;
        count++;
    }
    FUZZ_CHECK(count == truth.count);
    FUZZ_CHECK((status == TG_FRAME_TOO_LARGE) == (truth.end == TOO_LARGE));
    if (status == TG_FRAME_TOO_LARGE) {
        FUZZ_CHECK(frame.size == truth.claimed);
        at += HEADER;
    }
    FUZZ_CHECK(at == truth.used);
}

/* The stream on its way through one assembler. */
struct flow {
    struct tg_assembler assembler;
    const uint8_t *stream;
    uint32_t piece; /* where the piece at hand begins */
    uint32_t used;
    uint32_t count;
    bool is_lost;
};

static void check_message(struct flow *flow, const struct tg_message *message)
{
    FUZZ_CHECK(flow->count < truth.count);
    const struct message *expected = &truth.messages[flow->count++];
    FUZZ_CHECK(message->size == expected->size && message->data != NULL);
    FUZZ_CHECK(flow->used == expected->at + expected->size);
    if (message->block == TG_MESSAGE_NONE) {
        FUZZ_CHECK(message->data == flow->stream + expected->at);
        return;
    }
    /* It came in several pieces, or it would have been handed up where it lay. */
    FUZZ_CHECK(expected->at - HEADER < flow->piece);
    FUZZ_CHECK(message->data == tg_message_pool_data(&pool, message->block));
    FUZZ_CHECK(memcmp(message->data, flow->stream + expected->at, expected->size) == 0);
    tg_message_pool_give(&pool, message->block);
}

/* One piece of the stream, the next `size` bytes. */
static void feed(struct flow *flow, const struct tg_frame_rules *rules, uint32_t size)
{
    struct tg_input input = {flow->stream + flow->used, size};
    flow->piece = flow->used;
    for (;;) {
        struct tg_message message = {0};
        enum tg_assembly result =
            tg_assembler_next(&flow->assembler, &pool, rules, &input, &message);
        flow->used = (uint32_t)(input.data - flow->stream);
        if (result == TG_ASSEMBLY_MESSAGE) {
            check_message(flow, &message);
            continue;
        }
        FUZZ_CHECK(result == TG_ASSEMBLY_NEEDS_INPUT || result == TG_ASSEMBLY_TOO_LARGE);
        flow->is_lost = result == TG_ASSEMBLY_TOO_LARGE;
        FUZZ_CHECK(!flow->is_lost || message.size == truth.claimed);
        FUZZ_CHECK(flow->is_lost || input.size == 0);
        return;
    }
}

static void open_flow(struct flow *flow, const uint8_t *stream)
{
    *flow = (struct flow){.stream = stream};
    tg_assembler_init(&flow->assembler);
}

static void close_flow(struct flow *flow, uint32_t size)
{
    FUZZ_CHECK(flow->count == truth.count);
    FUZZ_CHECK(flow->is_lost == (truth.end == TOO_LARGE));
    FUZZ_CHECK(flow->used == (flow->is_lost ? truth.used : size));
    FUZZ_CHECK(tg_assembler_is_partial(&flow->assembler) == (truth.end != AT_BORDER));
    tg_assembler_reset(&flow->assembler, &pool);
    FUZZ_CHECK(!tg_assembler_is_partial(&flow->assembler));
    FUZZ_CHECK(tg_message_pool_used_bytes(&pool) == 0);
}

/* Four sizes in turns; one of 0 is a receive that brought nothing. */
static void check_pieces(const uint8_t *stream, uint32_t size, const struct tg_frame_rules *rules,
                         uint32_t sizes)
{
    struct flow flow;
    open_flow(&flow, stream);
    for (uint32_t turn = 0; flow.used < size && !flow.is_lost; turn++) {
        uint32_t left = size - flow.used;
        uint32_t piece = sizes >> (turn % 4 * 4) & 15;
        piece = piece == 15 || piece > left ? left : piece;
        /* Four receives of nothing in a row would go on for ever. */
        feed(&flow, rules, sizes == 0 ? left : piece);
    }
    close_flow(&flow, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > STREAM_MAX) {
        return 0;
    }
    if (pool.memory == NULL) {
        tg_message_pool_init(&pool, pool_memory, POOL_BYTES, pool_tables);
    }
    struct tg_frame_rules rules = {.message_bytes_max = limits[data[0] >> 1 & 7],
                                   .byte_order = data[0] & 1 ? THRONG_BYTE_ORDER_LITTLE
                                                             : THRONG_BYTE_ORDER_BIG};
    const uint8_t *stream = data + 3;
    uint32_t stream_size = (uint32_t)size - 3;
    find_truth(stream, stream_size, &rules);
    check_frames(stream, stream_size, &rules);
    check_pieces(stream, stream_size, &rules, 0);
    check_pieces(stream, stream_size, &rules, 0x1111);
    check_pieces(stream, stream_size, &rules, (uint32_t)data[1] << 8 | data[2]);
    return 0;
}
