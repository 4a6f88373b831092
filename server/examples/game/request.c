/* SPDX-License-Identifier: MIT
 * See request.h; protocol.h has the layouts. */
#include "request.h"

/* 0: no message of a client begins like this. */
static size_t size_of(uint8_t kind)
{
    switch (kind) {
    case GAME_JOIN:
        return GAME_JOIN_BYTES;
    case GAME_INPUT:
        return GAME_INPUT_BYTES;
    case GAME_RESYNC:
        return GAME_RESYNC_BYTES;
    default:
        return 0;
    }
}

bool request_read(struct request *request, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    if (size == 0 || size_of(bytes[0]) != size) {
        return false;
    }
    *request = (struct request){.kind = bytes[0]};
    if (request->kind == GAME_JOIN) {
        request->version = bytes[1];
    } else if (request->kind == GAME_INPUT) {
        request->sequence = game_get_u32(bytes + 1);
        request->dx = game_get_i8(bytes + 5);
        request->dy = game_get_i8(bytes + 6);
    }
    return request->kind != GAME_INPUT || request->sequence > 0;
}
