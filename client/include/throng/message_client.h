/* SPDX-License-Identifier: MIT
 * Typed messages at the non-blocking client: for programs that link both throng::client and
 * throng::message.
 *
 *     uint8_t buffer[256];
 *     struct throng_pack pack;
 *     throng_pack_to_buffer(&pack, buffer, sizeof buffer);
 *     throng_pack_envelope(&pack, GAME_MOVE, 0);
 *     ...
 *     int result = throng_client_write_pack(client, &pack);
 *
 * and once a frame:
 *
 *     throng_client_update(client);
 *     throng_client_dispatch(client, messages, 100);
 *     throng_messages_update(messages, now_ms);
 *     if (throng_client_state(client) == THRONG_CLIENT_FAILED)
 *         throng_messages_closed(messages, (throng_conn){0});
 */
#ifndef THRONG_MESSAGE_CLIENT_H
#define THRONG_MESSAGE_CLIENT_H

#include <throng/client.h>
#include <throng/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ends a pack whose bytes are in a buffer and writes the message: what throng_client_write or
 * throng_pack_end answers. THRONG_EINVAL: the pack has a sink. */
static inline int throng_client_write_pack(struct throng_client *client, struct throng_pack *pack)
{
    size_t size;
    const void *whole = throng_pack_unpassed(pack, &size);
    if (whole != NULL) {
        return throng_client_write(client, whole, size);
    }
    int64_t packed = throng_pack_end(pack);
    return packed < 0 ? (int)packed : THRONG_EINVAL;
}

/* Hands at most `count` messages of the inbox to the table of types. Answers how many there were;
 * each was handled, or answered as the table's policies say. Handlers may write; a handler that
 * closes the client ends it. */
static inline int throng_client_dispatch(struct throng_client *client,
                                         struct throng_messages *messages, int count)
{
    const void *data;
    size_t size;
    int taken = 0;
    const throng_conn nobody = {0};
    while (taken < count && throng_client_read(client, &data, &size) == 1) {
        (void)throng_messages_dispatch(messages, nobody, client, data, size);
        taken++;
    }
    return taken;
}

/* ---- the table's way to the server ---- */

static inline int throng_message_client_write(void *end, throng_conn conn, const void *data,
                                              size_t size)
{
    (void)conn;
    return throng_client_write((struct throng_client *)end, data, size);
}

static inline int throng_message_client_close(void *end, throng_conn conn)
{
    (void)conn;
    return throng_client_shutdown((struct throng_client *)end);
}

/* For throng_messages_options.link. */
static inline struct throng_message_link throng_messages_of_client(struct throng_client *client)
{
    struct throng_message_link link = {client, throng_message_client_write,
                                       throng_message_client_close};
    return link;
}

#ifdef __cplusplus
}
#endif

#endif
