/* SPDX-License-Identifier: MIT
 * A table of connections per address in memory of its own, for its tests. */
#ifndef TEST_UNIT_ADDRESS_WORLD_H
#define TEST_UNIT_ADDRESS_WORLD_H

#include "check.h"
#include "conn/address_table.h"

#define CONNECTIONS 128u /* the smallest table: 64 buckets of 8 words */
#define WORDS 512u
#define COUNT_MASK 0xffffffu

extern struct tg_address_table table;
extern _Atomic uint64_t *const words; /* of the table */

/* An empty table with a key of its own. */
void set_up(uint32_t limit);

/* An IPv4 address for each number. */
struct throng_address ipv4(uint32_t number);

enum tg_address_answer enter(struct throng_address address, uint32_t *place);

/* Enters, and is counted. Answers the place. */
uint32_t entered(struct throng_address address);
void expect_refused(struct throng_address address);

/* The sum of all counts. */
uint64_t count_all(void);

#endif
