/* SPDX-License-Identifier: MIT
 * The attack server's operator: lines on standard input, each answered by a line on standard
 * output, by a thread of its own. So it answers while the server is full and while the logic thread
 * is stuck.
 *
 *     counters                    report.h's JSON
 *     broadcast SIZE COUNT PER_S  "ok" when the logic thread has begun; PER_S 0: at once
 *     stall MS                    "ok"; then the logic thread does nothing for so long
 *
 * anything else, or a broadcast that cannot be: "no". The end of standard input ends nothing. */
#ifndef ATTACK_CONTROL_H
#define ATTACK_CONTROL_H

#include "game.h"

struct control;

/* Starts the thread. NULL: no memory or no thread. */
struct control *control_start(struct throng_server *server, struct game *game);

/* Obeys an order that came, if one did; logic thread, once a turn. */
void control_obey(struct control *control);

/* Ends the thread, before the server stops. */
void control_stop(struct control *control);

#endif
