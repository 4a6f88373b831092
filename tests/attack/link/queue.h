/* SPDX-License-Identifier: MIT
 * What becomes of a packet on an impaired link, and the packets that are on their way. Pure: time
 * and seed are arguments. Used by main.c, one thread. */
#ifndef ATTACK_LINK_QUEUE_H
#define ATTACK_LINK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_PACKET_BYTES_MAX 2048
#define LINK_PACKETS_MAX 8192 /* on their way at once, both directions */

struct link_weather {
    uint64_t seed;
    unsigned loss_percent;
    unsigned duplicate_percent;
    unsigned reorder_percent; /* packets that are held half a delay (at least 5 ms) longer */
    unsigned delay_ms;        /* one way */
    unsigned kbit_per_s;      /* each direction; 0: no limit. 400 ms of it are queued, then lost */
    bool down;                /* nothing gets through */
};

struct link_counts {
    uint64_t packets; /* that came */
    uint64_t lost;
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t overflowed; /* lost to the rate's queue or to LINK_PACKETS_MAX */
    uint64_t fallen;     /* lost because the link was down */
};

struct link_packet {
    uint64_t due_ns;
    uint64_t order; /* among those due at the same time */
    unsigned direction;
    size_t size;
    unsigned char bytes[LINK_PACKET_BYTES_MAX];
};

struct link_queue;

/* NULL without memory. */
struct link_queue *link_queue_create(void);
void link_queue_destroy(struct link_queue *queue);

/* Takes the `number`th packet of a direction (0 or 1), decides what becomes of it, and counts that.
 * The same seed decides the same for the same number. */
void link_queue_take(struct link_queue *queue, const struct link_weather *weather,
                     struct link_counts *counts, unsigned direction, const unsigned char *bytes,
                     size_t size, uint64_t now_ns);

/* When the next packet is due, or UINT64_MAX. */
uint64_t link_queue_next_ns(const struct link_queue *queue);

/* The first packet, if it is due, else NULL. It is valid until the next call. */
const struct link_packet *link_queue_pop(struct link_queue *queue, uint64_t now_ns);

#endif
