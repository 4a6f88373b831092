/* SPDX-License-Identifier: MIT
 * The end that foreign MessagePack libraries talk to: see check_typed.py.
 *
 *   type 1   any value: read with throng/value.h, written anew with throng/pack.h
 *   type 2   a request: answered with literals
 *   type 3   these literals, as somebody else writes them: read as fields, answered with "ok"
 *   type 4   ends the server
 *
 * Prints "listening on tcp://127.0.0.1:PORT". */
#include <stdio.h>
#include <string.h>

#include <throng/message_server.h>

static struct throng_server *server;
static bool stopped;

/* Anything but an extension type, which no limit of ours lets pass. */
static void write_anew(struct throng_pack *pack, throng_value value)
{
    uint64_t u = 0;
    int64_t i = 0;
    double f = 0;
    bool b = false;
    const char *text = NULL;
    const void *data = NULL;
    size_t size = 0;
    throng_value key;
    throng_value item;
    switch (throng_value_kind(value)) {
    case THRONG_VALUE_NIL:
        throng_pack_nil(pack);
        break;
    case THRONG_VALUE_BOOL:
        (void)throng_value_bool(value, &b);
        throng_pack_bool(pack, b);
        break;
    case THRONG_VALUE_INTEGER:
        if (throng_value_u64(value, &u) == 0) {
            throng_pack_u64(pack, u);
        } else {
            (void)throng_value_i64(value, &i);
            throng_pack_i64(pack, i);
        }
        break;
    case THRONG_VALUE_FLOAT:
        (void)throng_value_f64(value, &f);
        throng_pack_f64(pack, f);
        break;
    case THRONG_VALUE_STRING:
        (void)throng_value_utf8(value, &text, &size);
        throng_pack_string(pack, text, size);
        break;
    case THRONG_VALUE_BIN:
        (void)throng_value_bin(value, &data, &size);
        throng_pack_bin(pack, data, size);
        break;
    case THRONG_VALUE_ARRAY:
        throng_pack_array(pack, throng_value_size(value));
        for (uint32_t n = 0; n < throng_value_size(value); n++) {
            write_anew(pack, throng_array_at(value, n));
        }
        break;
    case THRONG_VALUE_MAP:
        throng_pack_map(pack, throng_value_size(value));
        for (uint32_t n = 0; n < throng_value_size(value); n++) {
            throng_map_at(value, n, &key, &item);
            write_anew(pack, key);
            write_anew(pack, item);
        }
        break;
    default:
        throng_pack_fail(pack, THRONG_EPROTOCOL);
        break;
    }
}

static int echo(void *context, throng_conn conn, struct throng_message *message)
{
    struct throng_send send;
    (void)context;
    throng_send_begin(&send, server, conn, 1, throng_message_reply_id(message));
    write_anew(&send.pack, message->body);
    return throng_send_end(&send);
}

static int send_literals(void *context, throng_conn conn, struct throng_message *message)
{
    struct throng_send send;
    (void)context;
    throng_send_begin(&send, server, conn, 2, throng_message_reply_id(message));
    throng_pack_map(&send.pack, 9);
    throng_pack_field_u64(&send.pack, "u", UINT64_MAX);
    throng_pack_field_i64(&send.pack, "i", INT64_MIN);
    throng_pack_field_f64(&send.pack, "f", 1.5);
    throng_pack_field_text(&send.pack, "s", "gr\xc3\xbc\xc3\x9f dich");
    throng_pack_field_bin(&send.pack, "b", "\0\1\xff", 3);
    throng_pack_text(&send.pack, "n");
    throng_pack_nil(&send.pack);
    throng_pack_field_bool(&send.pack, "t", true);
    throng_pack_field_array(&send.pack, "a", 2);
    throng_pack_u64(&send.pack, 1);
    throng_pack_array(&send.pack, 1);
    throng_pack_i64(&send.pack, -2);
    throng_pack_field_map(&send.pack, "m", 1);
    throng_pack_field_text(&send.pack, "k", "v");
    return throng_send_end(&send);
}

