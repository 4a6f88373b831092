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

/* What happens to a connection that arrives while every slot is taken. */
enum throng_when_full {
    THRONG_WHEN_FULL_REFUSE = 0,  /* accepted and reset at once: the client knows */
    THRONG_WHEN_FULL_BACKLOG = 1, /* left in the listen backlog until a slot frees */
};

/* Fill with throng_server_options_init, then change what you want. */
struct throng_server_options {
    /* sizeof this struct, so that a program compiled against an older header keeps working. */
    size_t struct_size;

    /* "tcp://HOST:PORT"; HOST is an IPv4 address, an IPv6 address in brackets, a name or "*" (any,
     * both families); port 0 = any free port, see throng_server_listen_address. The strings are
     * copied. At least one. */
    const char *listen[THRONG_LISTENERS_MAX];

    /* Connections at once. 1..1,048,575; default 65,000. Everything is reserved for that many at
     * start. */
    uint32_t max_connections;

    /* I/O threads. 0 = inline mode: throng_get_event itself drives the I/O, no second thread.
     * 1..64; default THRONG_IO_THREADS_AUTO: 1 on up to two processors, else one less than there
     * are, at most
     * 4. Raised, with a log line, when the descriptor limit needs more descriptor tables than that.
     */
    uint32_t io_threads;

    /* The completion port. Linux: "io_uring", "epoll", or "auto": io_uring where the system allows it
     * (the log says why if not), else epoll. Windows: "iocp", which is also "auto". Default (NULL)
     * "auto". */
    const char *backend;

    /* Longest payload that is received or sent, bytes. 1..67,108,864; default 65,536. */
    uint32_t message_bytes_max;

    /* Byte order of the frame length. Default big-endian. */
    enum throng_byte_order byte_order;

    enum throng_when_full when_full;

    /* Connections that the system holds before they are accepted. 1..1,048,576; default 4,096 (the
     * system may cap it, see net.core.somaxconn). */
    uint32_t backlog;

    /* Most bytes waiting to be sent to one connection, counted in whole 512-byte blocks.
     * At least one longest message; default 256 KiB or two longest messages, whichever is more. A
     * connection whose unanswered and unsent bytes reach half of it is not read from until they
     * fall again: a peer that does not read is not listened to. */
    uint32_t send_queue_bytes_max;

    /* Memory for messages waiting to be sent, all connections together, bytes: default 32 MiB in
     * 512-byte blocks and 16 MiB in 16.5 KiB blocks for the inside of long messages. */
    size_t send_small_bytes;
    size_t send_large_bytes;

    /* Memory for messages that arrive in pieces, per I/O thread, bytes. A message takes the next
     * power of two. At least two longest messages so counted; default 8 MiB or four, whichever is
     * more. Connections that find none wait for it in line: bulk beyond it is slowed, not lost. Half
     * is set aside for that line. If it stands still for a second, and not because of messages that
     * are not released, the connection that takes longest over one message is closed (NO_MEMORY),
     * and so on each second: peers that stop in the middle of messages cannot stop the others. */
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
     * tuning. */
    uint32_t socket_send_bytes;
    uint32_t socket_receive_bytes;

    /* How long a graceful close waits for the last bytes to be taken and for the peer's end, ms.
     * 1..600,000; default 2,000. Then the connection is reset. */
    uint32_t linger_ms;

    /* The log sink and its context; NULL (default): silent. */
    throng_log_sink *log;
    void *log_context;

    /* Sockets made ahead for connections to come, for each listener, all I/O threads together (Windows:
     * AcceptEx). 1..65,536; default 256. Other systems make a socket as it is accepted. */
    uint32_t accept_pool;

    /* Windows: take connections that end in order off their sockets (DisconnectEx with TF_REUSE_SOCKET)
     * and accept on those again. Default false. UNTESTED: under Wine such a socket receives nothing, and
     * nobody has run it on Windows, where a slot may stay taken for the time of a TIME_WAIT. */
    bool reuse_sockets;
};

/* Sets every option to its default. The listen strings are NULL. Any thread. */
THRONG_API void throng_server_options_init(struct throng_server_options *options);

/* One reserved piece of memory. */
struct throng_budget_term {
    const char *name;
    const char *reason; /* count x size, in words */
    size_t bytes;
};

#define THRONG_BUDGET_TERMS_MAX 24

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
