/* SPDX-License-Identifier: MIT
 * throng's server: the one header to read.
 *
 *     struct throng_event event;
 *     while (throng_get_event(server, &event, -1) >= 0) {
 *         if (event.type == THRONG_EVENT_MESSAGE)
 *             throng_write_data(server, event.conn, event.data, event.size);
 *         throng_release_event(server, &event);
 *     }
 *
 * One thread, the logic thread, makes all calls of a server (but those marked "any thread"). It
 * sees for each connection: OPEN, then MESSAGEs in order, then CLOSED exactly once, and nothing
 * after. I/O happens on the server's own threads, or in inline mode inside throng_get_event. The
 * logic thread must not block for long; no other rule needs to be known.
 *
 * throng/options.h has the options, throng/room.h rooms and broadcasts, throng/message_server.h
 * typed messages. */
#ifndef THRONG_SERVER_H
#define THRONG_SERVER_H

#include <throng/error.h>
#include <throng/options.h>
#include <throng/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct throng_server;

enum throng_event_type {
    THRONG_EVENT_OPEN = 1,    /* a connection was accepted; the server may speak first */
    THRONG_EVENT_MESSAGE = 2, /* one whole message; size 0 is a message too */
    THRONG_EVENT_CLOSED = 3,  /* the connection is gone; `reason` says why */
    /* There is room again for a connection whose write was refused with THRONG_EAGAIN: its queue
     * has fallen to half, and send memory is not short. Once per refusal that was not followed by
     * an accepted write; not after throng_close or throng_abort. */
    THRONG_EVENT_WRITABLE = 4,
    THRONG_EVENT_TIMER =
        5, /* a timer of throng_timer_start is due: `number` is its id, `user` its pointer */
    THRONG_EVENT_TICK =
        6, /* throng_tick: `number` counts ticks from 1, `missed` those left out before */
    THRONG_EVENT_POSTED = 7, /* throng_post: `user` and `number` as given there */
};

/* Why a connection ended. X(name, text) */
#define THRONG_CLOSE_REASON_MAP(X)                                                                 \
    X(PEER, "the peer closed")                                                                     \
    X(RESET, "the peer reset the connection")                                                      \
    X(TIMEOUT, "the network gave the connection up")                                               \
    X(ERROR, "a system error ended the connection")                                                \
    X(TOO_LARGE, "the peer announced a message over the limit")                                    \
    X(TRUNCATED, "the peer closed inside a message")                                               \
    X(NO_MEMORY, "the peer stopped inside a message while memory for messages was short")          \
    X(LOCAL, "closed by throng_close")                                                             \
    X(ABORTED, "closed by throng_abort")                                                           \
    X(LINGER, "the peer did not take the last bytes in time")                                      \
    X(DRAINED, "the server is stopping")                                                           \
    X(FIRST_MESSAGE, "no message came in time after the connect")                                  \
    X(SLOW_SENDER, "a message that had begun was not complete in time")                            \
    X(IDLE, "nothing came from the peer for too long")                                             \
    X(SLOW_READER, "the peer did not take what was sent to it")                                    \
    X(OVER_RATE, "the peer sent more than its rate allows")                                        \
    X(EVICTED, "silent while every slot was taken")

enum throng_close_reason {
    THRONG_CLOSE_NONE = 0,
#define THRONG_CLOSE_ENUM(name, text) THRONG_CLOSE_##name,
    THRONG_CLOSE_REASON_MAP(THRONG_CLOSE_ENUM)
#undef THRONG_CLOSE_ENUM
};

/* The reason as a sentence. Any thread. */
THRONG_API const char *throng_close_reason_text(enum throng_close_reason reason);

