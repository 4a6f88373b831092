/* SPDX-License-Identifier: MIT
 * What is started under torture: a server, a swarm, a client. All functions run in a child process,
 * on its first thread, one scenario at a time; they report and do not assert. */
#ifndef TEST_TORTURE_SCENARIO_H
#define TEST_TORTURE_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/error.h>

/* What a run must find: of all but the fakes that they are sound. */
enum scenario_fault {
    SCENARIO_SOUND = 0,
    SCENARIO_LEAKS,
    SCENARIO_HANGS,
    SCENARIO_WRONG
};

struct scenario {
    const char *name;
    const char *backend;
    uint32_t threads;
    uint32_t connections;
    uint32_t descriptors_limit; /* RLIMIT_NOFILE, for private descriptor tables; 0: as it is */
    long unknown_call;          /* as in struct run */
    int limit_ms;               /* for a run; 0: the test's own */
    enum scenario_fault fault;
    const int *documented; /* the errors that a start may answer; 0 ends them */

    /* What the start needs beside itself; once per child. */
    bool (*prepare)(const struct scenario *scenario);

    /* 0 or an error, with a text. */
    int (*start)(const struct scenario *scenario, struct throng_error *error);

    /* Sends a message through what was started and gets it back. */
    bool (*serve)(const struct scenario *scenario);

    void (*stop)(const struct scenario *scenario);
};

bool scenario_limit_descriptors(const struct scenario *scenario);

/* By index, NULL after the last one. */
const struct scenario *server_scenario(size_t index);
const struct scenario *client_scenario(size_t index);
const struct scenario *fake_scenario(size_t index);

#endif
