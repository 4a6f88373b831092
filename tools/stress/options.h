/* SPDX-License-Identifier: MIT
 * The command line of throng-stress. Main thread, at start. */
#ifndef STRESS_OPTIONS_H
#define STRESS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <throng/swarm.h>

#include "scenario_map.h"

#define OPTIONS_COMPLAINT_SIZE 256

struct stress_options {
    enum scenario_kind scenario;
    const char *targets[THRONG_SWARM_TARGETS_MAX]; /* in argv */
    uint32_t target_count;

    uint32_t connections;
    uint32_t active; /* connections 0..active-1 talk; 0 on the command line's side: all */
    uint32_t size_min;
    uint32_t size_max;
    uint32_t rate;     /* a second, all connections together; 0: by window. Of messages; CHURN: of
                        connections (0: each as soon as the last is closed); ROOMS, CHAT: of lines */
    uint32_t window;   /* messages on their way per connection; ROOMS, CHAT: per room; 0: by rate */
    uint32_t messages; /* per connection; CHURN: per life of one; ROOMS, CHAT: lines per room; 0: no
                           limit */
    uint32_t rooms;    /* ROOMS, CHAT */
    uint32_t room_size; /* members of each */
    uint32_t bots;      /* CHAT: so many connections that behave like people; 0: no such thing */
    uint64_t talk_ns;   /* UINT64_MAX: no limit */
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
    uint32_t server_pid;     /* whose memory and CPU time to report; 0: nobody's */
    const char *report_file; /* .html or .svg; NULL: none; in argv, as the next one */
    const char *hgrm_file;
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

const char *stress_scenario_name(enum scenario_kind scenario);

#endif
