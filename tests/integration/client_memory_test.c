/* SPDX-License-Identifier: MIT
 * The clients and the swarm where the system has no memory, or no thread, for them: they say so,
 * leave nothing behind, and are there at the next try. */
#include <string.h>

#include <throng/client.h>
#include <throng/swarm.h>
#include <throng/tcp.h>

#include "check.h"
#include "echo_host.h"
#include "process.h"
#include "scarcity.h"
#include "stopwatch.h"
#include "swarm_world.h"

#define assert_contains(text, part) assert_non_null(strstr((text), (part)))

static struct echo_host echo;
static uint32_t threads_at_rest; /* without a swarm */

static int start_echo(void **state)
{
    (void)state;
    bool is_started = echo_host_start(&echo, THRONG_ADDRESS_IPV4);
    threads_at_rest = process_threads();
    return is_started ? 0 : -1;
}

static int stop_echo(void **state)
{
    (void)state;
    echo_host_stop(&echo);
    return 0;
}

/* What the process holds, once the host has seen the end of every connection. */
struct holdings {
    size_t mapped_bytes;
    uint32_t descriptors;
};

static struct holdings take_stock(void)
{
    assert_true(echo_host_settle(&echo));
    return (struct holdings){scarcity_mapped_bytes(), process_descriptors()};
}

static void expect_same(struct holdings before)
{
    struct holdings now = take_stock();
    assert_int_equal(now.mapped_bytes, before.mapped_bytes);
    assert_int_equal(now.descriptors, before.descriptors);
    assert_true(process_await_threads(threads_at_rest));
}

/* --- the non-blocking client --------------------------------------------------------------- */

static void expect_client_talks(struct throng_client *client)
{
    const void *data = NULL;
    size_t size = 0;
    bool said = false;
    bool heard = false;
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    assert_int_equal(throng_client_connect(client, echo.host.endpoint), 0);
    while (!heard && test_now_ms() < deadline_ms) {
        enum throng_client_state now = throng_client_update(client);
        assert_int_not_equal(now, THRONG_CLIENT_FAILED);
        if (now == THRONG_CLIENT_CONNECTED && !said) {
            said = throng_client_write(client, "hello", 5) == 0;
        }
        heard = throng_client_read(client, &data, &size) == 1;
    }
    assert_true(heard);
    assert_int_equal(size, 5);
    assert_memory_equal(data, "hello", 5);
}

static void a_client_without_memory_is_refused_and_made_at_the_next_try(void **state)
{
    struct throng_client_options options;
    struct throng_error error = {.text = ""};
    struct throng_client *untouched = (struct throng_client *)&options;
    struct throng_client *client = untouched;
    (void)state;
    throng_client_options_init(&options);
    options.inbox_bytes = 70000;
    options.outbox_bytes = 80000;
    struct holdings before = take_stock();
    scarcity_begin(0, SCARCITY_NONE);
    int result = throng_client_create(&client, &options, &error);
    int silent = throng_client_create(&client, &options, NULL);
    assert_int_equal(scarcity_end(), 2);
    assert_int_equal(result, THRONG_ENOMEM);
    assert_int_equal(silent, THRONG_ENOMEM);
    assert_ptr_equal(client, untouched);
    assert_int_equal(error.code, THRONG_ENOMEM);
    assert_contains(error.text, "inbox_bytes 70000");
    assert_contains(error.text, "outbox_bytes 80000");
    expect_same(before);

    assert_int_equal(throng_client_create(&client, &options, &error), 0);
    expect_client_talks(client);
    throng_client_destroy(client);
    expect_same(before);
}

/* A made client needs no memory any more, whatever it goes through. */
static void a_client_connects_and_talks_where_there_is_no_more_memory(void **state)
{
    struct throng_client *client = NULL;
    (void)state;
    assert_int_equal(throng_client_create(&client, NULL, NULL), 0);
    scarcity_begin(0, 0);
    for (int i = 0; i < 3; i++) {
        expect_client_talks(client);
        throng_client_close(client);
    }
    assert_int_equal(scarcity_end(), 0);
    throng_client_destroy(client);
}

/* --- the blocking client ------------------------------------------------------------------- */

