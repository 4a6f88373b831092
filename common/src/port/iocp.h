/* SPDX-License-Identifier: MIT
 * The IOCP backend's own state, shared by its files: iocp.c (life and wait), iocp_stream.c
 * (connections), iocp_listener.c and iocp_accepts.c (accepting), iocp_acceptor.c (accepting for
 * several ports), iocp_reuse.c (sockets used again). Nobody else includes this.
 *
 * What is in flight in the system, and where its OVERLAPPED lies:
 *   of a stream: at most one receive, of zero bytes, and at most one send or connect; in tg_stream
 *   of a listener: min(credit, accept_pool) accepts, each with a socket made ahead; in the port
 * A packet of the completion port names the OVERLAPPED, and so the operation and its record. They
 * stay where they are until the packet was taken, also after a cancel: a stream's socket is closed
 * only when nothing of it is in flight, and then its CLOSE completes.
 *
 * A zero-byte receive says that there is something to receive (bytes, the end, an error) and holds
 * neither a buffer nor locked pages while the peer is silent. What follows is readiness.h.
 *
 * Where the socket allows it, an operation that succeeds at once brings no packet (TG_IOCP_SKIPS):
 * a send is then done when it was called. Otherwise a packet follows it, and it is pending. */
#ifndef TG_PORT_IOCP_H
#define TG_PORT_IOCP_H

#include "port/readiness.h"

/* Most packets taken by one wait: 8 KiB of them. */
#define TG_IOCP_ENTRIES_MAX 256

/* After a shortage of the system's (WSAENOBUFS: its non-paged memory) what met it is tried again.
 */
#define TG_IOCP_SHORTAGE_REST_NS UINT64_C(10000000)

/* AcceptEx wants room for two addresses, each with 16 bytes more than the longest. */
#define TG_IOCP_ADDRESS_BYTES (TG_SOCKADDR_BYTES + 16)

/* Bits of tg_stream.flags beside those of readiness.h. */
enum tg_iocp_stream_flags {
    TG_IOCP_ARMED = TG_STREAM_FLAGS_OWN << 0,         /* a zero-byte receive is in flight */
    TG_IOCP_SENDING = TG_STREAM_FLAGS_OWN << 1,       /* a send is in flight */
    TG_IOCP_SKIPS = TG_STREAM_FLAGS_OWN << 2,         /* success at once brings no packet */
    TG_IOCP_ABORT = TG_STREAM_FLAGS_OWN << 3,         /* closing with a reset */
    TG_IOCP_ARM_OWED = TG_STREAM_FLAGS_OWN << 4,      /* the receive met a shortage */
    TG_IOCP_ACCEPTED = TG_STREAM_FLAGS_OWN << 5,      /* adopted, not connected */
    TG_IOCP_DISCONNECTING = TG_STREAM_FLAGS_OWN << 6, /* see iocp_reuse.c */
    TG_IOCP_IPV6 = TG_STREAM_FLAGS_OWN << 7,
};

enum tg_listener_flags {
    TG_LISTENER_OPEN = 1u << 0,
    TG_LISTENER_CLOSING = 1u << 1,
    TG_LISTENER_IPV6 = 1u << 2,
    TG_LISTENER_SEND_BUFFER = 1u << 3,    /* SO_SNDBUF was set: sockets made ahead get the same */
    TG_LISTENER_RECEIVE_BUFFER = 1u << 4, /* likewise SO_RCVBUF */
};

/* What a packet of the port is about, besides an operation (0). */
enum tg_iocp_key {
    TG_IOCP_KEY_OPERATION = 0,
    TG_IOCP_KEY_WAKE,
    TG_IOCP_KEY_QUIT,
};

/* OVERLAPPED_ENTRY without <windows.h>; iocp.c asserts that they look alike. */
struct tg_iocp_entry {
    uintptr_t key;
    struct tg_overlapped *overlapped;
    uintptr_t internal; /* not to be read: 0 in packets that were posted */
    uint32_t bytes;
};

/* An accept: free, in flight, surplus (accepted while its listener had no credit), or spare (a used
 * socket waits in it, see iocp_reuse.c). */
struct tg_iocp_accept {
    struct tg_op op;
    struct tg_list link;
    void *iocp; /* of the port that it belongs to, for the acceptor */
    struct tg_listener *listener;
    tg_socket sock; /* made ahead */
    alignas(8) uint8_t addresses[2 * TG_IOCP_ADDRESS_BYTES];
    uint8_t spare_family; /* enum throng_address_family */
};

struct tg_iocp_port {
    struct tg_port base;

    void *iocp;
    struct tg_acceptor *acceptor;
    bool may_skip; /* sockets of this system can do without packets of success */
    /* LPFN_ACCEPTEX, LPFN_CONNECTEX, LPFN_DISCONNECTEX (NULL: sockets are not used again) */
    void (*accept_ex)(void);
    void (*connect_ex)(void);
    void (*disconnect_ex)(void);

    struct tg_readiness readiness;
    struct tg_list closing;       /* streams: closed in the system; CLOSE is owed */
    struct tg_list listeners_due; /* listeners: surplus to complete, accepts to post, or a close */
    struct tg_list shortage;      /* streams, by shortage_link */
    uint64_t shortage_due_ns;     /* when they are tried again */

    struct tg_list accepts_free; /* of struct tg_iocp_accept */
    struct tg_list accepts_in_flight;
    struct tg_list accepts_spare;
    struct tg_list surplus; /* oldest first */
    uint32_t accept_pool;
    uint32_t keepalive_s;

    uint32_t records; /* streams and listeners that have not completed their CLOSE */
    uint32_t turn;    /* counts waits, see entries_to_take */

