/* SPDX-License-Identifier: MIT
 * The packets of queue.h: a binary heap by the time at which they are due. */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000u
#define LATE_MS_MIN 5u     /* how much longer a reordered packet takes, at least */
#define RATE_QUEUE_MS 400u /* what a limited rate holds before it loses */

struct link_queue {
    struct link_packet *packets;     /* LINK_PACKETS_MAX */
    uint32_t heap[LINK_PACKETS_MAX]; /* of packets on their way; behind them those that are free */
    size_t count;
    uint64_t orders;
    uint64_t numbers[2];      /* packets seen, for each direction */
    uint64_t line_free_ns[2]; /* when a limited rate is through with what it has */
};

struct link_queue *link_queue_create(void)
{
    struct link_queue *queue = calloc(1, sizeof(*queue));
    if (queue == NULL) {
        return NULL;
    }
    queue->packets = calloc(LINK_PACKETS_MAX, sizeof(struct link_packet));
    if (queue->packets == NULL) {
        free(queue);
        return NULL;
    }
    for (uint32_t i = 0; i < LINK_PACKETS_MAX; i++) {
        queue->heap[i] = i;
    }
    return queue;
}

void link_queue_destroy(struct link_queue *queue)
{
    free(queue->packets);
    free(queue);
}

/* splitmix64: a number for a number, without a state that the order of calls would change. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Whether a chance of so many percent is met; each of a packet's three questions has 16 bits of its
 * own. */
static bool chance(uint64_t bits, unsigned question, unsigned percent)
{
    return ((bits >> (16 * question)) & 0xffff) * 100 < (uint64_t)percent * 0x10000;
}

static bool earlier(const struct link_queue *queue, size_t a, size_t b)
{
    const struct link_packet *x = &queue->packets[queue->heap[a]];
    const struct link_packet *y = &queue->packets[queue->heap[b]];
    return x->due_ns != y->due_ns ? x->due_ns < y->due_ns : x->order < y->order;
}

static void swap(struct link_queue *queue, size_t a, size_t b)
{
    uint32_t kept = queue->heap[a];
    queue->heap[a] = queue->heap[b];
    queue->heap[b] = kept;
}

static bool push(struct link_queue *queue, unsigned direction, const unsigned char *bytes,
                 size_t size, uint64_t due_ns)
{
    if (queue->count == LINK_PACKETS_MAX || size > LINK_PACKET_BYTES_MAX) {
        return false;
    }
    size_t at = queue->count++;
    struct link_packet *packet = &queue->packets[queue->heap[at]];
    packet->due_ns = due_ns;
    packet->order = queue->orders++;
    packet->direction = direction;
    packet->size = size;
    memcpy(packet->bytes, bytes, size);
    for (; at > 0 && earlier(queue, at, (at - 1) / 2); at = (at - 1) / 2) {
        swap(queue, at, (at - 1) / 2);
    }
    return true;
}

uint64_t link_queue_next_ns(const struct link_queue *queue)
{
    return queue->count == 0 ? UINT64_MAX : queue->packets[queue->heap[0]].due_ns;
}

const struct link_packet *link_queue_pop(struct link_queue *queue, uint64_t now_ns)
{
    if (link_queue_next_ns(queue) > now_ns) {
        return NULL;
    }
    size_t last = --queue->count;
    swap(queue, 0, last);
    for (size_t at = 0, child; (child = 2 * at + 1) < last; at = child) {
        if (child + 1 < last && earlier(queue, child + 1, child)) {
            child++;
        }
        if (!earlier(queue, child, at)) {
            break;
        }
        swap(queue, at, child);
    }
    return &queue->packets[queue->heap[last]];
}

/* When the last bit of the packet has left at the link's rate; UINT64_MAX if too much waits
 * already. */
static uint64_t sent_ns(struct link_queue *queue, const struct link_weather *weather,
                        unsigned direction, size_t size, uint64_t now_ns)
{
    if (weather->kbit_per_s == 0) {
        return now_ns;
    }
    uint64_t *line_free = &queue->line_free_ns[direction];
    uint64_t start = *line_free > now_ns ? *line_free : now_ns;
    if (start - now_ns > RATE_QUEUE_MS * (uint64_t)NS_PER_MS) {
        return UINT64_MAX;
    }
    *line_free = start + size * 8 * NS_PER_MS / weather->kbit_per_s;
    return *line_free;
}

void link_queue_take(struct link_queue *queue, const struct link_weather *weather,
                     struct link_counts *counts, unsigned direction, const unsigned char *bytes,
                     size_t size, uint64_t now_ns)
{
    uint64_t bits = mix(weather->seed ^ mix(2 * queue->numbers[direction]++ + direction));
    counts->packets++;
    if (weather->down) {
        counts->fallen++;
        return;
    }
    uint64_t due = sent_ns(queue, weather, direction, size, now_ns);
    if (due == UINT64_MAX) {
        counts->overflowed++;
        return;
    }
    if (chance(bits, 0, weather->loss_percent)) {
        counts->lost++;
        return;
    }
    due += (uint64_t)weather->delay_ms * NS_PER_MS;
    if (chance(bits, 1, weather->reorder_percent)) {
        unsigned late_ms = weather->delay_ms / 2;
        due += (uint64_t)(late_ms > LATE_MS_MIN ? late_ms : LATE_MS_MIN) * NS_PER_MS;
        counts->reordered++;
    }
    bool twice = chance(bits, 2, weather->duplicate_percent);
    counts->duplicated += twice ? 1 : 0;
    for (int copies = twice ? 2 : 1; copies > 0; copies--) {
        counts->overflowed += push(queue, direction, bytes, size, due) ? 0 : 1;
    }
}
