/* SPDX-License-Identifier: MIT
 * The thread around the intake that is fuzzed: see intake_world.h. */
#include "intake_world.h"

#include <string.h>

#define LENT_MAX (CONNS * MESSAGES_MAX)
#define BUFFERS_MAX 11u
#define BUFFER_BYTES_MAX 2500u
#define POOL_BYTES_MAX 65536u
#define PATTERN_BYTES 16384u
#define MESSAGE_MAX 9000u
#define HEADER 4u

/* Either way the pool has room for four longest messages, two of them set aside; a long one grows
 * from block to block. */
struct scale {
    uint32_t message_max;
    uint32_t pool_bytes;
    uint32_t buffer_bytes;
};

static const struct scale scales[2] = {{250, 1024, 48},
                                       {MESSAGE_MAX, POOL_BYTES_MAX, BUFFER_BYTES_MAX}};

struct world world;

/* A message that the owner has. */
struct lent {
    uint32_t block; /* or TG_MESSAGE_NONE: in `buffer` */
    uint32_t buffer;
};

static struct lent lent[LENT_MAX];
static uint32_t lent_count;
static struct tg_frame_rules rules;
static const struct scale *scale;
static bool runs_ahead;
static uint32_t lack_count; /* how often somebody came to lack memory */

static uint8_t buffer_memory[BUFFERS_MAX * BUFFER_BYTES_MAX];
static uint32_t buffer_tables[2 * BUFFERS_MAX];
static uint8_t pool_memory[POOL_BYTES_MAX];
static struct tg_piece pieces[CONNS];
static struct tg_message_unit pool_tables[POOL_BYTES_MAX / TG_MESSAGE_UNIT_BYTES];
static uint8_t pattern[PATTERN_BYTES]; /* bytes that tell their place */

/* ---- the peers ---- */

/* Where the payload of a connection's message lies in the pattern. */
static const uint8_t *payload_of(const struct conn *conn, uint32_t message)
{
    uint32_t place = world.salt + (uint32_t)(conn - world.conns) * 977 + message * 131;
    return pattern + place % (PATTERN_BYTES - MESSAGE_MAX);
}

/* Copies bytes of a connection's stream, from `at` on. */
static void copy_stream(const struct conn *conn, uint32_t at, uint8_t *target, uint32_t size)
{
    for (uint32_t i = 0; size > 0; i++) {
        uint32_t frame = HEADER + conn->sizes[i];
        if (at >= frame) {
            at -= frame;
            continue;
        }
        while (at < HEADER && size > 0) {
            *target++ = (uint8_t)(conn->sizes[i] >> (24 - 8 * at++));
            size--;
        }
        uint32_t piece = at < HEADER ? 0 : frame - at;
        piece = piece < size ? piece : size;
        memcpy(target, payload_of(conn, i) + (at < HEADER ? 0 : at - HEADER), piece);
        target += piece;
        size -= piece;
        at = 0;
    }
}

static uint32_t stream_bytes(const struct conn *conn)
{
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < conn->size_count; i++) {
        bytes += HEADER + conn->sizes[i];
    }
    return bytes;
}

void world_queue(struct conn *conn, uint32_t size)
{
    if (conn->size_count < MESSAGES_MAX) {
        conn->sizes[conn->size_count++] = size < scale->message_max ? size : scale->message_max;
    }
}

void world_send(struct conn *conn, uint32_t bytes)
{
    uint32_t most = stream_bytes(conn);
    uint32_t left = most - conn->may_send;
    conn->may_send += bytes < left ? bytes : left;
}

/* ---- the owner ---- */

static void hand_up(struct conn *conn, const struct tg_message *message)
{
    FUZZ_CHECK(conn->come < conn->size_count && message->size == conn->sizes[conn->come]);
    FUZZ_CHECK(memcmp(message->data, payload_of(conn, conn->come), message->size) == 0);
    FUZZ_CHECK(lent_count < LENT_MAX);
    conn->come++;
    struct lent *one = &lent[lent_count++];
    *one = (struct lent){message->block, TG_INDEX_NONE};
    if (message->block == TG_MESSAGE_NONE) {
        one->buffer = tg_reader_buffer(&world.intake, &conn->reader);
        tg_recv_pool_retain(&world.buffers, one->buffer);
    }
}

bool world_give_back(uint32_t kept)
{
    bool any = lent_count > kept;
    while (lent_count > kept) {
        const struct lent *one = &lent[--lent_count];
        if (one->block != TG_MESSAGE_NONE) {
            tg_message_pool_give(&world.messages, one->block);
        } else {
            tg_recv_pool_release(&world.buffers, one->buffer, 1);
        }
    }
    return any;
}

/* The port takes what there is for a connection, if it has a buffer. */
static bool take(struct conn *conn)
{
    uint32_t bytes = conn->may_send - conn->received;
    uint32_t buffer = tg_recv_pool_take(&world.buffers);
    if (buffer == TG_INDEX_NONE) {
        return false;
    }
    conn->taken = buffer;
    conn->taken_size = bytes < scale->buffer_bytes ? bytes : scale->buffer_bytes;
    copy_stream(conn, conn->received, tg_recv_pool_data(&world.buffers, buffer), conn->taken_size);
    conn->received += conn->taken_size;
    return true;
}

static bool has_input(const struct conn *conn)
{
    return conn->taken == TG_INDEX_NONE && conn->is_read && conn->may_send > conn->received;
}

