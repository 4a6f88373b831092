/* SPDX-License-Identifier: MIT
 * A hostile peer's socket: from connect to its end, and who ended it. */
#include "peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536u

/* A connect that failed is tried again after so long: the server or the system is full. */
#define RETRY_NS 200000000u

static const struct kind *kind_of(const struct crowd *crowd, const struct peer *peer)
{
    return crowd->options.kinds[peer->kind];
}

static struct tally *tally_of(struct crowd *crowd, const struct peer *peer)
{
    return &crowd->tallies[peer->kind];
}

static void mark_up(struct crowd *crowd, struct peer *peer)
{
    if (!peer->came_up) {
        peer->came_up = true;
        crowd->not_yet_up--;
    }
}

/* ---- the end ---- */

static void leave(struct crowd *crowd, struct peer *peer)
{
    (void)close(peer->descriptor); /* it leaves epoll too */
    peer->descriptor = -1;
    peer->state = crowd->options.again ? STATE_AWAY : STATE_OVER;
    peer->next_at = 0;
}

static void fail(struct crowd *crowd, struct peer *peer)
{
    tally_of(crowd, peer)->failed++;
    mark_up(crowd, peer);
    leave(crowd, peer);
    peer->next_at = crowd->now + RETRY_NS;
}

/* The server ended it. */
static void ended(struct crowd *crowd, struct peer *peer, bool reset)
{
    struct tally *tally = tally_of(crowd, peer);
    *(reset ? &tally->resets : &tally->ends) += 1;
    if (tally->life_count < LIVES_MAX) {
        tally->lives[tally->life_count++] = (uint32_t)((crowd->now - peer->opened_at) / 1000000);
    }
    tally->alive--;
    leave(crowd, peer);
}

void peer_close(struct crowd *crowd, struct peer *peer, bool reset)
{
    if (peer->state != STATE_UP) {
        return; /* the server was faster */
    }
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (reset) {
        (void)setsockopt(peer->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    }
    tally_of(crowd, peer)->own++;
    tally_of(crowd, peer)->alive--;
    leave(crowd, peer);
}

/* ---- bytes ---- */

size_t peer_send(struct crowd *crowd, struct peer *peer, const void *bytes, size_t size)
{
    if (peer->state != STATE_UP) {
        return 0;
    }
    ssize_t sent = send(peer->descriptor, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != ENOBUFS) {
            ended(crowd, peer, true);
        }
        return 0;
    }
    peer->sent += (uint64_t)sent;
    tally_of(crowd, peer)->sent += (uint64_t)sent;
    return (size_t)sent;
}

void peer_read(struct crowd *crowd, struct peer *peer, size_t most)
{
    static char bytes[READ_BYTES];
    ssize_t got =
        recv(peer->descriptor, bytes, most < READ_BYTES ? most : READ_BYTES, MSG_DONTWAIT);
    if (got > 0) {
        tally_of(crowd, peer)->received += (uint64_t)got;
    } else if (got == 0) {
        ended(crowd, peer, false);
    } else if (errno != EAGAIN) {
        ended(crowd, peer, true);
    }
}

void peer_half_close(struct peer *peer)
{
    if (peer->state == STATE_UP) {
        (void)shutdown(peer->descriptor, SHUT_WR);
    }
}

/* ---- the beginning ---- */

static void bind_source(const struct crowd *crowd, int descriptor)
{
    const struct options *options = &crowd->options;
    uint64_t number = options->sources > 0 ? crowd->dialled % options->sources
                                           : crowd->dialled % PEERS_MAX / options->per_source;
    uint32_t address = options->source + (uint32_t)(number / 250 * 256 + number % 250);
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    const int yes = 1;
    (void)setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
    (void)bind(descriptor, (const struct sockaddr *)&source, sizeof(source));
}

