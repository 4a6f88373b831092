/* SPDX-License-Identifier: MIT
 * attack_probe: well-behaved clients (probe.h). tests/attack/world.py starts it. */
#include "probe.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool told_to_stop(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

/* ---- the report ---- */

static void report_times(const char *name, const struct histogram *histogram)
{
    (void)printf(", \"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}", name,
                 (double)histogram_at(histogram, 500000) / 1e6,
                 (double)histogram_at(histogram, 990000) / 1e6, (double)histogram->max / 1e6);
}

static uint64_t fewest_broadcasts(const struct probe *probe)
{
    uint64_t fewest = UINT64_MAX;
    for (uint32_t i = 0; i < probe->options.connections; i++) {
        uint64_t count = probe->clients[i].broadcasts;
        fewest = count < fewest ? count : fewest;
    }
    return fewest;
}

void report(struct probe *probe)
{
    const struct totals *totals = &probe->totals;
    const struct {
        const char *name;
        uint64_t value;
    } table[] = {
        {"connections", probe->options.connections},
        {"up", probe->up},
        {"connected", totals->connected},
        {"failed", totals->failed},
        {"turned_away", totals->turned_away},
        {"resets", totals->resets},
        {"ends", totals->ends},
        {"disconnected", totals->resets + totals->ends},
        {"sent", totals->sent},
        {"received", totals->received},
        {"lost", totals->sent - totals->received},
        {"corrupted", totals->corrupted},
        {"late", totals->late},
        {"broadcasts", totals->broadcasts},
        {"broadcasts_fewest", fewest_broadcasts(probe)},
        {"gaps", totals->gaps},
        {"broadcasts_corrupted", totals->broadcasts_corrupted},
        {"heartbeats", totals->heartbeats},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        (void)printf("%s\"%s\": %" PRIu64, i == 0 ? "" : ", ", table[i].name, table[i].value);
    }
    report_times("latency_ms", &totals->latency);
    report_times("broadcast_ms", &totals->broadcast_latency);
    (void)printf("}\n");
}

int main(int argc, char **argv)
{
    static struct probe probe;
    int status = options_read(&probe.options, argc, argv);
    if (status >= 0) {
        return status;
    }
    probe.clients = calloc(probe.options.connections, sizeof(*probe.clients));
    probe.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    probe.random = 1;
    if (probe.clients == NULL || probe.epoll_fd < 0) {
        (void)fprintf(stderr, "attack_probe: no memory\n");
        return 1;
    }
    for (uint32_t i = 0; i < probe.options.connections; i++) {
        probe.clients[i] = (struct client){.descriptor = -1, .index = i, .round = UINT64_MAX};
    }
    if (probe.options.rounds > 0) {
        storm(&probe);
    } else {
        (void)talk(&probe);
        (void)putchar('{');
    }
    report(&probe);
    return 0; /* the process's end closes what is still open */
}