static void stop(struct conn *conn, bool hold_back)
{
    if (runs_ahead && has_input(conn)) {
        (void)take(conn); /* it was under way already, as with io_uring */
    }
    conn->is_read = false;
    conn->is_held_back = hold_back;
}

static void read_on(struct conn *conn)
{
    if (conn->rests) {
        tg_intake_rest(&world.intake, &conn->reader);
        stop(conn, false);
    } else if (tg_intake_read(&world.intake, &conn->reader)) {
        conn->is_read = true;
        conn->is_held_back = false;
    } else {
        stop(conn, false);
    }
}

/* Memory goes to those who lack it in the order in which they came to. */
static void end_lack(struct conn *conn)
{
    for (uint32_t i = 0; i < CONNS && conn->lacks_since > 0; i++) {
        const struct conn *other = &world.conns[i];
        FUZZ_CHECK(other->reader.place != TG_READER_LACKING ||
                   other->lacks_since > conn->lacks_since);
    }
    conn->lacks_since = 0;
}

static void consume(struct conn *conn)
{
    struct tg_message message;
    enum tg_assembly result;
    while ((result = tg_intake_next(&world.intake, &conn->reader, &message)) ==
           TG_ASSEMBLY_MESSAGE) {
        end_lack(conn);
        hand_up(conn, &message);
    }
    if (result == TG_ASSEMBLY_NEEDS_INPUT) {
        end_lack(conn);
        tg_intake_drop_input(&world.intake, &conn->reader);
        read_on(conn);
        return;
    }
    FUZZ_CHECK(result == TG_ASSEMBLY_NO_MEMORY && tg_reader_is_waiting(&conn->reader));
    if (conn->lacks_since == 0 && conn->reader.place == TG_READER_LACKING) {
        conn->lacks_since = ++lack_count;
    }
    stop(conn, true);
}

void world_join(struct conn *conn)
{
    *conn = (struct conn){.taken = TG_INDEX_NONE};
    tg_reader_init(&conn->reader);
    read_on(conn);
}

void world_leave(struct conn *conn)
{
    tg_intake_leave(&world.intake, &conn->reader);
    if (conn->taken != TG_INDEX_NONE) {
        tg_recv_pool_release(&world.buffers, conn->taken, 1);
        conn->taken = TG_INDEX_NONE;
    }
}

void world_resume(struct conn *conn)
{
    conn->rests = false;
    if (!conn->is_read && !tg_reader_is_waiting(&conn->reader)) {
        read_on(conn);
    }
}

static void take_turn(struct conn *conn)
{
    if (tg_reader_buffer(&world.intake, &conn->reader) != TG_INDEX_NONE) {
        consume(conn);
    } else {
        read_on(conn);
    }
    if (conn->ends) {
        world_leave(conn);
        world_join(conn);
    }
}

/* The port takes what there is for a connection, and brings it. False if it did neither. */
static bool receive(struct conn *conn)
{
    if (has_input(conn)) {
        (void)take(conn);
    }
    if (conn->taken == TG_INDEX_NONE || conn->is_held_back) {
        return false;
    }
    uint32_t buffer = conn->taken;
    conn->taken = TG_INDEX_NONE;
    tg_intake_put_input(&world.intake, &conn->reader, tg_recv_pool_data(&world.buffers, buffer),
                        conn->taken_size, buffer);
    consume(conn);
    return true;
}

bool world_turn(uint32_t first)
{
    struct tg_reader *reader;
    while ((reader = tg_intake_next_turn(&world.intake)) != NULL) {
        take_turn(TG_CONTAINER_OF(reader, struct conn, reader));
    }
    while ((reader = tg_intake_next_to_stop(&world.intake)) != NULL) {
        stop(TG_CONTAINER_OF(reader, struct conn, reader), false);
    }
    bool is_awake = tg_intake_is_due(&world.intake);
    for (uint32_t i = 0; i < CONNS; i++) {
        is_awake = receive(&world.conns[(first + i) % CONNS]) || is_awake;
    }
    return is_awake;
}

/* ---- the beginning ---- */

static void fill_pattern(void)
{
    static bool is_full;
    for (uint32_t i = 0; !is_full && i < PATTERN_BYTES; i++) {
        pattern[i] = (uint8_t)(i ^ i >> 8);
    }
    is_full = true;
}

void world_open(bool long_messages, bool port_runs_ahead, uint32_t buffer_count, uint32_t salt)
{
    scale = &scales[long_messages];
    runs_ahead = port_runs_ahead;
    world.message_max = scale->message_max;
    world.salt = salt;
    rules = (struct tg_frame_rules){scale->message_max, THRONG_BYTE_ORDER_BIG};
    memset(buffer_tables, 0, sizeof(buffer_tables));
    memset(pool_tables, 0, scale->pool_bytes / TG_MESSAGE_UNIT_BYTES * sizeof(pool_tables[0]));
    fill_pattern();
    tg_recv_pool_init(&world.buffers, buffer_memory, scale->buffer_bytes, buffer_count,
                      buffer_tables);
    tg_message_pool_init(&world.messages, pool_memory, scale->pool_bytes, pool_tables);
    tg_intake_init(&world.intake, &world.buffers, &world.messages, &rules, pieces, CONNS);
    lent_count = 0;
    lack_count = 0;
    for (uint32_t i = 0; i < CONNS; i++) {
        world_join(&world.conns[i]);
    }
}
