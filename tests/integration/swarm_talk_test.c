/* SPDX-License-Identifier: MIT
 * A swarm and a target that behaves: connections come up at the asked pace, messages of every size
 * come back as they went, and the swarm's calls do what they say. */
#include <stdatomic.h>
#include <string.h>

#include <throng/swarm.h>

#include "check.h"
#include "echo_group.h"
#include "pattern.h"
#include "peer.h"
#include "stopwatch.h"
#include "swarm_world.h"

/* ---- messages that tell where they belong ---- */

#define SIZE_MAX_SMALL 4000u
#define MESSAGES 10u

static _Atomic uint32_t wrongs;

static uint32_t size_of(uint32_t index, uint32_t number)
{
    return (index * 131 + number * 977) % SIZE_MAX_SMALL;
}

static void write_pattern(struct throng_swarm_thread *thread, uint32_t index, uint32_t number)
{
    uint8_t bytes[SIZE_MAX_SMALL];
    uint32_t size = size_of(index, number);
    test_fill_pattern(bytes, size, index * 1000 + number);
    atomic_fetch_add(&wrongs, throng_swarm_write(thread, index, bytes, size) != 0);
}

static void write_first(struct swarm_world *world, struct throng_swarm_thread *thread,
                        uint32_t index)
{
    (void)world;
    write_pattern(thread, index, 0);
}

/* Checks one and writes the next; the number is the count of those before. */
static void check_and_go_on(struct swarm_world *world, struct throng_swarm_thread *thread,
                            uint32_t index, const void *data, size_t size)
{
    uint8_t expected[SIZE_MAX_SMALL];
    uint32_t number = swarm_world_record(world, index).messages;
    uint32_t expected_size = size_of(index, number);
    test_fill_pattern(expected, expected_size, index * 1000 + number);
    bool right = size == expected_size && memcmp(data, expected, size) == 0;
    atomic_fetch_add(&wrongs, !right);
    if (number + 1 < MESSAGES) {
        write_pattern(thread, index, number + 1);
    }
}

static void talk_to(const char *endpoint, uint32_t connections, uint32_t threads)
{
    struct swarm_world world;
    swarm_world_open_options(&world, connections, endpoint);
    world.options.threads = threads;
    world.on_open = write_first;
    world.on_message = check_and_go_on;
    atomic_store(&wrongs, 0);
    swarm_world_start(&world);
    assert_int_equal(throng_swarm_threads(world.swarm), threads);
    swarm_world_await(&world, &world.messages, connections * MESSAGES);
    assert_int_equal(throng_swarm_connected(world.swarm), connections);
    for (uint32_t i = 0; i < connections; i++) {
        struct swarm_record record = swarm_world_record(&world, i);
        assert_int_equal(record.opens, 1);
        assert_int_equal(record.messages, MESSAGES);
        assert_int_equal(record.closes, 0);
    }
    assert_int_equal(atomic_load(&wrongs), 0);
    swarm_world_close(&world);
}

static void every_connection_gets_its_own_messages_back_in_order(void **state)
{
    (void)state;
    talk_to(echo.host.endpoint, test_scaled(500), 1);
}

static void three_threads_share_the_connections(void **state)
{
    (void)state;
    talk_to(echo.host.endpoint, test_scaled(500) + 2, 3);
}

static void more_threads_than_connections_are_harmless(void **state)
{
    (void)state;
    talk_to(echo.host.endpoint, 2, 5);
}

static void ipv6_is_as_good(void **state)
{
    struct echo_host six;
    (void)state;
    if (!echo_host_start(&six, THRONG_ADDRESS_IPV6)) {
        print_message("skipped: this system has no ::1\n");
        skip();
    }
    talk_to(six.host.endpoint, test_scaled(50), 2);
    echo_host_stop(&six);
}

/* ---- sizes ---- */

#define LONGEST (1024u * 1024u)

static const uint32_t sizes[] = {0,     1,     507,   508,    509,         4096,
                                 16380, 65535, 65536, 300000, LONGEST - 1, LONGEST};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static uint8_t big[LONGEST];

static void write_next_size(struct swarm_world *world, struct throng_swarm_thread *thread,
                            uint32_t index)
{
    uint32_t number = swarm_world_record(world, index).messages;
    if (number < SIZES) {
        atomic_fetch_add(&wrongs, throng_swarm_write(thread, index, big, sizes[number]) != 0);
    }
}

