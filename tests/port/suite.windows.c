/* SPDX-License-Identifier: MIT
 * The suite on Windows, in two modes: "iocp" as it comes, "iocp packets" as where the system cannot
 * skip the packets of operations that succeed at once. */
#include "suite.h"

#include <string.h>

#include "fixture.h"
#include "system.windows.h"

bool choose_mode(const char *mode)
{
    system_faults.refuses_skip = strcmp(mode, "packets") == 0;
    return system_faults.refuses_skip;
}

int run_system_tests(void)
{
    return 0;
}

int run_backend_tests(void)
{
    return run_iocp_accept_tests() + run_iocp_stream_tests() + run_iocp_reuse_tests();
}
