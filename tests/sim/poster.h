/* SPDX-License-Identifier: MIT
 * The threads of the simulated world that hand numbers to the game (throng_post), in bursts, and
 * what must become of them: each that was accepted comes once, in the order of its thread. */
#ifndef SIM_POSTER_H
#define SIM_POSTER_H

#include <throng/server.h>

#include "plan.h"

void posters_start(const struct plan *plan);
/* From now on they post to this server, */
void posters_serve(struct throng_server *server);
/* from now on to nobody: none is in a call of the server any more. */
void posters_rest(void);
void posters_stop(void);

/* The game posts to itself. */
void posters_post_from_game(struct throng_server *server);

/* The game took a POSTED. */
void posters_take(const struct throng_event *event);

/* Whether all that was accepted has come. */
bool posters_are_done(void);

/* Posts that were refused by this server. */
uint64_t posters_refused(void);

#endif
