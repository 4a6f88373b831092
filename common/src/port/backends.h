/* SPDX-License-Identifier: MIT
 * Every backend, and which of them this build has: backends.linux.c, backends.windows.c. */
#ifndef TG_PORT_BACKENDS_H
#define TG_PORT_BACKENDS_H

#include "port/port.h"

extern const struct tg_port_backend tg_epoll_backend;
extern const struct tg_port_backend tg_uring_backend;
extern const struct tg_port_backend tg_uring_plain_backend;
extern const struct tg_port_backend tg_iocp_backend;

/* Those of this build, best first, with a NULL at the end. "auto" takes the first that works. */
extern const struct tg_port_backend *const tg_port_backends[];

#endif
