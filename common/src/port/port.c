/* SPDX-License-Identifier: MIT
 * Which completion ports this build has, best first. Called at start by whoever opens a port. */
#include "port/backends.h"

#include <stdio.h>
#include <string.h>

int tg_port_backend_check(const struct tg_port_backend *backend, char reason[TG_PORT_REASON_BYTES])
{
    const char *step = NULL;
    int system_error = -backend->check(&step);
    if (system_error == 0) {
        reason[0] = '\0';
        return 0;
    }
    char text[TG_PORT_REASON_BYTES - 32]; /* the step goes before it */
    tg_system_error_text(system_error, text, sizeof text);
    (void)snprintf(reason, TG_PORT_REASON_BYTES, "%s: %s", step, text);
    int error = tg_error_from_system(system_error);
    return error == THRONG_EMFILE || error == THRONG_ENOMEM ? error : THRONG_ENOTSUP;
}

const struct tg_port_backend *tg_port_backend_find(const char *name)
{
    char reason[TG_PORT_REASON_BYTES];
    bool any = strcmp(name, "auto") == 0;
    for (const struct tg_port_backend *const *at = tg_port_backends; *at != NULL; at++) {
        if (any ? tg_port_backend_check(*at, reason) == 0 : strcmp(name, (*at)->name) == 0) {
            return *at;
        }
    }
    return NULL;
}
