/* SPDX-License-Identifier: MIT
 * The command line of bench_load. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct load_options {
    struct sockaddr_in server;
    pid_t server_pid;
    uint32_t connections; /* churn: how many at once */
    uint32_t active;      /* of these so many speak, evenly spread; the rest is idle */
    uint32_t size;        /* payload bytes of a message */
    uint32_t window;      /* messages in flight on each active connection */
    uint32_t tick;        /* messages that each connection gets in a tick; 0: the load is no tick */
    uint32_t first;       /* number of the first connection: decides the source address */
    bool churn;
    bool typed; /* typed messages of FRAME_TYPED_BYTES */
    bool later; /* connections are opened when the order comes, and reset at the end */
};

/* Fills `options`. False, after a line on standard error, if the command line is not right. */
bool load_options_read(struct load_options *options, int argc, char **argv);

#endif
