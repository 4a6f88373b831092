/* SPDX-License-Identifier: MIT
 * Writing a message piece by piece. It grows in a chain of its own, in send memory, with room for
 * its header in front; throng_write_end puts it behind what is written for the connection, blocks
 * and all:
 *
 *   the writer's chain   | header | payload ...  |->|  payload ... |   ---end--->   seat->pending
 *
 * What fits into a small block is written like any other message then, out of a copy: the block
 * would waste the room in the last one of `pending`, and the answers are throng_write_data's own.
 * Logic thread. */
#include <string.h>

#include "codec/frame.h"
#include "send_room.h"
#include "state.h"

_Static_assert(sizeof(struct tg_chain) == sizeof(((struct throng_writer *)NULL)->private_chain),
               "the public writer has room for a chain");

static struct tg_chain chain_of(const struct throng_writer *writer)
{
    struct tg_chain chain;
    memcpy(&chain, writer->private_chain, sizeof chain);
    return chain;
}

static void keep_chain(struct throng_writer *writer, const struct tg_chain *chain)
{
    memcpy(writer->private_chain, chain, sizeof *chain);
}

/* The connection, if it takes writes. 0 or the error to answer. */
static int find_seat(struct throng_server *server, throng_conn conn, struct tg_seat **seat)
{
    int result = tg_server_check_seat(server, conn, seat);
    if (result == 0 && ((*seat)->flags & (TG_SEAT_CLOSING | TG_SEAT_ABORTING)) != 0) {
        result = THRONG_ECLOSING;
    }
    return result;
}

int throng_write_begin(struct throng_server *server, throng_conn conn, struct throng_writer *writer)
{
    if (server == NULL || writer == NULL) {
        return THRONG_EINVAL;
    }
    *writer = (struct throng_writer){0};
    struct tg_seat *seat;
    const int result = find_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    struct tg_chain chain;
    tg_chain_init(&chain);
    keep_chain(writer, &chain);
    writer->private_server = server;
    writer->private_target = conn.id;
    return 0;
}

static void drop_chain(struct throng_server *server, struct tg_chain *chain)
{
    if (!tg_chain_is_empty(chain)) {
        tg_chain_drop(chain, &server->blocks, chain->bytes);
    }
}

/* ---- growing ---- */

static bool build(struct throng_server *server, struct tg_seat *seat, struct tg_chain *chain,
                  const void *data, size_t size)
{
    if (TG_LIKELY(tg_send_build(server, seat, chain, data, size))) {
        return true;
    }
    tg_server_collect_blocks(server); /* some may have come home since */
    return tg_send_build(server, seat, chain, data, size) ||
           (seat->policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST &&
            tg_send_build_replacing(server, seat, chain, data, size));
}

/* The pool has no room for `bytes` of a message. At least a block is waited for: there may be room
 * for the bytes behind what is written already, but a message that grows begins a block of its
 * own. */
static int refuse(struct throng_server *server, struct tg_seat *seat, size_t bytes)
{
    tg_send_memory_is_short(server);
    tg_writable_wait(server, seat, bytes < TG_BLOCK_BYTES ? TG_BLOCK_BYTES : bytes);
    tg_count(&server->counters.writes_refused, 1);
    return THRONG_EAGAIN;
}

static int append(struct throng_writer *writer, struct tg_chain *chain, const void *data,
                  size_t size)
{
    static const uint8_t no_length_yet[THRONG_FRAME_HEADER_BYTES] = {0};
    struct throng_server *server = writer->private_server;
    const throng_conn conn = {writer->private_target};
    struct tg_seat *seat;
    const int result = find_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    if (size > server->config.options.message_bytes_max - writer->private_size) {
        return THRONG_ETOOBIG;
    }
    const size_t bytes = sizeof no_length_yet + writer->private_size + size;
    if (tg_chain_is_empty(chain) &&
        !build(server, seat, chain, no_length_yet, sizeof no_length_yet)) {
        return refuse(server, seat, bytes);
    }
    if (size > 0 && !build(server, seat, chain, data, size)) {
        drop_chain(server, chain); /* before others are asked whether there is memory now */
        return refuse(server, seat, bytes);
    }
    writer->private_size += size;
    return 0;
}

