/* SPDX-License-Identifier: MIT
 * Each way out is the throng function of its name. See outlet.h. */
#include "outlet.h"

static int write_data(void *end, throng_conn conn, const void *data, size_t size)
{
    return throng_write_data(end, conn, data, size);
}

static int close_conn(void *end, throng_conn conn)
{
    return throng_close(end, conn);
}

static int abort_conn(void *end, throng_conn conn)
{
    return throng_abort(end, conn);
}

static int room_create(void *end, throng_room *room)
{
    return throng_room_create(end, room);
}

static int room_destroy(void *end, throng_room room)
{
    return throng_room_destroy(end, room);
}

static int room_join(void *end, throng_room room, throng_conn conn)
{
    return throng_room_join(end, room, conn);
}

static int room_leave(void *end, throng_room room, throng_conn conn)
{
    return throng_room_leave(end, room, conn);
}

static int room_broadcast(void *end, throng_room room, const void *data, size_t size,
                          throng_conn except)
{
    return throng_room_broadcast(end, room, data, size, except);
}

struct chat_outlet chat_outlet_of(struct throng_server *server)
{
    return (struct chat_outlet){
        .end = server,
        .write = write_data,
        .close = close_conn,
        .abort = abort_conn,
        .room_create = room_create,
        .room_destroy = room_destroy,
        .room_join = room_join,
        .room_leave = room_leave,
        .room_broadcast = room_broadcast,
    };
}
