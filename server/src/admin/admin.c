/* SPDX-License-Identifier: MIT
 * The admin listener's life and its loop. listen, start, log_start and stop on the logic thread;
 * the rest is the admin thread. */
#include "admin/record.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/failure.h"
#include "listen.h"
#include "os/clock.h"
#include "state.h"

#define BATCH 32u

/* Longest that closing everything may take; the port needs one or two waits. */
#define STOP_MS 10000u

/* ---- whether the logic thread is well ---- */

/* Asleep until there is an event for it. */
static bool logic_waits(const struct throng_server *server)
{
    const _Atomic uint32_t *sleeping =
        server->config.inline_mode ? &server->workers[0].port->sleeping : &server->parker.sleeping;
    return atomic_load_explicit(sleeping, memory_order_relaxed) != 0;
}

static void watch_logic(struct tg_admin *admin)
{
    uint64_t calls = atomic_load_explicit(&admin->server->shared.logic_calls, memory_order_relaxed);
    if (calls != admin->logic_calls || logic_waits(admin->server)) {
        admin->logic_calls = calls;
        admin->logic_moved_ms = admin->now_ms;
    }
}

uint64_t tg_admin_stalled_ms(const struct tg_admin *admin)
{
    const struct tg_worker_shared *shared = &admin->server->shared;
    uint64_t limit_ms = shared->limits.logic_stall_ms;
    uint64_t still_ms = admin->now_ms - admin->logic_moved_ms;
    uint64_t seen_ms = atomic_load_explicit(&shared->logic_stalled_ms, memory_order_relaxed);
    if (limit_ms == 0 || (still_ms < limit_ms && seen_ms == 0)) {
        return 0;
    }
    return still_ms > seen_ms ? still_ms : seen_ms;
}

/* ---- the loop ---- */

static void dispatch(struct tg_admin *admin, const struct tg_completion *completion)
{
    switch ((enum tg_completion_kind)completion->kind) {
    case TG_COMPLETION_ACCEPT:
        tg_admin_on_accept(admin, completion);
        return;
    case TG_COMPLETION_RECEIVE:
        tg_admin_on_receive(admin, completion);
        return;
    case TG_COMPLETION_SEND:
        tg_admin_on_send(admin, completion);
        return;
    case TG_COMPLETION_CLOSE:
        tg_admin_on_close(admin, completion);
        return;
    case TG_COMPLETION_LISTENER_CLOSE:
        admin->listener_open = false;
        return;
    case TG_COMPLETION_CONNECT:
        break;
    }
    TG_UNREACHABLE("a completion kind that nobody asked for");
}

static void pass_time(struct tg_admin *admin)
{
    admin->now_ms = tg_clock_ns() / 1000000u;
}

static void wait_and_dispatch(struct tg_admin *admin, int64_t timeout_ns)
{
    struct tg_completion completions[BATCH];
    uint32_t count = tg_port_wait(admin->port, completions, BATCH, timeout_ns);
    pass_time(admin);
    for (uint32_t i = 0; i < count; i++) {
        dispatch(admin, &completions[i]);
    }
}

/* With a limit for the logic thread it is looked at four times a second, or a quarter of the
 * limit. */
static uint32_t tick_ms(const struct tg_admin *admin)
{
    uint32_t quarter = admin->server->shared.limits.logic_stall_ms / 4;
    return quarter < 1 ? 1 : quarter < TG_ADMIN_TICK_MS ? quarter : TG_ADMIN_TICK_MS;
}

static int64_t sleep_limit_ns(const struct tg_admin *admin)
{
    uint64_t next_ms = tg_admin_next_deadline_ms(admin);
    if (admin->server->shared.limits.logic_stall_ms != 0 &&
        next_ms > admin->now_ms + tick_ms(admin)) {
        next_ms = admin->now_ms + tick_ms(admin);
    }
    if (next_ms == UINT64_MAX) {
        return -1;
    }
    return next_ms <= admin->now_ms ? 0 : (int64_t)(next_ms - admin->now_ms) * 1000000;
}

static void turn(struct tg_admin *admin)
{
    watch_logic(admin);
    bool more = tg_admin_serve(admin);
    tg_admin_tick(admin);
    int64_t limit_ns = more ? 0 : sleep_limit_ns(admin);
    if (limit_ns != 0) {
        tg_port_prepare_wait(admin->port);
        if (atomic_load_explicit(&admin->stop, memory_order_acquire)) {
            limit_ns = 0;
        }
    }
    wait_and_dispatch(admin, limit_ns);
}

