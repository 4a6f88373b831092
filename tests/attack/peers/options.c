/* SPDX-License-Identifier: MIT
 * The command line of attack_peers. A scenario is the only caller, so a bad option gets one plain
 * line. */
#include "peers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct number {
    const char *name;
    const char *text;
    size_t place; /* of a uint32_t in struct options */
    uint32_t least, most;
};

#define PLACE(field) offsetof(struct options, field)

static const struct number numbers[] = {
    {"--rate", "connects a second (5000)", PLACE(rate), 1, 1000000},
    {"--size", "bytes of a flooder's or echo asker's message (8)", PLACE(size), 0, 65536},
    {"--message-max", "the server's longest message (65536)", PLACE(message_max), 1, 67108864},
    {"--period-ms", "between two drops (the kind's own)", PLACE(period_ms), 1, 600000},
    {"--receive-bytes", "SO_RCVBUF and SO_SNDBUF (0: the system's)", PLACE(receive_bytes), 0,
     1 << 24},
    {"--per-source", "connections of one source address (5000)", PLACE(per_source), 1, 100000},
    {"--sources", "source addresses (as many as that makes)", PLACE(sources), 1, 60000},
};

static int help(void)
{
    (void)puts(
        "attack_peers --connect tcp://HOST:PORT --kind KIND=COUNT[,KIND=COUNT...] [options]\n"
        "Says \"up\" when every peer has connected (or failed) once; a JSON report at its end, "
        "which\n"
        "is after --seconds, when nobody is left, or after a line on standard input.\n\n"
        "  --seconds S      how long (10)\n"
        "  --again          who ended connects anew\n"
        "  --join           who does not read joins the room instead of asking for echoes\n"
        "  --source A.B.C.D first source address (127.1.0.1 if the server is on 127.0.0.0/8)");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)printf("  %-16s %s\n", numbers[i].name, numbers[i].text);
    }
    kinds_print();
    return 0;
}

static int complain(const char *name, const char *value)
{
    (void)fprintf(stderr, "attack_peers: %s \"%s\" is not right\n", name, value);
    return 2;
}

static bool read_server(const char *value, struct sockaddr_in *server)
{
    char host[INET_ADDRSTRLEN] = "";
    unsigned port = 0;
    if (sscanf(value, "tcp://%15[0-9.]:%u", host, &port) != 2 || port == 0 || port > UINT16_MAX) {
        return false;
    }
    server->sin_family = AF_INET;
    server->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &server->sin_addr) == 1;
}

static bool read_kinds(struct options *options, const char *value)
{
    uint32_t total = 0;
    char name[32];
    unsigned count;
    int used;
    while (sscanf(value, "%31[a-z-]=%u%n", name, &count, &used) == 2) {
        const struct kind *kind = kind_named(name);
        total += count;
        if (kind == NULL || options->kind_count == KINDS_MAX || total > PEERS_MAX) {
            return false;
        }
        options->kinds[options->kind_count] = kind;
        options->counts[options->kind_count++] = count;
        value += used;
        value += *value == ',';
    }
    return *value == '\0' && total > 0;
}

static bool read_number(struct options *options, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            char *end;
            unsigned long read = strtoul(value, &end, 10);
            uint32_t *place = (uint32_t *)(void *)((char *)options + numbers[i].place);
            *place = (uint32_t)read;
            return *end == '\0' && read >= numbers[i].least && read <= numbers[i].most;
        }
    }
    return false;
}

static bool read_option(struct options *options, const char *name, const char *value)
{
    if (strcmp(name, "--connect") == 0) {
        return read_server(value, &options->server);
    }
    if (strcmp(name, "--kind") == 0) {
        return read_kinds(options, value);
    }
    if (strcmp(name, "--seconds") == 0) {
        options->seconds = strtod(value, NULL);
        return options->seconds > 0 && options->seconds <= 3600;
    }
    struct in_addr source;
    if (strcmp(name, "--source") == 0 && inet_pton(AF_INET, value, &source) == 1) {
        options->source = ntohl(source.s_addr);
        return true;
    }
    return read_number(options, name, value);
}

int options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){
        .rate = 5000, .seconds = 10, .size = 8, .message_max = 65536, .per_source = 5000};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return help();
        }
        if (strcmp(argv[i], "--again") == 0) {
            options->again = true;
        } else if (strcmp(argv[i], "--join") == 0) {
            options->join = true;
        } else if (i + 1 < argc && read_option(options, argv[i], argv[i + 1])) {
            i++;
        } else {
            return complain(argv[i], i + 1 < argc ? argv[i + 1] : "");
        }
    }
    if (options->kind_count == 0 || options->server.sin_port == 0) {
        return complain("--kind or --connect", "");
    }
    if (options->source == 0 && ntohl(options->server.sin_addr.s_addr) >> 24 == 127) {
        options->source = 0x7f010001u;
    }
    return -1;
}
