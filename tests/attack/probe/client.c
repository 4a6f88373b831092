/* SPDX-License-Identifier: MIT
 * A client's socket: connect, send, receive, take messages apart. */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 512
#define LATE_NS 5000000u
#define READS_PER_EVENT 4

/* After a connect that failed: a pause with jitter, as a client should. */
#define RETRY_MS_MIN 50u
#define RETRY_MS_SPAN 200u

static const char join_message[] = "\0\0\0\x09\xff"
                                   "ATK join";

static void watch(struct probe *probe, struct client *client, int operation, bool writable)
{
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0u), .data.ptr = client};
    client->waits_room = writable;
    (void)epoll_ctl(probe->epoll_fd, operation, client->descriptor, &event);
}

/* ---- the end ---- */

static void away(struct probe *probe, struct client *client, enum state state)
{
    probe->up -= client->state == STATE_UP;
    (void)close(client->descriptor);
    client->descriptor = -1;
    client->state = state;
    client->offset = 0;
    client->part_bytes = 0;
}

void client_leave(struct probe *probe, struct client *client, bool reset)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (client->state == STATE_UP || client->state == STATE_CONNECTING) {
        if (reset) {
            (void)setsockopt(client->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        }
        away(probe, client, STATE_AWAY);
    }
}

static void try_again_later(struct probe *probe, struct client *client)
{
    probe->random = probe->random * 6364136223846793005u + 1442695040888963407u;
    client->retry_at = probe->now +
                       (RETRY_MS_MIN + (probe->random >> 33) % RETRY_MS_SPAN) * 1000000u;
    away(probe, client, STATE_AWAY);
}

static void failed(struct probe *probe, struct client *client)
{
    probe->totals.failed++;
    try_again_later(probe, client);
}

/* Who was never answered (its server was full) takes back what it has sent, and comes again. */
static void lost(struct probe *probe, struct client *client, bool reset)
{
    if (reset && client->received == 0 && client->broadcasts == 0) {
        probe->totals.turned_away++;
        probe->totals.sent -= client->sent;
        client->sent = 0;
        try_again_later(probe, client);
    } else {
        *(reset ? &probe->totals.resets : &probe->totals.ends) += 1;
        away(probe, client, STATE_LOST);
    }
}

/* ---- the beginning ---- */

static int make_socket(const struct probe *probe, const struct client *client)
{
    const struct options *options = &probe->options;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor >= 0) {
        const int yes = 1;
        uint32_t address = options->source + client->index / options->per_source;
        struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        if (options->source != 0) {
            (void)setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
            (void)bind(descriptor, (const struct sockaddr *)&source, sizeof(source));
        }
    }
    return descriptor;
}

bool client_connect(struct probe *probe, struct client *client)
{
    const struct sockaddr_in *server = &probe->options.server;
    client->descriptor = make_socket(probe, client);
    if (client->descriptor < 0) {
        client->retry_at = probe->now + RETRY_MS_MIN * 1000000u;
        return false;
    }
    client->state = STATE_CONNECTING;
    client->round = UINT64_MAX;
    watch(probe, client, EPOLL_CTL_ADD, true);
    if (connect(client->descriptor, (const struct sockaddr *)server, sizeof(*server)) != 0 &&
        errno != EINPROGRESS) {
        failed(probe, client);
        return false;
    }
    return true;
}

