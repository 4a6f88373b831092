/* SPDX-License-Identifier: MIT
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of sixteen bytes: a hash with a secret key, of which
 * who does not know the key cannot find two inputs that meet, nor tell where one falls, however
 * many results he causes. A plain hash, also one that begins at a random number, gives no such
 * promise. Pure. */
#ifndef TG_BASE_SIPHASH_H
#define TG_BASE_SIPHASH_H

#include <stdint.h>

/* Of the bytes of `low` and then of `high`, each lowest first. The key's halves likewise. */
uint64_t tg_siphash(const uint64_t key[2], uint64_t low, uint64_t high);

#endif
