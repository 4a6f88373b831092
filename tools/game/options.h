/* SPDX-License-Identifier: MIT
 * The command line of throng-game-bots. Main thread, at start. */
#ifndef GAME_OPTIONS_H
#define GAME_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *connect; /* in argv */
    uint32_t bots;
    uint32_t seconds; /* 0: until a signal */
    uint32_t rate;    /* inputs a second of each bot */
    uint32_t patience_s;
    uint32_t threads; /* 0: as many as the descriptor limit makes necessary */
    uint32_t seed;
    const char *backend;
    bool watch;
    bool json;
    bool quiet;
};

enum options_result {
    OPTIONS_GO,
    OPTIONS_DONE, /* --help, --version: said */
    OPTIONS_BAD,  /* a line on standard error says what and why */
};

enum options_result options_read(struct options *options, int argc, char *const *argv);

#endif
