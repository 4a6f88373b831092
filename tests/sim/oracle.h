/* SPDX-License-Identifier: MIT
 * The judge of the server as a whole: limits and counters, what sleeps though there is work, and that
 * everything is at home when all is over. It looks into the server's records; what it says of single
 * connections is the ledger's. */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include <stdint.h>

#include "game.h"

void oracle_begin(const struct plan *of_world);

/* An OPEN brought this id: no other may ever bring it again, in the whole process. */
void oracle_note_id(uint64_t id);

/* After each turn of the game. */
void oracle_turn(void);

/* Everybody sleeps (tg_sim_options.on_idle). */
void oracle_idle(void *context);

/* A connection's throng_queued_bytes. */
void oracle_check_queue(size_t queued);

/* A write was refused with THRONG_EAGAIN: there was no room. */
void oracle_check_refusal(const struct game_conn *conn, uint32_t size);

/* Whether the server has come to rest: everything is at home, or on its way. */
bool oracle_is_quiet(void);

/* It has: every slot, block, buffer and byte is at home, and the counters add up. */
void oracle_check_quiet(void);

/* How often oracle_idle could look. */
uint64_t oracle_looks(void);

/* ---- oracle_deep.c: the records of a server whose threads all sleep ---- */

void oracle_check_workers(const struct throng_server *server);

#endif
