/* SPDX-License-Identifier: MIT
 * Which completion ports this build has, best first. Called at start by whoever opens a port. */
#include "port/port.h"

#include <stdio.h>
#include <string.h>

/* "auto" takes the first of them that works here. */
static const struct tg_port_backend *const backends[] = {
    &tg_uring_backend, &tg_epoll_backend,
    &tg_uring_plain_backend, /* never reached by "auto": epoll always works */
};

#define BACKEND_COUNT (sizeof backends / sizeof backends[0])

int tg_port_backend_check(const struct tg_port_backend *backend, char reason[TG_PORT_REASON_BYTES])
{
    const char *step = NULL;
    int system_error = -backend->check(&step);
    if (system_error == 0) {
        reason[0] = '\0';
        return 0;
    }
    (void)snprintf(reason, TG_PORT_REASON_BYTES, "%s: %s", step, strerror(system_error));
    int error = tg_error_from_system(system_error);
    return error == THRONG_EMFILE || error == THRONG_ENOMEM ? error : THRONG_ENOTSUP;
}

const struct tg_port_backend *tg_port_backend_find(const char *name)
{
    char reason[TG_PORT_REASON_BYTES];
    bool any = strcmp(name, "auto") == 0;
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        if (any ? tg_port_backend_check(backends[i], reason) == 0
                : strcmp(name, backends[i]->name) == 0) {
            return backends[i];
        }
    }
    return NULL;
}

const char *tg_port_backend_names(void)
{
    return "io_uring, epoll";
}
