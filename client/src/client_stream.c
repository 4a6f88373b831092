/* SPDX-License-Identifier: MIT
 * The connected state of the non-blocking client: bytes between the socket and the boxes, messages
 * between the boxes and the user. Called by client.c and the user, on the thread that owns it.
 *
 * A connection ends in order: first all that was received is in the inbox, then the state says why
 * it ended. A send that fails therefore ends our sending only, and receiving goes on to the end;
 * the peer's end of stream waits for our outbox, because a peer that has nothing more to say may
 * still listen. */
#include "client_state.h"

/* --- the socket's side --------------------------------------------------------------------- */

static void note_received(struct throng_client *client, size_t heartbeats)
{
    if (tg_heartbeat_is_on(&client->heartbeat)) {
        client->heartbeat.received = tg_clock_ns();
        for (size_t i = 0; i < heartbeats; i++) {
            tg_heartbeat_take(&client->heartbeat);
        }
    }
}

/* Receives until nothing is there, or the inbox is full or broken. Its capacity bounds the loop,
 * also where heartbeats take no room in it: a flood of them must not keep the user waiting. 0, or
 * the error that ends the stream: THRONG_EEOF after whole messages only. */
static int receive_available(struct throng_client *client)
{
    size_t budget = client->inbox.capacity;
    client->has_more = false;
    while (!client->inbox.is_broken && tg_inbox_has_room(&client->inbox)) {
        if (budget == 0) {
            client->has_more = true;
            return 0;
        }
        size_t room_bytes;
        uint8_t *room = tg_inbox_room(&client->inbox, &room_bytes);
        int got = tg_socket_receive(client->sock, room, room_bytes);
        if (got == THRONG_EAGAIN) {
            return 0;
        }
        if (got == THRONG_EEOF && tg_inbox_is_partial(&client->inbox)) {
            return THRONG_EPROTOCOL;
        }
        if (got < 0) {
            return got;
        }
        note_received(client, tg_inbox_fill(&client->inbox, (size_t)got));
        budget -= (size_t)got < budget ? (size_t)got : budget;
    }
    return client->inbox.is_broken ? THRONG_EPROTOCOL : 0;
}

static void send_end(struct throng_client *client)
{
    client->end_was_sent = true;
    client->send_error = tg_socket_shutdown_send(client->sock);
}

static void note_sent(struct throng_client *client)
{
    if (tg_heartbeat_is_on(&client->heartbeat)) {
        client->heartbeat.sent = tg_clock_ns();
        if (client->peer_is_done) {
            /* That it takes our bytes is all that can still be heard of it. */
            client->heartbeat.received = client->heartbeat.sent;
        }
    }
}

/* Sends until the system takes no more; what the outbox holds bounds the loop. Our end of stream
 * follows the last byte. */
static void send_waiting(struct throng_client *client)
{
    size_t size;
    const uint8_t *front;
    while (front = tg_outbox_front(&client->outbox, &size), size > 0) {
        int sent = tg_socket_send(client->sock, front, size);
        if (sent == THRONG_EAGAIN) {
            return;
        }
        if (sent < 0) {
            client->send_error = sent;
            tg_outbox_clear(&client->outbox);
            return;
        }
        tg_outbox_pop(&client->outbox, (size_t)sent);
        note_sent(client);
    }
    if (client->wants_end && !client->end_was_sent && client->send_error == 0) {
        send_end(client);
    }
}

/* The peer is gone, as a send found out, but what it said before may still wait in the system. The
 * error that ends the stream, or 0: there may be more, for the inbox is full, say. A frame over the
 * limit came before the peer went, and so before the send found out. */
static int receive_rest(struct throng_client *client)
{
    int end = receive_available(client);
    if (client->inbox.is_broken) {
        return end;
    }
    bool may_be_more = client->has_more || !tg_inbox_has_room(&client->inbox);
    return end == 0 && may_be_more ? 0 : client->send_error;
}

/* Whether a heartbeat may go out once it is due: between two messages, and only if none waits. */
static bool can_beat(const struct throng_client *client)
{
    return tg_heartbeat_is_on(&client->heartbeat) && client->outbox.size == 0 &&
           !client->wants_end && client->send_error == 0;
}

