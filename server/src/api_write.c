/* SPDX-License-Identifier: MIT
 * Writing and closing: what the game says to a connection collects at its seat and goes to the
 * worker at the end of the batch, all of it as one gathered send (flush.c). Logic thread. */
#include "codec/frame.h"
#include "send_policy.h"
#include "state.h"

void throng_flush(struct throng_server *server)
{
    if (server == NULL) {
        return;
    }
    tg_server_flush(server);
    if (server->config.inline_mode) {
        tg_worker_turn(&server->workers[0], 0);
    }
}

int tg_server_check_seat(struct throng_server *server, throng_conn conn, struct tg_seat **seat)
{
    if (server == NULL) {
        return THRONG_EINVAL;
    }
    *seat = tg_seat_find(server, conn);
    if (*seat == NULL) {
        return THRONG_ESTALE;
    }
    if (((*seat)->flags & TG_SEAT_GONE) != 0) {
        tg_count(&server->counters.writes_stale, 1);
        return THRONG_ESTALE;
    }
    return 0;
}

void tg_server_note_written(struct throng_server *server, struct tg_seat *seat,
                            uint32_t units_before)
{
    uint32_t units = seat->units_out + seat->pending.units;
    if (units > units_before) {
        tg_queue_growth_note(server, seat, units_before, units);
    }
    if ((seat->flags & TG_SEAT_WAITING) != 0) {
        tg_writable_forget(server, seat);
    }
    tg_server_mark_dirty(server, seat);
    tg_count(&server->counters.messages_written, 1);
}

TG_OUT_OF_LINE static int write_anywhere(struct throng_server *server, throng_conn conn,
                                         const void *data, size_t size)
{
    struct tg_seat *seat;
    int result = tg_server_check_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    if ((seat->flags & (TG_SEAT_CLOSING | TG_SEAT_ABORTING)) != 0) {
        return THRONG_ECLOSING;
    }
    if (size > server->config.options.message_bytes_max) {
        return THRONG_ETOOBIG;
    }
    if ((data == NULL && size > 0) || (size == 0 && (seat->flags & TG_SEAT_BEATS) != 0)) {
        return THRONG_EINVAL;
    }
    uint32_t units = seat->units_out + seat->pending.units;
    if (!tg_send_append(server, seat, data, size)) {
        tg_server_collect_blocks(server); /* some may have come home since */
        units = seat->units_out + seat->pending.units;
        if (!tg_send_append(server, seat, data, size)) {
            result = tg_send_without_room(server, seat, data, size);
            if (result < 0) {
                return result;
            }
        }
    }
    tg_server_note_written(server, seat, units);
    return 0;
}

/* The hot case: one more message for a connection to which something was written since the last
 * flush, with room for it behind that. False, with nothing changed, in every other case, one of
 * which is a connection with a WRITABLE to forget. */
static bool write_behind(struct throng_server *server, throng_conn conn, const void *data,
                         size_t size)
{
    uint32_t slot = tg_conn_slot(conn.id);
    if (slot >= server->arena.capacity || data == NULL || size == 0 ||
        size > server->config.options.message_bytes_max) {
        return false;
    }
    struct tg_seat *seat = &server->seats[slot];
    const uint16_t refusing = TG_SEAT_GONE | TG_SEAT_CLOSING | TG_SEAT_ABORTING | TG_SEAT_WAITING;
    if (seat->id != conn.id || (seat->flags & (TG_SEAT_DIRTY | refusing)) != TG_SEAT_DIRTY) {
        return false;
    }
    uint8_t header[THRONG_FRAME_HEADER_BYTES];
    tg_frame_length_write(header, (uint32_t)size, server->config.options.byte_order);
    return tg_chain_append_in_room(&seat->pending, &server->blocks, header, data, size);
}

int throng_write_data(struct throng_server *server, throng_conn conn, const void *data, size_t size)
{
    if (server == NULL || !write_behind(server, conn, data, size)) {
        return write_anywhere(server, conn, data, size);
    }
    tg_count(&server->counters.messages_written, 1);
    return 0;
}

int throng_close(struct throng_server *server, throng_conn conn)
{
    struct tg_seat *seat;
    int result = tg_server_check_seat(server, conn, &seat);
    if (result < 0) {
        return result;
    }
    if ((seat->flags & (TG_SEAT_CLOSING | TG_SEAT_ABORTING)) != 0) {
        return THRONG_ECLOSING;
    }
    tg_writable_forget(server, seat);
    seat->flags |= TG_SEAT_CLOSING | TG_SEAT_CLOSE_DUE;
    tg_server_mark_dirty(server, seat);
    return 0;
}

void tg_server_abort_seat(struct throng_server *server, struct tg_seat *seat, uint16_t slow)
{
    if ((seat->flags & TG_SEAT_ABORTING) != 0) {
        return;
    }
    tg_writable_forget(server, seat);
    tg_server_drop_pending(server, seat);
    seat->flags |= TG_SEAT_ABORTING | TG_SEAT_ABORT_DUE | slow;
    tg_server_mark_dirty(server, seat);
}

int throng_abort(struct throng_server *server, throng_conn conn)
{
    struct tg_seat *seat;
    int result = tg_server_check_seat(server, conn, &seat);
    if (result == 0) {
        tg_server_abort_seat(server, seat, 0);
    }
    return result;
}