/* One event. Yours from get to release; release each exactly once. */
struct throng_event {
    uint32_t type;     /* enum throng_event_type */
    uint32_t reason;   /* CLOSED: enum throng_close_reason, else 0 */
    throng_conn conn;  /* TIMER, TICK, POSTED: none, its id is 0 */
    void *user;        /* the connection's user pointer; TIMER, POSTED: as given; TICK: NULL */
    const void *data;  /* MESSAGE: the payload, valid until the release; else NULL */
    size_t size;       /* MESSAGE: bytes of the payload, 0..message_bytes_max */
    uint32_t listener; /* OPEN: which of options.listen took it */
    uint32_t missed;   /* TICK: ticks that were left out right before this one */
    uint64_t number;   /* TIMER, TICK, POSTED: see enum throng_event_type */
    uint32_t private_worker; /* throng's own: do not touch */
    uint32_t private_bytes;  /* throng's own: do not touch */
    uint64_t private_origin; /* throng's own: do not touch */
};

/* ---- life ---- */

/* Starts a server: checks the options, reserves all memory, starts the I/O threads, listens. When
 * it answers 0, clients can connect. On an error nothing is left behind, and `error` (may be NULL)
 * names the offending value and its limit. The calling thread becomes the logic thread.
 * THRONG_EINVAL, THRONG_ENOMEM, THRONG_EADDRINUSE, THRONG_EADDRNOTAVAIL, THRONG_EACCES,
 * THRONG_ERESOLVE, THRONG_EDESCRIPTORLIMIT, THRONG_EAFNOSUPPORT, THRONG_ENOTSUP, THRONG_EMFILE,
 * THRONG_ENOBUFS, THRONG_ESYSTEM. */
THRONG_API int throng_server_start(struct throng_server **server,
                                   const struct throng_server_options *options,
                                   struct throng_error *error);

/* Stops at once: resets what is still connected, ends the threads, frees everything. Events not yet
 * released die with it. NULL is allowed. A new server may be started afterwards. */
THRONG_API void throng_server_stop(struct throng_server *server);

/* Begins a graceful end: no new connections; each live one gets what was written to it, is closed
 * and reported with CLOSED (reason THRONG_CLOSE_DRAINED), at the latest after `deadline_ms`, when
 * what is left is reset. Go on calling throng_get_event: it answers THRONG_ESTOPPED when the last
 * CLOSED was taken. A second call only shortens the deadline. */
THRONG_API void throng_server_drain(struct throng_server *server, uint32_t deadline_ms);

/* Makes a waiting throng_get_event(s) return 0 now, or the next one that finds no event. What the
 * caller did before is visible to whoever sees it return. Any thread; also a signal handler. */
THRONG_API void throng_server_wake(struct throng_server *server);

/* ---- the loop ---- */

/* The next event; waits up to timeout_ms (0: only look; negative: no limit). Answers 1, 0 if none
 * came in time or throng_server_wake was called, THRONG_ESTOPPED at the end of a drain,
 * THRONG_EINVAL. All that was written since the last flush goes out when throng has no more event
 * at hand. */
THRONG_API int throng_get_event(struct throng_server *server, struct throng_event *event,
                                int timeout_ms);

/* As throng_get_event, up to `capacity` (>= 1) events at once: the count. */
THRONG_API int throng_get_events(struct throng_server *server, struct throng_event *events,
                                 size_t capacity, int timeout_ms);

/* Gives an event back; its data is no longer valid. The id of a CLOSED event's connection is dead
 * from here. Events may be released in any order, but while events_max of one I/O thread are held,
 * that thread reads no more. Also allowed for an event after its connection was closed. */
THRONG_API void throng_release_event(struct throng_server *server, struct throng_event *event);

/* ---- connections ---- */

/* Queues one message; copies it. All of it is accepted, or none. 0; THRONG_ESTALE: the connection
 * is gone; THRONG_ECLOSING: throng_close or throng_abort was called; THRONG_ETOOBIG: size >
 * message_bytes_max; THRONG_EAGAIN: the connection's queue (send_queue_bytes_max) or the send
 * memory is full now, and a WRITABLE event will say when it is worth another try. A connection to
 * which all was sent is refused no message for its queue, only while others hold the send memory.
 * What was accepted is delivered in order, or CLOSED is reported; enum throng_when_send_full names
 * two other policies, of which CLOSE answers THRONG_ECLOSING here. data may be NULL if size is 0,
 * else THRONG_EINVAL; so is size 0 where empty messages are heartbeats (heartbeat_ms). */
