/* SPDX-License-Identifier: MIT
 * One buffer ready for everybody, on libuv: see tick.h. uv_try_write of the same bytes to each
 * connection: the load has read all of the last tick, so there is room, and no request needs
 * memory.
 *
 *     libuv_tick CONNECTIONS MESSAGES SIZE */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "echo_server.h"
#include "tick.h"

#define BACKLOG 4096

static struct tick tick;
static uv_tcp_t *conns;
static uint32_t accepted;
static uint64_t sent;
static size_t asked; /* bytes of questions that wait for their tick */
static char input[TICK_FRAME_BYTES_MAX];

static void run_tick(void)
{
    tick_next(&tick);
    /* libuv's buffers are not const; it only reads. */
    uv_buf_t buffer = {.base = (char *)(uintptr_t)tick.bytes, .len = tick.messages * tick.frame};
    for (uint32_t i = 0; i < tick.connections; i++) {
        if (uv_try_write((uv_stream_t *)&conns[i], &buffer, 1) != (int)buffer.len) {
            echo_give_up("uv_try_write");
        }
    }
    sent += (uint64_t)tick.connections * tick.messages;
}

static void give_memory(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(input, sizeof(input));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    (void)buffer;
    if (got < 0) {
        (void)uv_read_stop(stream); /* the load has ended */
        return;
    }
    asked += (size_t)got;
    for (; accepted == tick.connections && asked >= tick.frame; asked -= tick.frame) {
        run_tick();
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (accepted == tick.connections) {
        return;
    }
    uv_stream_t *stream = (uv_stream_t *)&conns[accepted++];
    if (status < 0 || uv_tcp_init(listener->loop, (uv_tcp_t *)stream) != 0 ||
        uv_accept(listener, stream) != 0 || uv_read_start(stream, give_memory, on_read) != 0) {
        echo_give_up("accept");
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: libuv_tick CONNECTIONS MESSAGES SIZE\n");
        return 2;
    }
    tick_create(&tick, argv[1], argv[2], argv[3]);
    conns = calloc(tick.connections, sizeof(*conns));
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    uv_signal_t signal;
    int descriptor = echo_listen(1, argv);
    if (conns == NULL || uv_tcp_init(loop, &listener) != 0 ||
        uv_tcp_open(&listener, descriptor) != 0 ||
        uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection) != 0 ||
        uv_signal_init(loop, &signal) != 0 || uv_signal_start(&signal, on_signal, SIGTERM) != 0) {
        echo_give_up("libuv");
    }
    echo_announce(descriptor);
    uv_run(loop, UV_RUN_DEFAULT);
    tick_print_counts(&tick, accepted, sent);
    return 0;
}
