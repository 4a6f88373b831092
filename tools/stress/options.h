/* SPDX-License-Identifier: MIT
 * The command line of throng-stress. Main thread, at start. */
#ifndef STRESS_OPTIONS_H
#define STRESS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <throng/swarm.h>

#define OPTIONS_COMPLAINT_SIZE 256

struct stress_options {
    const char *targets[THRONG_SWARM_TARGETS_MAX]; /* in argv */
    uint32_t target_count;

    uint32_t connections;
    uint32_t active; /* connections 0..active-1 talk; 0 on the command line's side: all */
    uint32_t size_min;
    uint32_t size_max;
    uint32_t rate;     /* messages a second, all connections together; 0: by window */
    uint32_t window;   /* messages on their way per connection; 0: by rate */
    uint32_t messages; /* per connection; 0: no limit */
    uint64_t talk_ns;  /* UINT64_MAX: no limit */
    uint64_t idle_ns;
    uint32_t drain_timeout_ms;

    uint32_t threads;
    uint32_t connect_rate;
    uint32_t connect_timeout_ms;
    struct throng_address source;
    uint32_t source_count;
    uint32_t message_max;
    enum throng_byte_order byte_order;
    const char *backend;
    uint32_t heartbeat_ms; /* 0: none */

    uint64_t seed;
    bool json;
    bool quiet;
};

enum options_result {
    OPTIONS_GO = 0,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_BAD, /* `complaint` names the option, its value and what it must be */
};

/* Fills `options` from the command line, with defaults for what it does not name. */
enum options_result stress_options_read(struct stress_options *options, int argc, char *const *argv,
                                        char *complaint);

void stress_options_help(FILE *file);

#endif
