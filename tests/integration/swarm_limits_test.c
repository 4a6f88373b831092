/* SPDX-License-Identifier: MIT
 * Where a swarm's memory ends, and that it comes back: full queues refuse, bad options are refused
 * with a sentence, and start and stop leave nothing. (swarm_memory_test.c has the message pool.) */
#include <stdatomic.h>
#include <string.h>

#include <throng/swarm.h>

#include "check.h"
#include "echo_host.h"
#include "peer.h"
#include "process.h"
#include "stopwatch.h"
#include "swarm_world.h"

static struct echo_host echo;
static uint32_t threads_at_rest; /* without a swarm */
static uint8_t payload[65536];

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

/* ---- sending ---- */

struct writes {
    uint32_t size;
    uint32_t taken[8]; /* per connection */
    int refusal;
};

static void write_until_full(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    struct writes *writes = world->context;
    for (uint32_t i = 0; i < world->options.connections; i++) {
        int result;
        while ((result = throng_swarm_write(thread, i, payload, writes->size)) == 0) {
            writes->taken[i]++;
        }
        writes->refusal = result;
    }
}

static void a_full_send_queue_refuses_and_takes_again_later(void **state)
{
    struct swarm_world world;
    struct writes writes = {.size = 1020}; /* two blocks with the header */
    (void)state;
    swarm_world_open_options(&world, 2, echo.host.endpoint);
    world.options.send_queue_bytes_max = 65536;
    world.options.message_bytes_max = 1020;
    world.context = &writes;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, 2);
    for (uint32_t round = 1; round <= 3; round++) {
        swarm_world_run(&world, write_until_full);
        assert_int_equal(writes.refusal, THRONG_EAGAIN);
        assert_int_equal(writes.taken[0], 64 * round);
        assert_int_equal(writes.taken[1], 64 * round);
        swarm_world_await(&world, &world.messages, 128 * round);
    }
    assert_int_equal(swarm_world_read(&world, &world.messages), 3 * 128);
    swarm_world_close(&world);
}

static void the_send_memory_of_a_thread_is_shared_and_comes_back(void **state)
{
    struct swarm_world world;
    struct writes writes = {.size = 508};
    (void)state;
    swarm_world_open_options(&world, 8, echo.host.endpoint);
    world.options.message_bytes_max = 508;
    world.options.send_queue_bytes_max = 1024 * 1024;
    world.options.send_bytes = 512 * 1024; /* half of it in blocks of 16.5 KiB */
    world.context = &writes;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, 8);
    swarm_world_run(&world, write_until_full);
    uint32_t taken = writes.taken[0]; /* the first has taken all there was */
    assert_int_equal(writes.refusal, THRONG_EAGAIN);
    assert_in_range(taken, 500, 1024);
    assert_int_equal(writes.taken[7], 0);
    swarm_world_await(&world, &world.messages, taken);
    swarm_world_run(&world, write_until_full);
    assert_int_equal(writes.taken[0], 2 * taken);
    swarm_world_await(&world, &world.messages, 2 * taken);
    swarm_world_close(&world);
}

#define ROUNDS 200u

static uint32_t taken_in_round[ROUNDS];

static void fill_and_break_off(struct swarm_world *world, struct throng_swarm_thread *thread,
                               uint32_t index)
{
    uint32_t round = swarm_world_record(world, index).opens - 1;
    while (round < ROUNDS && throng_swarm_write(thread, index, payload, 508) == 0) {
        taken_in_round[round]++;
    }
    (void)throng_swarm_disconnect(thread, index, true);
}

static void come_back(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index,
                      int error)
{
    (void)error;
    if (swarm_world_record(world, index).closes < ROUNDS) {
        (void)throng_swarm_connect(thread, index);
    }
}

static void what_an_abort_did_not_send_is_memory_again(void **state)
{
    struct swarm_world world;
    (void)state;
    memset(taken_in_round, 0, sizeof(taken_in_round));
    swarm_world_open_options(&world, 1, echo.host.endpoint);
    world.options.message_bytes_max = 508;
    world.options.send_queue_bytes_max = 65536;
    world.options.send_bytes = 65536; /* 95 blocks of 512 bytes and a large one */
    world.on_open = fill_and_break_off;
    world.on_closed = come_back;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.closes, ROUNDS);
    swarm_world_close(&world);
    assert_in_range(taken_in_round[0], 60, 128);
    for (uint32_t i = 1; i < ROUNDS; i++) {
        assert_int_equal(taken_in_round[i], taken_in_round[0]);
    }
}

