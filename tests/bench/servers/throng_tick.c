/* SPDX-License-Identifier: MIT
 * Ticks with throng, inline: see tick.h. Writes each message for itself, as a game does, or
 * broadcasts each to a room of all; what goes out together is throng's affair.
 *
 *     throng_tick CONNECTIONS MESSAGES SIZE each|broadcast BACKEND IO_THREADS */
#include <stdio.h>
#include <stdlib.h>

#include <string.h>
#include <time.h>

#include <throng/room.h>
#include <throng/server.h>

#include "echo_server.h"
#include "tick.h"

#define BATCH 64

/* How often an idle server looks whether it is to end. */
#define LOOK_MS 100

static struct tick tick;
static struct throng_server *server;
static throng_conn *conns;
static uint32_t accepted;
static uint64_t asked; /* questions that wait for their tick */
static uint64_t sent;
static throng_room room;
static bool broadcasts;
static uint64_t logic_ns; /* in throng_room_broadcast */

static void start(const char *backend, const char *io_threads)
{
    struct throng_server_options options;
    struct throng_error error;
    struct throng_address address;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.io_threads = (uint32_t)strtoul(io_threads, NULL, 10);
    options.max_connections = tick.connections;
    options.backend = backend;
    if (throng_server_start(&server, &options, &error) != 0) {
        (void)fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    (void)throng_server_listen_address(server, 0, &address);
    printf("listening on %s\n", throng_address_text(&address, text));
    (void)fflush(stdout);
}

static void expect(int result)
{
    if (result != 0) {
        (void)fprintf(stderr, "throng refuses: %s\n", throng_error_text(result));
        exit(1);
    }
}

static const uint8_t *payload_of(uint32_t message)
{
    return tick.bytes + (size_t)message * tick.frame + TICK_HEADER_BYTES;
}

static void write_each(void)
{
    for (uint32_t i = 0; i < tick.connections; i++) {
        for (uint32_t j = 0; j < tick.messages; j++) {
            expect(
                throng_write_data(server, conns[i], payload_of(j), tick.frame - TICK_HEADER_BYTES));
        }
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void broadcast_each(void)
{
    const uint64_t before_ns = now_ns();
    for (uint32_t j = 0; j < tick.messages; j++) {
        expect(throng_room_broadcast(server, room, payload_of(j), tick.frame - TICK_HEADER_BYTES,
                                     THRONG_NOBODY));
    }
    logic_ns += now_ns() - before_ns;
}

static void run_tick(void)
{
    tick_next(&tick);
    if (broadcasts) {
        broadcast_each();
    } else {
        write_each();
    }
    sent += (uint64_t)tick.connections * tick.messages;
}

static void on_event(struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN && accepted < tick.connections) {
        expect(throng_room_join(server, room, event->conn));
        conns[accepted++] = event->conn;
    } else if (event->type == THRONG_EVENT_MESSAGE) {
        asked++;
    }
    throng_release_event(server, event);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        (void)fprintf(stderr, "usage: throng_tick CONNECTIONS MESSAGES SIZE each|broadcast BACKEND "
                              "IO_THREADS\n");
        return 2;
    }
    tick_create(&tick, argv[1], argv[2], argv[3]);
    broadcasts = strcmp(argv[4], "broadcast") == 0;
    conns = calloc(tick.connections, sizeof(*conns));
    if (conns == NULL) {
        echo_give_up("calloc");
    }
    echo_catch_signals();
    start(argv[5], argv[6]);
    expect(throng_room_create(server, &room));
    while (!echo_stopped()) {
        struct throng_event events[BATCH];
        int count = throng_get_events(server, events, BATCH, LOOK_MS);
        for (int i = 0; i < count; i++) {
            on_event(&events[i]);
        }
        for (; accepted == tick.connections && asked > 0; asked--) {
            run_tick();
        }
    }
    if (broadcasts && tick.ticks > 0) {
        (void)fprintf(stderr, "logic thread: %llu ns a broadcast\n",
                      (unsigned long long)(logic_ns / (tick.ticks * tick.messages)));
    }
    tick_print_counts(&tick, accepted, sent);
    throng_server_stop(server);
    free(conns);
    return 0;
}
