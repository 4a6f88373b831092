/* SPDX-License-Identifier: MIT
 * Typed messages between a server and a client over real sockets: there and back, requests both
 * ways, what is answered to bad ones. Both ends are driven on one thread. */
#include <string.h>

#include <throng/message_client.h>
#include <throng/message_server.h>

#include "pattern.h"
#include "server_fixture.h"

enum {
    TYPE_ECHO = 1,  /* answered with the same fields */
    TYPE_ASK = 2,   /* a request; answered with x + 1 */
    TYPE_QUIET = 3, /* never answered */
    TYPE_REPLY = 4,
};

#define LONGEST 60000u

/* Both ends and what came to them. */
static struct world {
    struct server_fixture *fixture;
    struct throng_client *client;
    struct throng_messages *at_server;
    struct throng_messages *at_client;
    throng_conn conn;
    uint32_t echoes; /* at the client */
    uint32_t next;   /* number that the next echo must have */
    uint32_t errors;
    uint32_t asked;
    struct answer {
        uint32_t count;
        int result;
        uint64_t x;
    } answers[4];
} world;

static uint8_t blob[LONGEST];
static uint8_t buffer[LONGEST + 200];

/* ---- what both tables do ---- */

static size_t blob_bytes(uint32_t number)
{
    static const size_t sizes[] = {0, 10, 400, 480, 520, 1500, 5000, 30000, LONGEST};
    return sizes[number % 9];
}

/* The same five fields as it came, in one message with as many bytes as wanted. */
static void pack_echo(struct throng_pack *pack, uint32_t number)
{
    const size_t size = blob_bytes(number);
    test_fill_pattern(blob, size, number);
    throng_pack_map(pack, 5);
    throng_pack_field_u64(pack, "n", number);
    throng_pack_field_f64(pack, "x", number / 4.0);
    throng_pack_field_bool(pack, "odd", number % 2 == 1);
    throng_pack_field_text(pack, "text", "gr\xc3\xbc\xc3\x9f dich");
    throng_pack_field_bin(pack, "blob", blob, size);
}

static int echo(void *context, throng_conn conn, struct throng_message *message)
{
    struct throng_send send;
    uint32_t number;
    double x;
    bool odd;
    const char *text;
    const void *data;
    size_t text_size;
    size_t size;
    (void)context;
    if (throng_body_u32(message, "n", &number) != 0 || throng_body_f64(message, "x", &x) != 0 ||
        throng_body_bool(message, "odd", &odd) != 0 ||
        throng_body_utf8(message, "text", &text, &text_size) != 0 ||
        throng_body_bin(message, "blob", &data, &size) != 0) {
        return THRONG_EPROTOCOL;
    }
    throng_send_begin(&send, world.fixture->server, conn, TYPE_ECHO,
                      throng_message_reply_id(message));
    throng_pack_map(&send.pack, 5);
    throng_pack_field_u64(&send.pack, "n", number);
    throng_pack_field_f64(&send.pack, "x", x);
    throng_pack_field_bool(&send.pack, "odd", odd);
    throng_pack_field_string(&send.pack, "text", text, text_size);
    throng_pack_field_bin(&send.pack, "blob", data, size);
    return throng_send_end(&send);
}

static int take_echo(void *context, throng_conn conn, struct throng_message *message)
{
    struct throng_pack pack;
    (void)context;
    assert_int_equal(conn.id, 0);
    assert_ptr_equal(message->user, world.client);
    throng_pack_to_buffer(&pack, buffer, sizeof buffer);
    throng_pack_envelope(&pack, TYPE_ECHO, 0);
    pack_echo(&pack, world.next);
    assert_int_equal(throng_pack_end(&pack), message->size);
    assert_memory_equal(message->data, buffer, message->size);
    world.next++;
    world.echoes++;
    return 0;
}

static void pack_answer(struct throng_pack *pack, uint64_t x)
{
    throng_pack_map(pack, 1);
    throng_pack_field_u64(pack, "x", x + 1);
}

