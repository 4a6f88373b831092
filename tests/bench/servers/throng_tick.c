/* SPDX-License-Identifier: MIT
 * Ticks with throng, inline: see tick.h. Writes each message for itself, as a game does; what goes
 * out together is throng's affair.
 *
 *     throng_tick CONNECTIONS MESSAGES BACKEND */
#include <stdio.h>
#include <stdlib.h>

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

static void start(const char *backend)
{
    struct throng_server_options options;
    struct throng_error error;
    struct throng_address address;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.io_threads = 0;
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

static void run_tick(void)
{
    tick_next(&tick);
    for (uint32_t i = 0; i < tick.connections; i++) {
        for (uint32_t j = 0; j < tick.messages; j++) {
            const uint8_t *frame = tick.bytes + (size_t)j * TICK_FRAME_BYTES;
            const uint8_t *payload = frame + TICK_FRAME_BYTES - TICK_MESSAGE_BYTES;
            if (throng_write_data(server, conns[i], payload, TICK_MESSAGE_BYTES) != 0) {
                (void)fprintf(stderr, "a message was refused\n");
                exit(1);
            }
        }
    }
    sent += (uint64_t)tick.connections * tick.messages;
}

static void on_event(struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN && accepted < tick.connections) {
        conns[accepted++] = event->conn;
    } else if (event->type == THRONG_EVENT_MESSAGE) {
        asked++;
    }
    throng_release_event(server, event);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: throng_tick CONNECTIONS MESSAGES BACKEND\n");
        return 2;
    }
    tick_create(&tick, argv[1], argv[2]);
    conns = calloc(tick.connections, sizeof(*conns));
    if (conns == NULL) {
        echo_give_up("calloc");
    }
    echo_catch_signals();
    start(argv[3]);
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
    tick_print_counts(&tick, accepted, sent);
    throng_server_stop(server);
    free(conns);
    return 0;
}
