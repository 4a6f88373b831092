/* SPDX-License-Identifier: MIT
 * Sockets without system headers: addresses, their texts, name resolution, listening sockets, the
 * options that throng sets, and the map from the system's errors to ours.
 *
 * Data paths do not run through here: the completion port's backends talk to the system themselves.
 */
#ifndef TG_OS_SOCKET_H
#define TG_OS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/error.h>
#include <throng/types.h>

/* A system socket: a descriptor, or a SOCKET on Windows. */
typedef intptr_t tg_socket;
#define TG_SOCKET_NONE ((tg_socket)-1)

/* Longest endpoint text with its NUL: "tcp://" + a host name of 253 + ":65535". */
#define TG_ENDPOINT_TEXT_SIZE 268

/* Reads "tcp://HOST:PORT" into its parts. HOST is an IPv4 address, an IPv6 address in brackets, a
 * name, or
 * "*" for any address; PORT is 0..65535. `host` holds TG_ENDPOINT_TEXT_SIZE bytes. 0 or
 * THRONG_EINVAL with a sentence in `error` (may be NULL) that names the offending text. */
int tg_endpoint_parse(const char *text, char *host, uint16_t *port, struct throng_error *error);

/* Resolves `host` (a name, a numeric address, or "*" which is any IPv6-and-IPv4 address as "::") to
 * at most `capacity` addresses, in the system's order of preference. May ask a name server and
 * block: start-up and the blocking client only. Answers the count (>= 1), THRONG_ERESOLVE or
 * THRONG_EINVAL. */
int tg_address_resolve(const char *host, uint16_t port, struct throng_address *addresses,
                       int capacity);

/* Numeric address text without any look-up. 0 or THRONG_EINVAL. */
int tg_address_parse_numeric(const char *host, uint16_t port, struct throng_address *address);

/* To and from the system's sockaddr; `sockaddr` must hold TG_SOCKADDR_BYTES, aligned for any type.
 * encode answers the used length. decode turns an IPv4-mapped IPv6 address into plain IPv4. */
#define TG_SOCKADDR_BYTES 128
uint32_t tg_address_encode(const struct throng_address *address, void *sockaddr);
void tg_address_decode(const void *sockaddr, struct throng_address *address);

/* Our error for a number of the system's: an errno, or a Winsock or Win32 error. Unknown ones give
 * THRONG_ESYSTEM. */
int tg_error_from_system(int system_error);

/* The system's own sentence for such a number, cut to `size` bytes with the NUL; for a log line.
 * size >= 1. */
void tg_system_error_text(int system_error, char *text, size_t size);

/* Whether an accept failed because that one connection died in the backlog (accept(2) passes its
 * error on; EPERM is a firewall's rule). The next connection may be in the best of health. */
bool tg_accept_has_died(int system_error);

/* A non-blocking, close-on-exec listening TCP socket. Sets SO_REUSEADDR (Windows:
 * SO_EXCLUSIVEADDRUSE, socket.windows.c says why), TCP_NODELAY (accepted sockets inherit it),
 * IPV6_V6ONLY off for "::" and on else, SO_SNDBUF if send_buffer_bytes > 0, and SO_RCVBUF if
 * receive_buffer_bytes > 0. Writes the address really bound (port 0 becomes the chosen port) to
 * `bound`. 0 or an error, with nothing left open.
 *
 * keepalive_s > 0: after so many seconds of silence the system asks the peer, TG_KEEPALIVE_PROBES
 * times, every TG_KEEPALIVE_INTERVAL_S, and the connection ends with THRONG_ETIMEDOUT if no answer
 * comes; at most TG_KEEPALIVE_MAX_S. user_timeout_ms > 0: so long may sent bytes stay
 * unacknowledged. On Linux accepted sockets inherit all of it. On Windows there is no user timeout,
 * and whoever makes sockets ahead of the accept sets their keepalive himself. */
#define TG_KEEPALIVE_MAX_S 32767u
#define TG_KEEPALIVE_INTERVAL_S 15u
#define TG_KEEPALIVE_PROBES 4u
struct tg_listen_options {
    struct throng_address address;
    uint32_t backlog;
    uint32_t send_buffer_bytes;
    uint32_t receive_buffer_bytes;
    uint32_t keepalive_s;
    uint32_t user_timeout_ms;
};
int tg_socket_listen(tg_socket *listener, const struct tg_listen_options *options,
                     struct throng_address *bound);

/* Keepalive as above. 0 seconds: nothing is changed. Before Windows 10 the probes are ten, whatever
 * is asked for. 0 or an error. */
int tg_socket_set_keepalive(tg_socket sock, uint32_t idle_s);

/* A second descriptor of the same listening socket, for another port of this process. A socket or
 * an error. */
tg_socket tg_socket_duplicate(tg_socket sock);

/* A new non-blocking, close-on-exec TCP socket with TCP_NODELAY. */
int tg_socket_open(tg_socket *sock, enum throng_address_family family);

/* Binds to a source address; port 0 leaves the choice to the connect (IP_BIND_ADDRESS_NO_PORT where
 * it exists, so that one source address serves as many connections as there are different peers).
 */
int tg_socket_bind_source(tg_socket sock, const struct throng_address *source);

/* Starts to connect. 0: connected; THRONG_EAGAIN: under way; else an error. */
int tg_socket_connect(tg_socket sock, const struct throng_address *peer);

/* The pending error of a socket (SO_ERROR), as ours; 0 if there is none. */
int tg_socket_take_error(tg_socket sock);

/* The connection's addresses. 0 or an error. */
int tg_socket_local_address(tg_socket sock, struct throng_address *address);
int tg_socket_peer_address(tg_socket sock, struct throng_address *address);

/* Both; either may be NULL. Nothing is written if one of them fails. */
int tg_socket_addresses(tg_socket sock, struct throng_address *peer, struct throng_address *local);

/* Non-blocking receive and send. Bytes >= 1; THRONG_EEOF at the end of the stream (receive);
 * THRONG_EAGAIN if nothing is possible now; else an error. Never SIGPIPE. size >= 1. */
int tg_socket_receive(tg_socket sock, void *data, size_t size);
int tg_socket_send(tg_socket sock, const void *data, size_t size);

/* Waits until the socket is readable / writable or failed. 1, 0 at the time-out, or an error.
 * timeout_ms < 0: no limit. */
int tg_socket_wait(tg_socket sock, bool for_write, int timeout_ms);

/* Ends our direction (FIN after what was sent). */
int tg_socket_shutdown_send(tg_socket sock);

void tg_socket_close(tg_socket sock);
/* Closes with a reset: what was not delivered is lost, and the peer sees ECONNRESET. */
void tg_socket_abort(tg_socket sock);

#endif
