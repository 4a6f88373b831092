/* SPDX-License-Identifier: MIT
 * Giving events back: what a batch released goes to the workers with the next flush, the messages of one
 * connection and holder as one entry. Logic thread. */
#include "codec/frame.h"
#include "state.h"

/* CLOSED was released: the seat is empty. */
static void leave_seat(struct throng_server *server, uint64_t conn)
{
    struct tg_seat *seat = &server->seats[tg_conn_slot(conn)];
    TG_REQUIRE(seat->id == conn);
    tg_server_drop_pending(server, seat);
    tg_server_leave_rooms(server, tg_conn_slot(conn));
    seat->id = 0;
    server->seats_taken--;
}

/* Begins another release entry. */
TG_OUT_OF_LINE static void push_release(struct throng_server *server,
                                        const struct throng_event *event)
{
    TG_REQUIRE(event->private_worker < server->config.worker_count);
    if (event->type >= THRONG_EVENT_WRITABLE) {
        return; /* this and the later ones are made here: no worker waits for them */
    }
    struct tg_ring *ring = &server->workers[event->private_worker].releases;
    struct tg_release_entry *entry = tg_ring_claim(ring);
    /* As many entries as events can be out: it cannot be full. */
    TG_REQUIRE(entry != NULL);
    *entry = (struct tg_release_entry){.slot = tg_conn_slot(event->conn.id),
                                       .holder = (uint32_t)(event->private_token >> 32),
                                       .count = 1};
    if (event->type == THRONG_EVENT_MESSAGE) {
        entry->bytes = (uint32_t)event->private_token + THRONG_FRAME_HEADER_BYTES;
    } else if (event->type == THRONG_EVENT_CLOSED) {
        leave_seat(server, event->conn.id);
    }
    tg_ring_push(ring);
    server->release = entry;
    server->releases_due = true;
}

/* Adds a message to the release entry that is being filled; false if it does not belong there. */
static bool add_to_release(struct throng_server *server, const struct throng_event *event)
{
    struct tg_release_entry *entry = server->release;
    if (entry == NULL || event->type != THRONG_EVENT_MESSAGE ||
        entry->slot != tg_conn_slot(event->conn.id) ||
        entry->holder != (uint32_t)(event->private_token >> 32)) {
        return false;
    }
    entry->count++;
    entry->bytes += (uint32_t)event->private_token + THRONG_FRAME_HEADER_BYTES;
    return true;
}

void throng_release_event(struct throng_server *server, struct throng_event *event)
{
    if (server == NULL || event == NULL || event->type == 0) {
        return; /* released before */
    }
    if (!add_to_release(server, event)) {
        push_release(server, event);
    }
    tg_count(&server->counters.events_unreleased, (uint64_t)-1);
    event->type = 0;
    event->data = NULL;
}