static void keep_full(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    write_until_full(world, thread);
}

static void what_a_peer_does_not_read_waits_and_goes_out_later(void **state)
{
    struct swarm_world world;
    struct writes writes = {.size = 60000};
    (void)state;
    echo_host_set_mood(&echo, ECHO_DEAF);
    swarm_world_open_options(&world, 2, echo.host.endpoint);
    world.context = &writes;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, 2);
    /* The system's buffers take some megabytes; then nothing goes out any more. */
    uint32_t before;
    do {
        before = writes.taken[0] + writes.taken[1];
        swarm_world_run(&world, keep_full);
    } while (writes.taken[0] + writes.taken[1] > before);
    assert_int_equal(writes.refusal, THRONG_EAGAIN);
    assert_int_equal(swarm_world_read(&world, &world.messages), 0);
    echo_host_set_mood(&echo, ECHO_ANSWERS);
    swarm_world_await(&world, &world.messages, before);
    assert_int_equal(swarm_world_record(&world, 0).messages, writes.taken[0]);
    assert_int_equal(swarm_world_record(&world, 1).bytes, writes.taken[1] * 60000ull);
    swarm_world_close(&world);
}

/* ---- start ---- */

static void refuse(struct swarm_world *world, int code, const char *named)
{
    struct throng_error error;
    assert_int_equal(swarm_world_start_refused(world, &error), code);
    if (strstr(error.text, named) == NULL) {
        fail_msg("\"%s\" does not name %s", error.text, named);
    }
}

#define REFUSED(code, named, change)                                                               \
    do {                                                                                           \
        struct swarm_world world;                                                                  \
        swarm_world_open_options(&world, 1, "tcp://127.0.0.1:1");                                  \
        change;                                                                                    \
        refuse(&world, code, named);                                                               \
        swarm_world_close(&world);                                                                 \
    } while (0)

static void bad_numbers_are_refused_by_name(void **state)
{
    (void)state;
    REFUSED(THRONG_EINVAL, "connections is 1048576", world.options.connections = 1048576);
    REFUSED(THRONG_EINVAL, "threads is 65", world.options.threads = 65);
    REFUSED(THRONG_EINVAL, "message_bytes_max", world.options.message_bytes_max = 67108865);
    REFUSED(THRONG_EINVAL, "byte_order", world.options.byte_order = (enum throng_byte_order)2);
    REFUSED(THRONG_EINVAL, "connects_in_flight", world.options.connects_in_flight = 65537);
    REFUSED(THRONG_EINVAL, "connect_timeout_ms", world.options.connect_timeout_ms = 3600001);
    REFUSED(THRONG_EINVAL, "heartbeat_ms is 86400001", world.options.heartbeat_ms = 86400001);
    REFUSED(THRONG_EINVAL, "send_queue_bytes_max", world.options.send_queue_bytes_max = 65536);
    REFUSED(THRONG_EINVAL, "send_bytes", world.options.send_bytes = 65536);
    REFUSED(THRONG_EINVAL, "assembly_bytes", world.options.assembly_bytes = 131071);
    REFUSED(THRONG_EINVAL, "backend", world.options.backend = "pigeon");
    REFUSED(THRONG_EINVAL, "on_open", world.options.handler.on_open = NULL);
    REFUSED(THRONG_EINVAL, "struct_size", world.options.struct_size += 1);
    REFUSED(THRONG_EINVAL, "send_bytes", world.options.send_bytes = (UINT64_C(64) << 30) + 1);
}

