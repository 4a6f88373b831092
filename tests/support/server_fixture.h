/* SPDX-License-Identifier: MIT
 * A server under test. The test's thread is its logic thread; peers on the same thread are served
 * by turning the server between their steps, so no test needs to sleep or to guess.
 *
 * Every test runs in each mode of this platform (backends.h): inline, one I/O thread, two. The
 * journal watches all events, and the teardown fails the test if it has a complaint. */
#ifndef TEST_SUPPORT_SERVER_FIXTURE_H
#define TEST_SUPPORT_SERVER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/server.h>

#include "backends.h"
#include "check.h"
#include "journal.h"
#include "peer.h"
#include "stopwatch.h"
#include "thread.h"

struct server_fixture;

typedef void fixture_handler(struct server_fixture *fixture, const struct throng_event *event);

#define FIXTURE_BATCH_MAX 64

struct server_fixture {
    struct server_mode mode;
    struct throng_server_options options; /* the test changes them before fixture_start */
    struct throng_server *server;
    struct throng_address address; /* of the first listener */

    /* What the logic does with an event; fixture_echo unless the test says otherwise. */
    fixture_handler *handle;
    void *context;
    size_t batch; /* events taken at once, 1..FIXTURE_BATCH_MAX */

    /* With `keep` set, events are not released but collected here. */
    bool keep;
    struct throng_event *kept;
    size_t kept_count;
    size_t kept_capacity;

    struct journal journal;
    struct throng_event last_open;   /* the latest OPEN */
    struct throng_event last_closed; /* the latest CLOSED */
    uint32_t write_errors;           /* writes that fixture_echo could not make */
    int answer;                      /* the latest of throng_get_events */

    /* The log sink's notes. */
    uintptr_t logic_thread;
    uint32_t log_lines;
    char log_last[256];
    bool log_on_foreign_thread;
    bool log_is_wrong; /* a line was none, or was too long, or empty */
};

/* Runs the tests in every mode and prints the scale; what main returns. The tests get a fixture
 * with options for 256 connections on 127.0.0.1, any port, not yet started. */
int fixture_run_tests(const char *group, const struct CMUnitTest *tests, size_t count);

/* Starts the server; the error's text fails the test. stop: also done by the teardown. */
void fixture_start(struct server_fixture *fixture);
void fixture_stop(struct server_fixture *fixture);

/* Starts with options that must be refused; answers the code, and the error. */
int fixture_start_refused(struct server_fixture *fixture, struct throng_error *error);

/* Handlers. echo: answers each message with itself. ignore: does nothing. */
void fixture_echo(struct server_fixture *fixture, const struct throng_event *event);
void fixture_ignore(struct server_fixture *fixture, const struct throng_event *event);

/* One throng_get_events with all that follows: journal, handler, release or keep. Answers its
 * result. */
int fixture_turn(struct server_fixture *fixture, int timeout_ms);

/* Turns for that long, for tests in which nothing shall happen. */
void fixture_turn_for(struct server_fixture *fixture, int duration_ms);

/* Turns until the condition holds; fails the test at the deadline. */
#define FIXTURE_UNTIL(fixture, condition)                                                          \
    do {                                                                                           \
        int64_t until_deadline_ms = test_now_ms() + test_deadline_ms();                            \
        while (!(condition)) {                                                                     \
            fixture_turn_towards((fixture), until_deadline_ms, #condition, __FILE__, __LINE__);    \
        }                                                                                          \
    } while (0)
void fixture_turn_towards(struct server_fixture *fixture, int64_t deadline_ms, const char *what,
                          const char *file, int line);

/* Releases what was kept, first in first out, or backwards; and stops nothing from being kept
 * anew. */
void fixture_release_kept(struct server_fixture *fixture);
void fixture_release_kept_backwards(struct server_fixture *fixture);

/* Connects a peer to the first listener without turning the server; and with its OPEN awaited. */
void fixture_connect(struct server_fixture *fixture, struct peer *peer);
throng_conn fixture_open(struct server_fixture *fixture, struct peer *peer);

/* Sends `out` while it receives exactly `in_size` bytes, both as far as they go, turning the
 * server. */
void fixture_exchange(struct server_fixture *fixture, const struct peer *peer, const void *out,
                      size_t out_size, void *in, size_t in_size);
void fixture_send(struct server_fixture *fixture, const struct peer *peer, const void *data,
                  size_t size);
void fixture_send_frame(struct server_fixture *fixture, const struct peer *peer, const void *data,
                        size_t size);

/* The next frame must be exactly this. */
void fixture_expect_frame(struct server_fixture *fixture, const struct peer *peer, const void *data,
                          size_t size);

/* A message there and the same back. */
void fixture_expect_echo(struct server_fixture *fixture, const struct peer *peer, const void *data,
                         size_t size);

/* The peer must see the end of the stream and no byte before it; a reset; either of them. */
void fixture_expect_end(struct server_fixture *fixture, const struct peer *peer);
void fixture_expect_reset(struct server_fixture *fixture, const struct peer *peer);
void fixture_expect_gone(struct server_fixture *fixture, const struct peer *peer);

struct throng_counters fixture_counters(const struct server_fixture *fixture);

/* Turns until nothing is left of any connection: no slot, no block, no event, and the sums
 * agree. */
void fixture_expect_settled(struct server_fixture *fixture);

#endif