/* The table's own end decides how an answer is sent. */
static int answer_request(void *context, throng_conn conn, struct throng_message *message)
{
    const int32_t id = throng_message_reply_id(message);
    uint64_t x;
    (void)context;
    world.asked++;
    if (throng_body_u64(message, "x", &x) != 0) {
        return THRONG_EPROTOCOL;
    }
    if (conn.id != 0) {
        struct throng_send send;
        throng_send_begin(&send, world.fixture->server, conn, TYPE_REPLY, id);
        pack_answer(&send.pack, x);
        return throng_send_end(&send);
    }
    struct throng_pack pack;
    throng_pack_to_buffer(&pack, buffer, sizeof buffer);
    throng_pack_envelope(&pack, TYPE_REPLY, id);
    pack_answer(&pack, x);
    return throng_client_write_pack(world.client, &pack);
}

static int say_nothing(void *context, throng_conn conn, struct throng_message *message)
{
    (void)context;
    (void)conn;
    (void)message;
    world.asked++;
    return 0;
}

static int note_error(void *context, throng_conn conn, struct throng_message *message)
{
    (void)context;
    (void)conn;
    (void)message;
    world.errors++;
    return 0;
}

/* ---- the two ends ---- */

static void dispatch_at_server(struct server_fixture *fixture, const struct throng_event *event)
{
    (void)fixture;
    if (event->type == THRONG_EVENT_OPEN) {
        world.conn = event->conn;
    } else if (event->type == THRONG_EVENT_MESSAGE) {
        (void)throng_messages_dispatch(world.at_server, event->conn, event->user, event->data,
                                       event->size);
    } else if (event->type == THRONG_EVENT_CLOSED) {
        (void)throng_messages_closed(world.at_server, event->conn);
    }
}

static struct throng_messages *make_table(throng_message_handler *on_echo,
                                          struct throng_message_link link,
                                          enum throng_when_bad on_bad)
{
    const struct throng_message_type types[] = {
        {.type = TYPE_ECHO, .name = "echo", .handler = on_echo},
        {.type = TYPE_ASK, .name = "ask", .handler = answer_request, .bytes_max = 64},
        {.type = TYPE_QUIET, .name = "quiet", .handler = say_nothing},
    };
    struct throng_messages_options options;
    struct throng_messages *messages = NULL;
    throng_messages_options_init(&options);
    options.types = types;
    options.type_count = 3;
    options.link = link;
    options.on_bad = on_bad;
    options.on_error = note_error;
    options.requests_max = 100;
    assert_int_equal(throng_messages_create(&messages, &options, NULL), 0);
    return messages;
}

static void turn_client(void)
{
    (void)throng_client_update(world.client);
    (void)throng_client_dispatch(world.client, world.at_client, 100);
}

#define BOTH_UNTIL(condition) FIXTURE_UNTIL(world.fixture, (turn_client(), (condition)))

static void start(struct server_fixture *fixture, enum throng_when_bad on_bad)
{
    world = (struct world){.fixture = fixture};
    fixture->handle = dispatch_at_server;
    /* What is read at most before the first answer has gone: half of it, a turn's input, and a
     * message that had begun. Nothing here writes again what was refused. */
    fixture->options.send_queue_bytes_max = 512 * 1024;
    fixture_start(fixture);
    world.at_server = make_table(echo, throng_messages_of_server(fixture->server), on_bad);
    assert_int_equal(throng_client_create(&world.client, NULL, NULL), 0);
    world.at_client =
        make_table(take_echo, throng_messages_of_client(world.client), THRONG_WHEN_BAD_REPLY);
    assert_int_equal(throng_client_connect_address(world.client, &fixture->address), 0);
    BOTH_UNTIL(world.conn.id != 0 && throng_client_state(world.client) == THRONG_CLIENT_CONNECTED);
}

static void finish(void)
{
    throng_client_destroy(world.client);
    fixture_expect_settled(world.fixture);
    throng_messages_destroy(world.at_client);
    throng_messages_destroy(world.at_server);
}

static struct throng_messages_counters counters_of(const struct throng_messages *messages)
{
    struct throng_messages_counters counters;
    throng_messages_read_counters(messages, &counters);
    return counters;
}

/* ---- tests ---- */

static void fields_of_every_size_come_back_as_they_were(void **state)
{
    enum {
        ECHOES = 90
    };
    start(*state, THRONG_WHEN_BAD_REPLY);
    for (uint32_t number = 0; number < ECHOES;) {
        struct throng_pack pack;
        throng_pack_to_buffer(&pack, buffer, sizeof buffer);
        throng_pack_envelope(&pack, TYPE_ECHO, 0);
        pack_echo(&pack, number);
        const int result = throng_client_write_pack(world.client, &pack);
        assert_true(result == 0 || result == THRONG_EAGAIN);
        number += result == 0;
        turn_client();
        (void)fixture_turn(world.fixture, 0);
    }
    BOTH_UNTIL(world.echoes == ECHOES);
    assert_int_equal(counters_of(world.at_server).handled, ECHOES);
    assert_int_equal(counters_of(world.at_client).handled, ECHOES);
    finish();
}

