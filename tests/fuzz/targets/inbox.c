/* SPDX-License-Identifier: MIT
 * The client's two boxes, held against flat arrays: messages go through the outbox to a wire, where
 * bytes of the input's own may come between; from the wire they go in pieces into the inbox, where
 * messages and raw bytes are read, sooner or later than the boxes are full.
 *
 *   byte 0   bit 0: byte order; bits 1-3: the limit; bits 4-7: how much larger the inbox is
 *   byte 1   bytes of the outbox, less one
 *   2 ...    operations: bits 0-2 what, bits 3-7 how many; then bytes as they are, for some */
#include "inbox.h"

#include <string.h>

#include "fuzz.h"
#include "outbox.h"

#define HEADER 4u
#define INBOX_MAX 256u
#define OUTBOX_MAX 256u
#define WIRE_MAX 4096u
#define RAW_MAX 31u

static const uint32_t limits[8] = {1, 2, 3, 8, 20, 40, 64, 100};

/* Bytes in their order; those before `begin` are gone. Each run takes bytes for at most one full
 * array, and then stops: nothing ever moves. */
struct flat {
    uint32_t begin;
    uint32_t end;
    uint8_t bytes[WIRE_MAX + OUTBOX_MAX];
};

static struct tg_frame_rules rules;
static struct tg_inbox inbox;
static struct tg_outbox outbox;
static uint8_t inbox_memory[INBOX_MAX];
static uint8_t outbox_memory[OUTBOX_MAX];

static struct flat outgoing; /* what the outbox should hold */
static struct flat wire;
static struct flat received; /* what the inbox should hold */

static uint32_t salt; /* of the next message's text */

/* The last message that was taken, as long as it is valid. */
static const uint8_t *taken_bytes;
static uint32_t taken_at; /* in `received` */
static uint32_t taken_size;

static void open_world(struct fuzz_script *script)
{
    salt = fuzz_salt(script->at, fuzz_left(script));
    uint32_t options = fuzz_byte(script);
    uint32_t capacity;
    rules.message_bytes_max = limits[options >> 1 & 7];
    rules.byte_order = options & 1 ? THRONG_BYTE_ORDER_LITTLE : THRONG_BYTE_ORDER_BIG;
    capacity = HEADER + rules.message_bytes_max + (options >> 4) * 10;
    capacity = capacity < INBOX_MAX ? capacity : INBOX_MAX;
    tg_inbox_init(&inbox, inbox_memory, capacity, &rules);
    tg_outbox_init(&outbox, outbox_memory, fuzz_byte(script) + 1);
    outgoing.begin = outgoing.end = 0;
    wire.begin = wire.end = 0;
    received.begin = received.end = 0;
    taken_size = 0;
}

static uint32_t count(const struct flat *flat)
{
    return flat->end - flat->begin;
}

static void put(struct flat *flat, const uint8_t *bytes, uint32_t size)
{
    FUZZ_CHECK(size <= sizeof(flat->bytes) - flat->end);
    if (size > 0) {
        memcpy(flat->bytes + flat->end, bytes, size);
    }
    flat->end += size;
}

/* ---- the plain parser ---- */

/* The frame at `at` of what the inbox should hold. */
static enum tg_frame_status look(uint32_t at, uint32_t *size)
{
    const uint8_t *header = received.bytes + at;
    uint32_t have = received.end - at;
    *size = 0;
    if (have < HEADER) {
        return TG_FRAME_PARTIAL;
    }
    for (uint32_t i = 0; i < HEADER; i++) {
        uint32_t place = rules.byte_order == THRONG_BYTE_ORDER_LITTLE ? i : HEADER - 1 - i;
        *size += (uint32_t)header[i] << (8 * place);
    }
    if (*size > rules.message_bytes_max) {
        return TG_FRAME_TOO_LARGE;
    }
    return have - HEADER < *size ? TG_FRAME_PARTIAL : TG_FRAME_WHOLE;
}

/* Where the last whole frame ends, and what stands there. */
static enum tg_frame_status look_behind(uint32_t *at, uint32_t *size)
{
    enum tg_frame_status status;
    *at = received.begin;
    while ((status = look(*at, size)) == TG_FRAME_WHOLE) {
        *at += HEADER + *size;
    }
    return status;
}

/* ---- out ---- */

static void write_message(struct fuzz_script *script, uint32_t size)
{
    static const uint8_t letters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const uint8_t *text = letters + salt++ % 29;
    uint8_t header[HEADER];
    bool fits = size + HEADER <= outbox.capacity - count(&outgoing);
    FUZZ_CHECK(tg_outbox_fits(&outbox, size) == fits);
    FUZZ_CHECK(!tg_outbox_fits(&outbox, SIZE_MAX - (fuzz_left(script) & 7)));
    if (!fits) {
        return;
    }
    tg_outbox_push(&outbox, size > 0 ? text : NULL, size, rules.byte_order);
    for (uint32_t i = 0; i < HEADER; i++) {
        uint32_t place = rules.byte_order == THRONG_BYTE_ORDER_LITTLE ? i : HEADER - 1 - i;
        header[i] = (uint8_t)(size >> (8 * place));
    }
    put(&outgoing, header, HEADER);
    put(&outgoing, text, size);
}

