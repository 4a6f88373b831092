/* SPDX-License-Identifier: MIT
 * Giving events back: what a batch released goes to the workers with the next flush, the messages
 * of one connection and holder as one entry. Logic thread. */
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
static void push_release(struct throng_server *server, const struct throng_event *event)
{
    TG_REQUIRE(event->private_worker < server->config.worker_count);
    if (event->type >= THRONG_EVENT_WRITABLE) {
        return; /* this and the later ones are made here: no worker waits for them */
    }
    struct tg_ring *ring = &server->workers[event->private_worker].releases;
    struct tg_release_entry *entry = tg_ring_claim(ring);
    /* As many entries as events can be out: it cannot be full. */
    TG_REQUIRE(entry != NULL);
    *entry = (struct tg_release_entry){.origin = event->private_origin, .count = 1};
    if (event->type == THRONG_EVENT_MESSAGE) {
        entry->bytes = event->private_bytes;
    } else if (event->type == THRONG_EVENT_CLOSED) {
        leave_seat(server, event->conn.id);
    }
    tg_ring_push(ring);
    server->release = entry;
    server->releases_due = true;
}

static void end_release(struct throng_server *server, struct throng_event *event)
{
    tg_count(&server->counters.events_unreleased, (uint64_t)-1);
    event->type = 0;
    event->data = NULL;
}

TG_OUT_OF_LINE static void release_anything(struct throng_server *server,
                                            struct throng_event *event)
{
    if (server == NULL || event == NULL || event->type == 0) {
        return; /* released before */
    }
    push_release(server, event);
    end_release(server, event);
}

/* The hot case: a message of the connection and holder whose release entry is being filled. */
static bool is_next_of_release(const struct throng_server *server, const struct throng_event *event)
{
    return server != NULL && event != NULL && event->type == THRONG_EVENT_MESSAGE &&
           server->release != NULL && server->release->origin == event->private_origin;
}

void throng_release_event(struct throng_server *server, struct throng_event *event)
{
    if (!is_next_of_release(server, event)) {
        release_anything(server, event);
        return;
    }
    struct tg_release_entry *entry = server->release;
    entry->bytes += event->private_bytes;
    end_release(server, event);
    entry->count++;
}
