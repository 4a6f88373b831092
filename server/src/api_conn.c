/* SPDX-License-Identifier: MIT
 * Looking at connections: user pointer, addresses, what waits to be sent. Logic thread. */
#include "state.h"

int throng_set_user(struct throng_server *server, throng_conn conn, void *user)
{
    struct tg_seat *seat = server == NULL ? NULL : tg_seat_find(server, conn);
    if (seat == NULL) {
        return server == NULL ? THRONG_EINVAL : THRONG_ESTALE;
    }
    seat->user = user;
    return 0;
}

int throng_get_user(struct throng_server *server, throng_conn conn, void **user)
{
    if (server == NULL || user == NULL) {
        return THRONG_EINVAL;
    }
    const struct tg_seat *seat = tg_seat_find(server, conn);
    if (seat == NULL) {
        return THRONG_ESTALE;
    }
    *user = seat->user;
    return 0;
}

int throng_peer_address(struct throng_server *server, throng_conn conn,
                        struct throng_address *address)
{
    if (server == NULL || address == NULL) {
        return THRONG_EINVAL;
    }
    if (tg_seat_find(server, conn) == NULL) {
        return THRONG_ESTALE;
    }
    *address = tg_ends_peer(&server->arena.ends, tg_conn_slot(conn.id));
    return 0;
}

int throng_local_address(struct throng_server *server, throng_conn conn,
                         struct throng_address *address)
{
    if (server == NULL || address == NULL) {
        return THRONG_EINVAL;
    }
    if (tg_seat_find(server, conn) == NULL) {
        return THRONG_ESTALE;
    }
    *address = tg_ends_local(&server->arena.ends, tg_conn_slot(conn.id));
    return 0;
}

int throng_queued_bytes(struct throng_server *server, throng_conn conn, size_t *bytes)
{
    if (server == NULL || bytes == NULL) {
        return THRONG_EINVAL;
    }
    const struct tg_seat *seat = tg_seat_find(server, conn);
    if (seat == NULL) {
        return THRONG_ESTALE;
    }
    *bytes = ((size_t)seat->pending.units + seat->units_out) * TG_BLOCK_BYTES;
    return 0;
}
