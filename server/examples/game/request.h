/* SPDX-License-Identifier: MIT
 * What a client asks for, out of the bytes of one message. handlers.c calls it. Pure; fuzzed. */
#ifndef GAME_REQUEST_H
#define GAME_REQUEST_H

#include <stddef.h>

#include "protocol.h"

struct request {
    uint32_t kind;     /* GAME_JOIN, GAME_INPUT, GAME_RESYNC */
    uint32_t version;  /* JOIN */
    uint32_t sequence; /* INPUT: 1 and up */
    int8_t dx;         /* INPUT */
    int8_t dy;
};

/* False: no message of a client is so. `data` may be NULL if size is 0. */
bool request_read(struct request *request, const void *data, size_t size);

#endif