static int make_socket(const struct crowd *crowd)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -1;
    }
    const int yes = 1;
    const int receive_bytes = (int)crowd->options.receive_bytes;
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (receive_bytes > 0) {
        (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
        (void)setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &receive_bytes, sizeof(receive_bytes));
    }
    if (crowd->options.source != 0) {
        bind_source(crowd, descriptor);
    }
    return descriptor;
}

static bool dial(struct crowd *crowd, struct peer *peer)
{
    peer->descriptor = make_socket(crowd);
    if (peer->descriptor < 0) {
        return false;
    }
    crowd->dialled++;
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = peer};
    peer->state = STATE_CONNECTING;
    peer->sent = 0;
    peer->opened_at = crowd->now;
    const struct sockaddr_in *server = &crowd->options.server;
    if ((connect(peer->descriptor, (const struct sockaddr *)server, sizeof(*server)) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(crowd->epoll_fd, EPOLL_CTL_ADD, peer->descriptor, &event) != 0) {
        fail(crowd, peer);
        return false;
    }
    return true;
}

void peers_connect(struct crowd *crowd, uint32_t most)
{
    for (uint32_t looked = 0; looked < crowd->count && most > 0; looked++) {
        struct peer *peer = &crowd->peers[crowd->cursor];
        crowd->cursor = (crowd->cursor + 1) % crowd->count;
        if (peer->state == STATE_AWAY && peer->next_at <= crowd->now) {
            most--;
            if (!dial(crowd, peer)) {
                return; /* the system is short of something: later */
            }
        }
    }
}

static void connected(struct crowd *crowd, struct peer *peer)
{
    const struct kind *kind = kind_of(crowd, peer);
    uint32_t period_ms = crowd->options.period_ms > 0 ? crowd->options.period_ms : kind->period_ms;
    struct epoll_event event = {.events = EPOLLRDHUP | (kind->reads ? EPOLLIN : 0u) |
                                          (kind->writable != NULL ? EPOLLOUT : 0u),
                                .data.ptr = peer};
    if (kind->writable != NULL && (!kind->reads || crowd->options.join)) {
        event.events |= EPOLLET; /* who waits for room is not to be asked again and again */
    }
    tally_of(crowd, peer)->connects++;
    tally_of(crowd, peer)->alive++;
    mark_up(crowd, peer);
    peer->state = STATE_UP;
    peer->next_at = kind->tick != NULL ? crowd->now + period_ms * 1000000ull : UINT64_MAX;
    (void)epoll_ctl(crowd->epoll_fd, EPOLL_CTL_MOD, peer->descriptor, &event);
    if (kind->begin != NULL) {
        /* The life of who says nothing began at the dial: the server may know of it before we do. */
        peer->opened_at = crowd->now;
        kind->begin(crowd, peer);
    }
}

/* ---- events ---- */

static void on_connect_event(struct crowd *crowd, struct peer *peer)
{
    int error = 0;
    socklen_t size = sizeof(error);
    (void)getsockopt(peer->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        fail(crowd, peer);
    } else {
        connected(crowd, peer);
    }
}

void peer_on_event(struct crowd *crowd, struct peer *peer, uint32_t events)
{
    const struct kind *kind = kind_of(crowd, peer);
    if (peer->state == STATE_CONNECTING) {
        on_connect_event(crowd, peer);
        return;
    }
    /* After both ends were closed in order there is a HUP as well: only an error tells a reset. */
    const uint32_t over = EPOLLRDHUP | EPOLLHUP;
    if (peer->state == STATE_UP && (events & EPOLLERR) != 0) {
        ended(crowd, peer, true);
    } else if (peer->state == STATE_UP && kind->reads && (events & (EPOLLIN | over)) != 0) {
        peer_read(crowd, peer, READ_BYTES);
    } else if (peer->state == STATE_UP && (events & over) != 0) {
        ended(crowd, peer, false);
    }
    if (peer->state == STATE_UP && (events & EPOLLOUT) != 0 && kind->writable != NULL) {
        kind->writable(crowd, peer);
    }
}
