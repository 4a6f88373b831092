/* SPDX-License-Identifier: MIT
 * The completion port of Windows: its life and its wait. Called through the backend table by the
 * port's owner; wake_system alone by any thread. */
#include "port/iocp.h"

#include <winsock2.h>

#include <mswsock.h>
#include <windows.h>

#include "os/clock.h"
#include "os/winsock.windows.h"
#include "port/backends.h"

#define NS_PER_MS 1000000

_Static_assert(sizeof(struct tg_overlapped) == sizeof(OVERLAPPED), "OVERLAPPED");
_Static_assert(offsetof(struct tg_overlapped, status) == offsetof(OVERLAPPED, Internal), "status");
_Static_assert(offsetof(struct tg_overlapped, bytes) == offsetof(OVERLAPPED, InternalHigh),
               "bytes");
_Static_assert(offsetof(struct tg_overlapped, offset) == offsetof(OVERLAPPED, Offset), "offset");
_Static_assert(offsetof(struct tg_overlapped, event) == offsetof(OVERLAPPED, hEvent), "event");
_Static_assert(sizeof(struct tg_iocp_entry) == sizeof(OVERLAPPED_ENTRY), "OVERLAPPED_ENTRY");
_Static_assert(offsetof(struct tg_iocp_entry, key) == offsetof(OVERLAPPED_ENTRY, lpCompletionKey),
               "key");
_Static_assert(offsetof(struct tg_iocp_entry, overlapped) ==
                   offsetof(OVERLAPPED_ENTRY, lpOverlapped),
               "overlapped");
_Static_assert(offsetof(struct tg_iocp_entry, bytes) ==
                   offsetof(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred),
               "bytes");

/* --- the system, for the backend's files ------------------------------------------------------ */

void tg_iocp_post(void *iocp, enum tg_iocp_key key, struct tg_overlapped *overlapped)
{
    /* It fails for want of non-paged memory only; then the wake or the accept must not be lost. Ten
     * seconds without such memory (two and a half minutes where the system's timer ticks every
     * 15.6 ms) are the end of the machine. */
    for (int tries = 0; tries < 10000; tries++) {
        if (PostQueuedCompletionStatus(iocp, 0, key, (OVERLAPPED *)(void *)overlapped)) {
            return;
        }
        Sleep(1);
    }
    TG_ENSURE(false);
}

int tg_iocp_error(const struct tg_op *op)
{
    return tg_winsock_error_of_status((int32_t)op->system.status);
}

int tg_iocp_last_error(void)
{
    return tg_error_from_system(WSAGetLastError());
}

bool tg_iocp_is_shortage(int error)
{
    /* EAGAIN: WSAEWOULDBLOCK says of an overlapped call that too many are in flight. */
    return error == THRONG_EAGAIN || error == THRONG_ENOBUFS || error == THRONG_ENOMEM ||
           error == THRONG_EMFILE;
}

void tg_iocp_prepare(struct tg_op *op, enum tg_op_kind kind)
{
    op->system = (struct tg_overlapped){0};
    op->kind = (uint8_t)kind;
}

bool tg_iocp_cancel(tg_socket sock, struct tg_op *op)
{
    OVERLAPPED *overlapped = op == NULL ? NULL : tg_iocp_overlapped(op);
    /* Nothing found: it has completed, and its packet is on its way. */
    return CancelIoEx((HANDLE)sock, overlapped) || GetLastError() == ERROR_NOT_FOUND;
}

int tg_iocp_associate(void *iocp, tg_socket sock)
{
    if (CreateIoCompletionPort((HANDLE)sock, iocp, TG_IOCP_KEY_OPERATION, 0) == NULL) {
        return tg_error_from_system((int)GetLastError());
    }
    return 0;
}

/* --- life ---------------------------------------------------------------------------------- */