static void send_some(uint32_t most)
{
    size_t size;
    const uint8_t *bytes = tg_outbox_front(&outbox, &size);
    FUZZ_CHECK((size > 0) == (count(&outgoing) > 0) && size <= count(&outgoing));
    FUZZ_CHECK(size == 0 || memcmp(bytes, outgoing.bytes + outgoing.begin, size) == 0);
    uint32_t sent = size < most ? (uint32_t)size : most;
    put(&wire, bytes, sent);
    tg_outbox_pop(&outbox, sent);
    outgoing.begin += sent;
}

/* ---- in ---- */

static void check_taken(void)
{
    FUZZ_CHECK(taken_size == 0 || memcmp(taken_bytes, received.bytes + taken_at, taken_size) == 0);
}

/* What the inbox says of itself. */
static void check_inbox(void)
{
    uint32_t at;
    uint32_t size;
    struct tg_frame frame = {0};
    enum tg_frame_status status = look_behind(&at, &size);
    bool waits = at > received.begin;
    FUZZ_CHECK(tg_inbox_bytes(&inbox) == count(&received));
    FUZZ_CHECK(tg_inbox_is_partial(&inbox) == (at < received.end));
    FUZZ_CHECK(inbox.is_broken == (status == TG_FRAME_TOO_LARGE));
    FUZZ_CHECK(inbox.is_broken || waits || tg_inbox_has_room(&inbox));
    status = tg_inbox_peek(&inbox, &frame);
    FUZZ_CHECK(status == look(received.begin, &size));
    FUZZ_CHECK(count(&received) < HEADER || frame.size == size);
    check_taken();
}

static void receive(uint32_t most)
{
    uint32_t at;
    uint32_t size;
    size_t room_size;
    if (inbox.is_broken) {
        return;
    }
    bool has_room = tg_inbox_has_room(&inbox);
    uint8_t *room = tg_inbox_room(&inbox, &room_size);
    taken_size = 0;
    FUZZ_CHECK(has_room == (room_size > 0));
    FUZZ_CHECK(room >= inbox_memory && room + room_size <= inbox_memory + inbox.capacity);
    (void)look_behind(&at, &size);
    FUZZ_CHECK(at > received.begin || room_size >= HEADER + size - count(&received));
    uint32_t come = count(&wire) < most ? count(&wire) : most;
    come = come < room_size ? come : (uint32_t)room_size;
    memcpy(room, wire.bytes + wire.begin, come);
    tg_inbox_fill(&inbox, come);
    put(&received, wire.bytes + wire.begin, come);
    wire.begin += come;
}

static void read_messages(uint32_t most)
{
    struct tg_frame frame;
    while (most-- > 0 && tg_inbox_peek(&inbox, &frame) == TG_FRAME_WHOLE) {
        uint32_t size;
        check_taken();
        FUZZ_CHECK(look(received.begin, &size) == TG_FRAME_WHOLE && frame.size == size);
        tg_inbox_take(&inbox, &frame);
        taken_bytes = frame.payload;
        taken_at = received.begin + HEADER;
        taken_size = size;
        received.begin = taken_at + size;
    }
}

static void read_raw(uint32_t most)
{
    uint8_t bytes[RAW_MAX];
    uint32_t expected = count(&received) < most ? count(&received) : most;
    FUZZ_CHECK(tg_inbox_take_raw(&inbox, bytes, most) == expected);
    FUZZ_CHECK(memcmp(bytes, received.bytes + received.begin, expected) == 0);
    received.begin += expected;
}

static void step(struct fuzz_script *script)
{
    uint32_t operation = fuzz_byte(script);
    uint32_t amount = operation >> 3;
    const uint8_t *bytes;
    switch (operation & 7) {
    case 0:
        write_message(script, amount);
        break;
    case 1:
        send_some(amount == RAW_MAX ? WIRE_MAX : amount);
        break;
    case 2: /* a peer that is not ours */
        amount = (uint32_t)fuzz_bytes(script, amount, &bytes);
        put(&wire, bytes, amount);
        break;
    case 3:
    case 4:
        receive(amount == RAW_MAX ? WIRE_MAX : amount);
        break;
    case 5:
        read_messages(amount);
        break;
    case 6:
        read_raw(amount);
        break;
    default:
        if (amount == RAW_MAX) { /* a new connection */
            tg_inbox_clear(&inbox);
            tg_outbox_clear(&outbox);
            received.begin = received.end;
            outgoing.begin = outgoing.end;
            taken_size = 0;
        } else {
            receive(amount * 8);
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = fuzz_script_open(data, size);
    open_world(&script);
    while (!fuzz_is_over(&script) && outgoing.end <= WIRE_MAX && wire.end <= WIRE_MAX) {
        step(&script);
        check_inbox();
    }
    return 0;
}
