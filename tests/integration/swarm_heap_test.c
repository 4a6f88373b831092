/* SPDX-License-Identifier: MIT
 * From the end of throng_swarm_start on the swarm asks the heap and the memory map for nothing: all
 * calls of the process are counted while connections are made, talk in small and large messages,
 * end and are made again. */
#include <string.h>

#include <throng/swarm.h>

#include "check.h"
#include "echo_host.h"
#include "heap_counter.h"
#include "swarm_world.h"

#define CONNECTIONS 200u
#define ROUNDS 20u
#define LARGE 30000u

static uint8_t payload[LARGE];

static uint32_t size_for(uint32_t index)
{
    return index % 10 == 0 ? LARGE : 10 + index;
}

static void write_one(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)world;
    if (throng_swarm_write(thread, index, payload, size_for(index)) != 0) {
        abort();
    }
}

/* Ten messages, then the connection ends, every other one with a reset. */
static void go_on(struct swarm_world *world, struct throng_swarm_thread *thread, uint32_t index,
                  const void *data, size_t size)
{
    (void)data;
    (void)size;
    if (swarm_world_record(world, index).messages % 10 != 9) {
        write_one(world, thread, index);
    } else {
        (void)throng_swarm_disconnect(thread, index, index % 2 == 0);
    }
}

static void connect_again(struct swarm_world *world, struct throng_swarm_thread *thread,
                          uint32_t index, int error)
{
    (void)error;
    if (swarm_world_record(world, index).closes < ROUNDS) {
        (void)throng_swarm_connect(thread, index);
    }
}

static void a_running_swarm_allocates_nothing(void **state)
{
    struct swarm_world world;
    struct echo_host echo;
    (void)state;
    assert_true(echo_host_start(&echo, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&world, CONNECTIONS, echo.host.endpoint);
    world.options.threads = 2;
    world.on_open = write_one;
    world.on_message = go_on;
    world.on_closed = connect_again;
    swarm_world_start(&world);
    heap_counter_start();
    swarm_world_await(&world, &world.closes, CONNECTIONS * ROUNDS);
    struct heap_calls calls = heap_counter_stop();
    assert_int_equal(swarm_world_read(&world, &world.messages), CONNECTIONS * ROUNDS * 10);
    assert_int_equal(calls.allocations, 0);
    assert_int_equal(calls.frees, 0);
    assert_int_equal(calls.maps, 0);
    swarm_world_close(&world);
    echo_host_stop(&echo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_swarm_allocates_nothing),
    };
    return cmocka_run_group_tests_name("swarm heap", tests, NULL, NULL);
}