/* Sockets that are used again wait in records of their own. */
static uint32_t accept_records(const struct tg_port_options *options)
{
    return options->listeners_max * options->accept_pool * (options->reuse_sockets ? 2 : 1);
}

static size_t memory_bytes(const struct tg_port_options *options)
{
    size_t accepts = accept_records(options);
    return sizeof(struct tg_iocp_port) + accepts * sizeof(struct tg_iocp_accept);
}

static bool find_function(SOCKET sock, GUID id, void (**function)(void))
{
    DWORD bytes;
    return WSAIoctl(sock, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, (void *)function,
                    sizeof *function, &bytes, NULL, NULL) == 0;
}

/* Windows hands sockets of some layered providers around as something else than file handles; what
 * is said of completions does not hold for those. */
static bool has_file_handles(int family)
{
    WSAPROTOCOL_INFOW info = {0};
    int size = sizeof info;
    SOCKET sock = WSASocketW(family, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (sock == INVALID_SOCKET) {
        return true; /* a system without that family has no such sockets */
    }
    bool told = getsockopt(sock, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &size) == 0;
    (void)closesocket(sock);
    return told && (info.dwServiceFlags1 & XP1_IFS_HANDLES) != 0;
}

/* What has to be asked with a socket. 0, or the system's error with what was refused. */
static int ask_system(struct tg_iocp_port *port, const char **refused)
{
    *refused = "WSAStartup";
    if (tg_winsock_start() != 0) {
        return WSASYSNOTREADY;
    }
    int error = 0;
    *refused = "socket";
    SOCKET sock = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (sock == INVALID_SOCKET) {
        return WSAGetLastError();
    }
    *refused = "AcceptEx, ConnectEx, DisconnectEx";
    if (!find_function(sock, (GUID)WSAID_ACCEPTEX, &port->accept_ex) ||
        !find_function(sock, (GUID)WSAID_CONNECTEX, &port->connect_ex) ||
        !find_function(sock, (GUID)WSAID_DISCONNECTEX, &port->disconnect_ex)) {
        error = WSAGetLastError();
    }
    (void)closesocket(sock);
    port->may_skip = has_file_handles(AF_INET) && has_file_handles(AF_INET6);
    return error;
}

static int open_iocp(void **iocp)
{
    /* One thread waits on it. */
    *iocp = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    return *iocp != NULL ? 0 : (int)GetLastError();
}

static int check(const char **refused)
{
    struct tg_iocp_port port;
    int error = ask_system(&port, refused);
    if (error == 0) {
        *refused = "CreateIoCompletionPort";
        error = open_iocp(&port.iocp);
    }
    if (error == 0) {
        (void)CloseHandle(port.iocp);
    }
    return -error;
}

static bool has_own_table(void)
{
    return false; /* there is no table that could be too small */
}

static int open_port(struct tg_port **opened, const struct tg_port_options *options)
{
    TG_REQUIRE(options->turn_bytes >= 1);
    TG_REQUIRE((uintptr_t)options->memory % alignof(struct tg_iocp_port) == 0);
    struct tg_iocp_port *port = options->memory;
    const char *refused;
    int error = ask_system(port, &refused);
    if (error == 0) {
        error = open_iocp(&port->iocp);
    }
    if (error != 0) {
        return tg_error_from_system(error);
    }
    port->base.backend = &tg_iocp_backend;
    port->base.recv_pool = options->recv_pool;
    port->base.turn_bytes = options->turn_bytes;
    port->acceptor = options->acceptor;
    port->accept_pool = options->accept_pool;
    port->keepalive_s = options->keepalive_s;
    if (options->reuse_sockets) {
        /* Under Wine a disconnect that is done at once calls itself pending, and would be skipped.
         */
        port->may_skip = false;
    } else {
        port->disconnect_ex = NULL;
    }
    tg_readiness_init(&port->readiness, options, true);
    tg_list_init(&port->closing);
    tg_list_init(&port->listeners_due);
    tg_list_init(&port->shortage);
    tg_iocp_init_accepts(port, (struct tg_iocp_accept *)(void *)(port + 1),
                         accept_records(options));
    *opened = &port->base;
    return 0;
}

static void destroy_port(struct tg_port *base)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    TG_REQUIRE(port->records == 0);
    tg_readiness_end(&port->readiness);
    tg_iocp_close_spares(port);
    (void)CloseHandle(port->iocp); /* with the packets of late wakes */
}

