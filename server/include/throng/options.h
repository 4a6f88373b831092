/* SPDX-License-Identifier: MIT
 * What a server is started with. Every option has a default; 0 means the default unless it says
 * otherwise. */
#ifndef THRONG_OPTIONS_H
#define THRONG_OPTIONS_H

#include <throng/error.h>
#include <throng/log.h>
#include <throng/types.h>
#include <throng/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most listeners of one server. */
#define THRONG_LISTENERS_MAX 16

/* Hardest limit of max_connections (the id keeps 20 bits for the slot). */
#define THRONG_CONNECTIONS_LIMIT 1048575u

/* Most I/O threads. */
#define THRONG_IO_THREADS_LIMIT 64u

/* io_threads: let throng choose. */
#define THRONG_IO_THREADS_AUTO UINT32_MAX

/* In an option of time that has a default: none. */
#define THRONG_OFF UINT32_MAX

/* What happens to a connection that arrives while every slot is taken. */
enum throng_when_full {
    THRONG_WHEN_FULL_REFUSE = 0,  /* accepted and reset at once: the client knows */
    THRONG_WHEN_FULL_BACKLOG = 1, /* left in the listen backlog until a slot frees */
};

/* What throng_write_data does with a message for which its connection's send queue
 * (send_queue_bytes_max, throng_set_send_limit) has no room.
 *
 * REFUSE       THRONG_EAGAIN; a WRITABLE event comes when there is room again. Until then the connection
 *              is not read from.
 * CLOSE        the connection is reset: SLOW_READER.
 * DROP_OLDEST  the oldest messages that wait, whole ones, are dropped for this one: for states, of which
 *              only the newest counts. What was handed to the I/O thread goes out first, up to the whole
 *              limit: give such a connection a small one. Refuses as well if send memory is short. */
enum throng_when_send_full {
    THRONG_WHEN_SEND_FULL_REFUSE = 0,
    THRONG_WHEN_SEND_FULL_CLOSE = 1,
    THRONG_WHEN_SEND_FULL_DROP_OLDEST = 2,
};

/* What happens to a connection that sends more than messages_per_s or bytes_per_s allow. */
enum throng_when_over_rate {
    THRONG_WHEN_OVER_RATE_SLOW = 0,  /* it is read from as fast as the rate allows, no faster */
    THRONG_WHEN_OVER_RATE_CLOSE = 1, /* it is reset: OVER_RATE */
};

/* Fill with throng_server_options_init, then change what you want. */
struct throng_server_options {
    /* sizeof this struct, so that a program compiled against an older header keeps working. */
    size_t struct_size;

    /* "tcp://HOST:PORT"; HOST is an IPv4 address, an IPv6 address in brackets, a name or "*" (any
     * address of both families, or of IPv4 where the system has no IPv6); port 0 = any free port,
     * see throng_server_listen_address. The strings are copied. At least one. */
    const char *listen[THRONG_LISTENERS_MAX];

    /* Connections at once. 1..1,048,575; default 65,000. Everything is reserved for that many at
     * start. */
    uint32_t max_connections;

    /* I/O threads. 0 = inline mode: throng_get_event itself drives the I/O, no second thread.
     * 1..64; default THRONG_IO_THREADS_AUTO: 1 on up to two processors, else one less than there
     * are, at most 4. Raised, with a log line, when the descriptor limit needs more descriptor
     * tables than that. */
    uint32_t io_threads;

    /* The completion port. Linux: "io_uring", "epoll", or "auto": io_uring where the system allows
     * it (the log says why if not), else epoll. Windows: "iocp", which is also "auto". Default
     * (NULL) "auto". */
    const char *backend;

    /* Longest payload that is received or sent, bytes. 1..67,108,864; default 65,536. */
    uint32_t message_bytes_max;

    /* Byte order of the frame length. Default big-endian. */
    enum throng_byte_order byte_order;

    /* Default REFUSE. */
    enum throng_when_full when_full;

    /* Connections that the system holds before they are accepted. 1..1,048,576; default 4,096 (the
     * system may cap it, see net.core.somaxconn). */
    uint32_t backlog;

