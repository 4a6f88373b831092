/* SPDX-License-Identifier: MIT
 * The TCP sockets of IPv4 that the system itself knows of, in any process or in none any more. */
#ifndef TEST_SUPPORT_SYSTEM_SOCKETS_H
#define TEST_SUPPORT_SYSTEM_SOCKETS_H

#include <stdint.h>

#include <throng/types.h>

#define SYSTEM_SOCKET_ESTABLISHED 1u
#define SYSTEM_SOCKET_TIME_WAIT 6u

#define SYSTEM_SOCKET_TIMER_KEEPALIVE 2u

struct system_socket {
    uint16_t peer_port;
    uint8_t timer;   /* which one runs; 0: none */
    uint32_t due_ms; /* until it is due */
};

/* Those in that state whose own address is `own`: how many there are, and the one whose peer has
 * `peer_port`, if there is one and `found` is not NULL. -1 if this system does not say. */
int system_sockets_count(const struct throng_address *own, uint32_t state, uint16_t peer_port,
                         struct system_socket *found);

#endif
