/* SPDX-License-Identifier: MIT
 * A socket of the simulated network, as the files net*.c share it. */
#ifndef TG_SIM_NET_SOCKET_H
#define TG_SIM_NET_SOCKET_H

#include "sim/net.h"

enum tg_net_state {
    TG_NET_FREE = 0,
    TG_NET_FRESH,      /* opened, perhaps bound */
    TG_NET_LISTENER,   /* or a second number of one */
    TG_NET_CONNECTING, /* under way */
    TG_NET_UP,         /* connected; a broken one has `error` */
    TG_NET_FAILED,     /* never came up; `error` says why */
};

/* The bytes that come to a socket: written by the peer, arrived here, read here. */
struct tg_net_pipe {
    uint8_t *bytes;
    uint64_t written;
    uint64_t arrived;
    uint64_t read;
    bool end_written;
    bool end_arrived;
    struct tg_sim_action arrival;
};

/* A listening point, which several numbers can share. */
struct tg_net_listener {
    uint32_t numbers; /* 0: unused */
    uint32_t backlog;
    uint32_t waiting; /* connections that are up and not accepted */
    uint32_t first;   /* of them, linked by next_waiting */
    uint32_t last;
    struct throng_address address;
};

struct tg_net_socket {
    enum tg_net_state state;
    bool is_waiting;   /* in its listener's queue: nobody has its number yet */
    bool shut;         /* our direction has ended */
    uint32_t peer;     /* the other end; TG_NET_NONE once that one is closed */
    uint32_t listener; /* of a LISTENER or a waiting one */
    uint32_t next_waiting;
    int error;        /* broke the connection */
    int error_on_way; /* what `fate` brings */
    bool owns_port;   /* a port that the network chose */
    struct tg_net_watcher *watcher;
    struct tg_net_pipe in;
    struct tg_sim_action fate; /* on its way to us: the answer to our connect, or a reset */
    struct tg_sim_action doom; /* the network will break us */
    struct throng_address local;
    struct throng_address remote;
};

#define TG_NET_LISTENERS 64u

struct tg_net {
    struct tg_net_socket *sockets;
    uint32_t sockets_max;
    uint32_t sockets_used; /* none beyond was ever taken in this world */
    uint32_t sockets_open;
    uint32_t lowest_free; /* none below is free */
    uint32_t pipe_bytes;
    uint8_t *pipes; /* memory of all of them */
    size_t pipes_bytes;
    struct tg_net_listener listeners[TG_NET_LISTENERS];
    uint32_t next_port;
    uint8_t ports_taken[65536 / 8];
};

extern struct tg_net tg_net;

/* The socket, which must be open: using a closed number is a bug. */
struct tg_net_socket *tg_net_at(uint32_t sock);
uint32_t tg_net_number(const struct tg_net_socket *sock);
void tg_net_tell(const struct tg_net_socket *sock);

/* How long something takes on its way. */
uint64_t tg_net_delay_ns(void);

/* A new number; THRONG_EMFILE. */
int tg_net_take(void);
/* The number is free again; nothing more comes for it. */
void tg_net_give(uint32_t number);

/* net_bytes.c: a reset goes to the socket, which may be TG_NET_NONE. */
void tg_net_send_reset(uint32_t to, int error);
/* Breaks one end now. */
void tg_net_break_end(struct tg_net_socket *sock, int error);
/* The connection came up: perhaps it is doomed. */
void tg_net_ask_fate(uint32_t number);

#endif
