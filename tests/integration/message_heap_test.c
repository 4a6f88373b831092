/* SPDX-License-Identifier: MIT
 * Typed messages ask the heap and the memory map for nothing: all calls are counted while a server
 * and a client talk, ask, complain and wait in vain. MessagePack-C's memory is reserved with the
 * table. */
#include <string.h>

#include <throng/message_client.h>
#include <throng/message_object.h>
#include <throng/message_server.h>

#include "check.h"
#include "heap_counter.h"
#include "stopwatch.h"

#define DEEP 30
#define VALUES 3000u

static struct throng_server *server;
static struct throng_client *client;
static struct throng_messages *at_server;
static struct throng_messages *at_client;
static uint8_t buffer[65536];
static uint32_t echoes;
static uint32_t answers;
static uint32_t objects;

/* Has MessagePack-C decode the body, which may be as much as there is memory for. */
static bool look_at_object(throng_value body)
{
    const msgpack_object *object = throng_value_object(body);
    const uint32_t count = throng_value_size(body);
    objects += object != NULL;
    return object != NULL && object->via.array.size == count &&
           throng_value_object(throng_array_at(body, count - 1)) ==
               &object->via.array.ptr[count - 1];
}

/* Answers with the whole body, packed anew. */
static int echo(void *context, throng_conn conn, struct throng_message *message)
{
    struct throng_send send;
    const uint8_t *bytes = message->data;
    (void)context;
    if (!look_at_object(message->body)) {
        return THRONG_EINVAL;
    }
    throng_send_begin(&send, server, conn, 1, throng_message_reply_id(message));
    throng_pack_encoded(&send.pack, bytes, message->size - 3);
    throng_send_cancel(&send); /* half of one is given up */
    throng_send_begin(&send, server, conn, 1, throng_message_reply_id(message));
    throng_pack_array(&send.pack, throng_value_size(message->body));
    for (uint32_t i = 0; i < throng_value_size(message->body); i++) {
        throng_pack_nil(&send.pack);
    }
    return throng_send_end(&send);
}

static int count_echo(void *context, throng_conn conn, struct throng_message *message)
{
    (void)context;
    (void)conn;
    (void)message;
    echoes++;
    return 0;
}

static void count_answer(void *context, throng_conn conn, int result, struct throng_message *reply)
{
    (void)context;
    (void)conn;
    (void)reply;
    answers += result == 0 || result == THRONG_EREMOTE || result == THRONG_ETIMEDOUT;
}

static struct throng_messages *make_table(throng_message_handler *handler,
                                          struct throng_message_link link)
{
    const struct throng_message_type type = {.type = 1, .handler = handler};
    struct throng_messages_options options;
    struct throng_messages *messages = NULL;
    throng_messages_options_init(&options);
    options.types = &type;
    options.type_count = 1;
    options.link = link;
    options.requests_max = 10;
    options.limits.depth_max = DEEP;
    options.limits.nodes_max = VALUES + 1;
    assert_int_equal(throng_messages_create(&messages, &options, NULL), 0);
    return messages;
}

static bool set_up(void)
{
    struct throng_server_options options;
    struct throng_address address;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = 10;
    options.io_threads = 0;
    if (throng_server_start(&server, &options, NULL) != 0 ||
        throng_client_create(&client, NULL, NULL) != 0) {
        return false;
    }
    at_server = make_table(echo, throng_messages_of_server(server));
    at_client = make_table(count_echo, throng_messages_of_client(client));
    return throng_server_listen_address(server, 0, &address) == 0 &&
           throng_client_connect_address(client, &address) == 0;
}

static void turn(void)
{
    struct throng_event event;
    (void)throng_client_update(client);
    (void)throng_client_dispatch(client, at_client, 100);
    while (throng_get_event(server, &event, 0) == 1) {
        if (event.type == THRONG_EVENT_MESSAGE) {
            (void)throng_messages_dispatch(at_server, event.conn, event.user, event.data,
                                           event.size);
        }
        throng_release_event(server, &event);
    }
}

/* A request: of type 1 with `count` values, of one that nobody knows, of none at all, or as deep as
 * may be. */
static bool ask(uint32_t round)
{
    struct throng_pack pack;
    int32_t id;
    if (throng_request_begin(at_client, (throng_conn){0}, round, 1 + round % 3 * 1000, count_answer,
                             NULL, &id) != 0) {
        return false;
    }
    throng_pack_to_buffer(&pack, buffer, sizeof buffer);
    throng_pack_envelope(&pack, round % 4 == 3 ? 2 : 1, id);
    if (round % 4 == 2) {
        for (uint32_t i = 0; i < DEEP; i++) {
            throng_pack_array(&pack, 1);
        }
        throng_pack_nil(&pack);
    } else {
        const uint32_t count = round % 4 == 1 ? VALUES : 3;
        throng_pack_array(&pack, count);
        for (uint32_t i = 0; i < count; i++) {
            throng_pack_u64(&pack, i);
        }
    }
    return throng_client_write_pack(client, &pack) == 0 &&
           throng_client_write(client, "\x93\1\xc0\xdd\x10\0\0\0", 8) == 0;
}

static void no_heap_call_is_made_while_typed_messages_are_exchanged(void **state)
{
    const uint32_t rounds = test_scaled(400);
    const int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    uint32_t asked = 0;
    (void)state;
    assert_true(set_up());
    while (throng_client_state(client) != THRONG_CLIENT_CONNECTED && test_now_ms() < deadline_ms) {
        turn();
    }
    heap_counter_start();
    while (answers < rounds && test_now_ms() < deadline_ms) {
        asked += asked < rounds && asked == answers && ask(asked);
        turn();
        (void)throng_messages_update(at_client, asked);
    }
    const struct heap_calls calls = heap_counter_stop();
    struct throng_messages_counters counters;
    throng_messages_read_counters(at_client, &counters);
    assert_int_equal(answers, rounds);
    assert_true(counters.replies > rounds / 3);
    assert_true(objects > rounds / 3);
    assert_true(counters.errors_received > rounds / 3);
    assert_int_equal(calls.allocations, 0);
    assert_int_equal(calls.frees, 0);
    assert_int_equal(calls.maps, 0);
    throng_messages_destroy(at_client);
    throng_messages_destroy(at_server);
    throng_client_destroy(client);
    throng_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_heap_call_is_made_while_typed_messages_are_exchanged),
    };
    return cmocka_run_group_tests_name("message_heap", tests, NULL, NULL);
}