THRONG_API int throng_write_data(struct throng_server *server, throng_conn conn, const void *data,
                                 size_t size);

/* A message that is written piece by piece, straight into send memory: for those that are made
 * while they are written. All of it is throng's own. */
struct throng_writer {
    struct throng_server *private_server; /* NULL: not begun */
    uint64_t private_target;
    size_t private_size; /* bytes of the payload so far */
    uint32_t private_chain[4];
    int private_error; /* the first */
};

/* Begins a message to `conn`: throng_write_begin, any number of throng_writer_append, then
 * throng_write_end, which sends it as one message, or throng_write_cancel. It takes its place in
 * the order when it ends, so whatever else happens between is allowed, other writers and writes to
 * the same connection too. End each one: until then it holds up to a longest message of send
 * memory. 0, THRONG_ESTALE, THRONG_ECLOSING, THRONG_EINVAL. */
THRONG_API int throng_write_begin(struct throng_server *server, throng_conn conn,
                                  struct throng_writer *writer);

/* Copies `size` bytes behind those that were appended. 0; THRONG_ETOOBIG: message_bytes_max is
 * passed; THRONG_EAGAIN: the send memory is full now, and a WRITABLE event will say when it is
 * worth another try, from the beginning; THRONG_ESTALE, THRONG_ECLOSING, THRONG_EINVAL (not begun;
 * data NULL and size not 0). The first error stays, and throng_write_end answers it too. Where the
 * policy is DROP_OLDEST, older messages may be dropped for want of memory before it is known how
 * long this one gets. */
THRONG_API int throng_writer_append(struct throng_writer *writer, const void *data, size_t size);

/* throng_writer_append as a throng_sink (throng/pack.h); `writer` is a struct throng_writer. */
THRONG_API int throng_writer_sink(void *writer, const void *data, size_t size);

/* Sends the message: the answers of throng_write_data. Of a message that is refused nothing is
 * left. Ends the writer either way. THRONG_EINVAL: not begun, or ended before. */
THRONG_API int throng_write_end(struct throng_writer *writer);

/* Gives the message up; harmless if there is none. */
THRONG_API void throng_write_cancel(struct throng_writer *writer);

/* Hands everything written so far to the I/O threads now, instead of at the end of the batch. In
 * inline mode it also sends. */
THRONG_API void throng_flush(struct throng_server *server);

/* Closes gracefully: what was written before is delivered, then our end is sent and the peer's end
 * awaited for linger_ms. No more MESSAGE of this connection comes; CLOSED comes once it is over. 0,
 * THRONG_ESTALE, THRONG_ECLOSING if called before. */
THRONG_API int throng_close(struct throng_server *server, throng_conn conn);

/* Closes by reset, at once: what was not sent is lost. 0 or THRONG_ESTALE; allowed after
 * throng_close. */
THRONG_API int throng_abort(struct throng_server *server, throng_conn conn);

/* Changes how many bytes may wait to be sent to this connection, in whole 512-byte blocks, instead
 * of send_queue_bytes_max. At least one longest message, at most 2 GiB. What waits already stays.
 * Reading pauses at half of send_queue_bytes_max nevertheless. 0, THRONG_ESTALE, THRONG_EINVAL. */
THRONG_API int throng_set_send_limit(struct throng_server *server, throng_conn conn, size_t bytes);

/* Changes what happens when they are reached. 0, THRONG_ESTALE, THRONG_EINVAL. */
THRONG_API int throng_set_send_policy(struct throng_server *server, throng_conn conn,
                                      enum throng_when_send_full policy);

/* Attaches a pointer to the connection; each event that is taken after this call carries it (one
 * that the same throng_get_events has answered does not yet). NULL at OPEN. 0 or THRONG_ESTALE. */
THRONG_API int throng_set_user(struct throng_server *server, throng_conn conn, void *user);

/* The pointer attached; *user is untouched on error. 0 or THRONG_ESTALE. */
THRONG_API int throng_get_user(struct throng_server *server, throng_conn conn, void **user);

