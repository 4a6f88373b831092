/* SPDX-License-Identifier: MIT
 * The swarm against the real server library, in one process: both ends of throng agree about
 * messages of every size, their order, and every way in which a server ends a connection. */
#include <stdatomic.h>
#include <string.h>

#include <throng/server.h>
#include <throng/swarm.h>

#include "check.h"
#include "pattern.h"
#include "stopwatch.h"
#include "swarm_world.h"
#include "thread.h"

#define LONGEST (1024u * 1024u)

/* ---- the server: echoes; "close" and "abort" are orders ---- */

struct echo {
    struct throng_server *server;
    struct test_thread thread;
    _Atomic bool is_over;
    char endpoint[THRONG_ADDRESS_TEXT_SIZE];
};

static bool is_order(const struct throng_event *event, const char *order)
{
    return event->size == strlen(order) && memcmp(event->data, order, event->size) == 0;
}

static void obey(struct throng_server *server, const struct throng_event *event)
{
    if (is_order(event, "close")) {
        (void)throng_write_data(server, event->conn, "bye", 3);
        (void)throng_close(server, event->conn);
    } else if (is_order(event, "abort")) {
        (void)throng_abort(server, event->conn);
    } else {
        (void)throng_write_data(server, event->conn, event->data, event->size);
    }
}

static void serve(void *argument)
{
    struct echo *echo = argument;
    struct throng_event event;
    while (!atomic_load(&echo->is_over)) {
        if (throng_get_event(echo->server, &event, -1) == 1) {
            if (event.type == THRONG_EVENT_MESSAGE) {
                obey(echo->server, &event);
            }
            throng_release_event(echo->server, &event);
        }
    }
}

static void start_server(struct echo *echo, uint32_t connections, uint32_t io_threads)
{
    struct throng_error error = {0};
    struct throng_address address;
    struct throng_server_options options;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:0";
    options.max_connections = connections;
    options.io_threads = io_threads;
    options.message_bytes_max = LONGEST;
    atomic_store(&echo->is_over, false);
    if (throng_server_start(&echo->server, &options, &error) != 0) {
        fail_msg("throng_server_start: %s", error.text);
    }
    assert_int_equal(throng_server_listen_address(echo->server, 0, &address), 0);
    (void)throng_address_text(&address, echo->endpoint);
    assert_true(test_thread_start(&echo->thread, serve, echo));
}

static void stop_server(struct echo *echo)
{
    atomic_store(&echo->is_over, true);
    throng_server_wake(echo->server);
    assert_true(test_thread_join(&echo->thread));
    throng_server_stop(echo->server);
}

/* ---- messages ---- */

static const uint32_t sizes[] = {0,     1,     2,     3,      4,      507,         508,    509,
                                 16380, 65535, 65536, 131072, 300001, LONGEST - 1, LONGEST};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static uint8_t pattern[LONGEST + 256];
static _Atomic uint32_t wrongs;

/* Different bytes for each connection and message. */
static const uint8_t *bytes_of(uint32_t index, uint32_t number)
{
    return pattern + (index * 16 + number) % 256;
}

static void write_number(struct throng_swarm_thread *thread, uint32_t index, uint32_t number)
{
    int result = throng_swarm_write(thread, index, bytes_of(index, number), sizes[number]);
    atomic_fetch_add(&wrongs, result != 0);
}

static void write_first(struct swarm_world *world, struct throng_swarm_thread *thread,
                        uint32_t index)
{
    (void)world;
    write_number(thread, index, 0);
}

static void check_and_write_next(struct swarm_world *world, struct throng_swarm_thread *thread,
                                 uint32_t index, const void *data, size_t size)
{
    uint32_t number = swarm_world_record(world, index).messages;
    bool right = number < SIZES && size == sizes[number] &&
                 memcmp(data, bytes_of(index, number), size) == 0;
    atomic_fetch_add(&wrongs, !right);
    if (number + 1 < SIZES) {
        write_number(thread, index, number + 1);
    }
}

static void messages_of_0_bytes_to_1_mib_come_back_identical(void **state)
{
    struct swarm_world world;
    struct echo echo;
    (void)state;
    test_fill_pattern(pattern, sizeof(pattern), 42);
    for (uint32_t io_threads = 0; io_threads <= 2; io_threads++) {
        start_server(&echo, 16, io_threads);
        swarm_world_open_options(&world, 6, echo.endpoint);
        world.options.threads = 2;
        world.options.message_bytes_max = LONGEST;
        world.on_open = write_first;
        world.on_message = check_and_write_next;
        atomic_store(&wrongs, 0);
        swarm_world_start(&world);
        swarm_world_await(&world, &world.messages, 6 * (uint32_t)SIZES);
        assert_int_equal(atomic_load(&wrongs), 0);
        assert_int_equal(throng_swarm_connected(world.swarm), 6);
        swarm_world_close(&world);
        stop_server(&echo);
    }
}

#define WINDOW 50u

static uint32_t flood_length;

static void write_numbered(struct throng_swarm_thread *thread, uint32_t index, uint32_t number)
{
    uint32_t words[8] = {index, number, ~number, 0, 0, 0, 0, 0};
    size_t size = 8 + number % 25;
    atomic_fetch_add(&wrongs, throng_swarm_write(thread, index, words, size) != 0);
}

