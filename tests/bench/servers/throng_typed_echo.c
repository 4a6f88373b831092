/* SPDX-License-Identifier: MIT
 * A typed echo with throng, inline: a table of one type, whose handler reads five fields by name
 * and writes the same message anew, as a game does with what it handles.
 *
 *     throng_typed_echo CONNECTIONS BACKEND */
#include <stdio.h>
#include <stdlib.h>

#include <throng/message_server.h>

#include "echo_server.h"

#define BATCH 64
#define TYPE 1

/* How often an idle server looks whether it is to end. */
#define LOOK_MS 100

static struct throng_server *server;
static struct throng_messages *messages;
static struct echo_counts counts;

static int echo(void *context, throng_conn conn, struct throng_message *message)
{
    struct throng_send send;
    const void *id;
    const char *text;
    size_t id_size;
    size_t text_size;
    double x;
    double y;
    uint32_t hp;
    (void)context;
    if (throng_body_bin(message, "id", &id, &id_size) != 0 ||
        throng_body_f64(message, "x", &x) != 0 || throng_body_f64(message, "y", &y) != 0 ||
        throng_body_u32(message, "hp", &hp) != 0 ||
        throng_body_string(message, "text", &text, &text_size) != 0) {
        return THRONG_EPROTOCOL;
    }
    throng_send_begin(&send, server, conn, TYPE, throng_message_reply_id(message));
    throng_pack_map(&send.pack, 5);
    throng_pack_field_bin(&send.pack, "id", id, id_size);
    throng_pack_field_f64(&send.pack, "x", x);
    throng_pack_field_f64(&send.pack, "y", y);
    throng_pack_field_u64(&send.pack, "hp", hp);
    throng_pack_field_string(&send.pack, "text", text, text_size);
    return throng_send_end(&send);
}

static void give_up(const struct throng_error *error)
{
    (void)fprintf(stderr, "%s\n", error->text);
    exit(1);
}

static void start(const char *connections, const char *backend)
{
    static const struct throng_message_type type = {.type = TYPE, .name = "echo", .handler = echo};
    struct throng_server_options options;
    struct throng_messages_options table;
    struct throng_error error;
    struct throng_address address;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.io_threads = 0;
    options.max_connections = (uint32_t)strtoul(connections, NULL, 10);
    options.backend = backend;
    if (throng_server_start(&server, &options, &error) != 0) {
        give_up(&error);
    }
    throng_messages_options_init(&table);
    table.types = &type;
    table.type_count = 1;
    table.link = throng_messages_of_server(server);
    if (throng_messages_create(&messages, &table, &error) != 0) {
        give_up(&error);
    }
    (void)throng_server_listen_address(server, 0, &address);
    printf("listening on %s\n", throng_address_text(&address, text));
    (void)fflush(stdout);
}

static void on_event(struct throng_event *event)
{
    if (event->type == THRONG_EVENT_OPEN) {
        counts.accepted++;
    } else if (event->type == THRONG_EVENT_MESSAGE) {
        if (throng_messages_dispatch(messages, event->conn, event->user, event->data,
                                     event->size) != 0) {
            (void)fprintf(stderr, "a message was refused\n");
            exit(1);
        }
        counts.messages++;
    }
    throng_release_event(server, event);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: throng_typed_echo CONNECTIONS BACKEND\n");
        return 2;
    }
    echo_catch_signals();
    start(argv[1], argv[2]);
    while (!echo_stopped()) {
        struct throng_event events[BATCH];
        int count = throng_get_events(server, events, BATCH, LOOK_MS);
        for (int i = 0; i < count; i++) {
            on_event(&events[i]);
        }
    }
    echo_print_counts(&counts);
    throng_messages_destroy(messages);
    throng_server_stop(server);
    return 0;
}
