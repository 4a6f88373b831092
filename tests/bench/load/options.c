/* SPDX-License-Identifier: MIT
 * See options.h. tools/bench is the only caller, so a bad option gets one plain line. */
#include "options.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"

struct number {
    const char *name;
    size_t place; /* of a uint32_t in struct load_options */
    uint32_t least;
    uint32_t most;
};

/* 8 bytes of every payload are a stamp. */
static const struct number numbers[] = {
    {"--connections", offsetof(struct load_options, connections), 1, 100000},
    {"--active", offsetof(struct load_options, active), 1, 100000},
    {"--size", offsetof(struct load_options, size), 8, 65536},
    {"--window", offsetof(struct load_options, window), 1, 4096},
    {"--tick", offsetof(struct load_options, tick), 1, 4096},
    {"--first", offsetof(struct load_options, first), 0, 1000000},
};

static bool complain(const char *option, const char *value)
{
    (void)fprintf(stderr, "bench_load: %s \"%s\" is not right\n", option, value);
    return false;
}

static bool read_whole(const char *value, uint32_t least, uint32_t most, uint32_t *number)
{
    char *end;
    unsigned long read = strtoul(value, &end, 10);
    *number = (uint32_t)read;
    return value[0] >= '0' && value[0] <= '9' && *end == '\0' && read >= least && read <= most;
}

static bool read_server(const char *value, struct sockaddr_in *server)
{
    static const char scheme[] = "tcp://";
    char host[INET_ADDRSTRLEN] = "";
    uint32_t port;
    const char *colon = strrchr(value, ':');
    if (strncmp(value, scheme, sizeof(scheme) - 1) != 0 || colon == NULL) {
        return false;
    }
    const char *start = value + sizeof(scheme) - 1;
    if (colon <= start || (size_t)(colon - start) >= sizeof(host) ||
        !read_whole(colon + 1, 1, UINT16_MAX, &port)) {
        return false;
    }
    memcpy(host, start, (size_t)(colon - start));
    server->sin_family = AF_INET;
    server->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &server->sin_addr) == 1;
}

static bool read_option(struct load_options *options, const char *name, const char *value)
{
    if (strcmp(name, "--connect") == 0) {
        return read_server(value, &options->server) || complain(name, value);
    }
    uint32_t pid;
    if (strcmp(name, "--pid") == 0 && read_whole(value, 1, INT32_MAX, &pid)) {
        options->server_pid = (pid_t)pid;
        return true;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            uint32_t *place = (uint32_t *)(void *)((char *)options + numbers[i].place);
            return read_whole(value, numbers[i].least, numbers[i].most, place) ||
                   complain(name, value);
        }
    }
    return complain(name, value);
}

bool load_options_read(struct load_options *options, int argc, char **argv)
{
    *options = (struct load_options){.connections = 1, .size = 64, .window = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--churn") == 0) {
            options->churn = true;
        } else if (strcmp(argv[i], "--typed") == 0) {
            options->typed = true;
            options->size = FRAME_TYPED_BYTES;
        } else if (strcmp(argv[i], "--later") == 0) {
            options->later = true;
        } else if (i + 1 == argc) {
            return complain(argv[i], "");
        } else if (!read_option(options, argv[i], argv[i + 1])) {
            return false;
        } else {
            i++;
        }
    }
    if (options->active == 0) {
        options->active = options->connections;
    }
    if (options->server.sin_port == 0 || options->server_pid == 0 ||
        options->active > options->connections) {
        (void)fprintf(stderr, "usage: bench_load --connect tcp://HOST:PORT --pid PID "
                              "[--connections N] [--active K] [--size BYTES] [--window W] "
                              "[--churn] [--typed] [--tick N] [--later] [--first NUMBER]\n");
        return false;
    }
    return true;
}