static void check_size(struct swarm_world *world, struct throng_swarm_thread *thread,
                       uint32_t index, const void *data, size_t size)
{
    uint32_t number = swarm_world_record(world, index).messages;
    bool right = number < SIZES && size == sizes[number] && memcmp(data, big, size) == 0;
    atomic_fetch_add(&wrongs, !right);
    if (number + 1 < SIZES) {
        int result = throng_swarm_write(thread, index, big, sizes[number + 1]);
        atomic_fetch_add(&wrongs, result != 0);
    }
}

static void messages_of_0_bytes_to_1_mib_come_back_identical(void **state)
{
    struct swarm_world world;
    (void)state;
    test_fill_pattern(big, sizeof(big), 7);
    swarm_world_open_options(&world, 3, echo.host.endpoint);
    world.options.message_bytes_max = LONGEST;
    world.on_open = write_next_size;
    world.on_message = check_size;
    atomic_store(&wrongs, 0);
    swarm_world_start(&world);
    swarm_world_await(&world, &world.messages, 3 * SIZES);
    assert_int_equal(atomic_load(&wrongs), 0);
    swarm_world_close(&world);
}

static int write_results[4];

static void write_too_much(struct swarm_world *world, struct throng_swarm_thread *thread,
                           uint32_t index)
{
    (void)world;
    write_results[0] = throng_swarm_write(thread, index, big, 101);
    write_results[1] = throng_swarm_write(thread, index, NULL, 1);
    write_results[2] = throng_swarm_write(thread, 1, big, 1); /* there is no connection 1 */
    write_results[3] = throng_swarm_write(thread, index, big, 100);
}

static void a_message_over_the_limit_is_refused_whole(void **state)
{
    struct swarm_world world;
    (void)state;
    swarm_world_open_options(&world, 1, echo.host.endpoint);
    world.options.message_bytes_max = 100;
    world.on_open = write_too_much;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.messages, 1);
    assert_int_equal(write_results[0], THRONG_ETOOBIG);
    assert_int_equal(write_results[1], THRONG_EINVAL);
    assert_int_equal(write_results[2], THRONG_EINVAL);
    assert_int_equal(write_results[3], 0);
    assert_int_equal(swarm_world_record(&world, 0).bytes, 100);
    swarm_world_close(&world);
}

static void write_hello(struct swarm_world *world, struct throng_swarm_thread *thread,
                        uint32_t index)
{
    (void)world;
    (void)throng_swarm_write(thread, index, "hello", 5);
}

static void the_length_may_be_little_endian(void **state)
{
    struct swarm_world world;
    struct host host;
    struct peer peer;
    uint8_t frame[9];
    (void)state;
    assert_true(host_open(&host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, 1, host.endpoint);
    world.options.byte_order = THRONG_BYTE_ORDER_LITTLE;
    world.on_open = write_hello;
    swarm_world_start(&world);
    assert_true(host_accept(&host, &peer, test_deadline_ms()));
    assert_true(peer_receive_all(&peer, frame, sizeof(frame), test_deadline_ms()));
    assert_memory_equal(frame, "\5\0\0\0hello", 9);
    assert_true(peer_send_all(&peer, "\3\0\0\0abc", 7, test_deadline_ms()));
    swarm_world_await(&world, &world.messages, 1);
    assert_int_equal(swarm_world_record(&world, 0).bytes, 3);
    swarm_world_close(&world);
    peer_close(&peer);
    host_close(&host);
}

/* ---- pace, turns, addresses ---- */

static void connects_keep_to_their_rate_over_all_threads(void **state)
{
    struct swarm_world world;
    (void)state;
    swarm_world_open_options(&world, 100, echo.host.endpoint);
    world.options.threads = 4;
    world.options.connects_per_second = 400;
    int64_t start_ns = test_now_ns();
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, 100);
    int64_t took_ms = (test_now_ns() - start_ns) / 1000000;
    /* 96 intervals of 2.5 ms: the first one of each thread does not wait. */
    assert_in_range(took_ms, 200, (uint64_t)test_deadline_ms());
    swarm_world_close(&world);
}

static void count_turn(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    _Atomic uint32_t *turns = world->context;
    (void)thread;
    atomic_fetch_add(turns, 1);
}

static void no_wake_is_lost(void **state)
{
    struct swarm_world world;
    _Atomic uint32_t turns = 0;
    (void)state;
    swarm_world_open_options(&world, 3, echo.host.endpoint);
    world.options.threads = 3;
    world.context = &turns;
    swarm_world_start(&world);
    uint32_t rounds = test_scaled(20000);
    for (uint32_t i = 0; i < rounds; i++) {
        swarm_world_run(&world, count_turn);
    }
    assert_int_equal(atomic_load(&turns), rounds * 3);
    swarm_world_close(&world);
}

