/* SPDX-License-Identifier: MIT
 * impaired_link: a bad line between two network namespaces of its own, for machines without netem.
 *
 *     impaired_link --loss 5 --duplicate 1 --reorder 5 --delay 25 --mtu 576 --kbit 256 --seed 7
 *
 * It prints one line, "namespaces /proc/PID/fd/N /proc/PID/fd/M ADDRESS ADDRESS", for `nsenter
 * --net=`, and carries packets until its standard input ends. A line there is a command: "down",
 * "up", "loss N", "counts"; each is answered with the counts as one JSON object. Started by
 * link.py. Exit status 77 with a reason: this system does not let it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ends.h"
#include "queue.h"

#define PACKETS_A_TURN 64
#define NS_PER_S 1000000000u

struct line {
    struct link_end ends[2];
    struct link_queue *queue;
    struct link_weather weather;
    struct link_counts counts;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void print_counts(const struct link_counts *counts)
{
    printf("{\"packets\": %llu, \"lost\": %llu, \"duplicated\": %llu, \"reordered\": %llu, "
           "\"overflowed\": %llu, \"fallen\": %llu}\n",
           (unsigned long long)counts->packets, (unsigned long long)counts->lost,
           (unsigned long long)counts->duplicated, (unsigned long long)counts->reordered,
           (unsigned long long)counts->overflowed, (unsigned long long)counts->fallen);
    fflush(stdout);
}

/* Reads what an end sends. Only IPv4: the system's own IPv6 greetings are not the test's. */
static void take_packets(struct line *line, unsigned from)
{
    unsigned char bytes[LINK_PACKET_BYTES_MAX];
    for (int i = 0; i < PACKETS_A_TURN; i++) {
        ssize_t size = read(line->ends[from].device_fd, bytes, sizeof(bytes));
        if (size <= 0) {
            return;
        }
        if (bytes[0] >> 4 == 4) {
            link_queue_take(line->queue, &line->weather, &line->counts, from, bytes, (size_t)size,
                            now_ns());
        }
    }
}

static void deliver_packets(struct line *line)
{
    const struct link_packet *packet;
    while ((packet = link_queue_pop(line->queue, now_ns())) != NULL) {
        /* A device that takes no more loses it, as a line would. */
        if (write(line->ends[1 - packet->direction].device_fd, packet->bytes, packet->size) < 0) {
            line->counts.overflowed++;
        }
    }
}

/* Takes a command. False at the end of the input. */
static bool obey(struct line *line)
{
    char text[64];
    if (fgets(text, sizeof(text), stdin) == NULL) {
        return false;
    }
    if (strcmp(text, "down\n") == 0) {
        line->weather.down = true;
    } else if (strcmp(text, "up\n") == 0) {
        line->weather.down = false;
    } else if (strncmp(text, "loss ", 5) == 0) {
        line->weather.loss_percent = (unsigned)strtoul(text + 5, NULL, 10);
    } else if (strcmp(text, "counts\n") != 0) {
        fprintf(stderr, "impaired_link: no such command: %s", text);
        return false;
    }
    print_counts(&line->counts);
    return true;
}

static void carry(struct line *line)
{
    struct pollfd polls[] = {
        {.fd = line->ends[0].device_fd, .events = POLLIN},
        {.fd = line->ends[1].device_fd, .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
    };
    for (;;) {
        uint64_t next = link_queue_next_ns(line->queue);
        uint64_t now = now_ns();
        uint64_t wait = next <= now ? 0 : next - now;
        struct timespec timeout = {(time_t)(wait / NS_PER_S), (long)(wait % NS_PER_S)};
        if (ppoll(polls, 3, next == UINT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR) {
            return;
        }
        for (unsigned end = 0; end < 2; end++) {
            if (polls[end].revents != 0) {
                take_packets(line, end);
            }
        }
        if (polls[2].revents != 0 && !obey(line)) {
            return;
        }
        deliver_packets(line);
    }
}

/* Reads "--name N" pairs. False, with a line, if one makes no sense. */
static bool read_options(struct link_weather *weather, unsigned *mtu, int argc, char **argv)
{
    unsigned seed = 1;
    const struct {
        const char *name;
        unsigned *value;
    } options[] = {
        {"--seed", &seed},
        {"--loss", &weather->loss_percent},
        {"--duplicate", &weather->duplicate_percent},
        {"--reorder", &weather->reorder_percent},
        {"--delay", &weather->delay_ms},
        {"--kbit", &weather->kbit_per_s},
        {"--mtu", mtu},
    };
    for (int i = 1; i < argc; i += 2) {
        size_t k = 0;
        while (k < sizeof(options) / sizeof(*options) && strcmp(argv[i], options[k].name) != 0) {
            k++;
        }
        char *end = NULL;
        unsigned long value = i + 1 < argc ? strtoul(argv[i + 1], &end, 10) : 0;
        if (k == sizeof(options) / sizeof(*options) || end == NULL || *end != '\0') {
            fprintf(stderr, "impaired_link: what is %s?\n", argv[i]);
            return false;
        }
        *options[k].value = (unsigned)value;
    }
    weather->seed = seed;
    return *mtu <= LINK_PACKET_BYTES_MAX;
}

int main(int argc, char **argv)
{
    struct line line = {0};
    unsigned mtu = 1500;
    if (!read_options(&line.weather, &mtu, argc, argv)) {
        return 2;
    }
    /* Commands come one a line and are polled for: nothing may wait in a buffer of stdio. */
    setvbuf(stdin, NULL, _IONBF, 0);
    line.queue = link_queue_create();
    if (line.queue == NULL) {
        return 1;
    }
    const char *why = NULL;
    if (link_end_open(&line.ends[0], LINK_ADDRESS_A, mtu, &why) != 0 ||
        link_end_open(&line.ends[1], LINK_ADDRESS_B, mtu, &why) != 0) {
        printf("skipped: cannot %s: %s\n", why, strerror(errno));
        return 77;
    }
    printf("namespaces /proc/%d/fd/%d /proc/%d/fd/%d %s %s\n", (int)getpid(),
           line.ends[0].namespace_fd, (int)getpid(), line.ends[1].namespace_fd, LINK_ADDRESS_A,
           LINK_ADDRESS_B);
    fflush(stdout);
    carry(&line);
    print_counts(&line.counts);
    link_queue_destroy(line.queue);
    return 0;
}
