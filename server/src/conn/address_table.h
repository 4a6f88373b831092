/* SPDX-License-Identifier: MIT
 * How many connections each address has, for connections_per_address. Shared by all workers; no
 * lock, no allocation. A worker enters a connection's address when it accepts, and leaves when the
 * port is done with the connection.
 *
 *   word:    63          24 23        0
 *           +--------------+-----------+      count 0: free, whatever the fingerprint
 *           | fingerprint  |   count   |
 *           +--------------+-----------+      bucket: 8 words, one cache line
 *
 * Each address has two buckets of its own and is counted in a word of one of them. The place in the
 * table and the fingerprint are a keyed hash of the address (base/siphash.h) with a key that the
 * system draws at each start: peers cannot choose addresses that meet.
 *
 * The limit is never exceeded. A word's count is raised by one compare-and-swap that has seen it
 * below the limit. Two workers may, in the same instant, each make a word for the same new address,
 * if a third frees a word of the bucket between their looks. Such twins stay: counts are never
 * moved, each connection leaves the word that it entered, and a word that has fallen to 0 is free.
 * So whoever has entered looks at all words of its two buckets once more, adds up, and leaves again
 * if that is over the limit. Of connections that are in, the one that raised its count last has
 * seen the counts of all the others (every access is sequentially consistent, and none of them was
 * lowered since), so they are not over the limit. The price: of two that come in the same instant,
 * both may be turned away where one more would have fitted. That takes twins, and only in the
 * moment in which the limit is reached.
 *
 * Size: 4 words for each connection of max_connections, so if every connection has an address of
 * its own a bucket of 8 has 2 words in use on average; new ones go into the emptier of their two.
 * By the equations of "the power of two choices" (Mitzenmacher 2001; with arrivals and departures
 * for ever) a share of 2e-14 of the buckets has 7 words in use and 1e-28 all 8, so a new address
 * finds both of its own full with a probability below 1e-50. (Measured in 3e8 arrivals at 65,000
 * connections: 6 at most.) It is let in then and not counted: a limit that fails must not turn away
 * a good one. Two addresses are taken for one with a probability of 2.3e-7 that there is any such
 * pair among 65,000. */
#ifndef TG_CONN_ADDRESS_TABLE_H
#define TG_CONN_ADDRESS_TABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/types.h>

/* Largest limit: with one more for each worker that is about to leave again, a count stays in 24
 * bits. */
#define TG_ADDRESS_LIMIT_MAX 1048575u

struct tg_address_table {
    /* Set once. */
    _Atomic uint64_t *words;
    uint32_t bucket_count;
    uint32_t limit; /* 0: there is no table, everybody is let in */
    uint64_t key[2];
};

/* Where a connection is counted; it gives this back with tg_address_table_leave. */
#define TG_ADDRESS_UNCOUNTED 0u

enum tg_address_answer {
    TG_ADDRESS_COUNTED = 0,
    TG_ADDRESS_NO_ROOM, /* let in without being counted: both buckets are full */
    TG_ADDRESS_REFUSED, /* the address has its share */
};

/* 0 without a limit. */
size_t tg_address_table_bytes(uint32_t connections, uint32_t limit);

/* `memory` is the caller's, zeroed, kept, aligned to a cache line; of tg_address_table_bytes. Draws
 * the key. 0 or THRONG_ESYSTEM. */
int tg_address_table_init(struct tg_address_table *table, void *memory, uint32_t connections,
                          uint32_t limit);

/* One more connection from this address: IPv4 (the same in its IPv6 form), or the /64 of an IPv6
 * one, link-local ones with their interface. `place` is TG_ADDRESS_UNCOUNTED unless it was
 * counted. */
enum tg_address_answer tg_address_table_enter(struct tg_address_table *table,
                                              const struct throng_address *address,
                                              uint32_t *place);

/* One less. Harmless with TG_ADDRESS_UNCOUNTED. */
void tg_address_table_leave(struct tg_address_table *table, uint32_t place);

#endif
