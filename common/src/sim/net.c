/* SPDX-License-Identifier: MIT
 * The network's sockets and addresses. */
#include <stdlib.h>
#include <string.h>

#include "sim/net_socket.h"
#include "sim/world.h"

struct tg_net tg_net;

void tg_net_open(uint32_t sockets_max, uint32_t pipe_bytes)
{
    struct tg_net *net = &tg_net;
    TG_REQUIRE(net->sockets_open == 0 && sockets_max >= 1 && pipe_bytes >= 1);
    /* The memory of the last world serves this one as far as it reaches: worlds are many and
     * short. */
    if (sockets_max > net->sockets_max) {
        free(net->sockets);
        net->sockets = calloc(sockets_max, sizeof *net->sockets);
        net->sockets_used = 0;
    }
    size_t bytes = (size_t)sockets_max * pipe_bytes;
    if (bytes > net->pipes_bytes) {
        free(net->pipes);
        net->pipes = malloc(bytes);
        net->pipes_bytes = bytes;
    }
    TG_REQUIRE(net->sockets != NULL && net->pipes != NULL);
    memset(net->sockets, 0, net->sockets_used * sizeof *net->sockets);
    net->sockets_max = sockets_max > net->sockets_max ? sockets_max : net->sockets_max;
    net->sockets_used = 0;
    net->lowest_free = 0;
    net->pipe_bytes = pipe_bytes;
    memset(net->listeners, 0, sizeof net->listeners);
    memset(net->ports_taken, 0, sizeof net->ports_taken);
    net->next_port = 32768;
}

void tg_net_close(void)
{
    TG_SIM_RULE(tg_net.sockets_open == 0, "a socket was left open");
}

uint32_t tg_net_open_sockets(void)
{
    return tg_net.sockets_open;
}

struct tg_net_socket *tg_net_at(uint32_t sock)
{
    TG_SIM_RULE(sock < tg_net.sockets_used && tg_net.sockets[sock].state != TG_NET_FREE,
                "a closed socket's number was used");
    return &tg_net.sockets[sock];
}

uint32_t tg_net_number(const struct tg_net_socket *sock)
{
    return (uint32_t)(sock - tg_net.sockets);
}

void tg_net_tell(const struct tg_net_socket *sock)
{
    if (sock->watcher != NULL) {
        sock->watcher->notify(sock->watcher);
    }
}

uint64_t tg_net_delay_ns(void)
{
    uint32_t longest = tg_world.options.delay_ns;
    uint64_t delay = longest == 0 ? 0 : tg_sim_below(longest);
    return tg_sim_strikes(TG_SIM_FAULT_slow_path) ? delay * 100 : delay;
}

int tg_net_take(void)
{
    struct tg_net *net = &tg_net;
    uint32_t at = net->lowest_free;
    while (at < net->sockets_used && net->sockets[at].state != TG_NET_FREE) {
        at++;
    }
    if (at >= tg_world.options.sockets_max) {
        net->lowest_free = at; /* the next one need not look through all of them again */
        return THRONG_EMFILE;
    }
    if (at == net->sockets_used) {
        net->sockets_used++;
    }
    net->lowest_free = at + 1;
    net->sockets_open++;
    struct tg_net_socket *sock = &net->sockets[at];
    memset(sock, 0, sizeof *sock);
    sock->state = TG_NET_FRESH;
    sock->peer = TG_NET_NONE;
    sock->listener = TG_NET_NONE;
    sock->in.bytes = net->pipes + (size_t)at * net->pipe_bytes;
    return (int)at;
}

static void take_port(uint16_t port, bool taken)
{
    uint8_t bit = (uint8_t)(1u << port % 8);
    uint8_t *byte = &tg_net.ports_taken[port / 8];
    *byte = (uint8_t)(taken ? *byte | bit : *byte & ~bit);
}

/* A port of its own for each socket: so an address names one socket. */
static uint16_t choose_port(struct tg_net_socket *sock)
{
    struct tg_net *net = &tg_net;
    while ((net->ports_taken[net->next_port / 8] >> net->next_port % 8 & 1) != 0) {
        net->next_port = net->next_port == 65535 ? 32768 : net->next_port + 1;
    }
    uint16_t port = (uint16_t)net->next_port;
    net->next_port = net->next_port == 65535 ? 32768 : net->next_port + 1;
    take_port(port, true);
    sock->owns_port = true;
    return port;
}

void tg_net_give(uint32_t number)
{
    struct tg_net_socket *sock = tg_net_at(number);
    tg_sim_act_not(&sock->in.arrival);
    tg_sim_act_not(&sock->fate);
    tg_sim_act_not(&sock->doom);
    if (sock->owns_port) {
        take_port(sock->local.port, false);
    }
    sock->state = TG_NET_FREE;
    tg_net.sockets_open--;
    if (number < tg_net.lowest_free) {
        tg_net.lowest_free = number;
    }
}

