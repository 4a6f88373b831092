/* SPDX-License-Identifier: MIT
 * Rooms: sets of connections that hear the same messages. A chat's channels, a game's worlds.
 *
 *     throng_room room;
 *     throng_room_create(server, &room);
 *     throng_room_join(server, room, event.conn);
 *     throng_room_broadcast(server, room, "hello", 5, THRONG_NOBODY);
 *
 * A broadcast is encoded once and costs the logic thread the same however many members there are:
 * each I/O thread walks its own members and queues a reference to the shared bytes. A member hears
 * what was written to it and what was broadcast in the order of these calls. Membership ends with
 * the connection: nothing needs to be done at CLOSED.
 *
 * Logic thread, all of it. Memory: options rooms_max, room_members_max, room_references_max;
 * broadcasts use send memory (send_small_bytes, send_large_bytes). */
#ifndef THRONG_ROOM_H
#define THRONG_ROOM_H

#include <throng/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A room's name: unique for the life of the server. 0 is never a room. Compare `id`s. */
typedef struct throng_room {
    uint64_t id;
} throng_room;

/* No connection: a broadcast leaves nobody out. */
#ifdef __cplusplus
#define THRONG_NOBODY (throng_conn{0})
#else
#define THRONG_NOBODY ((throng_conn){0})
#endif

/* An empty room. 0; THRONG_EAGAIN: rooms_max of them exist (one that was destroyed counts until the
 * I/O threads have let its members go); THRONG_EINVAL. */
THRONG_API int throng_room_create(struct throng_server *server, throng_room *room);

/* Ends the room: everybody leaves it. What was broadcast before is still delivered. 0 or
 * THRONG_ESTALE. */
THRONG_API int throng_room_destroy(struct throng_server *server, throng_room room);

/* Attaches a pointer to the room, NULL before. 0 or THRONG_ESTALE; *user is untouched on error. */
THRONG_API int throng_room_set_user(struct throng_server *server, throng_room room, void *user);
THRONG_API int throng_room_get_user(struct throng_server *server, throng_room room, void **user);

/* The connection hears what is broadcast from now on, until it leaves or ends. 0, also if it is a
 * member already; THRONG_ESTALE: the room or the connection is gone; THRONG_ECLOSING: throng_close
 * or throng_abort was called; THRONG_EAGAIN: room_members_max memberships exist, or the connection
 * is in rooms_per_connection rooms. */
THRONG_API int throng_room_join(struct throng_server *server, throng_room room, throng_conn conn);

/* It hears no more. What was broadcast before is still delivered. 0, also if it is no member;
 * THRONG_ESTALE: the room or the connection is gone. */
THRONG_API int throng_room_leave(struct throng_server *server, throng_room room, throng_conn conn);

/* Queues one message to every member but `except` (THRONG_NOBODY: to all); copies it once. 0;
 * THRONG_ESTALE: the room is gone; THRONG_ETOOBIG: size > message_bytes_max; THRONG_EAGAIN: send
 * memory, or an I/O thread's command ring, is full: nothing was queued to anybody, try again with a
 * later event; THRONG_EINVAL: as throng_write_data.
 *
 * A member whose queue has no room (send_queue_bytes_max, throng_set_send_limit) fares as its
 * policy says: REFUSE: this message is not for it; CLOSE: it is reset; DROP_OLDEST: the oldest
 * messages that wait for it are dropped. While send memory, or its I/O thread's references, are
 * short, so fares each member to which something is still unsent, whatever its limit; and with
 * DROP_OLDEST it may miss the newest too. When no references are left at all, every member misses
 * it (room_references_max says how many it takes). What a member missed is counted
 * (throng_room_get_info). */
THRONG_API int throng_room_broadcast(struct throng_server *server, throng_room room,
                                     const void *data, size_t size, throng_conn except);

struct throng_room_info {
    uint32_t members;
    uint64_t broadcasts; /* accepted since the room was created */
    /* What members missed by policy for what was broadcast here: that itself, or older messages
     * that made room for it. I/O threads count: a moment late. */
    uint64_t dropped;
};

/* 0 or THRONG_ESTALE. */
THRONG_API int throng_room_get_info(struct throng_server *server, throng_room room,
                                    struct throng_room_info *info);

/* Whether the connection is a member: 1, 0, or THRONG_ESTALE: the room or the connection is
 * gone. */
THRONG_API int throng_room_has(struct throng_server *server, throng_room room, throng_conn conn);

/* The members, in no particular order: `*member` THRONG_NOBODY asks for the first, a member for the
 * next one. 1; 0: there is none, *member is THRONG_NOBODY; THRONG_ESTALE: the room is gone, or
 * *member is not in it. To remove members on the way, ask for the next one before. */
THRONG_API int throng_room_next_member(struct throng_server *server, throng_room room,
                                       throng_conn *member);

/* The rooms of a connection, in no particular order: room id 0 asks for the first. Answers as
 * throng_room_next_member. */
THRONG_API int throng_room_next_of(struct throng_server *server, throng_conn conn,
                                   throng_room *room);

#ifdef __cplusplus
}
#endif

#endif