    struct tg_iocp_entry entries[TG_IOCP_ENTRIES_MAX];
};

static inline struct tg_iocp_port *tg_iocp_port_of(struct tg_port *port)
{
    return TG_CONTAINER_OF(port, struct tg_iocp_port, base);
}

/* iocp.c */

/* Adds a packet to a completion port. Never fails: what the system has no memory for is tried until
 * it has. Any thread. */
void tg_iocp_post(void *iocp, enum tg_iocp_key key, struct tg_overlapped *overlapped);

/* Our error for a completed operation's status; 0: success. */
int tg_iocp_error(const struct tg_op *op);

/* Whether an error says that the system is short of something, which may pass. */
bool tg_iocp_is_shortage(int error);

/* The error of the last call of Winsock. */
int tg_iocp_last_error(void);

/* An operation's OVERLAPPED. */
static inline void *tg_iocp_overlapped(struct tg_op *op)
{
    return &op->system;
}

/* Clears an operation's record for the system. */
void tg_iocp_prepare(struct tg_op *op, enum tg_op_kind kind);

/* Asks the system to give up an operation of a socket, or all of them (NULL). False: it cannot;
 * those that have just completed count as given up. */
bool tg_iocp_cancel(tg_socket sock, struct tg_op *op);

/* Lets a socket report to a completion port. 0 or an error. */
int tg_iocp_associate(void *iocp, tg_socket sock);

/* iocp_stream.c: the backend's functions (see port.h), and steps of a wait. */
int tg_iocp_adopt(struct tg_port *base, struct tg_stream *stream, tg_handle accepted);
int tg_iocp_connect(struct tg_port *base, struct tg_stream *stream,
                    const struct throng_address *peer, const struct throng_address *source);
void tg_iocp_receive(struct tg_port *base, struct tg_stream *stream);
int tg_iocp_send(struct tg_port *base, struct tg_stream *stream, const struct tg_slice *slices,
                 uint32_t count);
void tg_iocp_close(struct tg_port *base, struct tg_stream *stream, enum tg_close_mode mode);

/* A packet of a stream; at most one completion. */
void tg_iocp_on_connect(struct tg_iocp_port *port, struct tg_stream *stream,
                        struct tg_batch *batch);
void tg_iocp_on_receive(struct tg_iocp_port *port, struct tg_stream *stream);
void tg_iocp_on_send(struct tg_iocp_port *port, struct tg_stream *stream, uint32_t bytes,
                     struct tg_batch *batch);

/* With nothing of a closing stream in flight any more, its socket goes and CLOSE is owed. */
void tg_iocp_advance_close(struct tg_iocp_port *port, struct tg_stream *stream);

/* Asks for news of the streams that have been read empty. */
void tg_iocp_arm_drained(struct tg_iocp_port *port);

/* Tries again what met a shortage, if it is time. */
void tg_iocp_end_shortage(struct tg_iocp_port *port, uint64_t now_ns, struct tg_batch *batch);

/* Completes what closed streams are owed, while there is room. */
void tg_iocp_finish_closing(struct tg_iocp_port *port, struct tg_batch *batch);

/* iocp_accepts.c: the records of accepts. */
void tg_iocp_init_accepts(struct tg_iocp_port *port, struct tg_iocp_accept *accepts,
                          uint32_t count);
/* Which buffers of a listening socket are others than those of any new socket, as flags. Only they
 * are passed on: to set one is the end of the system's own tuning. */
uint32_t tg_iocp_own_buffers(tg_socket sock, enum throng_address_family family);

void tg_iocp_free_accept(struct tg_iocp_port *port, struct tg_iocp_accept *accept);

/* Keeps as many accepts in flight as the caller has credit for, within the limit. Answers the error
 * if none is in flight and none could be posted. */
int tg_iocp_top_up(struct tg_iocp_port *port, struct tg_listener *listener);
void tg_iocp_cancel_accepts(struct tg_iocp_port *port, const struct tg_listener *listener);

static inline struct tg_iocp_accept *tg_iocp_accept_of_link(struct tg_list *link)
{
    return TG_CONTAINER_OF(link, struct tg_iocp_accept, link);
}

/* iocp_listener.c: the same for listeners. */
int tg_iocp_listen(struct tg_port *base, struct tg_listener *listener, tg_socket sock);
void tg_iocp_accept(struct tg_port *base, struct tg_listener *listener, uint32_t credit);
void tg_iocp_close_listener(struct tg_port *base, struct tg_listener *listener);
void tg_iocp_refuse(struct tg_port *base, tg_handle accepted);
void tg_iocp_on_accept(struct tg_iocp_port *port, struct tg_iocp_accept *accept,
                       struct tg_batch *batch);
void tg_iocp_finish_listeners(struct tg_iocp_port *port, struct tg_batch *batch);

/* iocp_reuse.c */

/* Takes a closing stream's connection off its socket. False: not this one; else the stream is
 * DISCONNECTING or has no socket any more. */
bool tg_iocp_disconnect(struct tg_iocp_port *port, struct tg_stream *stream);
void tg_iocp_on_disconnect(struct tg_iocp_port *port, struct tg_stream *stream);

/* A record with a socket to be used again, of that family or (THRONG_ADDRESS_NONE) of any; NULL if
 * there is none. */
struct tg_iocp_accept *tg_iocp_take_spare(struct tg_iocp_port *port, uint8_t family);
void tg_iocp_close_spares(struct tg_iocp_port *port);

/* iocp_acceptor.c: see tg_acceptor in port.h. */
int tg_iocp_open_acceptor(struct tg_acceptor *acceptor);
void tg_iocp_close_acceptor(struct tg_acceptor *acceptor);

#endif
