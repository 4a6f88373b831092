/* SPDX-License-Identifier: MIT
 * The backends of Windows. */
#include "backends.h"

struct server_mode test_server_modes[] = {{"iocp", 0}, {"iocp", 1}, {"iocp", 2}};

const size_t test_server_mode_count = sizeof(test_server_modes) / sizeof(test_server_modes[0]);

char test_plain_backend[TEST_BACKEND_NAME_SIZE] = "iocp";
