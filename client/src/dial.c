/* SPDX-License-Identifier: MIT
 * Making connections. Called by tcp.c, client.c; any thread. */
#include "dial.h"

#include <string.h>

#include "base/failure.h"
#include "os/clock.h"

/* More addresses than any name in use has; the rest is not tried. */
#define ADDRESSES_MAX 16

int tg_dial_parse(const char *endpoint, char *host, uint16_t *port, struct throng_error *error)
{
    if (endpoint == NULL) {
        return tg_failure(error, THRONG_EINVAL,
                          "the endpoint is NULL: tcp://HOST:PORT is expected");
    }
    int result = tg_endpoint_parse(endpoint, host, port, error);
    if (result < 0) {
        return result;
    }
    if (strcmp(host, "*") == 0) {
        return tg_failure(error, THRONG_EINVAL,
                          "\"%.200s\" names no host: * is any address, to listen on", endpoint);
    }
    if (*port == 0) {
        return tg_failure(error, THRONG_EINVAL, "\"%.200s\" names no port to connect to", endpoint);
    }
    return 0;
}

int tg_dial_begin(tg_socket *sock, const struct throng_address *source,
                  const struct throng_address *peer)
{
    tg_socket opened;
    if (source->family != THRONG_ADDRESS_NONE && source->family != peer->family) {
        return THRONG_EAFNOSUPPORT;
    }
    int result = tg_socket_open(&opened, (enum throng_address_family)peer->family);
    if (result < 0) {
        return result;
    }
    if (source->family != THRONG_ADDRESS_NONE) {
        result = tg_socket_bind_source(opened, source);
    }
    if (result == 0) {
        result = tg_socket_connect(opened, peer);
    }
    if (result < 0 && result != THRONG_EAGAIN) {
        tg_socket_close(opened);
        return result;
    }
    *sock = opened;
    return 0;
}

static bool is_same(const struct throng_address *a, const struct throng_address *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static int look_at(tg_socket sock, struct tg_dialed *dialed)
{
    dialed->sock = sock;
    int result = tg_socket_take_error(sock);
    if (result == 0) {
        result = tg_socket_local_address(sock, &dialed->local);
    }
    if (result == 0) {
        result = tg_socket_peer_address(sock, &dialed->peer);
    }
    /* TCP's simultaneous open: without a listener on one of the machine's own ephemeral ports, the
     * system may choose that very port as our local one, and the socket connects to itself. */
    if (result == 0 && is_same(&dialed->local, &dialed->peer)) {
        result = THRONG_ECONNREFUSED;
    }
    return result;
}

int tg_dial_finish(tg_socket sock, struct tg_dialed *dialed)
{
    struct tg_dialed up;
    int result = look_at(sock, &up);
    if (result < 0) {
        /* A socket that is connected to itself would keep the port in TIME_WAIT, and the server
         * that should have been there could not start. */
        tg_socket_abort(sock);
        return result;
    }
    *dialed = up;
    return 0;
}

static int dial_address(struct tg_dialed *dialed, const struct throng_address *source,
                        const struct throng_address *peer, struct tg_deadline deadline)
{
    tg_socket sock;
    int result = tg_dial_begin(&sock, source, peer);
    if (result < 0) {
        return result;
    }
    result = tg_deadline_wait(deadline, sock, true);
    if (result > 0) {
        return tg_dial_finish(sock, dialed);
    }
    tg_socket_close(sock);
    return result == 0 ? THRONG_ETIMEDOUT : result;
}

/* When the next address should be given up: an even share of what is left of the whole, so that a
 * silent address leaves time for those behind it. */
static struct tg_deadline share_of(struct tg_deadline whole, int addresses_left)
{
    uint64_t now = tg_clock_ns();
    if (whole.at_ns == TG_DEADLINE_NEVER || tg_deadline_is_over(whole, now)) {
        return whole;
    }
    return (struct tg_deadline){now + (whole.at_ns - now) / (uint64_t)addresses_left};
}

static void name_attempt(struct throng_error *error, const struct throng_address *address,
                         int result, bool is_first)
{
    char text[THRONG_ADDRESS_TEXT_SIZE];
    tg_failure_append(error, "%s %s: %s", is_first ? ":" : ",", throng_address_text(address, text),
                      throng_error_text(result));
}

static int dial_addresses(struct tg_dialed *dialed, const struct throng_address *addresses,
                          int count, const struct throng_address *source,
                          struct tg_deadline deadline, struct throng_error *error)
{
    int first_error = 0;
    for (int i = 0; i < count; i++) {
        int result = dial_address(dialed, source, &addresses[i], share_of(deadline, count - i));
        if (result == 0) {
            return 0;
        }
        name_attempt(error, &addresses[i], result, i == 0);
        /* The system lists the best address first, so its failure tells most; but an address that
         * the source cannot reach by its family was never tried. */
        if (first_error == 0 || first_error == THRONG_EAFNOSUPPORT) {
            first_error = result;
        }
    }
    return first_error;
}

int tg_dial(struct tg_dialed *dialed, const char *endpoint, const struct throng_address *source,
            int timeout_ms, struct throng_error *error)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port = 0;
    struct throng_address addresses[ADDRESSES_MAX];
    struct throng_error failure;
    int result = tg_dial_parse(endpoint, host, &port, error);
    if (result < 0) {
        return result;
    }
    struct tg_deadline deadline = tg_deadline_after(tg_clock_ns(), timeout_ms);
    int count = tg_address_resolve(host, port, addresses, ADDRESSES_MAX);
    if (count < 0) {
        return tg_failure(error, count, "cannot connect to \"%.200s\": host \"%.200s\": %s",
                          endpoint, host, throng_error_text(count));
    }
    (void)tg_failure(&failure, 0, "cannot connect to \"%.200s\"", endpoint);
    if (timeout_ms >= 0) {
        tg_failure_append(&failure, " within %d ms", timeout_ms);
    }
    failure.code = dial_addresses(dialed, addresses, count, source, deadline, &failure);
    if (failure.code < 0 && error != NULL) {
        *error = failure;
    }
    return failure.code;
}