static uint32_t list_descriptors(const struct tg_port *base, tg_socket *list, uint32_t capacity)
{
    (void)base;
    (void)list;
    (void)capacity;
    return 0; /* threads have no tables of their own */
}

/* --- wait ---------------------------------------------------------------------------------- */

/* One sleep in the system. The system's unit is the millisecond: rounded up, never down to a spin.
 */
static uint32_t take_packets(struct tg_iocp_port *port, uint32_t most, int64_t timeout_ns)
{
    int64_t timeout_ms = timeout_ns / NS_PER_MS + (timeout_ns % NS_PER_MS > 0);
    DWORD patience = timeout_ms >= INFINITE ? INFINITE - 1 : (DWORD)timeout_ms;
    ULONG count = 0;
    tg_count_one(&port->base.counters.waits);
    if (!GetQueuedCompletionStatusEx(port->iocp, (OVERLAPPED_ENTRY *)(void *)port->entries, most,
                                     &count, timeout_ns < 0 ? INFINITE : patience, FALSE)) {
        /* Wine says 1 in count all the same. */
        DWORD error = GetLastError();
        TG_ENSURE(error == WAIT_TIMEOUT);
        return 0;
    }
    return count;
}

/* How many packets may be taken, given that each can take a place in the batch and that streams
 * with data already known need places too. While there are such, both sides get half; of an odd
 * number, and so of a batch of one, the larger half goes to each in turn. */
static uint32_t entries_to_take(struct tg_iocp_port *port, const struct tg_batch *batch,
                                bool work_known)
{
    uint32_t room = batch->capacity - batch->count;
    if (work_known) {
        room = (room + (port->turn++ & 1)) / 2;
    }
    return room < TG_IOCP_ENTRIES_MAX ? room : TG_IOCP_ENTRIES_MAX;
}

static void handle_packet(struct tg_iocp_port *port, const struct tg_iocp_entry *entry,
                          struct tg_batch *batch)
{
    if (entry->key != TG_IOCP_KEY_OPERATION) {
        return; /* a wake: that tg_port_wait returns is all it wants */
    }
    struct tg_op *op = TG_CONTAINER_OF(entry->overlapped, struct tg_op, system);
    switch ((enum tg_op_kind)op->kind) {
    case TG_OPERATION_ACCEPT:
        tg_iocp_on_accept(port, TG_CONTAINER_OF(op, struct tg_iocp_accept, op), batch);
        return;
    case TG_OPERATION_CONNECT:
        tg_iocp_on_connect(port, TG_CONTAINER_OF(op, struct tg_stream, send_op), batch);
        return;
    case TG_OPERATION_RECEIVE:
        tg_iocp_on_receive(port, TG_CONTAINER_OF(op, struct tg_stream, receive_op));
        return;
    case TG_OPERATION_SEND:
        tg_iocp_on_send(port, TG_CONTAINER_OF(op, struct tg_stream, send_op), entry->bytes, batch);
        return;
    case TG_OPERATION_DISCONNECT: {
        struct tg_stream *stream = TG_CONTAINER_OF(op, struct tg_stream, send_op);
        tg_iocp_on_disconnect(port, stream);
        tg_iocp_advance_close(port, stream);
        return;
    }
    case TG_OPERATION_NONE:
        break;
    }
    TG_ENSURE(false);
}

