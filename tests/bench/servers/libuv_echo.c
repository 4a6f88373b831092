/* SPDX-License-Identifier: MIT
 * The echo server on libuv, as its guide teaches it: uv_read_start, uv_try_write for the answer,
 * uv_write with a copy for what that does not take. One read buffer serves all connections, for
 * libuv reads as soon as it has asked for memory. */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "echo_server.h"
#include "frames.h"

#define READ_BYTES 65536u
#define BACKLOG 4096

struct conn {
    uv_tcp_t stream;
    struct bytes partial; /* the beginning of a frame, less than a whole one */
};

struct write {
    uv_write_t request;
    char bytes[];
};

static char input[FRAME_MAX + READ_BYTES];
static struct echo_counts counts;

static void on_closed(uv_handle_t *handle)
{
    struct conn *conn = (struct conn *)handle;
    bytes_free(&conn->partial);
    free(conn);
}

static void drop(struct conn *conn)
{
    uv_handle_t *handle = (uv_handle_t *)&conn->stream;
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

static void on_written(uv_write_t *request, int status)
{
    if (status < 0) {
        drop((struct conn *)request->handle);
    }
    free(request);
}

static void write_copy(struct conn *conn, const char *data, size_t size)
{
    struct write *write = malloc(sizeof(*write) + size);
    if (write == NULL) {
        echo_give_up("malloc");
    }
    memcpy(write->bytes, data, size);
    uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned)size);
    if (uv_write(&write->request, (uv_stream_t *)&conn->stream, &buffer, 1, on_written) != 0) {
        free(write);
        drop(conn);
    }
}

static void answer(struct conn *conn, char *data, size_t size)
{
    uv_buf_t buffer = uv_buf_init(data, (unsigned)size);
    int sent = uv_try_write((uv_stream_t *)&conn->stream, &buffer, 1);
    if (sent < 0) {
        if (sent != UV_EAGAIN) {
            drop(conn);
            return;
        }
        sent = 0;
    }
    if ((size_t)sent < size) {
        write_copy(conn, data + sent, size - (size_t)sent);
    }
}

/* libuv reads behind what the last read left over. */
static void give_memory(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    const struct bytes *partial = &((struct conn *)handle)->partial;
    (void)suggested;
    if (partial->size > 0) {
        memcpy(input, partial->data, partial->size);
    }
    *buffer = uv_buf_init(input + partial->size, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct conn *conn = (struct conn *)stream;
    (void)buffer;
    if (got <= 0) {
        if (got < 0) {
            drop(conn);
        }
        return;
    }
    size_t size = conn->partial.size + (size_t)got;
    ptrdiff_t whole = frames_whole((const uint8_t *)input, size, &counts.messages);
    if (whole < 0) {
        drop(conn);
        return;
    }
    conn->partial.size = 0;
    bytes_append(&conn->partial, input + whole, size - (size_t)whole);
    if (whole > 0) {
        answer(conn, input, (size_t)whole);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    if (status < 0 || conn == NULL || uv_tcp_init(listener->loop, &conn->stream) != 0) {
        echo_give_up("accept");
    }
    if (uv_accept(listener, (uv_stream_t *)&conn->stream) != 0 ||
        uv_read_start((uv_stream_t *)&conn->stream, give_memory, on_read) != 0) {
        drop(conn);
        return;
    }
    counts.accepted++;
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    uv_signal_t signal;
    int descriptor = echo_listen(argc, argv);
    if (uv_tcp_init(loop, &listener) != 0 || uv_tcp_open(&listener, descriptor) != 0 ||
        uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection) != 0 ||
        uv_signal_init(loop, &signal) != 0 || uv_signal_start(&signal, on_signal, SIGTERM) != 0) {
        echo_give_up("libuv");
    }
    echo_announce(descriptor);
    uv_run(loop, UV_RUN_DEFAULT);
    echo_print_counts(&counts);
    return 0;
}