/* Whether the peer's silence can be seen: not while a full inbox keeps us from listening. */
static bool can_hear(const struct throng_client *client)
{
    return tg_heartbeat_is_on(&client->heartbeat) && !client->has_more &&
           (client->peer_is_done || tg_inbox_has_room(&client->inbox));
}

static void send_heartbeat(struct throng_client *client)
{
    uint64_t now_ns = tg_clock_ns();
    if (can_beat(client) && tg_heartbeat_is_due(&client->heartbeat, now_ns)) {
        tg_heartbeat_give(&client->heartbeat, now_ns);
        tg_outbox_push(&client->outbox, NULL, 0, client->rules.byte_order);
        send_waiting(client);
    }
}

struct tg_deadline tg_client_heartbeat_deadline(const struct throng_client *client)
{
    uint64_t at_ns = TG_DEADLINE_NEVER;
    if (can_hear(client)) {
        at_ns = tg_heartbeat_silent_at(&client->heartbeat);
    }
    if (can_beat(client) && tg_heartbeat_due_at(&client->heartbeat) < at_ns) {
        at_ns = tg_heartbeat_due_at(&client->heartbeat);
    }
    return (struct tg_deadline){at_ns};
}

int tg_client_move(struct throng_client *client)
{
    int end = receive_available(client);
    if (end == 0 || end == THRONG_EEOF) {
        send_waiting(client);
    }
    if (end == 0) {
        send_heartbeat(client);
    }
    if (client->send_error != 0) {
        return receive_rest(client);
    }
    if (end == THRONG_EEOF && client->outbox.size > 0) {
        if (!client->peer_is_done) {
            note_received(client, 0);
        }
        client->peer_is_done = true;
        end = 0;
    }
    /* What there was has been received just now, so an absence of our own counts for nothing. */
    if (end == 0 && can_hear(client) && tg_heartbeat_is_silent(&client->heartbeat, tg_clock_ns())) {
        return THRONG_ETIMEDOUT;
    }
    return end;
}

/* --- the user's calls ---------------------------------------------------------------------- */

static int push_message(struct throng_client *client, const void *data, uint32_t size)
{
    if (!tg_outbox_fits(&client->outbox, size)) {
        send_waiting(client);
        if (client->send_error != 0) {
            return client->send_error;
        }
        if (!tg_outbox_fits(&client->outbox, size)) {
            return THRONG_EAGAIN;
        }
    }
    bool is_first = client->outbox.size == 0;
    tg_outbox_push(&client->outbox, data, size, client->rules.byte_order);
    /* Behind others it waits for throng_client_update: the system took no more just now. */
    if (is_first) {
        send_waiting(client);
    }
    return client->send_error;
}

int throng_client_write(struct throng_client *client, const void *data, size_t size)
{
    if (client == NULL || (data == NULL && size > 0) || client->state != THRONG_CLIENT_CONNECTED) {
        return THRONG_EINVAL;
    }
    if (client->send_error != 0) {
        return client->send_error;
    }
    if (client->wants_end) {
        return THRONG_ECLOSING;
    }
    if (size > client->rules.message_bytes_max) {
        return THRONG_ETOOBIG;
    }
    if (size == 0 && tg_heartbeat_is_on(&client->heartbeat)) {
        return THRONG_EINVAL; /* the peer would take it for a heartbeat */
    }
    return push_message(client, data, (uint32_t)size);
}

int throng_client_read(struct throng_client *client, const void **data, size_t *size)
{
    struct tg_frame frame;
    if (client == NULL || data == NULL || size == NULL) {
        return THRONG_EINVAL;
    }
    if (tg_inbox_peek(&client->inbox, &frame) != TG_FRAME_WHOLE) {
        return 0;
    }
    tg_inbox_take(&client->inbox, &frame);
    *data = frame.payload;
    *size = frame.size;
    return 1;
}

int throng_client_shutdown(struct throng_client *client)
{
    if (client == NULL || client->state != THRONG_CLIENT_CONNECTED) {
        return THRONG_EINVAL;
    }
    client->wants_end = true;
    if (client->send_error == 0) {
        send_waiting(client);
    }
    return client->send_error;
}