/* Whether each field is what the others were told to write. */
static bool are_literals(struct throng_message *message)
{
    uint64_t u = 0;
    int64_t i = 0;
    double f = 0;
    bool t = false;
    const char *text = NULL;
    const void *data = NULL;
    size_t text_size = 0;
    size_t size = 0;
    throng_value array;
    throng_value map;
    return throng_body_u64(message, "u", &u) == 0 && u == UINT64_MAX &&
           throng_body_i64(message, "i", &i) == 0 && i == INT64_MIN &&
           throng_body_f64(message, "f", &f) == 0 && f == 1.5 &&
           throng_body_utf8(message, "s", &text, &text_size) == 0 && text_size == 11 &&
           memcmp(text, "gr\xc3\xbc\xc3\x9f dich", 11) == 0 &&
           throng_body_bin(message, "b", &data, &size) == 0 && size == 3 &&
           memcmp(data, "\0\1\xff", 3) == 0 && !throng_body_has(message, "n") &&
           throng_value_kind(throng_body_get(message, "n")) == THRONG_VALUE_NIL &&
           throng_body_bool(message, "t", &t) == 0 && t &&
           throng_body_array(message, "a", &array) == 0 && throng_value_size(array) == 2 &&
           throng_value_i64(throng_array_at(throng_array_at(array, 1), 0), &i) == 0 && i == -2 &&
           throng_body_map(message, "m", &map) == 0 &&
           throng_value_string(throng_map_get(map, "k"), &text, &size) == 0 && size == 1;
}

static int take_literals(void *context, throng_conn conn, struct throng_message *message)
{
    struct throng_send send;
    (void)context;
    if (!are_literals(message)) {
        return THRONG_EPROTOCOL;
    }
    throng_send_begin(&send, server, conn, 3, throng_message_reply_id(message));
    throng_pack_text(&send.pack, "ok");
    return throng_send_end(&send);
}

static int stop(void *context, throng_conn conn, struct throng_message *message)
{
    (void)context;
    (void)conn;
    (void)message;
    stopped = true;
    return 0;
}

static int start(struct throng_messages **messages, struct throng_error *error)
{
    static const struct throng_message_type types[] = {
        {.type = 1, .name = "echo", .handler = echo},
        {.type = 2, .name = "send literals", .handler = send_literals},
        {.type = 3, .name = "take literals", .handler = take_literals},
        {.type = 4, .name = "stop", .handler = stop},
    };
    struct throng_server_options options;
    struct throng_messages_options table;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.io_threads = 1;
    options.max_connections = 100;
    options.message_bytes_max = 1024 * 1024;
    int result = throng_server_start(&server, &options, error);
    if (result == 0) {
        throng_messages_options_init(&table);
        table.types = types;
        table.type_count = sizeof types / sizeof types[0];
        table.limits.bytes_max = options.message_bytes_max;
        table.limits.nodes_max = 200000;
        table.link = throng_messages_of_server(server);
        result = throng_messages_create(messages, &table, error);
    }
    return result;
}

int main(void)
{
    struct throng_messages *messages = NULL;
    struct throng_error error = {0};
    struct throng_address address;
    struct throng_event event;
    char text[THRONG_ADDRESS_TEXT_SIZE];
    if (start(&messages, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        throng_server_stop(server);
        return 1;
    }
    (void)throng_server_listen_address(server, 0, &address);
    printf("listening on %s\n", throng_address_text(&address, text));
    (void)fflush(stdout);
    while (!stopped && throng_get_event(server, &event, -1) >= 0) {
        if (event.type == THRONG_EVENT_MESSAGE) {
            (void)throng_messages_dispatch(messages, event.conn, event.user, event.data,
                                           event.size);
        }
        throng_release_event(server, &event);
    }
    throng_messages_destroy(messages);
    throng_server_stop(server);
    return 0;
}