    /* Most bytes waiting to be sent to one connection, counted in whole 512-byte blocks. At least
     * one longest message, so an empty queue takes any message; default 256 KiB or two longest
     * messages, whichever is more. A connection whose unanswered and unsent bytes reach half of it
     * is not read from until they fall again: a peer that does not read is not listened to. What
     * had been read by then may be answered with more than the queue holds: an echo of many
     * messages in a row has to handle THRONG_EAGAIN, one whose peer waits for each answer has
     * not. */
    uint32_t send_queue_bytes_max;

    /* Memory for messages waiting to be sent, all connections together, bytes: default 32 MiB (or
     * two longest messages, whichever is more; one at least) in 512-byte blocks, and 16 MiB in 16.5
     * KiB blocks for the inside of long messages. At most 64 GiB each. */
    size_t send_small_bytes;
    size_t send_large_bytes;

    /* Memory for messages that arrive in pieces, per I/O thread, bytes. A message takes the next
     * power of two. At least two longest messages so counted; default 8 MiB or four, whichever is
     * more. Connections that find none wait for it in line: bulk beyond it is slowed, not lost.
     * Half is set aside for that line. If it stands still for a second, and not because of messages
     * that are not released, the connection that takes longest over one message is closed
     * (NO_MEMORY), and so on each second: peers that stop in the middle of messages cannot stop the
     * others. */
    size_t assembly_bytes;

    /* Receive buffers per I/O thread and their size. 4..65,536, default 32; 4 KiB..4 MiB, default
     * 64 KiB. One lies aside until pieces that wait for assembly memory hold many of the others. */
    uint32_t receive_buffers;
    uint32_t receive_buffer_bytes;

    /* Events taken but not released, per I/O thread. 64..1,048,576, rounded up to a power of two;
     * default 8,192. Beyond it the I/O thread stops reading until events are released; so it does
     * when unreleased messages hold all of its receive buffers. */
    uint32_t events_max;

    /* Kernel send and receive buffer of each connection, bytes. 0 (default) = the system's own
     * tuning. On Linux a peer that does not read then makes the kernel hold up to 4.3 MB of what is
     * sent to it, 0.66 MB with socket_send_bytes 262,144, 0.18 MB with 16,384 (measured, with the
     * peer's half). A bound costs nothing where little is under way, and 3 to 26 % more CPU time
     * where megabytes are streamed to each; that is why there is none by default. */
    uint32_t socket_send_bytes;
    uint32_t socket_receive_bytes;

    /* How long a graceful close waits for the last bytes to be taken and for the peer's end, ms.
     * 1..600,000; default 2,000. Then the connection is reset. */
    uint32_t linger_ms;

    /* The log sink and its context; NULL (default): silent. */
    throng_log_sink *log;
    void *log_context;

    /* Sockets made ahead for connections to come, for each listener, all I/O threads together
     * (Windows: AcceptEx). 1..65,536; default 256. Other systems make a socket as it is
     * accepted. */
    uint32_t accept_pool;

    /* Windows: take connections that end in order off their sockets (DisconnectEx with
     * TF_REUSE_SOCKET) and accept on those again. Default false. UNTESTED: under Wine such a socket
     * receives nothing, and nobody has run it on Windows, where a slot may stay taken for the time
     * of a TIME_WAIT. */
    bool reuse_sockets;

    /* ---- deadlines, ms. They count while the I/O thread serves: neither its own absence (a
     * stopped process, a logic thread that keeps it waiting, inline mode) nor a pause that throng
     * made in reading is held against a peer. Precise to a quarter of a second. ---- */

    /* From accept to the first whole message, else FIRST_MESSAGE. 1..86,400,000 or THRONG_OFF;
     * default 120,000. */
    uint32_t first_message_timeout_ms;

    /* From the first byte of a message to its last one, however they drip, else SLOW_SENDER.
     * 1..86,400,000 or THRONG_OFF; default 10,000, or what a longest message takes at 16 KiB a
     * second, whichever is more. */
    uint32_t message_timeout_ms;

    /* Without a byte from the peer, else IDLE. 0..86,400,000; default 0: none, for a player may be
     * silent. What is dead is found by keepalive_s and user_timeout_ms all the same. */
    uint32_t idle_timeout_ms;

    /* In each span of write_timeout_ms in which bytes wait to be sent all the time, the peer must
     * take some: one, and as many as reader_rate_min asks or as waited when the span began, else
     * SLOW_READER. While send memory is short spans have two seconds, and who has been too slow for
     * longest goes first. 1..86,400,000 or THRONG_OFF; default 10,000. */
    uint32_t write_timeout_ms;

