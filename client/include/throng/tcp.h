/* SPDX-License-Identifier: MIT
 * The blocking client: connect, write, read, close, each with a time limit in milliseconds. For
 * tools, tests and simple clients. One connection belongs to one thread at a time; no memory is
 * allocated after throng_tcp_connect.
 *
 * It has no heartbeats of its own, for between two calls nobody is there to send them. A server
 * that has them on (common/PROTOCOL.md) sends empty messages and wants each answered with one,
 * within two intervals: where throng_tcp_read answers 0, throng_tcp_write(tcp, NULL, 0,
 * timeout_ms). */
#ifndef THRONG_TCP_H
#define THRONG_TCP_H

#include <throng/error.h>
#include <throng/types.h>
#include <throng/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

struct throng_tcp;

/* Fill with throng_tcp_options_init. 0 means the default. */
struct throng_tcp_options {
    size_t struct_size;
    uint32_t message_bytes_max; /* longest payload either way; 1..67,108,864; default 65,536 */
    enum throng_byte_order byte_order;
    struct throng_address source; /* local address to connect from; family NONE (default): any */
};

THRONG_API void throng_tcp_options_init(struct throng_tcp_options *options);

/* Connects to "tcp://HOST:PORT" (HOST: IPv4, [IPv6] or a name; its addresses are tried in turn,
 * each for an even share of the time that is left) within timeout_ms (negative: no limit; looking a
 * name up is not bounded by it). `options` may be NULL. `error` may be NULL; it names every address
 * that was tried and what came of it, and the code is the first one's. THRONG_ECONNREFUSED,
 * THRONG_ETIMEDOUT, THRONG_ERESOLVE, THRONG_EUNREACHABLE, THRONG_EINVAL, THRONG_ENOMEM ... */
THRONG_API int throng_tcp_connect(struct throng_tcp **tcp, const char *endpoint,
                                  const struct throng_tcp_options *options, int timeout_ms,
                                  struct throng_error *error);

/* Sends one message. 0; THRONG_ETOOBIG; THRONG_ETIMEDOUT: a part may have been sent, so only close
 * is useful afterwards (every later call answers the same); THRONG_ECLOSING: after
 * throng_tcp_shutdown; THRONG_ECONNRESET ... */
THRONG_API int throng_tcp_write(struct throng_tcp *tcp, const void *data, size_t size,
                                int timeout_ms);

/* Receives the next message into `buffer`. Answers its size (>= 0; an empty message is 0).
 * THRONG_EAGAIN: no whole message within timeout_ms; what came is kept, call again. THRONG_EEOF:
 * the peer closed after the last whole message. THRONG_EPROTOCOL: it closed inside one, or
 * announced one over message_bytes_max. THRONG_ETOOBIG: the message is longer than `capacity`; it
 * is kept, call again with more room. */
THRONG_API int64_t throng_tcp_read(struct throng_tcp *tcp, void *buffer, size_t capacity,
                                   int timeout_ms);

/* Raw bytes, without frames: for tests and other protocols. send: all of them or an error.
 * receive: 1..capacity bytes as they come; bytes already buffered by throng_tcp_read first. */
THRONG_API int throng_tcp_send_raw(struct throng_tcp *tcp, const void *data, size_t size,
                                   int timeout_ms);
THRONG_API int64_t throng_tcp_receive_raw(struct throng_tcp *tcp, void *buffer, size_t capacity,
                                          int timeout_ms);

/* Ends our direction; reading goes on. 0, also when repeated, or an error. */
THRONG_API int throng_tcp_shutdown(struct throng_tcp *tcp);

THRONG_API int throng_tcp_local_address(const struct throng_tcp *tcp,
                                        struct throng_address *address);
THRONG_API int throng_tcp_peer_address(const struct throng_tcp *tcp,
                                       struct throng_address *address);

/* Closes and frees; NULL is allowed. abort: with a reset. */
THRONG_API void throng_tcp_close(struct throng_tcp *tcp);
THRONG_API void throng_tcp_abort(struct throng_tcp *tcp);

#ifdef __cplusplus
}
#endif

#endif
