/* SPDX-License-Identifier: MIT
 * The non-blocking client on one side, a plain peer on the other, both on the test's thread in one
 * loop: turns of the client until a condition holds, never a sleep. */
#ifndef TEST_SUPPORT_CLIENT_PAIR_H
#define TEST_SUPPORT_CLIENT_PAIR_H

#include <throng/client.h>

#include "check.h"
#include "host.h"
#include "peer.h"
#include "stopwatch.h"

struct client_pair {
    struct throng_client_options options; /* the test changes them before client_pair_create */
    struct host host;
    struct throng_client *client;
    struct peer peer;
};

/* Setup and teardown of a test: *state is the pair, with a host and no client yet. */
int client_pair_setup(void **state);
int client_pair_teardown(void **state);

/* Makes the client. connect: also connects it to the peer. Both fail the test if that fails. */
void client_pair_create(struct client_pair *pair);
void client_pair_connect(struct client_pair *pair);

/* Closes both, so that they can be connected again. */
void client_pair_disconnect(struct client_pair *pair);

/* Waits for what the client says it waits for, a few milliseconds at most, and updates it. */
void client_pair_turn(struct client_pair *pair);

/* Turns until the condition holds; fails the test at the deadline. */
#define CLIENT_UNTIL(pair, condition)                                                              \
    do {                                                                                           \
        int64_t until_deadline_ms = test_now_ms() + test_deadline_ms();                            \
        while (!(condition)) {                                                                     \
            if (test_now_ms() >= until_deadline_ms) {                                              \
                fail_msg("not before the deadline: %s", #condition);                               \
            }                                                                                      \
            client_pair_turn(pair);                                                                \
        }                                                                                          \
    } while (0)

/* The peer sends these bytes; it must get exactly these; it must see the end of the stream. The
 * client takes turns meanwhile. */
void client_pair_send(struct client_pair *pair, const void *data, size_t size);
void client_pair_expect(struct client_pair *pair, const void *data, size_t size);
void client_pair_expect_end(struct client_pair *pair);

/* The client writes until its outbox is full: the peer reads nothing. */
void client_pair_fill_outbox(struct client_pair *pair);

/* The client's next message must be exactly this. */
void client_pair_expect_read(struct client_pair *pair, const void *data, size_t size);

/* The client must fail with this error. */
void client_pair_expect_failed(struct client_pair *pair, int error);

#endif
