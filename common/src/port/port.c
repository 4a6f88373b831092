/* SPDX-License-Identifier: MIT
 * Which completion ports this build has, best first. Called at start by whoever opens a port. */
#include "port/port.h"

#include <string.h>

static const struct tg_port_backend *const backends[] = {
    &tg_epoll_backend,
};

#define BACKEND_COUNT (sizeof backends / sizeof backends[0])

const struct tg_port_backend *tg_port_backend_find(const char *name)
{
    if (strcmp(name, "auto") == 0) {
        return backends[0];
    }
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        if (strcmp(name, backends[i]->name) == 0) {
            return backends[i];
        }
    }
    return NULL;
}

const char *tg_port_backend_names(void)
{
    return "epoll";
}