static void note_answer(void *context, throng_conn conn, int result, struct throng_message *reply)
{
    struct answer *answer = context;
    (void)conn;
    answer->count++;
    answer->result = result;
    if (result == 0) {
        assert_int_equal(throng_body_u64(reply, "x", &answer->x), 0);
    }
}

static void ask_server(uint32_t type, uint32_t answer, uint64_t x, uint64_t now_ms)
{
    struct throng_pack pack;
    int32_t id;
    assert_int_equal(throng_request_begin(world.at_client, (throng_conn){0}, now_ms, 1000,
                                          note_answer, &world.answers[answer], &id),
                     0);
    throng_pack_to_buffer(&pack, buffer, sizeof buffer);
    throng_pack_envelope(&pack, type, id);
    throng_pack_map(&pack, 1);
    throng_pack_field_u64(&pack, "x", x);
    assert_int_equal(throng_client_write_pack(world.client, &pack), 0);
}

static void ask_client(uint32_t type, uint32_t answer, uint64_t x, uint64_t now_ms)
{
    struct throng_send send;
    int32_t id;
    assert_int_equal(throng_request_begin(world.at_server, world.conn, now_ms, 1000, note_answer,
                                          &world.answers[answer], &id),
                     0);
    throng_send_begin(&send, world.fixture->server, world.conn, type, id);
    throng_pack_map(&send.pack, 1);
    throng_pack_field_u64(&send.pack, "x", x);
    assert_int_equal(throng_send_end(&send), 0);
}

static void requests_are_answered_both_ways(void **state)
{
    start(*state, THRONG_WHEN_BAD_REPLY);
    for (uint64_t x = 0; x < 50; x++) {
        memset(world.answers, 0, sizeof world.answers);
        ask_server(TYPE_ASK, 0, x, 5);
        ask_client(TYPE_ASK, 1, 1000 + x, 5);
        ask_server(TYPE_ASK, 2, 2000 + x, 5);
        BOTH_UNTIL(world.answers[0].count + world.answers[1].count + world.answers[2].count == 3);
        assert_int_equal(world.answers[0].x, x + 1);
        assert_int_equal(world.answers[1].x, 1001 + x);
        assert_int_equal(world.answers[2].x, 2001 + x);
    }
    assert_int_equal(counters_of(world.at_client).replies, 100);
    assert_int_equal(counters_of(world.at_server).replies, 50);
    finish();
}

static void what_is_not_answered_times_out_on_either_end(void **state)
{
    start(*state, THRONG_WHEN_BAD_REPLY);
    ask_server(TYPE_QUIET, 0, 1, 100);
    ask_client(TYPE_QUIET, 1, 1, 100);
    BOTH_UNTIL(world.asked == 2);
    assert_int_equal(throng_messages_update(world.at_client, 1099), 0);
    assert_int_equal(throng_messages_update(world.at_server, 1099), 0);
    assert_int_equal(throng_messages_update(world.at_client, 1100), 1);
    assert_int_equal(throng_messages_update(world.at_server, 1100), 1);
    assert_int_equal(world.answers[0].result, THRONG_ETIMEDOUT);
    assert_int_equal(world.answers[1].result, THRONG_ETIMEDOUT);
    finish();
}

static void the_end_of_the_connection_ends_what_waits(void **state)
{
    start(*state, THRONG_WHEN_BAD_REPLY);
    ask_client(TYPE_QUIET, 1, 1, 100);
    ask_server(TYPE_QUIET, 0, 1, 100);
    BOTH_UNTIL(world.asked == 2);
    throng_client_close(world.client);
    assert_int_equal(throng_messages_closed(world.at_client, (throng_conn){0}), 1);
    FIXTURE_UNTIL(world.fixture, world.fixture->journal.closed == 1);
    assert_int_equal(world.answers[0].result, THRONG_ESTALE);
    assert_int_equal(world.answers[1].result, THRONG_ESTALE);
    finish();
}

/* An unknown type, a field too few, bytes over the type's limit: each is answered, and nothing else
 * is lost. */