int throng_writer_append(struct throng_writer *writer, const void *data, size_t size)
{
    if (writer == NULL || writer->private_server == NULL) {
        return THRONG_EINVAL;
    }
    if (writer->private_error == 0) {
        struct tg_chain chain = chain_of(writer);
        writer->private_error = data == NULL && size > 0 ? THRONG_EINVAL
                                                         : append(writer, &chain, data, size);
        if (writer->private_error < 0) {
            drop_chain(writer->private_server, &chain);
        }
        keep_chain(writer, &chain);
    }
    return writer->private_error;
}

int throng_writer_sink(void *writer, const void *data, size_t size)
{
    return throng_writer_append(writer, data, size);
}

/* ---- the end ---- */

/* The message is over the connection's limit. 0 if it was taken all the same. */
static int join_over_limit(struct throng_server *server, struct tg_seat *seat,
                           struct tg_chain *chain)
{
    tg_queue_growth_is_full(server, seat);
    switch ((enum throng_when_send_full)seat->policy) {
    case THRONG_WHEN_SEND_FULL_REFUSE:
        break;
    case THRONG_WHEN_SEND_FULL_CLOSE:
        tg_server_abort_seat(server, seat, TG_SEAT_SLOW);
        return THRONG_ECLOSING;
    case THRONG_WHEN_SEND_FULL_DROP_OLDEST:
        tg_send_join_replacing(server, seat, chain);
        return 0;
    }
    tg_writable_wait(server, seat, chain->bytes);
    tg_count(&server->counters.writes_refused, 1);
    return THRONG_EAGAIN;
}

/* A message of several blocks. */
static int join(struct throng_server *server, throng_conn conn, struct tg_chain *chain)
{
    struct tg_seat *seat;
    int result = find_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    tg_frame_length_write(tg_block_data(&server->blocks, chain->head),
                          chain->bytes - THRONG_FRAME_HEADER_BYTES,
                          server->config.options.byte_order);
    uint32_t units = seat->units_out + seat->pending.units;
    if (!tg_send_join(server, seat, chain)) {
        tg_server_collect_blocks(server);
        units = seat->units_out + seat->pending.units;
        if (!tg_send_join(server, seat, chain)) {
            result = join_over_limit(server, seat, chain);
        }
    }
    if (result == 0) {
        tg_server_note_written(server, seat, units);
    }
    return result;
}

int throng_write_end(struct throng_writer *writer)
{
    if (writer == NULL || writer->private_server == NULL) {
        return THRONG_EINVAL;
    }
    struct throng_server *server = writer->private_server;
    const throng_conn conn = {writer->private_target};
    const size_t size = writer->private_size;
    struct tg_chain chain = chain_of(writer);
    int result = writer->private_error;
    writer->private_server = NULL;
    if (result == 0 && chain.units <= 1) {
        uint8_t message[TG_BLOCK_BYTES];
        if (size > 0) {
            memcpy(message, tg_block_data(&server->blocks, chain.head) + THRONG_FRAME_HEADER_BYTES,
                   size);
        }
        drop_chain(server, &chain); /* it may be the last block that there is */
        result = throng_write_data(server, conn, message, size);
    } else if (result == 0) {
        result = join(server, conn, &chain);
    }
    drop_chain(server, &chain);
    return result;
}

void throng_write_cancel(struct throng_writer *writer)
{
    if (writer != NULL && writer->private_server != NULL) {
        struct tg_chain chain = chain_of(writer);
        drop_chain(writer->private_server, &chain);
        writer->private_server = NULL;
    }
}
