/* SPDX-License-Identifier: MIT
 * The ends of connections. The worker writes, the logic thread reads; see ends.h. */
#include "conn/ends.h"

#include <string.h>

void tg_ends_set(const struct tg_ends *ends, uint32_t slot, const struct throng_address *peer,
                 const struct throng_address *local)
{
    struct tg_ends_wide *wide = &ends->wide[slot];
    if (peer->family != THRONG_ADDRESS_IPV4 || local->family != THRONG_ADDRESS_IPV4) {
        *wide = (struct tg_ends_wide){.peer = *peer, .local = *local};
        return;
    }
    struct tg_ends_narrow *narrow = &ends->narrow[slot];
    memcpy(narrow->peer, peer->bytes, sizeof(narrow->peer));
    memcpy(narrow->local, local->bytes, sizeof(narrow->local));
    narrow->peer_port = peer->port;
    narrow->local_port = local->port;
    /* Of an earlier connection. A look at a page that nobody ever wrote to makes it no more
     * resident; a store would. */
    if (wide->peer.family != THRONG_ADDRESS_NONE) {
        *wide = (struct tg_ends_wide){.peer = {.family = THRONG_ADDRESS_NONE}};
    }
}

static struct throng_address ipv4(const uint8_t bytes[4], uint16_t port)
{
    struct throng_address address = {.family = THRONG_ADDRESS_IPV4, .port = port};
    memcpy(address.bytes, bytes, 4);
    return address;
}

struct throng_address tg_ends_peer(const struct tg_ends *ends, uint32_t slot)
{
    const struct tg_ends_narrow *narrow = &ends->narrow[slot];
    return ends->wide[slot].peer.family != THRONG_ADDRESS_NONE
               ? ends->wide[slot].peer
               : ipv4(narrow->peer, narrow->peer_port);
}

struct throng_address tg_ends_local(const struct tg_ends *ends, uint32_t slot)
{
    const struct tg_ends_narrow *narrow = &ends->narrow[slot];
    return ends->wide[slot].peer.family != THRONG_ADDRESS_NONE
               ? ends->wide[slot].local
               : ipv4(narrow->local, narrow->local_port);
}