static void bad_targets_and_sources_are_refused_by_name(void **state)
{
    (void)state;
    REFUSED(THRONG_EINVAL, "targets[0]", world.options.targets[0] = NULL);
    REFUSED(THRONG_EINVAL, "127.0.0.1:0", world.options.targets[0] = "tcp://127.0.0.1:0");
    REFUSED(THRONG_EINVAL, "tcp://*:7000", world.options.targets[0] = "tcp://*:7000");
    REFUSED(THRONG_EINVAL, "udp://", world.options.targets[1] = "udp://127.0.0.1:7");
    REFUSED(THRONG_EINVAL, "source.family",
            world.options.source = (struct throng_address){.family = 5});
    REFUSED(THRONG_EINVAL, "source_count is 2", world.options.source_count = 2);
    REFUSED(THRONG_EINVAL, "tcp://[::1]",
            world.options.source = peer_loopback(THRONG_ADDRESS_IPV6, 0));
    REFUSED(THRONG_EADDRNOTAVAIL, "source addresses would do",
            (world.options.targets[0] = "tcp://[::1]:7", world.options.connections = 70000,
             world.options.threads = 64));
}

/* ---- stop ---- */

static void flood(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)world;
    while (throng_swarm_write(thread, index, payload, 3000) == 0) {
        /* until the queue is full */
    }
}

static void flood_again(struct swarm_world *world, struct throng_swarm_thread *thread,
                        uint32_t index, const void *data, size_t size)
{
    (void)data;
    (void)size;
    flood(world, thread, index);
}

static void connect_again(struct swarm_world *world, struct throng_swarm_thread *thread,
                          uint32_t index, int error)
{
    (void)world;
    (void)error;
    (void)throng_swarm_connect(thread, index);
}

/* Up and flooding, connecting, ending and due, all at once. */
static void run_and_stop(uint32_t connections)
{
    struct swarm_world world;
    struct host deaf;
    assert_true(host_open_deaf(&deaf));
    swarm_world_open_options(&world, connections, echo.host.endpoint);
    world.options.targets[1] = deaf.endpoint;
    world.options.targets[2] = echo.host.endpoint;
    world.options.threads = 2;
    world.options.connects_in_flight = 16;
    world.on_open = flood;
    world.on_message = flood_again;
    world.on_closed = connect_again;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.messages, 200);
    throng_swarm_stop(world.swarm);
    world.swarm = NULL;
    /* No handler runs afterwards. */
    uint32_t messages = world.messages;
    uint32_t closes = world.closes;
    assert_true(echo_host_settle(&echo));
    assert_int_equal(world.messages, messages);
    assert_int_equal(world.closes, closes);
    swarm_world_close(&world);
    host_close(&deaf);
}

static void stop_ends_everything_that_is_under_way(void **state)
{
    (void)state;
    run_and_stop(60);
}

static void a_swarm_that_is_stopped_at_once_never_calls_back_again(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < test_scaled(200); i++) {
        struct swarm_world world;
        swarm_world_open_options(&world, 10, echo.host.endpoint);
        world.options.threads = 3;
        swarm_world_start(&world);
        swarm_world_close(&world);
    }
    assert_true(echo_host_settle(&echo));
}

static void start_and_stop_leave_nothing_behind(void **state)
{
    (void)state;
    run_and_stop(60);
    uint32_t descriptors = process_descriptors();
    size_t memory = process_memory_bytes();
    for (uint32_t i = 0; i < test_scaled(50); i++) {
        run_and_stop(60);
    }
    assert_int_equal(process_descriptors(), descriptors);
    assert_true(process_await_threads(threads_at_rest));
    size_t grown = process_memory_bytes() - memory;
    printf("memory %+ld KiB\n", (long)grown / 1024);
    if (!TEST_SANITIZED) {
        assert_true((long)grown < 100 * 1024); /* a leak of one page a round would be 200 KiB */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_send_queue_refuses_and_takes_again_later),
        cmocka_unit_test(the_send_memory_of_a_thread_is_shared_and_comes_back),
        cmocka_unit_test(what_an_abort_did_not_send_is_memory_again),
        cmocka_unit_test(what_a_peer_does_not_read_waits_and_goes_out_later),
        cmocka_unit_test(bad_numbers_are_refused_by_name),
        cmocka_unit_test(bad_targets_and_sources_are_refused_by_name),
        cmocka_unit_test(stop_ends_everything_that_is_under_way),
        cmocka_unit_test(a_swarm_that_is_stopped_at_once_never_calls_back_again),
        cmocka_unit_test(start_and_stop_leave_nothing_behind),
    };
    return cmocka_run_group_tests_name("swarm limits", tests, start_echo, stop_echo);
}
