/* SPDX-License-Identifier: MIT
 * The judge of the server as a whole: limits and counters, what sleeps though there is work, and
 * that everything is at home when all is over. It looks into the server's records; what it says of
 * single connections is the ledger's. */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include <stdint.h>

#include "game.h"

void oracle_begin(const struct plan *of_world);

/* An OPEN brought this id: no other may ever bring it again, in the whole process. */
void oracle_note_id(uint64_t id);

/* After each turn of the game. */
void oracle_turn(void);

/* Its WRITABLE has come. */
void oracle_check_writable(const struct game_conn *conn);

/* The game is about to stand still for so long, with events to take or not: whether that is to be
 * reported, and whether it was. */
bool oracle_begin_stall(uint64_t stall_ns);
void oracle_end_stall(bool is_noticed);

/* Everybody sleeps (tg_sim_options.on_idle). */
void oracle_idle(void *context);

/* The queue of a connection before a write. */
struct oracle_write {
    uint32_t pending_bytes;
    uint32_t pending_units;
    uint32_t small_free;
    uint64_t dropped;
};

void oracle_note_write(const struct game_conn *conn, struct oracle_write *before);

/* It was accepted: within its limit, what it leaves to others, and what it was taken in place
 * of. */
void oracle_check_accepted(const struct game_conn *conn, uint32_t size,
                           const struct oracle_write *before);

/* A write was refused with THRONG_EAGAIN: there was no room. */
void oracle_check_refusal(const struct game_conn *conn, uint32_t size);

/* Whether the server has come to rest: everything is at home, or on its way. */
bool oracle_is_quiet(void);

/* It has: every slot, block, buffer and byte is at home, and the counters add up. */
void oracle_check_quiet(void);

/* How often oracle_idle could look. */
uint64_t oracle_looks(void);

/* Each accepted byte was sent, dropped, or is one of so many that wait. */
void oracle_check_bytes(const struct throng_counters *now, uint64_t waiting);

/* Everybody sleeps, and somebody waits for a WRITABLE. */
void oracle_check_writers(const struct throng_server *server);

/* ---- oracle_deep.c: the records of a server whose threads all sleep ---- */

/* Connections of the address of this slot, without it, as connections_per_address counts them. */
uint32_t oracle_address_count(uint32_t slot);

void oracle_check_workers(const struct throng_server *server);

#endif