static int open_port(struct tg_admin *admin)
{
    pass_time(admin);
    admin->logic_moved_ms = admin->now_ms;
    int error = tg_port_open(&admin->port, admin->server->config.backend, &admin->port_options);
    if (error < 0) {
        return error;
    }
    error = tg_port_listen(admin->port, &admin->listener, admin->sock);
    if (error < 0) {
        return error;
    }
    admin->sock = TG_SOCKET_NONE; /* the port's from here */
    admin->listening = true;
    admin->listener_open = true;
    tg_port_accept(admin->port, &admin->listener, 1);
    return 0;
}

static void close_port(struct tg_admin *admin)
{
    tg_admin_close_all(admin);
    uint64_t deadline_ms = admin->now_ms + STOP_MS;
    while (admin->streams_open > 0 || admin->listener_open) {
        wait_and_dispatch(admin, 10000000);
        TG_ENSURE(admin->now_ms < deadline_ms);
    }
}

static void admin_main(void *argument)
{
    struct tg_admin *admin = argument;
    int error = open_port(admin);
    /* release: pairs with the acquire in tg_server_await. */
    atomic_store_explicit(&admin->started, error < 0 ? error : 1, memory_order_release);
    (void)tg_parker_wake(&admin->server->parker);
    if (error < 0) {
        return;
    }
    while (!atomic_load_explicit(&admin->stop, memory_order_acquire)) {
        turn(admin);
    }
    close_port(admin);
}

/* ---- start and stop ---- */

static bool is_loopback(const struct throng_address *address)
{
    static const uint8_t one[16] = {[15] = 1};
    if (address->family == THRONG_ADDRESS_IPV4) {
        return address->bytes[0] == 127;
    }
    return memcmp(address->bytes, one, sizeof(one)) == 0;
}

int tg_admin_listen(struct throng_server *server, const char *endpoint, struct throng_error *error)
{
    if (!server->config.admin) {
        return 0;
    }
    struct tg_admin *admin = server->memory.at[TG_REGION_ADMIN];
    struct tg_listen_options options = {.backlog = TG_ADMIN_BACKLOG};
    tg_admin_init(admin, server);
    int result = tg_listen_on(&admin->sock, endpoint, &options, &admin->bound);
    if (result < 0) {
        return tg_failure(error, result, "admin: cannot listen on %s: %s", endpoint,
                          throng_error_text(result));
    }
    server->admin = admin;
    server->config.options.admin = NULL; /* the caller's string may go; `bound` says the same */
    admin->is_loopback = is_loopback(&admin->bound);
    return 0;
}

int tg_admin_start(struct throng_server *server, struct throng_error *error)
{
    struct tg_admin *admin = server->admin;
    if (admin == NULL) {
        return 0;
    }
    int result = tg_thread_start(&admin->thread, "throng-admin", admin_main, admin);
    if (result == 0) {
        admin->running = true;
        result = tg_server_await(server, &admin->started);
    }
    if (result < 0) {
        return tg_failure(error, result, "admin: cannot start its thread (backend %s): %s",
                          server->config.backend->name, throng_error_text(result));
    }
    return 0;
}

void tg_admin_log_start(const struct throng_server *server)
{
    const struct tg_admin *admin = server->admin;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    if (admin == NULL) {
        return;
    }
    (void)throng_address_text(&admin->bound, text);
    tg_server_log(server, THRONG_LOG_INFO, "admin on %s", text);
    if (!admin->is_loopback) {
        tg_server_log(server, THRONG_LOG_WARNING,
                      "admin: %s is no loopback address; whoever reaches it can read /metrics",
                      text);
    }
}

void tg_admin_stop(struct throng_server *server)
{
    struct tg_admin *admin = server->admin;
    if (admin == NULL) {
        return;
    }
    if (admin->running) {
        /* release: pairs with the acquire in the thread's loop. */
        atomic_store_explicit(&admin->stop, true, memory_order_release);
        if (atomic_load_explicit(&admin->started, memory_order_acquire) > 0) {
            tg_port_wake(admin->port);
        }
        tg_thread_join(&admin->thread);
    }
    tg_port_destroy(admin->port);
    if (admin->sock != TG_SOCKET_NONE) {
        tg_socket_close(admin->sock);
    }
    server->admin = NULL;
}

int throng_server_admin_address(const struct throng_server *server, struct throng_address *address)
{
    if (server == NULL || address == NULL || server->admin == NULL) {
        return THRONG_EINVAL;
    }
    *address = server->admin->bound;
    return 0;
}