int tg_net_socket(void)
{
    return tg_sim_strikes(TG_SIM_FAULT_socket_error) ? THRONG_EMFILE : tg_net_take();
}

static bool is_any(const struct throng_address *address)
{
    static const uint8_t zeros[16];
    return memcmp(address->bytes, zeros, sizeof zeros) == 0;
}

/* This machine has the addresses 127.0.0.0/8 and ::1. */
static bool is_ours(const struct throng_address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};
    return is_any(address) || (address->family == THRONG_ADDRESS_IPV4
                                   ? address->bytes[0] == 127
                                   : memcmp(address->bytes, loopback, sizeof loopback) == 0);
}

int tg_net_bind(uint32_t number, const struct throng_address *address)
{
    struct tg_net_socket *sock = tg_net_at(number);
    if (!is_ours(address)) {
        return THRONG_EADDRNOTAVAIL;
    }
    sock->local = *address;
    if (address->port == 0) {
        sock->local.port = choose_port(sock);
    }
    return 0;
}

/* ---- listening ---- */

static bool listens_at(const struct tg_net_listener *listener, const struct throng_address *address)
{
    return listener->numbers > 0 && listener->address.port == address->port &&
           (is_any(&listener->address) ||
            memcmp(listener->address.bytes, address->bytes, sizeof address->bytes) == 0);
}

static struct tg_net_listener *find_listener(const struct throng_address *address)
{
    for (uint32_t i = 0; i < TG_NET_LISTENERS; i++) {
        if (listens_at(&tg_net.listeners[i], address)) {
            return &tg_net.listeners[i];
        }
    }
    return NULL;
}

int tg_net_listen(uint32_t number, uint32_t backlog)
{
    struct tg_net_socket *sock = tg_net_at(number);
    if (tg_sim_strikes(TG_SIM_FAULT_socket_error) || find_listener(&sock->local) != NULL) {
        return THRONG_EADDRINUSE;
    }
    for (uint32_t i = 0; i < TG_NET_LISTENERS; i++) {
        if (tg_net.listeners[i].numbers == 0) {
            tg_net.listeners[i] = (struct tg_net_listener){
                .numbers = 1, .backlog = backlog, .first = TG_NET_NONE, .address = sock->local};
            sock->listener = i;
            sock->state = TG_NET_LISTENER;
            tg_sim_note(TG_SIM_NOTE_listen, number, sock->local.port);
            return 0;
        }
    }
    return THRONG_ENOMEM;
}

int tg_net_duplicate(uint32_t number)
{
    const struct tg_net_socket *sock = tg_net_at(number);
    TG_SIM_RULE(sock->state == TG_NET_LISTENER, "only a listener can have a second number");
    uint32_t listener = sock->listener;
    int copy = tg_net_socket();
    if (copy >= 0) {
        struct tg_net_socket *other = tg_net_at((uint32_t)copy);
        other->state = TG_NET_LISTENER;
        other->listener = listener;
        other->local = tg_net.listeners[listener].address;
        tg_net.listeners[listener].numbers++;
    }
    return copy;
}

/* Whoever has a number of the listener hears that somebody waits. */
static void tell_listeners(uint32_t listener)
{
    for (uint32_t i = 0; i < tg_net.sockets_used; i++) {
        const struct tg_net_socket *sock = &tg_net.sockets[i];
        if (sock->state == TG_NET_LISTENER && sock->listener == listener) {
            tg_net_tell(sock);
        }
    }
}

int tg_net_accept(uint32_t number)
{
    struct tg_net_listener *listener = &tg_net.listeners[tg_net_at(number)->listener];
    if (listener->waiting == 0) {
        return THRONG_EAGAIN;
    }
    uint32_t first = listener->first;
    struct tg_net_socket *sock = tg_net_at(first);
    listener->first = sock->next_waiting;
    listener->waiting--;
    sock->is_waiting = false;
    return (int)first;
}

uint32_t tg_net_waiting(uint32_t number)
{
    return tg_net.listeners[tg_net_at(number)->listener].waiting;
}

static void close_listener(struct tg_net_socket *sock)
{
    struct tg_net_listener *listener = &tg_net.listeners[sock->listener];
    if (listener->numbers > 1) {
        listener->numbers--;
        return;
    }
    while (listener->waiting > 0) {
        tg_net_close_socket((uint32_t)tg_net_accept(tg_net_number(sock)), true);
    }
    listener->numbers = 0;
}

/* ---- connecting ---- */

static void fail_connect(struct tg_net_socket *sock, int error)
{
    sock->state = TG_NET_FAILED;
    sock->error = error;
    tg_sim_note(TG_SIM_NOTE_syn, tg_net_number(sock), error);
    tg_net_tell(sock);
}

