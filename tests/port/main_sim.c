/* SPDX-License-Identifier: MIT
 * The port contract suite (tests/port) on the simulated port: `port_sim [FIRST COUNT]`. Once in a
 * world without faults, and then with seeds FIRST.. in worlds in which threads overtake each other,
 * bytes arrive in pieces and completions late: all that the contract allows anyway. */
#include "fixture.h"

#include <stdlib.h>

#include "sim/net.h"
#include "sim/sim.h"

static int failed;

static void run_suite(void *argument)
{
    (void)argument;
    failed += run_receive_tests();
    failed += run_turn_tests();
    failed += run_buffer_tests();
    failed += run_send_tests();
    failed += run_accept_tests();
    failed += run_connect_tests();
    failed += run_close_tests();
    failed += run_shared_tests();
    failed += run_wake_tests();
}

static void run_world(const struct tg_sim_options *options)
{
    printf("port_sim: seed %llu\n", (unsigned long long)options->seed);
    fflush(stdout);
    tg_sim_open(options);
    tg_net_open(options->sockets_max, options->pipe_bytes);
    tg_sim_run(run_suite, NULL);
    tg_net_close();
    tg_sim_close();
}

int main(int count, char **arguments)
{
    uint64_t first = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    uint64_t seeds = count > 2 ? strtoull(arguments[2], NULL, 10) : 3;
    struct tg_sim_options options = {.seed = first,
                                     .delay_ns = 1,
                                     .pipe_bytes = 2097152,
                                     .sockets_max = 2048,
                                     .steps_max = UINT64_MAX};
    fixture_backend = tg_port_backend_find("sim");
    run_world(&options);
    for (uint64_t i = 0; i < seeds; i++) {
        options.seed = first + i;
        options.faults[TG_SIM_FAULT_yield] = 6554;
        options.faults[TG_SIM_FAULT_stall] = 655;
        options.faults[TG_SIM_FAULT_fragment] = 6554;
        options.faults[TG_SIM_FAULT_pending_send] = 6554;
        options.faults[TG_SIM_FAULT_run_ahead] = 6554;
        options.faults[TG_SIM_FAULT_success_after_cancel] = 32768;
        run_world(&options);
    }
    return failed == 0 ? 0 : 1;
}