    /* Bytes a second that a peer must take while some wait, measured over write_timeout_ms. Windows
     * tells only of whole sends, so there it is at least one of 32 KiB in that time (if as much
     * waits). 1..2^30; default 256. 1 is next to nothing. */
    uint32_t reader_rate_min;

    /* Heartbeats, for each listener, ms: a connection to which nothing was sent for that long is
     * sent an empty message, one from which nothing came for three times as long is reset (IDLE),
     * and an empty message from the peer is answered with one (unless it is an answer itself) and
     * makes no event. Sent and answered by I/O threads, so they go on while the logic thread is
     * stuck. 0..86,400,000; default 0: none, and empty messages are messages. Some peers take an
     * empty message for an attack. */
    uint32_t heartbeat_ms[THRONG_LISTENERS_MAX];

    /* TCP keepalive: seconds of silence before the system asks the peer, then every 15 s, four
     * times, and TIMEOUT; on Linux the latter when user_timeout_ms is over. 1..32,767 or
     * THRONG_OFF; default 120. */
    uint32_t keepalive_s;

    /* TCP_USER_TIMEOUT, ms: how long sent bytes may stay unacknowledged, else TIMEOUT. (Linux asks
     * nobody to whom bytes are under way, and what it asks the others ends after this time as
     * well.) 1..86,400,000 or THRONG_OFF: the system's choice (Linux: about 15 minutes); default:
     * what keepalive_s takes with its four questions, 180,000 unless that was changed. Not on
     * Windows. */
    uint32_t user_timeout_ms;

    /* A logic thread that takes no event for so long while there are some is reported (log,
     * logic_stalls, logic_stalled_ms). 1..86,400,000 or THRONG_OFF; default 1,000. */
    uint32_t logic_stall_ms;

    /* ---- slow readers ---- */

    /* For all connections; throng_set_send_policy changes it for one. Default REFUSE. */
    enum throng_when_send_full when_send_full;

    /* Part of send memory, in percent, that only connections get to which everything that was
     * flushed has been sent: those that do not keep up cannot take the last block from those that
     * do. 1..90; default 25. 1 is next to nothing. */
    uint32_t send_reserve_percent;

    /* ---- what one peer may send ---- */

    /* Messages handed up of one connection per turn of its I/O thread, then the others come first.
     * 1..65,536; default 256. */
    uint32_t turn_messages;

    /* Most messages (heartbeats are none) and bytes (headers included) a second of each connection,
     * and how many may come at once after a pause of the peer's. 0..2^30; rate 0 (default): no
     * limit. Burst 0 (default): one second's worth; at least one longest message with its header in
     * bytes; it has to cover what comes while the I/O thread is busy with others, up to a second.
     * With the policy SLOW (below) what one receive has brought is handed up whole, up to
     * receive_buffer_bytes; then nothing more is read until the rate has paid for it, which for a
     * flood of small messages takes long. CLOSE hands up one message more than there may be, and
     * resets. */
    uint32_t messages_per_s;
    uint32_t messages_burst;
    uint32_t bytes_per_s;
    uint32_t bytes_burst;
    enum throng_when_over_rate when_over_rate; /* default SLOW */

    /* Most connections from one address at once (IPv6: from one /64; an IPv4 address is the same in
     * both families); who is over it is reset and counted (refused_address). 0..1,048,575; default
     * 0: no limit. */
    uint32_t connections_per_address;

    /* While every slot is taken and somebody comes, connections that have never sent a byte for
     * this long, counted from their accept, are reset (EVICTED), the oldest first. 1..86,400,000 or
     * THRONG_OFF; default 10,000. */
    uint32_t evict_silent_ms;

