/* SPDX-License-Identifier: MIT
 * The blocking client on one side, a plain peer on the other, both on the test's thread: what one
 * sends lies in the system until the other takes it. */
#ifndef TEST_SUPPORT_TCP_PAIR_H
#define TEST_SUPPORT_TCP_PAIR_H

#include <throng/tcp.h>

#include "check.h"
#include "host.h"
#include "peer.h"
#include "script.h"
#include "stopwatch.h"

struct tcp_pair {
    struct throng_tcp_options options; /* the test changes them before tcp_pair_connect */
    struct host host;
    struct throng_tcp *tcp;
    struct peer peer;
    struct script script; /* the peer's part, if it plays on a thread of its own */
};

/* Setup and teardown of a test: *state is the pair, not yet connected. */
int tcp_pair_setup(void **state);
int tcp_pair_teardown(void **state);

/* Connects the two; the test fails if that does not work. */
void tcp_pair_connect(struct tcp_pair *pair);

/* Closes both, so that they can be connected again. */
void tcp_pair_disconnect(struct tcp_pair *pair);

/* The peer plays a part on its own thread; the part must have gone well. The peer is the thread's
 * meanwhile. */
void tcp_pair_play(struct tcp_pair *pair, bool (*play)(struct script *script), size_t size);
void tcp_pair_expect_played(struct tcp_pair *pair);

/* The peer sends these bytes; it must get exactly these; it must see the end of the stream; it must
 * see a reset. */
void tcp_pair_send(const struct tcp_pair *pair, const void *data, size_t size);
void tcp_pair_expect(const struct tcp_pair *pair, const void *data, size_t size);
void tcp_pair_expect_end(const struct tcp_pair *pair);
void tcp_pair_expect_reset(const struct tcp_pair *pair);

/* The client's next message, of up to 64 bytes, must be exactly this; must be this error. */
void tcp_pair_expect_read(struct tcp_pair *pair, const void *data, size_t size);
void tcp_pair_expect_error(struct tcp_pair *pair, int error);

#endif
