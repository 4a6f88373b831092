/* SPDX-License-Identifier: MIT
 * See tally.h. Main thread. */
#include "tally.h"

void tally_clear(struct tally *tally)
{
#define TALLY_CLEAR(name) atomic_init(&tally->name, 0);
    TALLY_MAP(TALLY_CLEAR)
#undef TALLY_CLEAR
    atomic_init(&tally->last_open_ns, 0);
    atomic_init(&tally->last_echo_ns, 0);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void tally_sum(struct totals *totals, const struct tally *tally)
{
#define TALLY_ADD(name) totals->name += tally_read(&tally->name);
    TALLY_MAP(TALLY_ADD)
#undef TALLY_ADD
    totals->last_open_ns = later(totals->last_open_ns, tally_read(&tally->last_open_ns));
    totals->last_echo_ns = later(totals->last_echo_ns, tally_read(&tally->last_echo_ns));
}

uint64_t tally_errors(const struct totals *totals)
{
    return totals->refused + totals->timed_out + totals->not_made + totals->reset + totals->ended +
           totals->broken + totals->lost + totals->duplicated + totals->reordered +
           totals->corrupted + totals->foreign;
}
