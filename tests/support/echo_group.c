/* SPDX-License-Identifier: MIT
 * See echo_group.h. */
#include "echo_group.h"

struct echo_host echo;

int start_echo(void **state)
{
    (void)state;
    return echo_host_start(&echo, THRONG_ADDRESS_IPV4) ? 0 : -1;
}

int stop_echo(void **state)
{
    (void)state;
    echo_host_stop(&echo);
    return 0;
}
