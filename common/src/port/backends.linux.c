/* SPDX-License-Identifier: MIT
 * The completion ports of Linux. */
#include "port/backends.h"

const struct tg_port_backend *const tg_port_backends[] = {
    &tg_uring_backend,
    &tg_epoll_backend,
    &tg_uring_plain_backend, /* never reached by "auto": epoll always works */
    NULL,
};

const struct tg_port_backend *const tg_port_backend_best = &tg_uring_backend;

const char *tg_port_backend_names(void)
{
    return "io_uring, epoll";
}
