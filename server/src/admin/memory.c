/* SPDX-License-Identifier: MIT
 * The admin listener's memory: its record, the tables of its receive buffers, the buffers, its
 * port, one behind the other. Logic thread. */
#include "admin/record.h"
#include "os/clock.h"
#include "state.h"

static const struct tg_port_options port_options = {
    .turn_bytes = TG_ADMIN_TURN_BYTES,
    .streams_max = TG_ADMIN_CONNECTIONS,
    .buffers_max = TG_ADMIN_BUFFERS,
    .listeners_max = 1,
    .accept_pool = 1,
};

static size_t line_round(size_t bytes)
{
    return (bytes + 63u) & ~(size_t)63u;
}

static size_t tables_at(void)
{
    return line_round(sizeof(struct tg_admin));
}

static size_t buffers_at(void)
{
    return tables_at() + line_round(tg_recv_pool_table_bytes(TG_ADMIN_BUFFERS));
}

static size_t port_at(void)
{
    return buffers_at() + (size_t)TG_ADMIN_BUFFERS * TG_ADMIN_BUFFER_BYTES;
}

size_t tg_admin_bytes(const struct tg_port_backend *backend)
{
    return port_at() + tg_port_memory_bytes(backend, &port_options);
}

void tg_admin_init(struct tg_admin *admin, struct throng_server *server)
{
    char *memory = (char *)admin;
    admin->server = server;
    admin->sock = TG_SOCKET_NONE;
    admin->parked = TG_HANDLE_NONE;
    admin->start_ns = tg_clock_ns();
    admin->start_unix_ms = tg_clock_unix_ms();
    tg_recv_pool_init(&admin->recv_pool, memory + buffers_at(), TG_ADMIN_BUFFER_BYTES,
                      TG_ADMIN_BUFFERS, memory + tables_at());
    admin->port_options = port_options;
    admin->port_options.recv_pool = &admin->recv_pool;
    admin->port_options.memory = memory + port_at();
}
