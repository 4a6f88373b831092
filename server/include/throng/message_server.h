/* SPDX-License-Identifier: MIT
 * Typed messages at the server: sending them straight into send memory, and answering from the
 * table of types. For programs that link both throng::server and throng::message. Logic thread.
 *
 *     struct throng_send send;
 *     throng_send_begin(&send, server, conn, GAME_STATE, 0);
 *     throng_pack_map(&send.pack, 2);
 *     throng_pack_field_u64(&send.pack, "tick", tick);
 *     throng_pack_field_f64(&send.pack, "x", x);
 *     int result = throng_send_end(&send); */
#ifndef THRONG_MESSAGE_SERVER_H
#define THRONG_MESSAGE_SERVER_H

#include <throng/message.h>
#include <throng/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A message on its way. A short one is written by throng_send_end at once; a longer one goes piece
 * by piece into send memory from its first 512 bytes on (throng_write_begin). */
struct throng_send {
    struct throng_pack pack; /* where the body is written to */
    struct throng_writer private_writer;
    struct throng_server *private_server;
    throng_conn private_conn;
    bool private_begun;
};

static inline int throng_send_sink(void *context, const void *data, size_t size)
{
    struct throng_send *send = (struct throng_send *)context;
    if (!send->private_begun) {
        int result =
            throng_write_begin(send->private_server, send->private_conn, &send->private_writer);
        if (result < 0) {
            return result;
        }
        send->private_begun = true;
    }
    return throng_writer_append(&send->private_writer, data, size);
}

/* Begins a message; `request` as in throng_pack_envelope. Errors show at the end. */
static inline void throng_send_begin(struct throng_send *send, struct throng_server *server,
                                     throng_conn conn, uint32_t type, int32_t request)
{
    send->private_server = server;
    send->private_conn = conn;
    send->private_begun = false;
    throng_pack_to_sink(&send->pack, throng_send_sink, send);
    throng_pack_envelope(&send->pack, type, request);
}

/* Gives it up: nothing was sent. */
static inline void throng_send_cancel(struct throng_send *send)
{
    if (send->private_begun) {
        throng_write_cancel(&send->private_writer);
        send->private_begun = false;
    }
    throng_pack_fail(&send->pack, THRONG_ECANCELED);
}

/* Sends it: what throng_write_data answers, or THRONG_EINVAL where throng_pack_end does. All of it
 * or nothing. */
static inline int throng_send_end(struct throng_send *send)
{
    size_t size;
    const void *whole = throng_pack_unpassed(&send->pack, &size);
    if (whole != NULL) {
        return throng_write_data(send->private_server, send->private_conn, whole, size);
    }
    int64_t packed = throng_pack_end(&send->pack);
    if (packed < 0) {
        throng_send_cancel(send);
        return (int)packed;
    }
    send->private_begun = false;
    return throng_write_end(&send->private_writer);
}

/* ---- the table's way to the connections ---- */

static inline int throng_message_server_write(void *end, throng_conn conn, const void *data,
                                              size_t size)
{
    return throng_write_data((struct throng_server *)end, conn, data, size);
}

static inline int throng_message_server_close(void *end, throng_conn conn)
{
    return throng_close((struct throng_server *)end, conn);
}

/* For throng_messages_options.link. */
static inline struct throng_message_link throng_messages_of_server(struct throng_server *server)
{
    struct throng_message_link link = {server, throng_message_server_write,
                                       throng_message_server_close};
    return link;
}

#ifdef __cplusplus
}
#endif

#endif
