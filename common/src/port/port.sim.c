/* SPDX-License-Identifier: MIT
 * The completion ports of the simulated system: one. */
#include <string.h>

#include "port/port.h"
#include "port/sim.h"

/* "auto" asks for it by name, to log why it does not come. */
static int refuse(const char **reason)
{
    *reason = "a simulated system has none";
    return THRONG_ENOTSUP;
}

static const struct tg_port_backend best = {.name = "io_uring", .check = refuse};
const struct tg_port_backend *const tg_port_backend_best = &best;

int tg_port_backend_check(const struct tg_port_backend *backend, char reason[TG_PORT_REASON_BYTES])
{
    const char *step = NULL;
    reason[0] = '\0';
    return backend->check(&step);
}

const struct tg_port_backend *tg_port_backend_find(const char *name)
{
    return strcmp(name, "auto") == 0 || strcmp(name, "sim") == 0 ? &tg_sim_backend : NULL;
}

const char *tg_port_backend_names(void)
{
    return "sim";
}