static void a_blocking_client_without_memory_is_refused_and_connects_at_the_next_try(void **state)
{
    struct throng_error error = {.text = ""};
    struct throng_tcp *untouched = (struct throng_tcp *)&error;
    struct throng_tcp *tcp = untouched;
    char message[5];
    (void)state;
    struct holdings before = take_stock();
    uint32_t accepted = atomic_load(&echo.accepted);
    scarcity_begin(0, SCARCITY_NONE);
    int result = throng_tcp_connect(&tcp, echo.host.endpoint, NULL, test_deadline_ms(), &error);
    int silent = throng_tcp_connect(&tcp, echo.host.endpoint, NULL, test_deadline_ms(), NULL);
    assert_int_equal(scarcity_end(), 2);
    assert_int_equal(result, THRONG_ENOMEM);
    assert_int_equal(silent, THRONG_ENOMEM);
    assert_ptr_equal(tcp, untouched);
    assert_int_equal(error.code, THRONG_ENOMEM);
    assert_contains(error.text, "messages of 65536 bytes");
    expect_same(before);
    /* They did not even begin to connect: the host saw nobody but the one that settles it. */
    assert_int_equal(atomic_load(&echo.accepted), accepted + 1);

    assert_int_equal(throng_tcp_connect(&tcp, echo.host.endpoint, NULL, test_deadline_ms(), &error),
                     0);
    assert_int_equal(throng_tcp_write(tcp, "hello", 5, test_deadline_ms()), 0);
    assert_int_equal(throng_tcp_read(tcp, message, sizeof(message), test_deadline_ms()), 5);
    assert_memory_equal(message, "hello", 5);
    throng_tcp_close(tcp);
    expect_same(before);
}

/* --- the swarm ----------------------------------------------------------------------------- */

#define THREADS 3u
#define PLACES_MAX 64u /* at which a start asks for memory or a thread; far fewer are needed */

static void say_hello(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)world;
    if (throng_swarm_write(thread, index, "hello", 5) != 0) {
        abort();
    }
}

static void open_world(struct swarm_world *world)
{
    swarm_world_open_options(world, 10, echo.host.endpoint);
    world->options.threads = THREADS;
    world->on_open = say_hello;
}

/* Starts, with so much to be had. A start that goes well nevertheless must lead to a swarm that
 * talks; one that fails must leave nothing. Answers how many requests were refused. */
static uint32_t start_in_need(uint32_t maps, uint32_t threads)
{
    struct swarm_world world;
    struct throng_error error = {.text = ""};
    struct holdings before = take_stock();
    open_world(&world);
    scarcity_begin(maps, threads);
    int result = throng_swarm_start(&world.swarm, &world.options, &error);
    uint32_t refused = scarcity_end();
    if (result == 0) {
        swarm_world_await(&world, &world.messages, 10);
    } else {
        assert_int_equal(result, THRONG_ENOMEM);
        assert_int_equal(error.code, THRONG_ENOMEM);
        assert_string_not_equal(error.text, "");
        assert_null(world.swarm);
        assert_int_equal(world.opens + world.closes, 0);
    }
    assert_true(refused > 0 || result == 0);
    swarm_world_close(&world);
    expect_same(before);
    return refused;
}

static void a_swarm_starts_with_enough_memory_or_leaves_nothing_behind(void **state)
{
    uint32_t maps = 0;
    (void)state;
    while (maps < PLACES_MAX && start_in_need(maps, SCARCITY_NONE) > 0) {
        maps++;
    }
    /* One for itself and one for each thread at least; with that many there was enough. */
    assert_in_range(maps, 1 + THREADS, PLACES_MAX - 1);
}

static void a_swarm_starts_with_all_of_its_threads_or_leaves_nothing_behind(void **state)
{
    uint32_t threads = 0;
    (void)state;
    while (threads < PLACES_MAX && start_in_need(SCARCITY_NONE, threads) > 0) {
        threads++;
    }
    assert_int_equal(threads, THREADS);
}

static void a_swarm_that_runs_needs_neither_memory_nor_threads(void **state)
{
    struct swarm_world world;
    (void)state;
    struct holdings before = take_stock();
    open_world(&world);
    swarm_world_start(&world);
    scarcity_begin(0, 0);
    swarm_world_await(&world, &world.messages, 10);
    assert_int_equal(scarcity_end(), 0);
    swarm_world_close(&world);
    expect_same(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_without_memory_is_refused_and_made_at_the_next_try),
        cmocka_unit_test(a_client_connects_and_talks_where_there_is_no_more_memory),
        cmocka_unit_test(a_blocking_client_without_memory_is_refused_and_connects_at_the_next_try),
        cmocka_unit_test(a_swarm_starts_with_enough_memory_or_leaves_nothing_behind),
        cmocka_unit_test(a_swarm_starts_with_all_of_its_threads_or_leaves_nothing_behind),
        cmocka_unit_test(a_swarm_that_runs_needs_neither_memory_nor_threads),
    };
    return cmocka_run_group_tests_name("clients without memory", tests, start_echo, stop_echo);
}