static void on_established(struct tg_sim_action *action)
{
    struct tg_net_socket *sock = TG_CONTAINER_OF(action, struct tg_net_socket, fate);
    sock->state = TG_NET_UP;
    tg_world.counts.connections++;
    tg_sim_note(TG_SIM_NOTE_syn, tg_net_number(sock), 0);
    if (sock->error_on_way != 0) {
        tg_net_send_reset(tg_net_number(sock), sock->error_on_way);
    }
    tg_net_ask_fate(tg_net_number(sock));
    tg_net_tell(sock);
}

/* The far end comes to be, and waits to be accepted. False if there is no room for it. */
static bool make_far_end(struct tg_net_socket *near, struct tg_net_listener *listener)
{
    int number = listener->waiting > listener->backlog ? THRONG_EMFILE : tg_net_take();
    if (number < 0) {
        return false;
    }
    struct tg_net_socket *far = tg_net_at((uint32_t)number);
    far->state = TG_NET_UP;
    far->is_waiting = true;
    far->peer = tg_net_number(near);
    far->local = near->remote;
    far->remote = near->local;
    far->next_waiting = TG_NET_NONE;
    near->peer = (uint32_t)number;
    if (listener->waiting++ == 0) {
        listener->first = (uint32_t)number;
    } else {
        tg_net_at(listener->last)->next_waiting = (uint32_t)number;
    }
    listener->last = (uint32_t)number;
    return true;
}

static void on_syn(struct tg_sim_action *action)
{
    struct tg_net_socket *sock = TG_CONTAINER_OF(action, struct tg_net_socket, fate);
    struct tg_net_listener *listener = find_listener(&sock->remote);
    if (tg_sim_strikes(TG_SIM_FAULT_connect_error)) {
        static const int errors[] = {THRONG_ETIMEDOUT, THRONG_EUNREACHABLE, THRONG_ECONNRESET};
        fail_connect(sock, errors[tg_sim_below(3)]);
    } else if (listener == NULL) {
        fail_connect(sock, THRONG_ECONNREFUSED);
    } else if (make_far_end(sock, listener)) {
        tg_sim_act(&sock->fate, on_established, tg_net_delay_ns());
        tell_listeners((uint32_t)(listener - tg_net.listeners));
    } else {
        tg_sim_act(&sock->fate, on_syn, 1000000000); /* as systems do: a second later once more */
    }
}

int tg_net_connect(uint32_t number, const struct throng_address *peer)
{
    struct tg_net_socket *sock = tg_net_at(number);
    TG_SIM_RULE(sock->state == TG_NET_FRESH, "a socket connects once");
    sock->remote = *peer;
    if (is_any(peer)) {
        sock->remote.bytes[peer->family == THRONG_ADDRESS_IPV4 ? 0 : 15] =
            peer->family == THRONG_ADDRESS_IPV4 ? 127 : 1;
    }
    if (sock->local.port == 0) {
        sock->local = sock->remote; /* the way to ourselves begins there */
        sock->local.port = choose_port(sock);
    }
    sock->state = TG_NET_CONNECTING;
    tg_sim_act(&sock->fate, on_syn, tg_net_delay_ns());
    return THRONG_EAGAIN;
}

/* ---- looking and closing ---- */

void tg_net_watch(uint32_t number, struct tg_net_watcher *watcher)
{
    tg_net_at(number)->watcher = watcher;
}

int tg_net_is_connected(uint32_t number)
{
    const struct tg_net_socket *sock = tg_net_at(number);
    return sock->state == TG_NET_UP ? 1 : sock->state == TG_NET_FAILED ? sock->error : 0;
}

int tg_net_error(uint32_t number)
{
    return tg_net_at(number)->error;
}

int tg_net_local_address(uint32_t number, struct throng_address *address)
{
    const struct tg_net_socket *sock = tg_net_at(number);
    *address = sock->local;
    return 0;
}

int tg_net_peer_address(uint32_t number, struct throng_address *address)
{
    const struct tg_net_socket *sock = tg_net_at(number);
    if (sock->state != TG_NET_UP || sock->error != 0) {
        return THRONG_ECONNRESET; /* a connection that is gone has no other end */
    }
    *address = sock->remote;
    return 0;
}

void tg_net_close_socket(uint32_t number, bool abort)
{
    struct tg_net_socket *sock = tg_net_at(number);
    tg_sim_note(TG_SIM_NOTE_socket_close, number, abort);
    sock->watcher = NULL;
    if (sock->state == TG_NET_LISTENER) {
        close_listener(sock);
    } else if (sock->peer != TG_NET_NONE) {
        struct tg_net_socket *peer = tg_net_at(sock->peer);
        bool unheard = sock->state == TG_NET_CONNECTING || sock->in.written != sock->in.read;
        if (sock->error == 0 && (abort || unheard)) {
            tg_net_send_reset(sock->peer, THRONG_ECONNRESET);
        } else if (sock->error == 0) {
            tg_net_shutdown(number);
        }
        peer->peer = TG_NET_NONE;
    }
    tg_net_give(number);
}