/* The connection's two ends. 0 or THRONG_ESTALE. No system call. */
THRONG_API int throng_peer_address(struct throng_server *server, throng_conn conn,
                                   struct throng_address *address);
THRONG_API int throng_local_address(struct throng_server *server, throng_conn conn,
                                    struct throng_address *address);

/* Bytes and whole 512-byte blocks that wait to be sent to this connection (blocks not yet known to
 * be sent count). 0 or THRONG_ESTALE. */
THRONG_API int throng_queued_bytes(struct throng_server *server, throng_conn conn, size_t *bytes);

/* ---- time, and other threads ----
 *
 * Due timers and ticks and posted numbers are events like the others, so one loop sees all that
 * happens, in one order. TIMER, TICK and POSTED have no connection (conn.id is 0). Of those that
 * are due, TICK comes first, then TIMERs by due time, then POSTEDs; each kind at most 256 before
 * the others have their turn. They come in a drain as well; a timer or a tick does not keep it from
 * its end, a post that waits does. */

/* The time of the running batch (what throng_get_event has at hand between two flushes), ns:
 * monotonic, from an unknown origin, asked once a batch. The logic of a game should know no other
 * clock. Logic thread. */
THRONG_API uint64_t throng_now_ns(const struct throng_server *server);

/* A timer's name; unique for the life of the server. 0 is never a timer. */
typedef struct throng_timer {
    uint64_t id;
} throng_timer;

/* Asks for a TIMER event `delay_ms` (0..86,400,000) after this call, and again each `period_ms` (0:
 * once; at most 86,400,000). Never early; late by a millisecond (Windows: by its clock tick, 15.6
 * ms unless the program asks for better), or by what the logic thread takes. A periodic one that is
 * late by whole periods leaves those out. `timer` may be NULL. 0; THRONG_EAGAIN: timers_max of them
 * run; THRONG_EINVAL. */
THRONG_API int throng_timer_start(struct throng_server *server, uint32_t delay_ms,
                                  uint32_t period_ms, void *user, throng_timer *timer);

/* No event of it is taken after this call. 0; THRONG_ESTALE: its only event was taken already, or
 * it was stopped; THRONG_EINVAL: server is NULL. */
THRONG_API int throng_timer_stop(struct throng_server *server, throng_timer timer);

/* Asks for TICK events at a fixed rate, 1..1,000 a second; 0 ends them. A logic thread that is late
 * gets one event, with the number of those that it missed, and the rhythm stays. A call begins
 * anew, number 1 one period from now. 0 or THRONG_EINVAL. */
THRONG_API int throng_tick(struct throng_server *server, uint32_t rate_hz);

/* Hands a pointer and a number to the loop, as a POSTED event: a database's answer, a command from
 * a console. What the caller did before is visible to whoever takes the event; those of one thread
 * come in order. 0; THRONG_EAGAIN: posts_max of them wait, nothing was taken; THRONG_EINVAL: server
 * is NULL. Any thread while the server lives; not a signal handler (throng_server_wake is for
 * those). THRONG_ESTOPPED is not answered to the logic thread while one waits; throng_server_stop
 * forgets what waits. */
THRONG_API int throng_post(struct throng_server *server, void *user, uint64_t number);

/* ---- looking at it ---- */

/* The address that listener `index` (place in options.listen) really has. 0 or THRONG_EINVAL. */
THRONG_API int throng_server_listen_address(const struct throng_server *server, uint32_t index,
                                            struct throng_address *address);

/* The address of the admin listener (options.admin). 0; THRONG_EINVAL: there is none. */
THRONG_API int throng_server_admin_address(const struct throng_server *server,
                                           struct throng_address *address);

/* What runs: the backend's name and the number of I/O threads (0 = inline). */
THRONG_API const char *throng_server_backend(const struct throng_server *server);
THRONG_API uint32_t throng_server_io_threads(const struct throng_server *server);