static void write_window(struct swarm_world *world, struct throng_swarm_thread *thread,
                         uint32_t index)
{
    (void)world;
    for (uint32_t i = 0; i < WINDOW; i++) {
        write_numbered(thread, index, i);
    }
}

static void check_order(struct swarm_world *world, struct throng_swarm_thread *thread,
                        uint32_t index, const void *data, size_t size)
{
    uint32_t number = swarm_world_record(world, index).messages;
    uint32_t words[2] = {0, 0};
    memcpy(words, data, size < 8 ? size : 8);
    atomic_fetch_add(&wrongs, size != 8 + number % 25 || words[0] != index || words[1] != number);
    if (number + WINDOW < flood_length) {
        write_numbered(thread, index, number + WINDOW);
    }
}

static void many_messages_come_back_in_order(void **state)
{
    struct swarm_world world;
    struct echo echo;
    (void)state;
    flood_length = test_scaled(5000) + WINDOW;
    start_server(&echo, 64, 2);
    swarm_world_open_options(&world, 20, echo.endpoint);
    world.options.threads = 2;
    world.on_open = write_window;
    world.on_message = check_order;
    atomic_store(&wrongs, 0);
    swarm_world_start(&world);
    swarm_world_await(&world, &world.messages, 20 * flood_length);
    assert_int_equal(swarm_world_read(&world, &world.messages), 20 * flood_length);
    assert_int_equal(atomic_load(&wrongs), 0);
    swarm_world_close(&world);
    stop_server(&echo);
}

/* ---- ends ---- */

static void give_order(struct swarm_world *world, struct throng_swarm_thread *thread,
                       uint32_t index)
{
    const char *order = world->context;
    (void)throng_swarm_write(thread, index, order, strlen(order));
}

static void expect_order(const char *order, uint32_t messages, int error)
{
    struct swarm_world world;
    struct echo echo;
    char words[16];
    (void)snprintf(words, sizeof(words), "%s", order);
    start_server(&echo, 16, 1);
    swarm_world_open_options(&world, 10, echo.endpoint);
    world.context = words;
    world.on_open = give_order;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, 10);
    for (uint32_t i = 0; i < 10; i++) {
        struct swarm_record record = swarm_world_record(&world, i);
        assert_int_equal(record.opens, 1);
        assert_int_equal(record.closes, 1);
        assert_int_equal(record.messages, messages);
        assert_int_equal(record.error, error);
    }
    assert_int_equal(throng_swarm_connected(world.swarm), 0);
    swarm_world_close(&world);
    stop_server(&echo);
}

static void a_close_by_the_server_is_an_end_behind_its_last_message(void **state)
{
    (void)state;
    expect_order("close", 1, THRONG_EEOF);
}

static void an_abort_by_the_server_is_a_reset(void **state)
{
    (void)state;
    expect_order("abort", 0, THRONG_ECONNRESET);
}

static void connections_beyond_a_full_server_are_reset(void **state)
{
    struct swarm_world world;
    struct echo echo;
    uint32_t reset = 0;
    (void)state;
    start_server(&echo, 10, 1);
    swarm_world_open_options(&world, 15, echo.endpoint);
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, 5);
    for (uint32_t i = 0; i < 15; i++) {
        struct swarm_record record = swarm_world_record(&world, i);
        reset += record.closes == 1 && record.error == THRONG_ECONNRESET;
    }
    assert_int_equal(reset, 5);
    swarm_world_close(&world);
    stop_server(&echo);
}

static void leave_after_echo(struct swarm_world *world, struct throng_swarm_thread *thread,
                             uint32_t index, const void *data, size_t size)
{
    (void)world;
    (void)throng_swarm_write(thread, index, data, size);
    (void)throng_swarm_disconnect(thread, index, false);
}

static void come_again(struct swarm_world *world, struct throng_swarm_thread *thread,
                       uint32_t index, int error)
{
    atomic_fetch_add(&wrongs, error != THRONG_ECANCELED);
    if (swarm_world_record(world, index).opens < 50) {
        (void)throng_swarm_connect(thread, index);
    }
}

static void connections_come_talk_and_leave_again_and_again(void **state)
{
    struct swarm_world world;
    struct echo echo;
    char word[] = "word";
    (void)state;
    start_server(&echo, 64, 2);
    swarm_world_open_options(&world, 20, echo.endpoint);
    world.options.threads = 2;
    world.context = word;
    world.on_open = give_order;
    world.on_message = leave_after_echo;
    world.on_closed = come_again;
    atomic_store(&wrongs, 0);
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, 20 * 50);
    assert_int_equal(swarm_world_read(&world, &world.opens), 20 * 50);
    assert_int_equal(swarm_world_read(&world, &world.messages), 20 * 50);
    assert_int_equal(atomic_load(&wrongs), 0);
    swarm_world_close(&world);
    stop_server(&echo);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_0_bytes_to_1_mib_come_back_identical),
        cmocka_unit_test(many_messages_come_back_in_order),
        cmocka_unit_test(a_close_by_the_server_is_an_end_behind_its_last_message),
        cmocka_unit_test(an_abort_by_the_server_is_a_reset),
        cmocka_unit_test(connections_beyond_a_full_server_are_reset),
        cmocka_unit_test(connections_come_talk_and_leave_again_and_again),
    };
    return cmocka_run_group_tests_name("swarm and server", tests, NULL, NULL);
}
