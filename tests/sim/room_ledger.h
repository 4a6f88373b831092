/* SPDX-License-Identifier: MIT
 * What was broadcast to whom: for each life the messages that it is to hear because it was a member
 * when they were accepted, in order, and where they stand among those that were written to it
 * alone. The game notes it, the peers' side asks. */
#ifndef SIM_ROOM_LEDGER_H
#define SIM_ROOM_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

/* Another world. */
void room_ledger_begin(void);

/* The number of the next broadcast. It is its number when it was accepted (room_ledger_said). */
uint32_t room_ledger_next(void);
void room_ledger_said(void);

/* Whether so many more can be noted. */
bool room_ledger_has_room(uint32_t members);

/* A life is to hear it, behind its own messages before `direct`. */
void room_ledger_offer(uint32_t life, uint32_t number, uint32_t direct);

/* It hears it, and its next own message would be *direct; that may not be further on than it was
 * when this was broadcast, and becomes what it was. False: it was not to hear that, or not any
 * more. */
bool room_ledger_hear(uint32_t life, uint32_t number, uint32_t *direct);

/* It hears its own message `direct`: what was broadcast before that will not come any more. */
void room_ledger_pass(uint32_t life, uint32_t direct);

/* It is over; with `all` it was to hear everything. */
void room_ledger_end(uint32_t life, bool all);

/* What did not come, though something later did, so far. */
uint64_t room_ledger_missed(void);
uint64_t room_ledger_heard(void);

#endif