/* Counters since start; gauges are what holds now. X(name, text) */
#define THRONG_COUNTER_MAP(X)                                                                      \
    X(connections, "gauge: connections now: accepted and not yet closed")                          \
    X(slots_taken, "gauge: slots in use: connections, and CLOSED events not yet released")         \
    X(connections_peak, "most slots in use at once")                                               \
    X(accepted, "connections accepted")                                                            \
    X(refused, "connections turned away because every slot was taken")                             \
    X(accepts_dead, "connections that died before they were accepted")                             \
    X(accept_pauses, "times that accepting paused because the system had run out")                 \
    X(closed, "connections ended")                                                                 \
    X(messages_received, "whole messages received")                                                \
    X(bytes_received, "bytes received, headers included")                                          \
    X(messages_written, "messages accepted by throng_write_data")                                  \
    X(bytes_sent, "bytes sent, headers included")                                                  \
    X(writes_refused, "messages refused by throng_write_data with THRONG_EAGAIN")                  \
    X(writes_stale, "calls refused because the connection was gone, at the API")                   \
    X(commands_stale, "commands dropped because the connection was gone, at the I/O thread")       \
    X(bytes_dropped, "accepted bytes not sent because their connection ended")                     \
    X(events_unreleased, "gauge: events taken and not released: grows if you forget to release")   \
    X(send_units_free, "gauge: free 512-byte units of send memory")                                \
    X(send_units_total, "512-byte units of send memory")                                           \
    X(assembly_bytes_used, "gauge: memory holding messages that arrive in pieces")                 \
    X(receive_pauses, "times that reading a connection paused for want of room")                   \
    X(system_waits, "system calls that waited for completions")                                    \
    X(system_receives, "system calls that received")                                               \
    X(system_sends, "system calls that sent")                                                      \
    X(wakes_logic, "times that an I/O thread had to wake the logic thread")                        \
    X(wakes_io, "times that the logic thread had to wake an I/O thread")                           \
    X(log_lines_dropped, "log lines dropped because the logic thread did not come by")             \
    X(refused_address, "connections turned away because their address had its share")              \
    X(evicted, "silent connections that were reset for want of slots")                             \
    X(heartbeats_sent, "heartbeats sent, answers included")                                        \
    X(heartbeats_received, "heartbeats received, answers included")                                \
    X(rate_pauses, "times that reading a connection paused because of its rate")                   \
    X(turn_pauses, "times that reading a connection paused for others' turn")                      \
    X(queue_doublings,                                                                             \
      "times that what waits for a connection doubled, from an eighth of its limit")               \
    X(queue_bytes_peak, "most bytes that waited for one connection")                               \
    X(messages_dropped, "messages dropped for newer ones (DROP_OLDEST)")                           \
    X(writable_events, "WRITABLE events")                                                          \
    X(rooms, "gauge: rooms")                                                                       \
    X(room_members, "gauge: memberships of connections in rooms")                                  \
    X(broadcasts, "messages accepted by throng_room_broadcast")                                    \
    X(broadcasts_refused, "messages refused by throng_room_broadcast with THRONG_EAGAIN")          \
    X(broadcast_deliveries, "messages of broadcasts that were queued to a member")                 \
    X(broadcast_drops, "messages of broadcasts that a member missed by its policy")                \
    X(logic_stalls, "times that the logic thread took no event for logic_stall_ms")                \
    X(logic_stalled_ms, "gauge: how long it takes none already, while it is stuck")                \
    X(timers_running, "gauge: timers that run")                                                    \
    X(ticks_missed, "ticks left out because the logic thread was late")                            \
    X(posts_refused, "posts refused by throng_post with THRONG_EAGAIN")

struct throng_counters {
#define THRONG_COUNTER_FIELD(name, text) uint64_t name;
    THRONG_COUNTER_MAP(THRONG_COUNTER_FIELD)
#undef THRONG_COUNTER_FIELD
};

/* A snapshot; each number is right, their moments may differ a little (the logic thread renews
 * send_units_free when it flushes). Any thread, while the server lives. */
THRONG_API void throng_server_counters(const struct throng_server *server,
                                       struct throng_counters *counters);

/* Connections that ended with this reason since start. Any thread, while the server lives. */
THRONG_API uint64_t throng_server_closed_count(const struct throng_server *server,
                                               enum throng_close_reason reason);

#ifdef __cplusplus
}
#endif

#endif
