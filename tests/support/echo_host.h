/* SPDX-License-Identifier: MIT
 * A plain echo server on a thread of its own, for tests of many clients: sends every byte back. It
 * can be told to misbehave while it runs. Reports instead of asserting, and fails the process if
 * the system has nothing left for it. */
#ifndef TEST_SUPPORT_ECHO_HOST_H
#define TEST_SUPPORT_ECHO_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "thread.h"

enum echo_mood {
    ECHO_ANSWERS = 0,
    ECHO_DEAF,    /* takes connections, reads nothing */
    ECHO_SILENT,  /* reads, answers nothing */
    ECHO_FINISHES /* ends every connection after its first bytes, which it sends back */
};

struct echo_conn;
struct watch;

struct echo_host {
    struct host host;
    struct test_thread thread;
    struct watch *watch;

    /* The thread's. */
    struct echo_conn *conns; /* by their place in the watch; NULL: the host is dead */
    uint32_t places_used;    /* 1..places_used were open at some time */
    uint32_t free;           /* the first of those that are closed; 0 = none */

    /* Anybody. */
    _Atomic int mood;
    _Atomic bool is_dying;
    _Atomic uint32_t accepted; /* ever */
    _Atomic uint32_t open;     /* now */
    _Atomic uint32_t resets;   /* ended by the peer with a reset */
    _Atomic uint32_t ends;     /* ended by the peer in order */
    _Atomic uint64_t bytes;    /* read */
};

/* Listens on 127.0.0.1 or ::1 and starts the thread. False if it cannot. */
bool echo_host_start(struct echo_host *echo, enum throng_address_family family);

/* For all connections, those to come and those that are there. */
void echo_host_set_mood(struct echo_host *echo, enum echo_mood mood);

/* The host dies: the listener is gone, each connection is reset, the thread ends. */
void echo_host_die(struct echo_host *echo);

/* The same for one that may be dead already; frees everything. */
void echo_host_stop(struct echo_host *echo);

/* Waits until *counter is `value`; false after the test deadline. */
bool echo_host_await(const _Atomic uint32_t *counter, uint32_t value);

/* Waits until the host has seen the end of every connection that was made so far, also of those
 * that it had not even accepted: its counters stand still then, and its descriptors are closed.
 * False after the test deadline. The mood must be ECHO_ANSWERS. */
bool echo_host_settle(struct echo_host *echo);

#endif
