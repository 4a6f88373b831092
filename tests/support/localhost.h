/* SPDX-License-Identifier: MIT
 * Whether this system can look "localhost" up: without /etc/hosts, and without a name server that
 * knows it, as in a bare chroot, it cannot. Asked without any code of ours, so that a test of ours
 * that looks it up fails wherever the fault is ours. */
#ifndef TEST_SUPPORT_LOCALHOST_H
#define TEST_SUPPORT_LOCALHOST_H

#include <throng/types.h>

/* Skips the test, with the system's reason, unless localhost has an address of that family
 * (THRONG_ADDRESS_NONE: of any). */
void skip_without_localhost(enum throng_address_family family);

#endif
