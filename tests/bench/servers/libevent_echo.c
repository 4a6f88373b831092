/* SPDX-License-Identifier: MIT
 * The echo server on libevent: evconnlistener, bufferevents, and evbuffers that move whole frames
 * from input to output without copying. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>

#include "echo_server.h"
#include "frames.h"

/* libevent's own limit is 16 KiB, which would cut long messages. */
#define READ_BYTES 65536u

static struct echo_counts counts;

/* The bytes of all whole frames at the beginning of `input`; -1 at a length over the limit. */
static ev_ssize_t whole_frames(struct evbuffer *input)
{
    struct evbuffer_ptr place;
    uint8_t header[HEADER_BYTES];
    size_t size = evbuffer_get_length(input);
    size_t at = 0;
    (void)evbuffer_ptr_set(input, &place, 0, EVBUFFER_PTR_SET);
    while (evbuffer_copyout_from(input, &place, header, sizeof(header)) == sizeof(header)) {
        uint32_t length = (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 |
                          (uint32_t)header[2] << 8 | (uint32_t)header[3];
        if (length > MESSAGE_MAX) {
            return -1;
        }
        size_t frame = sizeof(header) + length;
        if (frame > size - at) {
            break;
        }
        counts.messages++;
        at += frame;
        (void)evbuffer_ptr_set(input, &place, frame, EVBUFFER_PTR_ADD);
    }
    return (ev_ssize_t)at;
}

static void on_read(struct bufferevent *conn, void *context)
{
    struct evbuffer *input = bufferevent_get_input(conn);
    ev_ssize_t whole = whole_frames(input);
    (void)context;
    if (whole < 0) {
        bufferevent_free(conn);
    } else if (whole > 0) {
        (void)evbuffer_remove_buffer(input, bufferevent_get_output(conn), (size_t)whole);
    }
}

static void on_event(struct bufferevent *conn, short what, void *context)
{
    (void)context;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        bufferevent_free(conn);
    }
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t descriptor,
                          struct sockaddr *address, int length, void *context)
{
    (void)address;
    (void)length;
    (void)context;
    struct event_base *base = evconnlistener_get_base(listener);
    struct bufferevent *conn = bufferevent_socket_new(base, descriptor, BEV_OPT_CLOSE_ON_FREE);
    if (conn == NULL) {
        echo_give_up("bufferevent_socket_new");
    }
    counts.accepted++;
    bufferevent_setcb(conn, on_read, NULL, on_event, NULL);
    (void)bufferevent_set_max_single_read(conn, READ_BYTES);
    (void)bufferevent_set_max_single_write(conn, READ_BYTES);
    (void)bufferevent_enable(conn, EV_READ | EV_WRITE);
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
    (void)number;
    (void)what;
    (void)event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
    int descriptor = echo_listen(argc, argv);
    struct event_base *base = event_base_new();
    struct evconnlistener *listener = evconnlistener_new(
        base, on_connection, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, descriptor);
    struct event *signal = evsignal_new(base, SIGTERM, on_signal, base);
    if (base == NULL || listener == NULL || signal == NULL || event_add(signal, NULL) != 0) {
        echo_give_up("libevent");
    }
    echo_announce(descriptor);
    (void)event_base_dispatch(base);
    echo_print_counts(&counts);
    event_free(signal);
    evconnlistener_free(listener);
    event_base_free(base);
    return 0;
}
