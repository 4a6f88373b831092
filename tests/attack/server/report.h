/* SPDX-License-Identifier: MIT
 * All that the attack server counts, as JSON: throng's counters by name, `closed_by` with the count
 * of each close reason, `game` with the game's numbers. Any thread, while the server lives. */
#ifndef ATTACK_REPORT_H
#define ATTACK_REPORT_H

#include <stddef.h>

#include "game.h"

#define REPORT_BYTES 8192

/* Bytes written, without a final zero or line end. */
size_t report_write(char text[REPORT_BYTES], const struct throng_server *server,
                    const struct game_numbers *numbers);

#endif
