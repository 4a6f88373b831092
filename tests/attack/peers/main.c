/* SPDX-License-Identifier: MIT
 * attack_peers: hostile peers (kinds.c), bounded in count, rate and time. tests/attack/world.py
 * starts it. */
#include "peers.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512
#define TURN_MS 5

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- life ---- */

/* Kinds take turns, so that each begins at once however long it takes to connect all. */
static void deal_kinds(struct crowd *crowd)
{
    const struct options *options = &crowd->options;
    uint32_t dealt = 0;
    for (uint32_t index = 0; dealt < crowd->count; index++) {
        for (uint32_t kind = 0; kind < options->kind_count; kind++) {
            if (index < options->counts[kind]) {
                crowd->peers[dealt++] =
                    (struct peer){.descriptor = -1, .kind = kind, .index = index};
            }
        }
    }
}

static bool create(struct crowd *crowd)
{
    const struct options *options = &crowd->options;
    for (uint32_t i = 0; i < options->kind_count; i++) {
        crowd->count += options->counts[i];
        crowd->tallies[i].lives = malloc(LIVES_MAX * sizeof(uint32_t)); /* touched as it is used */
        if (crowd->tallies[i].lives == NULL) {
            return false;
        }
    }
    crowd->peers = calloc(crowd->count, sizeof(*crowd->peers));
    crowd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    crowd->not_yet_up = crowd->count;
    crowd->random = 0x9e3779b97f4a7c15u;
    if (crowd->peers == NULL || crowd->epoll_fd < 0) {
        return false;
    }
    deal_kinds(crowd);
    return true;
}

/* ---- the run ---- */

static void tick_all(struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++) {
        struct peer *peer = &crowd->peers[i];
        const struct kind *kind = crowd->options.kinds[peer->kind];
        if (peer->state == STATE_UP && crowd->now >= peer->next_at) {
            uint32_t period_ms = crowd->options.period_ms > 0 ? crowd->options.period_ms
                                                              : kind->period_ms;
            peer->next_at += period_ms * 1000000ull;
            kind->tick(crowd, peer);
        }
    }
}

static bool anybody_left(const struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++) {
        if (crowd->peers[i].state != STATE_OVER) {
            return true;
        }
    }
    return false;
}

static bool told_to_stop(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

static void turn(struct crowd *crowd)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(crowd->epoll_fd, events, EVENTS, TURN_MS);
    crowd->now = now_ns();
    for (int i = 0; i < count; i++) {
        peer_on_event(crowd, events[i].data.ptr, events[i].events);
    }
}

static void run(struct crowd *crowd)
{
    uint64_t start = now_ns();
    uint64_t end = start + (uint64_t)(crowd->options.seconds * 1e9);
    uint64_t scan_at = start;
    bool said_up = false;
    crowd->now = start;
    while (crowd->now < end) {
        uint64_t allowed = 1 + (crowd->now - start) / 1000 * crowd->options.rate / 1000000;
        if (allowed > crowd->dialled) {
            uint64_t more = allowed - crowd->dialled;
            peers_connect(crowd, more < 256 ? (uint32_t)more : 256);
        }
        turn(crowd);
        if (crowd->now >= scan_at) {
            scan_at = crowd->now + TURN_MS * 1000000u;
            tick_all(crowd);
            if (told_to_stop() || !anybody_left(crowd)) {
                break;
            }
        }
        if (!said_up && crowd->not_yet_up == 0) {
            said_up = true;
            (void)puts("up");
            (void)fflush(stdout);
        }
    }
}

/* ---- the report ---- */

static int by_size(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void report_kind(const char *name, struct tally *tally, const char *before)
{
    uint32_t count = tally->life_count;
    uint32_t *lives = tally->lives;
    if (count > 0) {
        qsort(lives, count, sizeof(*lives), by_size);
    }
    (void)printf("%s\"%s\": {\"connects\": %" PRIu64 ", \"failed\": %" PRIu64
                 ", \"resets\": %" PRIu64 ", \"ends\": %" PRIu64 ", \"own\": %" PRIu64
                 ", \"alive\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"received\": %" PRIu64
                 ", \"life_ms\": {\"min\": %u, \"median\": %u, \"max\": %u}}",
                 before, name, tally->connects, tally->failed, tally->resets, tally->ends,
                 tally->own, tally->alive, tally->sent, tally->received, count > 0 ? lives[0] : 0,
                 count > 0 ? lives[count / 2] : 0, count > 0 ? lives[count - 1] : 0);
}

int main(int argc, char **argv)
{
    static struct crowd crowd;
    int status = options_read(&crowd.options, argc, argv);
    if (status >= 0) {
        return status;
    }
    if (!create(&crowd)) {
        (void)fprintf(stderr, "attack_peers: no memory\n");
        return 1;
    }
    uint64_t start = now_ns();
    run(&crowd);
    for (uint32_t i = 0; i < crowd.options.kind_count; i++) {
        report_kind(crowd.options.kinds[i]->name, &crowd.tallies[i], i == 0 ? "{" : ", ");
    }
    (void)printf(", \"seconds\": %.3f}\n", (double)(now_ns() - start) / 1e9);
    return 0; /* the process's end closes what is still open */
}
