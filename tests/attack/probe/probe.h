/* SPDX-License-Identifier: MIT
 * attack_probe: clients who behave well, and know it if they are treated badly. Each sends at a
 * fixed rate and compares every byte that comes back; members of the room compare every broadcast.
 * Latency counts from when a message was due (or from when a broadcast was made). What its parts
 * share. */
#ifndef ATTACK_PROBE_H
#define ATTACK_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../../tools/stress/histogram.h"

#define CLIENTS_MAX 19000u
#define INPUT_BYTES (256u * 1024)

struct options {
    struct sockaddr_in server;
    uint32_t connections;
    uint32_t rate; /* messages a second, all together; 0: silent */
    uint32_t size;
    double seconds;
    uint32_t connect_rate;
    uint32_t drain_ms; /* patience with the last answers */
    bool join;         /* be members of the room */
    bool gaps;         /* broadcasts may be left out (but not come twice, or changed) */
    bool hello;        /* who has not been answered once is not up */
    bool pulse;        /* answer empty messages, which are heartbeats */
    uint32_t expect;   /* end when each member has had so many broadcasts */
    uint32_t rounds;   /* storm: all leave and come back, so often */
    uint32_t message_max;
    uint32_t source; /* host order */
    uint32_t per_source;
};

enum state {
    STATE_AWAY,
    STATE_CONNECTING,
    STATE_UP,
    STATE_LOST, /* was up, and the server ended it */
};

struct client {
    int descriptor;
    enum state state;
    uint32_t index;
    bool waits_room;
    bool back;       /* storm: its message of this round came back */
    uint64_t due;    /* messages due so far */
    uint64_t sent;   /* whole ones */
    uint32_t offset; /* bytes of the next one that went already */
    uint64_t received;
    uint64_t round; /* the broadcast that comes next; UINT64_MAX: any */
    uint64_t broadcasts;
    uint64_t retry_at;
    uint8_t *part; /* a message that came in pieces, header included */
    uint32_t part_bytes;
};

struct totals {
    uint64_t connected, failed;
    uint64_t turned_away; /* reset before they had been answered anything */
    uint64_t resets, ends;
    uint64_t sent, received, corrupted;
    uint64_t late; /* sent more than 5 ms after they were due */
    uint64_t broadcasts, gaps, broadcasts_corrupted;
    uint64_t heartbeats;
    struct histogram latency, broadcast_latency, connect;
};

struct probe {
    struct options options;
    struct client *clients;
    int epoll_fd;
    uint64_t now;
    uint64_t start; /* of the talk: its message i is due at start + i / rate */
    uint64_t issued;
    uint64_t progress_at; /* when the last message came */
    uint64_t random;
    uint32_t up;
    uint32_t full; /* members who have had all that they expect */
    uint32_t back; /* storm: clients back */
    struct totals totals;
    uint8_t input[INPUT_BYTES];
};

/* Answers the exit status for a process that is to end, -1 to go on. */
int options_read(struct options *options, int argc, char **argv);

uint64_t now_ns(void);
bool told_to_stop(void);

/* ---- clients (client.c) ---- */

bool client_connect(struct probe *probe, struct client *client);
void client_leave(struct probe *probe, struct client *client, bool reset);
void client_on_event(struct probe *probe, struct client *client, uint32_t events);

/* Sends what is due, as far as there is room. */
void client_send(struct probe *probe, struct client *client);

/* One turn of the loop, at most `wait_ms`. */
void probe_turn(struct probe *probe, int wait_ms);

/* ---- what messages look like (messages.c) ---- */

/* Header and payload of a client's message; `to` has room for size + 4. */
void message_make(const struct probe *probe, const struct client *client, uint64_t number,
                  uint8_t *to);

/* When a message of the talk was due, ns; 0 for a hello and where nothing is due. */
uint64_t message_due_at(const struct probe *probe, const struct client *client, uint64_t number);

/* A whole message came. */
void message_judge(struct probe *probe, struct client *client, const uint8_t *payload,
                   uint32_t size);

/* ---- runs ---- */

bool talk(struct probe *probe); /* false: not everybody could connect */
void storm(struct probe *probe);
void report(struct probe *probe);

#endif
