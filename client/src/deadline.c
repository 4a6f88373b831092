/* SPDX-License-Identifier: MIT
 * Waiting for a socket under a deadline. Called by the blocking client's calls, on their thread. */
#include "deadline.h"

#include "os/clock.h"

int tg_deadline_wait(struct tg_deadline deadline, tg_socket sock, bool for_write)
{
    int result;
    uint64_t now;
    do {
        now = tg_clock_ns();
        /* 0 is also a wait that a signal cut short, so only the clock says that time is up. */
        result = tg_socket_wait(sock, for_write, tg_deadline_left_ms(deadline, now));
    } while (result == 0 && !tg_deadline_is_over(deadline, now));
    return result;
}
