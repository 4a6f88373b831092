/* SPDX-License-Identifier: MIT
 * The backends of Linux. */
#include "backends.h"

struct server_mode test_server_modes[] = {
    {"epoll", 0},    {"epoll", 1},    {"epoll", 2},          {"io_uring", 0},
    {"io_uring", 1}, {"io_uring", 2}, {"io_uring-plain", 1},
};

const size_t test_server_mode_count = sizeof(test_server_modes) / sizeof(test_server_modes[0]);

char test_plain_backend[TEST_BACKEND_NAME_SIZE] = "epoll";
