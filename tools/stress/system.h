/* SPDX-License-Identifier: MIT
 * What the load client's start wants of the operating system. */
#ifndef STRESS_SYSTEM_H
#define STRESS_SYSTEM_H

#include <stdbool.h>

#include <throng/types.h>

/* What --backend takes in this build. */
extern const char system_backends[];

/* First thing. From here on standard output gets every byte as it was written (Windows would make
 * "\r\n" of "\n"), and the clock of the process ticks often enough to send at a rate (Windows:
 * every 15.6 ms unless asked). */
void system_begin(void);

/* Reads a numeric IPv4 or IPv6 address into `address`, whose port stays. False, with nothing
 * changed, if it is none. */
bool system_read_address(const char *text, struct throng_address *address);

#endif
