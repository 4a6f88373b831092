/* SPDX-License-Identifier: MIT
 * attack_churn: connections that come, talk and go, one batch after the other, each in one of five
 * ways.
 *
 *     attack_churn --port 7000 --ways frhn --cycles 1000000 --sources 200
 *
 *     f  talk, end our side, read to the server's end (FIN)
 *     r  talk, reset (RST)
 *     h  talk, begin a frame, close (half frame)
 *     n  connect, close (no data)
 *     x  connect, reset
 *
 * To talk is to send one frame to an echo server on 127.0.0.1 and to compare what comes back.
 * Sources are 127.0.1.1, 127.0.1.2 and so on. Prints one JSON object: cycles of each way, what went
 * wrong, and the rate in each sixth of the run. Started by scenario_churn.py. One thread, blocking
 * sockets. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define PATIENCE_S 20 /* of one connect, send or receive */
#define PARTS 6
#define WAYS "frhnx"
#define WAYS_COUNT (sizeof(WAYS) - 1)
#define FRAME_BYTES 16 /* a length of 12, then the number of the cycle */

struct churn {
    unsigned port;
    const char *ways;
    uint64_t cycles; /* 0: by time */
    double seconds;  /* 0: by count */
    unsigned sources;

    uint64_t done;
    uint64_t ended[WAYS_COUNT];
    uint64_t not_connected;
    uint64_t wrong_echoes; /* another answer than what was sent, or none */
    uint64_t wrong_ends;   /* the server's end after ours was something else than an end */
    double started;
    double part_started;
    double rates[PARTS];
    unsigned part;
    uint64_t part_first;
};

struct cycle {
    int fd;
    char way;
    unsigned char frame[FRAME_BYTES];
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int connect_from(const struct churn *churn, uint64_t number)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    /* With the port chosen at the connect, one source has as many as there are pairs. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    uint32_t source = (uint32_t)(number % churn->sources);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(0x7f000101u + source / 250 * 256 + source % 250);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)churn->port);
    if (bound != 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool talks(char way)
{
    return way == 'f' || way == 'r' || way == 'h';
}

static void begin(struct churn *churn, struct cycle *cycle, uint64_t number)
{
    *cycle = (struct cycle){.way = churn->ways[number % strlen(churn->ways)]};
    cycle->frame[3] = FRAME_BYTES - 4;
    memcpy(cycle->frame + 4, &number, sizeof(number));
    cycle->fd = connect_from(churn, number);
    if (cycle->fd < 0) {
        churn->not_connected++;
    } else if (talks(cycle->way) &&
               send(cycle->fd, cycle->frame, FRAME_BYTES, MSG_NOSIGNAL) != FRAME_BYTES) {
        churn->wrong_echoes++;
    }
}

static void read_echo(struct churn *churn, struct cycle *cycle)
{
    unsigned char echo[FRAME_BYTES];
    if (cycle->fd < 0 || !talks(cycle->way)) {
        return;
    }
    if (recv(cycle->fd, echo, FRAME_BYTES, MSG_WAITALL) != FRAME_BYTES ||
        memcmp(echo, cycle->frame, FRAME_BYTES) != 0) {
        churn->wrong_echoes++;
    }
    if (cycle->way == 'f') {
        shutdown(cycle->fd, SHUT_WR);
    }
}

static void end(struct churn *churn, struct cycle *cycle)
{
    const struct linger reset = {.l_onoff = 1};
    char byte;
    if (cycle->fd < 0) {
        return;
    }
    if (cycle->way == 'f' && recv(cycle->fd, &byte, 1, 0) != 0) {
        churn->wrong_ends++;
    }
    if (cycle->way == 'h' && send(cycle->fd, cycle->frame, 7, MSG_NOSIGNAL) != 7) {
        churn->wrong_ends++;
    }
    if (cycle->way == 'r' || cycle->way == 'x') {
        setsockopt(cycle->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    close(cycle->fd);
    churn->ended[strchr(WAYS, cycle->way) - WAYS]++;
}

/* How much of the run is over: 0 to 1. */
static double progress(const struct churn *churn)
{
    return churn->cycles > 0 ? (double)churn->done / (double)churn->cycles
                             : (now_s() - churn->started) / churn->seconds;
}

static void note_rate(struct churn *churn)
{
    while (churn->part < PARTS && progress(churn) * PARTS >= churn->part + 1) {
        double now = now_s();
        double took = now > churn->part_started ? now - churn->part_started : 1e-9;
        churn->rates[churn->part++] = (double)(churn->done - churn->part_first) / took;
        churn->part_started = now;
        churn->part_first = churn->done;
    }
}

static void run(struct churn *churn)
{
    static struct cycle batch[BATCH];
    churn->started = churn->part_started = now_s();
    while (churn->part < PARTS) {
        unsigned count = BATCH;
        if (churn->cycles > 0 && churn->cycles - churn->done < BATCH) {
            count = (unsigned)(churn->cycles - churn->done);
        }
        for (unsigned i = 0; i < count; i++) {
            begin(churn, &batch[i], churn->done + i);
            if (batch[i].way == 'x') {
                end(churn, &batch[i]);
                batch[i].fd = -1;
            }
        }
        for (unsigned i = 0; i < count; i++) {
            read_echo(churn, &batch[i]);
        }
        for (unsigned i = 0; i < count; i++) {
            end(churn, &batch[i]);
        }
        churn->done += count;
        note_rate(churn);
    }
}

static void report(const struct churn *churn)
{
    printf("{\"cycles\": %llu, \"seconds\": %.3f, \"not_connected\": %llu, \"wrong_echoes\": %llu, "
           "\"wrong_ends\": %llu",
           (unsigned long long)churn->done, now_s() - churn->started,
           (unsigned long long)churn->not_connected, (unsigned long long)churn->wrong_echoes,
           (unsigned long long)churn->wrong_ends);
    for (size_t i = 0; i < WAYS_COUNT; i++) {
        printf(", \"%c\": %llu", WAYS[i], (unsigned long long)churn->ended[i]);
    }
    printf(", \"rates\": [");
    for (unsigned i = 0; i < PARTS; i++) {
        printf("%s%.1f", i > 0 ? ", " : "", churn->rates[i]);
    }
    printf("]}\n");
}

static int usage(void)
{
    fprintf(stderr, "usage: attack_churn --port N --ways [" WAYS "]... --cycles N | --seconds S "
                    "[--sources N]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct churn churn = {.ways = "f", .sources = 1};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--port") == 0) {
            churn.port = (unsigned)strtoul(value, NULL, 10);
        } else if (strcmp(argv[i], "--ways") == 0) {
            churn.ways = value;
        } else if (strcmp(argv[i], "--cycles") == 0) {
            churn.cycles = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            churn.seconds = strtod(value, NULL);
        } else if (strcmp(argv[i], "--sources") == 0) {
            churn.sources = (unsigned)strtoul(value, NULL, 10);
        } else {
            return usage();
        }
    }
    if (churn.port == 0 || churn.sources == 0 || *churn.ways == '\0' ||
        strspn(churn.ways, WAYS) != strlen(churn.ways) ||
        (churn.cycles == 0) == (churn.seconds <= 0)) {
        return usage();
    }
    run(&churn);
    report(&churn);
    return churn.not_connected + churn.wrong_echoes + churn.wrong_ends == 0 ? 0 : 1;
}