static uint64_t turn_often(void *context, struct throng_swarm_thread *thread, uint64_t now_ns)
{
    _Atomic uint32_t *turns = context;
    (void)thread;
    atomic_fetch_add(turns, 1);
    return now_ns + 1000000;
}

static void on_turn_runs_again_at_the_time_that_it_names(void **state)
{
    struct swarm_world world;
    _Atomic uint32_t turns = 0;
    (void)state;
    swarm_world_open_options(&world, 1, echo.host.endpoint);
    world.options.handler.on_turn = turn_often;
    world.options.handler.context = &turns;
    /* The world's own functions cannot run with that context: nothing is to open. */
    struct host deaf;
    assert_true(host_open_deaf(&deaf));
    world.options.targets[0] = deaf.endpoint;
    int64_t start_ms = test_now_ms();
    swarm_world_start(&world);
    while (atomic_load(&turns) < 100) {
        assert_true(test_now_ms() - start_ms < test_deadline_ms());
    }
    assert_true(test_now_ms() - start_ms >= 90);
    swarm_world_close(&world);
    host_close(&deaf);
}

#define SOURCED 30u

static struct throng_address locals[SOURCED];
static uint64_t connect_ns[SOURCED];

static void note_local(struct swarm_world *world, struct throng_swarm_thread *thread,
                       uint32_t index)
{
    (void)world;
    connect_ns[index] = throng_swarm_connect_ns(thread, index);
    if (throng_swarm_local_address(thread, index, &locals[index]) != 0) {
        memset(&locals[index], 0, sizeof(locals[index]));
    }
    (void)throng_swarm_write(thread, index, "", 0);
}

static void connections_come_evenly_from_the_given_sources(void **state)
{
    struct swarm_world world;
    uint32_t from[3] = {0};
    (void)state;
    memset(connect_ns, 0, sizeof(connect_ns));
    swarm_world_open_options(&world, SOURCED, echo.host.endpoint);
    world.options.threads = 2;
    world.options.source = peer_loopback(THRONG_ADDRESS_IPV4, 0);
    world.options.source.bytes[2] = 8;
    world.options.source.bytes[3] = 254; /* 127.0.8.254, 127.0.8.255, 127.0.9.0 */
    world.options.source_count = 3;
    world.on_open = note_local;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.messages, SOURCED);
    assert_int_equal(throng_swarm_source_count(world.swarm), 3);
    swarm_world_close(&world);
    for (uint32_t i = 0; i < SOURCED; i++) {
        assert_int_equal(locals[i].family, THRONG_ADDRESS_IPV4);
        uint32_t last = locals[i].bytes[2] * 256u + locals[i].bytes[3];
        assert_in_range(last, 8 * 256 + 254, 9 * 256);
        from[last - (8 * 256 + 254)]++;
        assert_in_range(connect_ns[i], 1, UINT64_C(1000000) * (uint64_t)test_deadline_ms());
    }
    assert_int_equal(from[0], 10);
    assert_int_equal(from[1], 10);
    assert_int_equal(from[2], 10);
}

static void several_targets_take_turns(void **state)
{
    struct swarm_world world;
    struct echo_host other;
    (void)state;
    assert_true(echo_host_start(&other, THRONG_ADDRESS_IPV4));
    assert_true(echo_host_settle(&echo));
    uint32_t before = atomic_load(&echo.accepted);
    swarm_world_open_options(&world, 21, echo.host.endpoint);
    world.options.targets[1] = other.host.endpoint;
    world.options.threads = 2;
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, 21);
    assert_true(echo_host_await(&echo.accepted, before + 11));
    assert_true(echo_host_await(&other.accepted, 10));
    swarm_world_close(&world);
    echo_host_stop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_connection_gets_its_own_messages_back_in_order),
        cmocka_unit_test(three_threads_share_the_connections),
        cmocka_unit_test(more_threads_than_connections_are_harmless),
        cmocka_unit_test(ipv6_is_as_good),
        cmocka_unit_test(messages_of_0_bytes_to_1_mib_come_back_identical),
        cmocka_unit_test(a_message_over_the_limit_is_refused_whole),
        cmocka_unit_test(the_length_may_be_little_endian),
        cmocka_unit_test(connects_keep_to_their_rate_over_all_threads),
        cmocka_unit_test(no_wake_is_lost),
        cmocka_unit_test(on_turn_runs_again_at_the_time_that_it_names),
        cmocka_unit_test(connections_come_evenly_from_the_given_sources),
        cmocka_unit_test(several_targets_take_turns),
    };
    return cmocka_run_group_tests_name("swarm talks", tests, start_echo, stop_echo);
}
