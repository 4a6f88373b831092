/* SPDX-License-Identifier: MIT
 * The waiting room of refused writes. Logic thread. */
#include "writable.h"

#include "state.h"

void tg_writable_init(struct tg_waiters *waiters)
{
    const struct tg_waiter_list empty = {TG_INDEX_NONE, TG_INDEX_NONE};
    *waiters = (struct tg_waiters){.memory = empty, .reserve = empty};
}

static uint32_t slot_of(const struct throng_server *server, const struct tg_seat *seat)
{
    return (uint32_t)(seat - server->seats);
}

static struct tg_waiter_list *list_of(struct throng_server *server, const struct tg_seat *seat)
{
    return seat->waits == TG_WAITS_FOR_RESERVE ? &server->waiters.reserve : &server->waiters.memory;
}

static void push_back(struct throng_server *server, struct tg_seat *seat, enum tg_waits waits)
{
    seat->waits = (uint8_t)waits;
    struct tg_waiter_list *list = list_of(server, seat);
    seat->waiter_next = TG_INDEX_NONE;
    seat->waiter_before = list->last;
    if (list->last == TG_INDEX_NONE) {
        list->first = slot_of(server, seat);
    } else {
        server->seats[list->last].waiter_next = slot_of(server, seat);
    }
    list->last = slot_of(server, seat);
}

/* Leaves its list, if it is in one. */
static void leave_list(struct throng_server *server, struct tg_seat *seat)
{
    if (seat->waits == TG_WAITS_FOR_QUEUE) {
        return;
    }
    struct tg_waiter_list *list = list_of(server, seat);
    *(seat->waiter_before == TG_INDEX_NONE
          ? &list->first
          : &server->seats[seat->waiter_before].waiter_next) = seat->waiter_next;
    *(seat->waiter_next == TG_INDEX_NONE
          ? &list->last
          : &server->seats[seat->waiter_next].waiter_before) = seat->waiter_before;
    seat->waits = TG_WAITS_FOR_QUEUE;
}

/* Whether its own queue has fallen far enough: to half, and so that the message has room. */
static bool queue_has_fallen(const struct throng_server *server, const struct tg_seat *seat)
{
    return seat->policy == THRONG_WHEN_SEND_FULL_DROP_OLDEST ||
           (seat->units_out + seat->pending.units <= seat->units_max / 2 &&
            !tg_send_is_over_limit(server, seat, seat->refused_bytes));
}

static enum tg_waits what_it_waits_for(const struct throng_server *server,
                                       const struct tg_seat *seat)
{
    if (!queue_has_fallen(server, seat)) {
        return TG_WAITS_FOR_QUEUE;
    }
    return seat->units_out == 0 && tg_send_is_short(seat->refused_bytes) ? TG_WAITS_FOR_RESERVE
                                                                         : TG_WAITS_FOR_MEMORY;
}

void tg_writable_look(struct throng_server *server, struct tg_seat *seat)
{
    enum tg_waits waits = what_it_waits_for(server, seat);
    if (waits == seat->waits) {
        return; /* and keeps its place */
    }
    leave_list(server, seat);
    if (waits != TG_WAITS_FOR_QUEUE) {
        push_back(server, seat, waits);
    }
}

void tg_writable_wait(struct throng_server *server, struct tg_seat *seat, size_t bytes)
{
    seat->refused_bytes = (uint32_t)bytes;
    if ((seat->flags & TG_SEAT_WAITING) == 0) {
        seat->flags |= TG_SEAT_WAITING;
        seat->waits = TG_WAITS_FOR_QUEUE;
        server->waiters.count++;
        tg_server_mark_dirty(server, seat); /* its worker stops reading from it */
    }
    tg_writable_look(server, seat);
}

void tg_writable_forget(struct throng_server *server, struct tg_seat *seat)
{
    if ((seat->flags & TG_SEAT_WAITING) != 0) {
        leave_list(server, seat);
        seat->flags &= (uint16_t)~TG_SEAT_WAITING;
        server->waiters.count--;
        tg_server_mark_dirty(server, seat); /* and goes on */
    }
}

bool tg_writable_waits_for_memory(const struct throng_server *server)
{
    return server->waiters.memory.first != TG_INDEX_NONE ||
           server->waiters.reserve.first != TG_INDEX_NONE;
}

void tg_writable_begin_batch(struct throng_server *server)
{
    server->waiters.promised = 0;
    server->waiters.left = TG_BATCH_EVENTS;
}

static void hand_out(struct throng_server *server, struct tg_seat *seat, struct throng_event *event)
{
    server->waiters.left--;
    server->waiters.promised +=
        tg_chain_units_for(&seat->pending, &server->blocks, seat->refused_bytes);
    tg_writable_forget(server, seat);
    *event = (struct throng_event){.type = THRONG_EVENT_WRITABLE,
                                   .conn.id = seat->id,
                                   .user = seat->user,
                                   .private_worker = seat->worker,
                                   .private_origin = tg_origin(0, TG_HOLDER_NONE)};
    tg_count(&server->counters.writable_events, 1);
    tg_count(&server->counters.events_unreleased, 1);
}

/* Serves one list from its front until there is no room for the first. */
static size_t take_from(struct throng_server *server, struct tg_waiter_list *list,
                        struct throng_event *events, size_t capacity)
{
    size_t count = 0;
    while (list->first != TG_INDEX_NONE && count < capacity && server->waiters.left > 0) {
        struct tg_seat *seat = &server->seats[list->first];
        if (what_it_waits_for(server, seat) != seat->waits) {
            tg_writable_look(server, seat); /* flushed meanwhile: it belongs elsewhere */
        } else if (tg_send_would_fit(server, seat, seat->refused_bytes, server->waiters.promised)) {
            hand_out(server, seat, &events[count++]);
        } else {
            break;
        }
    }
    return count;
}

size_t tg_writable_take(struct throng_server *server, struct throng_event *events, size_t capacity)
{
    size_t count = take_from(server, &server->waiters.reserve, events, capacity);
    return count + take_from(server, &server->waiters.memory, events + count, capacity - count);
}