    /* Rooms (throng/room.h). Their memory is reserved at start and touched by use. */
    uint32_t rooms_max;        /* rooms at once; 1..1,048,575; default 4,096 */
    uint32_t room_members_max; /* memberships at once, of all connections; 1..16,777,216; default
                                      two for each connection */
    uint32_t rooms_per_connection; /* 1..65,535; default 64. Joining walks them */
    /* Messages of broadcasts that wait for members, counted once for each member (a long message
     * for each of its blocks); per I/O thread; 16 bytes each. 64..16,777,216, and no fewer than a
     * longest message in blocks of 512 bytes takes (129 with message_bytes_max 65,536): nobody
     * could hear it; default 65,536 or four for each connection or two longest messages. A message
     * for which seven eighths do not suffice passes by members to which something is still unsent;
     * when there is none left, everybody misses it. So there have to be some more than members of a
     * room. */
    uint32_t room_references_max;

    /* ---- time, and other threads ---- */

    /* Timers that may run at once. 1..1,048,576; default 4,096. */
    uint32_t timers_max;

    /* Posts that may wait for the logic thread. 1..1,048,576, rounded up to a power of two; default
     * 4,096. */
    uint32_t posts_max;

    /* ---- looking at it from outside ---- */

    /* "tcp://HOST:PORT", as in `listen`: an HTTP listener of the server's own for /metrics
     * (Prometheus text) and /healthz, on a thread of its own, with 8 connections. No
     * authentication: give a loopback address, or one that only your monitoring reaches (the log
     * warns of others). Default NULL: none. */
    const char *admin;
};

/* Sets every option to its default. The listen strings are NULL. Any thread. */
THRONG_API void throng_server_options_init(struct throng_server_options *options);

/* Sets one option from text, as a command line or a config file has it: the field's name, with '_'
 * or '-', and a number in the option's unit, digits only; "off" (THRONG_OFF) or "auto" where there
 * is such a thing; the name of a choice; "no" or "yes" for reuse_sockets. `listen` adds an endpoint
 * to those that are there, `admin` is one or "off"; `heartbeat_ms` is one number for all listeners.
 * Texts (`listen`, `backend`, `admin`) are kept, not copied, until the start. 0, or THRONG_EINVAL
 * with the name and the value as they were given and the range in `error` (may be NULL), and
 * nothing changed. Limits that depend on other options are checked at start. Any thread. */
THRONG_API int throng_server_options_set(struct throng_server_options *options, const char *name,
                                         const char *value, struct throng_error *error);

/* One option, as a help text or an editor of settings needs it. */
struct throng_option_info {
    const char *name; /* "max_connections" */
    /* "connections", "bytes", "ms" ...; of a choice its words: "big | little"; of `backend` those
     * of this build; of `listen` "tcp://HOST:PORT", of `admin` that " | off". */
    const char *unit;
    const char *fallback; /* the default, in words where it depends on others; "" for `listen` */
    const char *range;    /* "1..1048575", "1..86400000 | off"; "" for text and choices */
    const char *help;     /* what it sets, a line */
};

/* Describes option `index`, counted from 0: all that throng_server_options_set knows. 0, or
 * THRONG_EINVAL beyond the last one. The texts live as long as the library. Any thread. */
THRONG_API int throng_server_option_info(uint32_t index, struct throng_option_info *info);

/* One reserved piece of memory. */
struct throng_budget_term {
    const char *name;
    const char *reason; /* count x size, in words */
    size_t bytes;
};

#define THRONG_BUDGET_TERMS_MAX 40

/* All memory that a server with these options can ever use. The sum is reserved at start; pages are
 * touched as connections and messages come. What the kernel holds for sockets is its own and only
 * estimated. */
struct throng_budget {
    uint32_t term_count;
    uint32_t io_threads;                /* the number that would really run */
    size_t total_bytes;                 /* sum of the terms */
    size_t per_connection_bytes;        /* the part of it that an idle connection touches */
    size_t kernel_per_connection_bytes; /* estimate of one idle socket */
    struct throng_budget_term terms[THRONG_BUDGET_TERMS_MAX];
};

/* States the memory before any of it is reserved. 0, or THRONG_EINVAL / THRONG_EDESCRIPTORLIMIT
 * with the reason in `error` (may be NULL), as throng_server_start would. Like the start it raises
 * the soft descriptor limit if that is what the connections need. Any thread. */
THRONG_API int throng_server_budget(const struct throng_server_options *options,
                                    struct throng_budget *budget, struct throng_error *error);

/* Writes the budget as a table with a line per term; cut at `size`. Answers the length that the
 * whole text has, as snprintf does. */
THRONG_API size_t throng_budget_text(const struct throng_budget *budget, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
