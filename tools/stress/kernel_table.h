/* SPDX-License-Identifier: MIT
 * The other end's view: how many connections the kernel's table shows as established on a port of
 * this machine. Main thread. */
#ifndef STRESS_KERNEL_TABLE_H
#define STRESS_KERNEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The port of "tcp://HOST:PORT", if HOST is a loopback address or localhost. Else false: what the
 * other machine's table says is not to be seen from here. */
bool kernel_table_port(const char *target, uint16_t *port);

/* Connections in state ESTABLISHED whose local port is one of `ports`: the server's ends. False if
 * the system does not tell. */
bool kernel_table_established(const uint16_t *ports, size_t port_count, uint64_t *count);

#endif
