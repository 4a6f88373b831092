/* SPDX-License-Identifier: MIT
 * The command line of attack_probe. A scenario is the only caller, so a bad option gets one plain
 * line. */
#include "probe.h"

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

struct flag {
    const char *name;
    const char *text;
    size_t place; /* of a bool */
};

#define PLACE(field) offsetof(struct options, field)

static const struct number numbers[] = {
    {"--connections", "clients (100)", PLACE(connections), 1, CLIENTS_MAX},
    {"--rate", "messages a second, all together; 0: silent (1000)", PLACE(rate), 0, 10000000},
    {"--size", "bytes of a message (64)", PLACE(size), 13, 65536},
    {"--connect-rate", "connects a second (5000)", PLACE(connect_rate), 1, 1000000},
    {"--drain-ms", "patience with the last answers (10000)", PLACE(drain_ms), 1, 600000},
    {"--expect", "end when each member has had so many broadcasts", PLACE(expect), 1, 65536},
    {"--rounds", "storm: connect, one message, reset all at once; so often", PLACE(rounds), 1,
     1000},
    {"--message-max", "longest broadcast (65536)", PLACE(message_max), 64, 67108864},
    {"--per-source", "connections of one source address (5000)", PLACE(per_source), 1, 100000},
};

static const struct flag flags[] = {
    {"--join", "be members of the room", PLACE(join)},
    {"--gaps", "broadcasts may be left out", PLACE(gaps)},
    {"--hello", "who has not been answered once is not up", PLACE(hello)},
    {"--pulse", "answer heartbeats", PLACE(pulse)},
};

static int help(void)
{
    (void)puts(
        "attack_probe --connect tcp://HOST:PORT [options]\n"
        "Says \"up\" when all are connected; a JSON report at its end, which is after --seconds "
        "of\n"
        "talk, or after a line on standard input, and when the last answer has come.\n\n"
        "  --seconds S      how long to talk (10)\n"
        "  --source A.B.C.D first source address (127.2.0.1 if the server is on 127.0.0.0/8)");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)printf("  %-16s %s\n", numbers[i].name, numbers[i].text);
    }
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        (void)printf("  %-16s %s\n", flags[i].name, flags[i].text);
    }
    return 0;
}

static int complain(const char *name, const char *value)
{
    (void)fprintf(stderr, "attack_probe: %s \"%s\" is not right\n", name, value);
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

static bool read_flag(struct options *options, const char *name)
{
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(flags[i].name, name) == 0) {
            *(bool *)((char *)options + flags[i].place) = true;
            return true;
        }
    }
    return false;
}

static bool read_option(struct options *options, const char *name, const char *value)
{
    if (strcmp(name, "--connect") == 0) {
        return read_server(value, &options->server);
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
    *options = (struct options){.connections = 100,
                                .rate = 1000,
                                .size = 64,
                                .seconds = 10,
                                .connect_rate = 5000,
                                .drain_ms = 10000,
                                .message_max = 65536,
                                .per_source = 5000};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return help();
        }
        if (i + 1 < argc && read_option(options, argv[i], argv[i + 1])) {
            i++;
        } else if (!read_flag(options, argv[i])) {
            return complain(argv[i], i + 1 < argc ? argv[i + 1] : "");
        }
    }
    if (options->server.sin_port == 0) {
        return complain("--connect", "");
    }
    if (options->source == 0 && ntohl(options->server.sin_addr.s_addr) >> 24 == 127) {
        options->source = 0x7f020001u;
    }
    return -1;
}
