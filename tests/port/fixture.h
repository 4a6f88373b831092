/* SPDX-License-Identifier: MIT
 * What the port contract suite stands on: a port of any backend with its pools, a log of the
 * completions that came, and plain sockets as its peers. Nothing here knows a backend, so the suite
 * runs unchanged against the next one. */
#ifndef TEST_PORT_FIXTURE_H
#define TEST_PORT_FIXTURE_H

#include "check.h"

#include "port/port.h"

/* Nothing that a test waits for takes longer, unless it is lost. */
#define DEADLINE_MS 20000

/* Completions that came and were not asked for yet. */
#define LOG_MAX 4096

/* Like assert_true, but in a child process it ends the child, not the test runner's copy in it. */
#define CHECK(condition) check_condition((condition), #condition, __FILE__, __LINE__)
#define CHECK_NOT_REACHED(why) check_condition(false, why, __FILE__, __LINE__)
void check_condition(bool holds, const char *condition, const char *file, int line);
extern bool check_in_child;

struct fixture_options {
    uint32_t buffer_bytes;
    uint32_t buffers;
    uint32_t turn_bytes;
    uint32_t batch;               /* capacity of each wait */
    uint32_t send_bytes;          /* SO_SNDBUF of accepted sockets, 0 = the system's */
    uint32_t keepalive_s;         /* as the port's option */
    bool reuse_sockets;           /* likewise */
    struct tg_acceptor *acceptor; /* if another port shares the listening socket */
};

/* 16 buffers of 16 KiB, turns of 64 KiB, batches of 64, the system's send buffer. */
extern const struct fixture_options fixture_defaults;

struct fixture {
    struct fixture_options options;
    struct tg_recv_pool pool;
    void *pool_memory;
    void *pool_tables;
    struct tg_port *port;
    void *port_memory;
    size_t port_bytes;

    struct tg_listener listener; /* on 127.0.0.1, without credit */
    bool listening;
    struct throng_address address;

    struct tg_stream marker; /* see fixture_settle */
    tg_socket marker_peer;

    struct tg_completion log[LOG_MAX];
    uint32_t log_count;
};

/* The backend that the suite was started for. */
extern const struct tg_port_backend *fixture_backend;

/* Opens a port and a listener. `options` may be NULL for the defaults. */
void fixture_open(struct fixture *fixture, const struct fixture_options *options);

/* Closes the listener and the port, and checks that the log is empty and every buffer at home. The
 * test has closed its own streams. */
void fixture_close(struct fixture *fixture);

/* One wait, of at most `timeout_ms`; what came goes to the end of the log. Answers the number. */
uint32_t fixture_pump(struct fixture *fixture, int timeout_ms);

/* Whether the log holds a completion of that kind for that record; kind 0: of any kind. */
bool fixture_has(const struct fixture *fixture, int kind, const void *record);

/* Takes the first such completion out of the log; waits for it if it has not come yet. */
struct tg_completion fixture_take(struct fixture *fixture, int kind, const void *record);

/* Lets everything arrive that is on its way: a byte goes through a connection of its own, and then
 * nothing more is to come. It stands in for "wait and see that nothing happens". */
void fixture_settle(struct fixture *fixture);

/* Checks that the port sleeps when it has nothing to tell: 50 ms of waiting take a few waits, and
 * nothing comes. */
void fixture_expect_sleep(struct fixture *fixture);

/* A new connection: its near end in `stream` (zeroed first), its far end as the answer. */
tg_socket fixture_pair(struct fixture *fixture, struct tg_stream *stream);

/* Closes a stream and takes its CLOSE. What was received before is released, what was sent is
 * forgotten. */
void fixture_close_stream(struct fixture *fixture, struct tg_stream *stream);

/* Takes RECEIVE completions until `size` bytes came, and releases their buffers. No more than
 * `size` may come. */
void fixture_read(struct fixture *fixture, struct tg_stream *stream, void *data, size_t size);

void fixture_release(struct fixture *fixture, const struct tg_completion *completion);

/* Sends all of it, however often that takes. */
void fixture_send(struct fixture *fixture, struct tg_stream *stream, const void *data, size_t size);

/* Sends until a send is pending for want of room, beginning at byte `from` of the pattern. Answers
 * the byte after the last one taken. */
size_t fixture_fill(struct fixture *fixture, struct tg_stream *stream, size_t from);

/* Whether small receives fill a buffer by and by. Not so on an old kernel's io_uring, where each
 * has a piece of its own. */
bool fixture_shares_buffers(void);

uint64_t fixture_counter(const _Atomic uint64_t *counter);

/* Plain sockets. Each call waits until it is done. */
tg_socket peer_connect(const struct throng_address *address);
void peer_send(tg_socket peer, const void *data, size_t size);
/* Exactly `size` bytes. */
void peer_receive(tg_socket peer, void *data, size_t size);
/* What the next receive answers: 1 for a byte, THRONG_EEOF, or an error. */
int peer_receive_any(tg_socket peer);

/* Byte `at` of an endless text in which no two places look alike for long. */
static inline uint8_t pattern_byte(size_t at)
{
    return (uint8_t)(at ^ (at >> 8) * 7 ^ (at >> 16) * 13);
}
void pattern_fill(uint8_t *data, size_t from, size_t size);
bool pattern_matches(const uint8_t *data, size_t from, size_t size);

/* Now, in milliseconds. */
uint64_t now_ms(void);

/* The themes of the suite; each answers the number of tests that failed. */
int run_receive_tests(void);
int run_turn_tests(void);
int run_buffer_tests(void);
int run_send_tests(void);
int run_accept_tests(void);
int run_connect_tests(void);
int run_close_tests(void);
int run_shared_tests(void);
int run_wake_tests(void);

/* Of one system or backend only; see suite.h. */
int run_process_tests(void);
int run_denied_tests(void);
int run_uring_tests(void);
int run_uring_early_tests(void);
int run_iocp_accept_tests(void);
int run_iocp_reuse_tests(void);
int run_iocp_stream_tests(void);

#endif
