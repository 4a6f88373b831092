/* SPDX-License-Identifier: MIT
 * The thread of the simulated world that calls throng_server_wake now and then. A game that waits
 * without a limit hears of nothing else, so it is also what ends its phases. */
#ifndef SIM_WAKER_H
#define SIM_WAKER_H

#include <throng/server.h>

#include "plan.h"

void waker_start(const struct plan *plan);
/* From now on it wakes this server, */
void waker_wake(struct throng_server *server);
/* from now on nobody: it is in no call of the server any more. */
void waker_rest(void);
void waker_stop(void);

#endif
