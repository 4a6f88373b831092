/* SPDX-License-Identifier: MIT
 * The completion ports of Windows: the one that has given them the name. */
#include "port/backends.h"

const struct tg_port_backend *const tg_port_backends[] = {&tg_iocp_backend, NULL};

const struct tg_port_backend *const tg_port_backend_best = &tg_iocp_backend;

const char *tg_port_backend_names(void)
{
    return "iocp";
}
