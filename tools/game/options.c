/* SPDX-License-Identifier: MIT
 * See options.h. One table holds name, range, help and place of each option. */
#include "options.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <throng/version.h>

#include "../../server/examples/game/protocol.h"

#define PLACE(field) offsetof(struct options, field)

struct option {
    const char *name;
    const char *value; /* what --help calls it: "N" for a number, NULL for a flag, else a text */
    size_t place;
    uint32_t least;
    uint32_t most;
    const char *help;
};

static const struct option table[] = {
    {"connect", "tcp://HOST:PORT", PLACE(connect), 0, 0, "the server"},
    {"bots", "N", PLACE(bots), 1, GAME_PLAYERS_MAX, "players, each a connection (300)"},
    {"seconds", "N", PLACE(seconds), 0, 86400,
     "how long to play once all have joined (10; 0: until a signal)"},
    {"rate", "N", PLACE(rate), 1, 100, "inputs a second of each bot (20)"},
    {"patience", "N", PLACE(patience_s), 1, 3600,
     "seconds in which all must have joined; in which their last inputs must be acknowledged (30)"},
    {"threads", "N", PLACE(threads), 1, 64,
     "threads (as many as the descriptor limit makes necessary)"},
    {"seed", "N", PLACE(seed), 0, UINT32_MAX, "what the bots want (1)"},
    {"backend", "NAME", PLACE(backend), 0, 0, "as throng-stress's (auto)"},
    {"watch", NULL, PLACE(watch), 0, 0,
     "a map of the field once a second, as the first bot sees it"},
    {"json", NULL, PLACE(json), 0, 0, "the report as one JSON object"},
    {"quiet", NULL, PLACE(quiet), 0, 0, "no progress on standard error"},
};

#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

static const struct option *find_option(const char *argument)
{
    for (size_t i = 0; strncmp(argument, "--", 2) == 0 && i < OPTION_COUNT; i++) {
        if (strcmp(argument + 2, table[i].name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static bool is_number(const struct option *option)
{
    return option->most > 0;
}

/* Digits only, least..most. */
static bool read_number(const struct option *option, const char *text, uint32_t *number)
{
    uint64_t sum = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && sum <= option->most; at++) {
        sum = sum * 10 + (uint64_t)(*at - '0');
    }
    *number = (uint32_t)sum;
    return at != text && *at == '\0' && sum >= option->least && sum <= option->most;
}

static bool read_value(struct options *options, const struct option *option, const char *value)
{
    void *place = (char *)options + option->place;
    if (!is_number(option)) {
        *(const char **)place = value;
        return true;
    }
    if (!read_number(option, value, place)) {
        fprintf(stderr, "--%s is \"%.40s\"; it must be a whole number, %" PRIu32 "..%" PRIu32 "\n",
                option->name, value, option->least, option->most);
        return false;
    }
    return true;
}

static void print_help(void)
{
    printf("usage: throng-game-bots --connect tcp://HOST:PORT [options]\n\n"
           "Plays on a throng-game-server and holds every snapshot against its checksum.\n\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char name[48];
        (void)snprintf(name, sizeof(name), "--%s %s", table[i].name,
                       table[i].value != NULL ? table[i].value : "");
        printf("  %-27s %s\n", name, table[i].help);
    }
    printf(
        "  %-27s\n\nExit status: 0 if all was right; 1 if anything was not; 2 for a command line "
        "that makes no sense.\n",
        "--help, --version");
}

static enum options_result settle(const struct options *options)
{
    if (options->connect == NULL) {
        fprintf(stderr, "--connect is missing; it must be tcp://HOST:PORT\n");
        return OPTIONS_BAD;
    }
    return OPTIONS_GO;
}

enum options_result options_read(struct options *options, int argc, char *const *argv)
{
    *options =
        (struct options){.bots = 300, .seconds = 10, .rate = 20, .patience_s = 30, .seed = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return OPTIONS_DONE;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s\n", throng_version());
            return OPTIONS_DONE;
        }
        const struct option *option = find_option(argv[i]);
        if (option == NULL) {
            fprintf(stderr, "unknown option \"%.80s\"; --help lists them\n", argv[i]);
            return OPTIONS_BAD;
        }
        if (option->value == NULL) {
            *(bool *)((char *)options + option->place) = true;
            continue;
        }
        if (i + 1 == argc) {
            fprintf(stderr, "--%s needs a value: %s\n", option->name, option->value);
            return OPTIONS_BAD;
        }
        if (!read_value(options, option, argv[++i])) {
            return OPTIONS_BAD;
        }
    }
    return settle(options);
}
