/* SPDX-License-Identifier: MIT
 * attack_peers: hostile peers of many kinds, in one thread with plain sockets. What its parts
 * share. */
#ifndef ATTACK_PEERS_H
#define ATTACK_PEERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KINDS_MAX 16u
#define PEERS_MAX 19000u

/* Lives whose length is kept; of more, only the first ones count for the median. */
#define LIVES_MAX 1000000u

struct crowd;
struct peer;

/* What peers of a kind do. All calls are made while the peer is connected. */
struct kind {
    const char *name;
    const char *text;
    void (*begin)(struct crowd *crowd,
                  struct peer *peer);                     /* it has just connected; NULL: nothing */
    void (*tick)(struct crowd *crowd, struct peer *peer); /* peer->next_at has come; NULL: never */
    void (*writable)(struct crowd *crowd,
                     struct peer *peer); /* there is room; NULL: it does not ask */
    bool reads;                          /* whatever comes is read and thrown away */
    uint32_t period_ms;                  /* between two ticks, unless --period-ms says otherwise */
};

struct options {
    struct sockaddr_in server;
    const struct kind *kinds[KINDS_MAX];
    uint32_t counts[KINDS_MAX];
    uint32_t kind_count;
    uint32_t rate; /* connects a second */
    double seconds;
    bool again; /* who ended connects anew */
    bool join;  /* who does not read joins the room, instead of asking for echoes */
    uint32_t size;
    uint32_t message_max;
    uint32_t period_ms; /* 0: the kind's own */
    uint32_t receive_bytes;
    uint32_t source;     /* host order; 0: the system's choice */
    uint32_t per_source; /* connections of one source address */
    uint32_t sources;    /* how many there are; 0: as many as it takes */
};

enum state {
    STATE_AWAY,
    STATE_CONNECTING,
    STATE_UP,
    STATE_OVER, /* not --again */
};

struct peer {
    int descriptor;
    enum state state;
    uint32_t kind; /* place in options.kinds */
    uint32_t index;
    bool came_up; /* at least once, or failed once */
    uint64_t opened_at;
    uint64_t next_at; /* UINT64_MAX: no tick */
    uint64_t sent;    /* bytes of this connection */
};

struct tally {
    uint64_t connects, failed, resets, ends, own, sent, received;
    uint64_t alive;
    uint32_t *lives; /* ms, of those whom the server ended */
    uint32_t life_count;
};

struct crowd {
    struct options options;
    struct peer *peers;
    uint32_t count;
    uint32_t cursor; /* the peer to connect next */
    uint32_t not_yet_up;
    uint64_t dialled;
    int epoll_fd;
    uint64_t now; /* ns */
    uint64_t random;
    struct tally tallies[KINDS_MAX];
};

/* Answers the exit status for a process that is to end, -1 to go on. */
int options_read(struct options *options, int argc, char **argv);

const struct kind *kind_named(const char *name);
void kinds_print(void);

/* ---- what kinds do with a peer (peers.c) ---- */

/* Sends as much as there is room for; how many bytes went. */
size_t peer_send(struct crowd *crowd, struct peer *peer, const void *bytes, size_t size);

/* Reads up to `most` bytes and throws them away. */
void peer_read(struct crowd *crowd, struct peer *peer, size_t most);

/* Ends its own connection: FIN, or RST. */
void peer_close(struct crowd *crowd, struct peer *peer, bool reset);

/* Our end of the stream; it goes on reading. */
void peer_half_close(struct peer *peer);

/* Connects the next ones that are away, at most `most`. */
void peers_connect(struct crowd *crowd, uint32_t most);

void peer_on_event(struct crowd *crowd, struct peer *peer, uint32_t events);

#endif
