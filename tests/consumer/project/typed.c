/* SPDX-License-Identifier: MIT
 * Typed messages with the server's header beside them: one is written, read, and handled by the
 * table that the README shows. */
#include <throng/message_object.h>
#include <throng/message_server.h>

#include <stdio.h>

static int on_move(void *context, throng_conn conn, struct throng_message *message)
{
    double *x = context;
    (void)conn;
    if (throng_body_f64(message, "x", x) != 0) {
        return THRONG_EPROTOCOL;
    }
    return throng_value_object(message->body)->type == MSGPACK_OBJECT_MAP ? 0 : THRONG_EINVAL;
}

int main(void)
{
    static const struct throng_message_type types[] = {
        {.type = 1, .name = "move", .handler = on_move, .bytes_max = 256},
    };
    const throng_conn nobody = {0};
    struct throng_messages *messages = NULL;
    struct throng_messages_options table;
    struct throng_error error = {0};
    struct throng_pack pack;
    struct throng_send send;
    unsigned char buffer[64];
    double x = 0;

    throng_messages_options_init(&table);
    table.types = types;
    table.type_count = 1;
    table.context = &x;
    table.link = throng_messages_of_server(NULL);
    if (throng_messages_create(&messages, &table, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    throng_pack_to_buffer(&pack, buffer, sizeof buffer);
    throng_pack_envelope(&pack, 1, 0);
    throng_pack_map(&pack, 1);
    throng_pack_field_f64(&pack, "x", 1.5);
    int64_t size = throng_pack_end(&pack);
    int result = throng_messages_dispatch(messages, nobody, NULL, buffer, (size_t)size);
    throng_messages_destroy(messages);
    throng_send_begin(&send, NULL, nobody, 1, 0);
    throng_pack_nil(&send.pack);
    if (throng_send_end(&send) != THRONG_EINVAL) { /* there is no server */
        return 1;
    }
    puts(result == 0 && x == 1.5 ? "there and back" : "not what was written");
    return result == 0 && x == 1.5 ? 0 : 1;
}
