/* SPDX-License-Identifier: MIT
 * The two ends of each connection, for throng_peer_address and throng_local_address: written by the
 * worker before OPEN is published, read by the logic thread until CLOSED is released.
 *
 * Two IPv4 addresses with their ports take 12 bytes. Whatever else lies in a table of its own, of
 * which pages become resident only where somebody is connected over IPv6. */
#ifndef TG_CONN_ENDS_H
#define TG_CONN_ENDS_H

#include <stddef.h>
#include <stdint.h>

#include <throng/types.h>

struct tg_ends_narrow {
    uint8_t peer[4];
    uint8_t local[4];
    uint16_t peer_port;
    uint16_t local_port;
};

_Static_assert(sizeof(struct tg_ends_narrow) == 12, "every connection has one");

/* Empty (peer.family is NONE) if the narrow ones say it. */
struct tg_ends_wide {
    struct throng_address peer;
    struct throng_address local;
};

/* Both arrays are the caller's, zeroed, kept; one entry for each slot. */
struct tg_ends {
    struct tg_ends_narrow *narrow;
    struct tg_ends_wide *wide;
};

static inline size_t tg_ends_narrow_bytes(uint32_t slots)
{
    return (size_t)slots * sizeof(struct tg_ends_narrow);
}

static inline size_t tg_ends_wide_bytes(uint32_t slots)
{
    return (size_t)slots * sizeof(struct tg_ends_wide);
}

/* The slot's worker. */
void tg_ends_set(const struct tg_ends *ends, uint32_t slot, const struct throng_address *peer,
                 const struct throng_address *local);

/* The slot's worker, and whoever got its OPEN. */
struct throng_address tg_ends_peer(const struct tg_ends *ends, uint32_t slot);
struct throng_address tg_ends_local(const struct tg_ends *ends, uint32_t slot);

#endif
