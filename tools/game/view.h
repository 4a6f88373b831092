/* SPDX-License-Identifier: MIT
 * The world as one client sees it: snapshots go in, a game_state comes out. The other end of
 * server/examples/game/snapshot.c, written from the layout in protocol.h and not from its code.
 * Pure; fuzzed. */
#ifndef GAME_VIEW_H
#define GAME_VIEW_H

#include <stddef.h>

#include "../../server/examples/game/protocol.h"

struct view {
    struct game_state state;
    uint32_t side;         /* as WELCOME says */
    uint32_t pellet_count; /* as WELCOME says */
    bool is_synced;        /* `state` is the world at state.tick */
};

enum view_result {
    VIEW_APPLIED,   /* synced */
    VIEW_GAP,       /* it builds on a state that is not ours: ask for one with base 0 */
    VIEW_BAD,       /* no snapshot looks like this */
    VIEW_WRONG_SUM, /* the state is not the one that the server had */
};

/* Nothing known yet: the next snapshot that helps has base 0. */
void view_init(struct view *view, uint32_t side, uint32_t pellet_count);

/* Everything but VIEW_APPLIED leaves a view that is not synced; GAP leaves the old state, the
 * others one that means nothing. */
enum view_result view_apply(struct view *view, const void *data, size_t size);

#endif