static void bad_messages_are_answered_and_the_rest_goes_on(void **state)
{
    struct throng_pack pack;
    start(*state, THRONG_WHEN_BAD_REPLY);
    ask_server(99, 0, 1, 5);
    throng_pack_to_buffer(&pack, buffer, sizeof buffer);
    throng_pack_envelope(&pack, TYPE_ECHO, 0);
    throng_pack_map(&pack, 0);
    assert_int_equal(throng_client_write_pack(world.client, &pack), 0);
    assert_int_equal(throng_client_write(world.client, "\xdd\x10\0\0\0", 5), 0);
    throng_pack_to_buffer(&pack, buffer, sizeof buffer);
    throng_pack_envelope(&pack, TYPE_ASK, 0);
    throng_pack_bin(&pack, blob, 64);
    assert_int_equal(throng_client_write_pack(world.client, &pack), 0);
    ask_server(TYPE_ASK, 1, 41, 5);
    BOTH_UNTIL(world.answers[1].count == 1 && world.errors == 3);
    assert_int_equal(world.answers[1].x, 42);
    assert_int_equal(world.answers[0].result, THRONG_EREMOTE);
    const struct throng_messages_counters counters = counters_of(world.at_server);
    assert_int_equal(counters.unknown, 1);
    assert_int_equal(counters.refused, 1);
    assert_int_equal(counters.malformed, 1);
    assert_int_equal(counters.over_limit, 1);
    assert_int_equal(counters.errors_sent, 4);
    finish();
}

static void a_bad_message_closes_where_the_policy_says_so(void **state)
{
    start(*state, THRONG_WHEN_BAD_CLOSE);
    assert_int_equal(throng_client_write(world.client, "\xc1", 1), 0);
    BOTH_UNTIL(throng_client_state(world.client) == THRONG_CLIENT_FAILED);
    assert_int_equal(throng_client_error(world.client), THRONG_EEOF);
    assert_int_equal(throng_client_dispatch(world.client, world.at_client, 10), 0);
    assert_int_equal(world.errors, 1); /* it was told why before */
    assert_int_equal(counters_of(world.at_server).closed, 1);
    finish();
}

/* More than the memory of a full connection takes: refused as a whole, and given up without a
 * trace. */
static void a_message_that_is_too_long_is_not_sent(void **state)
{
    struct throng_send send;
    start(*state, THRONG_WHEN_BAD_REPLY);
    throng_send_begin(&send, world.fixture->server, world.conn, TYPE_ECHO, 0);
    throng_pack_array(&send.pack, 2);
    throng_pack_bin(&send.pack, blob, LONGEST);
    throng_pack_bin(&send.pack, blob, LONGEST);
    assert_int_equal(throng_send_end(&send), THRONG_ETOOBIG);
    throng_send_begin(&send, world.fixture->server, world.conn, TYPE_ECHO, 0);
    throng_pack_bin(&send.pack, blob, LONGEST);
    throng_send_cancel(&send);
    assert_int_equal(throng_send_end(&send), THRONG_ECANCELED);
    throng_send_begin(&send, world.fixture->server, world.conn, TYPE_ECHO, 0);
    throng_pack_array(&send.pack, 2);
    throng_pack_bin(&send.pack, blob, LONGEST);
    assert_int_equal(throng_send_end(&send), THRONG_EINVAL);
    throng_send_begin(&send, world.fixture->server, (throng_conn){0}, TYPE_ECHO, 0);
    throng_pack_nil(&send.pack);
    assert_int_equal(throng_send_end(&send), THRONG_ESTALE);
    ask_server(TYPE_ASK, 0, 6, 5);
    BOTH_UNTIL(world.answers[0].count == 1);
    assert_int_equal(world.echoes, 0);
    finish();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_every_size_come_back_as_they_were),
        cmocka_unit_test(requests_are_answered_both_ways),
        cmocka_unit_test(what_is_not_answered_times_out_on_either_end),
        cmocka_unit_test(the_end_of_the_connection_ends_what_waits),
        cmocka_unit_test(bad_messages_are_answered_and_the_rest_goes_on),
        cmocka_unit_test(a_bad_message_closes_where_the_policy_says_so),
        cmocka_unit_test(a_message_that_is_too_long_is_not_sent),
    };
    return fixture_run_tests("message_ends", tests, sizeof(tests) / sizeof(tests[0]));
}
