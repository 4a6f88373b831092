/* SPDX-License-Identifier: MIT
 * The suite on Linux. */
#include "suite.h"

#include "fixture.h"

bool choose_mode(const char *mode)
{
    (void)mode;
    return false;
}

/* First those that fork: a child that starts threads wants a parent that has had none. */
int run_system_tests(void)
{
    return run_process_tests() + run_denied_tests();
}

/* None for epoll. */
int run_backend_tests(void)
{
    return run_uring_tests() + run_uring_early_tests();
}
