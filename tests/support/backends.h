/* SPDX-License-Identifier: MIT
 * The completion port's backends that this platform has, as the tests go through them. */
#ifndef TEST_SUPPORT_BACKENDS_H
#define TEST_SUPPORT_BACKENDS_H

#include <stddef.h>
#include <stdint.h>

/* How a server under test does its I/O. */
struct server_mode {
    const char *backend;
    uint32_t io_threads; /* 0: inline */
};

/* Every backend, inline, with one I/O thread and with two. Not const, as cmocka's initial_state is
 * not; nobody writes to it. */
extern struct server_mode test_server_modes[];
extern const size_t test_server_mode_count;

/* The backend that every system of this platform allows. */
#define TEST_BACKEND_NAME_SIZE 16
extern char test_plain_backend[TEST_BACKEND_NAME_SIZE];

#endif