/* The time-out, shortened if something is to be tried again before it ends. */
static int64_t sleep_ns(const struct tg_iocp_port *port, int64_t timeout_ns)
{
    if (tg_list_is_empty(&port->shortage)) {
        return timeout_ns;
    }
    uint64_t now_ns = tg_clock_ns();
    int64_t left_ns = now_ns < port->shortage_due_ns ? (int64_t)(port->shortage_due_ns - now_ns)
                                                     : 0;
    return timeout_ns < 0 || left_ns < timeout_ns ? left_ns : timeout_ns;
}

static uint32_t wait_completions(struct tg_port *base, struct tg_completion *completions,
                                 uint32_t capacity, int64_t timeout_ns)
{
    struct tg_iocp_port *port = tg_iocp_port_of(base);
    struct tg_batch batch = {.completions = completions, .capacity = capacity};
    TG_REQUIRE(capacity >= 1);
    tg_iocp_finish_listeners(port, &batch);
    tg_iocp_finish_closing(port, &batch);
    if (!tg_list_is_empty(&port->shortage)) {
        tg_iocp_end_shortage(port, tg_clock_ns(), &batch);
    }

    bool work_known = tg_readiness_has_work(&port->readiness);
    uint32_t most = entries_to_take(port, &batch, work_known);
    if (most > 0) {
        bool may_sleep = batch.count == 0 && !work_known && tg_list_is_empty(&port->listeners_due);
        uint32_t count = take_packets(port, most, may_sleep ? sleep_ns(port, timeout_ns) : 0);
        for (uint32_t i = 0; i < count; i++) {
            handle_packet(port, &port->entries[i], &batch);
        }
    }
    tg_readiness_serve(&port->readiness, &base->counters, &batch);
    tg_iocp_arm_drained(port);
    return batch.count;
}

static void pause_receiving(struct tg_port *base, struct tg_stream *stream)
{
    (void)base;
    /* What is armed stays so: it holds no byte, and a receive that is canceled may be the last of
     * its socket. */
    tg_readiness_pause(stream);
}

static void shutdown_sending(struct tg_port *base, struct tg_stream *stream)
{
    (void)base;
    TG_REQUIRE((stream->flags & (TG_STREAM_OPEN | TG_STREAM_SEND_PENDING)) == TG_STREAM_OPEN);
    /* Fails on a connection that is already dead, and a RECEIVE completion tells of that. */
    (void)tg_socket_shutdown_send(stream->handle);
}

static int addresses(struct tg_port *base, struct tg_stream *stream, struct throng_address *peer,
                     struct throng_address *local)
{
    (void)base;
    return tg_socket_addresses(stream->handle, peer, local);
}

static void wake_system(struct tg_port *base)
{
    atomic_fetch_add_explicit(&base->counters.wakes, 1, memory_order_relaxed);
    tg_iocp_post(tg_iocp_port_of(base)->iocp, TG_IOCP_KEY_WAKE, NULL);
}

const struct tg_port_backend tg_iocp_backend = {
    .name = "iocp",
    .check = check,
    .has_own_table = has_own_table,
    .open_acceptor = tg_iocp_open_acceptor,
    .close_acceptor = tg_iocp_close_acceptor,
    .memory_bytes = memory_bytes,
    .open = open_port,
    .destroy = destroy_port,
    .descriptors = list_descriptors,
    .listen = tg_iocp_listen,
    .accept = tg_iocp_accept,
    .close_listener = tg_iocp_close_listener,
    .adopt = tg_iocp_adopt,
    .refuse = tg_iocp_refuse,
    .connect = tg_iocp_connect,
    .receive = tg_iocp_receive,
    .stop = pause_receiving, /* nothing is taken before it is asked for */
    .pause = pause_receiving,
    .send = tg_iocp_send,
    .shutdown = shutdown_sending,
    .close = tg_iocp_close,
    .addresses = addresses,
    .wait = wait_completions,
    .wake_system = wake_system,
};
