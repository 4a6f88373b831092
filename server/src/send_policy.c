/* SPDX-License-Identifier: MIT
 * The three policies, and the calls that change policy and limit of one connection. Logic
 * thread. */
#include "send_policy.h"

#include "codec/frame.h"
#include "state.h"

static int refuse(struct throng_server *server, struct tg_seat *seat, size_t bytes)
{
    tg_writable_wait(server, seat, bytes);
    tg_count(&server->counters.writes_refused, 1);
    return THRONG_EAGAIN;
}

int tg_send_without_room(struct throng_server *server, struct tg_seat *seat, const void *data,
                         size_t size)
{
    const size_t bytes = THRONG_FRAME_HEADER_BYTES + size;
    const bool over_limit = tg_send_is_over_limit(server, seat, bytes);
    if (over_limit) {
        tg_queue_growth_is_full(server, seat);
    } else {
        tg_send_memory_is_short(server);
    }
    switch ((enum throng_when_send_full)seat->policy) {
    case THRONG_WHEN_SEND_FULL_REFUSE:
        break;
    case THRONG_WHEN_SEND_FULL_CLOSE:
        if (over_limit) {
            tg_server_abort_seat(server, seat, TG_SEAT_SLOW);
            return THRONG_ECLOSING;
        }
        break; /* others have taken the memory: not its fault */
    case THRONG_WHEN_SEND_FULL_DROP_OLDEST:
        if (tg_send_replace(server, seat, data, size)) {
            return 0;
        }
        tg_send_memory_is_short(server);
        break;
    }
    return refuse(server, seat, bytes);
}

int throng_set_send_limit(struct throng_server *server, throng_conn conn, size_t bytes)
{
    struct tg_seat *seat;
    int result = tg_server_check_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    const struct tg_chain empty = {.head = TG_BLOCK_NONE, .tail = TG_BLOCK_NONE};
    const size_t longest = THRONG_FRAME_HEADER_BYTES +
                           (size_t)server->config.options.message_bytes_max;
    const size_t least = (size_t)tg_chain_units_for(&empty, &server->blocks, longest) *
                         TG_BLOCK_BYTES;
    if (bytes < least || bytes > TG_SEND_LIMIT_MOST) {
        return THRONG_EINVAL;
    }
    seat->units_max = tg_chain_units_for(&empty, &server->blocks, bytes);
    tg_server_set_fanout_limit(server, seat);
    if ((seat->flags & TG_SEAT_WAITING) != 0) {
        tg_writable_look(server, seat);
    }
    return 0;
}

int throng_set_send_policy(struct throng_server *server, throng_conn conn,
                           enum throng_when_send_full policy)
{
    struct tg_seat *seat;
    int result = tg_server_check_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    switch (policy) {
    case THRONG_WHEN_SEND_FULL_REFUSE:
    case THRONG_WHEN_SEND_FULL_CLOSE:
    case THRONG_WHEN_SEND_FULL_DROP_OLDEST:
        break;
    default:
        return THRONG_EINVAL;
    }
    seat->policy = (uint8_t)policy;
    tg_server_set_fanout_limit(server, seat);
    if ((seat->flags & TG_SEAT_HELD) != 0) {
        tg_server_mark_dirty(server, seat); /* the next flush decides anew */
    }
    if ((seat->flags & TG_SEAT_WAITING) != 0) {
        tg_writable_look(server, seat);
    }
    return 0;
}
