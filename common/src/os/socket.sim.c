/* SPDX-License-Identifier: MIT
 * Sockets of the simulated system, on sim/net.h. Addresses and their texts are the real ones'
 * (os/address*.c). */
#include "os/socket.h"

#include "sim/net.h"

int tg_socket_open(tg_socket *sock, enum throng_address_family family)
{
    (void)family;
    int number = tg_net_socket();
    if (number < 0) {
        return number;
    }
    *sock = number;
    return 0;
}

int tg_socket_listen(tg_socket *listener, const struct tg_listen_options *options,
                     struct throng_address *bound)
{
    int number = tg_net_socket();
    if (number < 0) {
        return number;
    }
    int error = tg_net_bind((uint32_t)number, &options->address);
    if (error == 0) {
        error = tg_net_listen((uint32_t)number, options->backlog);
    }
    if (error < 0) {
        tg_net_close_socket((uint32_t)number, false);
        return error;
    }
    (void)tg_net_local_address((uint32_t)number, bound);
    *listener = number;
    return 0;
}

/* In the simulated network nobody dies without a reset. */
int tg_socket_set_keepalive(tg_socket sock, uint32_t idle_s)
{
    (void)sock;
    (void)idle_s;
    return 0;
}

tg_socket tg_socket_duplicate(tg_socket sock)
{
    return tg_net_duplicate((uint32_t)sock);
}

int tg_socket_bind_source(tg_socket sock, const struct throng_address *source)
{
    return tg_net_bind((uint32_t)sock, source);
}

int tg_socket_connect(tg_socket sock, const struct throng_address *peer)
{
    return tg_net_connect((uint32_t)sock, peer);
}

int tg_socket_take_error(tg_socket sock)
{
    int connected = tg_net_is_connected((uint32_t)sock);
    return connected < 0 ? connected : tg_net_error((uint32_t)sock);
}

int tg_socket_local_address(tg_socket sock, struct throng_address *address)
{
    return tg_net_local_address((uint32_t)sock, address);
}

int tg_socket_peer_address(tg_socket sock, struct throng_address *address)
{
    return tg_net_peer_address((uint32_t)sock, address);
}

int tg_socket_receive(tg_socket sock, void *data, size_t size)
{
    uint32_t most = size > INT32_MAX ? INT32_MAX : (uint32_t)size;
    if (most > 1 && tg_sim_strikes(TG_SIM_FAULT_partial_receive)) {
        most = tg_sim_strikes(TG_SIM_FAULT_tiny) ? 1 : 1 + tg_sim_below(most);
    }
    return tg_net_read((uint32_t)sock, data, most);
}

int tg_socket_send(tg_socket sock, const void *data, size_t size)
{
    uint32_t most = size > INT32_MAX ? INT32_MAX : (uint32_t)size;
    if (most > 1 && tg_sim_strikes(TG_SIM_FAULT_partial_send)) {
        most = tg_sim_strikes(TG_SIM_FAULT_tiny) ? 1 : 1 + tg_sim_below(most);
    }
    return tg_net_write((uint32_t)sock, data, most);
}

/* ---- waiting ---- */

struct waiter {
    struct tg_net_watcher watcher;
    struct tg_sim_thread *thread;
};

static void wake_waiter(struct tg_net_watcher *watcher)
{
    tg_sim_thread_wake(TG_CONTAINER_OF(watcher, struct waiter, watcher)->thread);
}

static bool is_ready(uint32_t sock, bool for_write)
{
    int connected = tg_net_is_connected(sock);
    if (connected != 1 || tg_net_error(sock) != 0) {
        return connected != 0;
    }
    return for_write ? tg_net_writable(sock) > 0 : tg_net_readable(sock) > 0 || tg_net_at_end(sock);
}

int tg_socket_wait(tg_socket sock, bool for_write, int timeout_ms)
{
    struct waiter waiter = {.watcher.notify = wake_waiter, .thread = tg_sim_thread_self()};
    uint64_t deadline_ns = timeout_ms < 0 ? UINT64_MAX
                                          : tg_sim_now_ns() + (uint64_t)timeout_ms * 1000000u;
    tg_net_watch((uint32_t)sock, &waiter.watcher);
    while (!is_ready((uint32_t)sock, for_write) && tg_sim_now_ns() < deadline_ns) {
        tg_sim_thread_sleep(deadline_ns == UINT64_MAX ? -1
                                                      : (int64_t)(deadline_ns - tg_sim_now_ns()));
    }
    tg_net_watch((uint32_t)sock, NULL);
    return is_ready((uint32_t)sock, for_write) ? 1 : 0;
}

int tg_socket_shutdown_send(tg_socket sock)
{
    tg_net_shutdown((uint32_t)sock);
    return 0;
}

void tg_socket_close(tg_socket sock)
{
    tg_net_close_socket((uint32_t)sock, false);
}

void tg_socket_abort(tg_socket sock)
{
    tg_net_close_socket((uint32_t)sock, true);
}