static void on_connect_event(struct probe *probe, struct client *client)
{
    int error = 0;
    socklen_t size = sizeof(error);
    (void)getsockopt(client->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        failed(probe, client);
        return;
    }
    client->state = STATE_UP;
    probe->up++;
    probe->totals.connected++;
    watch(probe, client, EPOLL_CTL_MOD, false);
    if (probe->options.join) {
        (void)send(client->descriptor, join_message, sizeof(join_message) - 1,
                   MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    client_send(probe, client);
}

/* ---- out ---- */

static void note_sent(struct probe *probe, struct client *client)
{
    uint64_t due_at = message_due_at(probe, client, client->sent++);
    client->offset = 0;
    probe->totals.sent++;
    probe->totals.late += due_at > 0 && probe->now > due_at + LATE_NS;
}

void client_send(struct probe *probe, struct client *client)
{
    static uint8_t message[65536 + 4];
    const uint32_t frame = probe->options.size + 4;
    while (client->state == STATE_UP && client->sent < client->due) {
        message_make(probe, client, client->sent, message);
        ssize_t sent = send(client->descriptor, message + client->offset, frame - client->offset,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != ENOBUFS) {
                lost(probe, client, true);
            } else if (!client->waits_room) {
                watch(probe, client, EPOLL_CTL_MOD, true);
            }
            return;
        }
        client->offset += (uint32_t)sent;
        if (client->offset == frame) {
            note_sent(probe, client);
        }
    }
    if (client->state == STATE_UP && client->waits_room) {
        watch(probe, client, EPOLL_CTL_MOD, false);
    }
}

/* ---- in ---- */

static uint32_t length_of(const uint8_t *header)
{
    return (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 |
           header[3];
}

/* Keeps what does not make a whole message yet. */
static bool keep_part(struct probe *probe, struct client *client, const uint8_t *bytes, size_t size)
{
    if (client->part == NULL && size > 0) {
        client->part = malloc((size_t)probe->options.message_max + 4);
    }
    if (size > 0 && (client->part == NULL || size > (size_t)probe->options.message_max + 4)) {
        return false;
    }
    if (size > 0) {
        memmove(client->part, bytes, size);
    }
    client->part_bytes = (uint32_t)size;
    return true;
}

/* Completes the message that came in pieces; how many of the new bytes it took. */
static size_t complete_part(struct probe *probe, struct client *client, const uint8_t *bytes,
                            size_t size)
{
    size_t used = 0;
    while (client->part_bytes > 0 && used < size) {
        size_t wanted = client->part_bytes < 4 ? 4 : (size_t)length_of(client->part) + 4;
        if (wanted > (size_t)probe->options.message_max + 4) {
            probe->totals.corrupted++;
            lost(probe, client, false);
            return size;
        }
        size_t take = wanted - client->part_bytes < size - used ? wanted - client->part_bytes
                                                                : size - used;
        memcpy(client->part + client->part_bytes, bytes + used, take);
        client->part_bytes += (uint32_t)take;
        used += take;
        if (client->part_bytes >= 4 && client->part_bytes == (size_t)length_of(client->part) + 4) {
            uint32_t length = client->part_bytes - 4;
            client->part_bytes = 0;
            message_judge(probe, client, client->part + 4, length);
        }
    }
    return used;
}

static void take_messages(struct probe *probe, struct client *client, const uint8_t *bytes,
                          size_t size)
{
    size_t at = complete_part(probe, client, bytes, size);
    while (client->state == STATE_UP && size - at >= 4 &&
           size - at >= (size_t)length_of(bytes + at) + 4) {
        uint32_t length = length_of(bytes + at);
        message_judge(probe, client, bytes + at + 4, length);
        at += (size_t)length + 4;
    }
    if (client->state == STATE_UP && at < size &&
        !keep_part(probe, client, bytes + at, size - at)) {
        probe->totals.corrupted++;
        lost(probe, client, false);
    }
}

static void on_readable(struct probe *probe, struct client *client)
{
    for (int i = 0; i < READS_PER_EVENT && client->state == STATE_UP; i++) {
        ssize_t got = recv(client->descriptor, probe->input, sizeof(probe->input), MSG_DONTWAIT);
        if (got > 0) {
            take_messages(probe, client, probe->input, (size_t)got);
        } else if (got == 0) {
            lost(probe, client, false);
        } else if (errno != EAGAIN) {
            lost(probe, client, true);
        } else {
            return;
        }
    }
}

void client_on_event(struct probe *probe, struct client *client, uint32_t events)
{
    if (client->state == STATE_CONNECTING) {
        on_connect_event(probe, client);
        return;
    }
    if (client->state == STATE_UP && (events & ~(uint32_t)EPOLLOUT) != 0) {
        on_readable(probe, client);
    }
    if (client->state == STATE_UP && (events & EPOLLOUT) != 0) {
        client_send(probe, client);
    }
}

void probe_turn(struct probe *probe, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(probe->epoll_fd, events, EVENTS, wait_ms);
    probe->now = now_ns();
    for (int i = 0; i < count; i++) {
        client_on_event(probe, events[i].data.ptr, events[i].events);
        if (i % 16 == 15) {
            probe->now = now_ns();
        }
    }
}
