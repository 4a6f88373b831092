/* SPDX-License-Identifier: MIT
 * A swarm that receives more messages in pieces than it has memory for: honest peers are only
 * slowed, and those that stop in the middle of a message lose a connection a second. */
#include <string.h>

#include <throng/swarm.h>

#include "backends.h"
#include "check.h"
#include "host.h"
#include "peer.h"
#include "stopwatch.h"
#include "swarm_world.h"

#define SIZE 60000u /* takes a block of 64 KiB */
#define FRAME (4u + SIZE)
#define HALF 30000u
#define CONNECTIONS_MAX 64u

/* A swarm with the least memory: one block set aside, and one for whoever comes first. */
struct scene {
    struct swarm_world world;
    struct host host;
    struct peer peers[CONNECTIONS_MAX];
    uint32_t count;
    uint8_t frame[FRAME];
};

static struct scene scene;

static void open_scene(const char *backend, uint32_t count)
{
    memset(&scene, 0, sizeof(scene));
    peer_frame_header(scene.frame, SIZE);
    scene.count = count;
    assert_true(host_open(&scene.host, THRONG_ADDRESS_IPV4));
    swarm_world_open_options(&scene.world, count, scene.host.endpoint);
    scene.world.options.assembly_bytes = 2u * 65536;
    scene.world.options.threads = 1;
    scene.world.options.backend = backend;
}

static void accept_all(void)
{
    for (uint32_t i = 0; i < scene.count; i++) {
        assert_true(host_accept(&scene.host, &scene.peers[i], test_deadline_ms()));
    }
}

static void close_scene(void)
{
    swarm_world_close(&scene.world);
    for (uint32_t i = 0; i < scene.count; i++) {
        peer_close(&scene.peers[i]);
    }
    host_close(&scene.host);
}

static void check_payload(struct swarm_world *world, struct throng_swarm_thread *thread,
                          uint32_t index, const void *data, size_t size)
{
    (void)world;
    (void)thread;
    (void)index;
    if (size != SIZE || memcmp(data, scene.frame + 4, SIZE) != 0) {
        abort();
    }
}

static void more_pieces_than_memory_for_them_all_arrive(void **state)
{
    open_scene(*state, CONNECTIONS_MAX);
    for (uint32_t i = 0; i < SIZE; i++) {
        scene.frame[4 + i] = (uint8_t)(i * 7 + (i >> 8));
    }
    scene.world.on_message = check_payload;
    swarm_world_start(&scene.world);
    accept_all();
    uint32_t rounds = 3;
    for (uint32_t round = 1; round <= rounds; round++) {
        for (uint32_t i = 0; i < scene.count; i++) {
            assert_true(peer_send_all(&scene.peers[i], scene.frame, HALF, test_deadline_ms()));
        }
        for (uint32_t i = scene.count; i-- > 0;) {
            assert_true(peer_send_all(&scene.peers[i], scene.frame + HALF, FRAME - HALF,
                                      test_deadline_ms()));
        }
        swarm_world_await(&scene.world, &scene.world.messages, round * scene.count);
    }
    /* Whoever was stopped meanwhile is read from again, also if nobody else says anything. */
    for (uint32_t i = 0; i < scene.count; i++) {
        assert_true(peer_send_all(&scene.peers[i], scene.frame, FRAME, test_deadline_ms()));
        swarm_world_await(&scene.world, &scene.world.messages, rounds * scene.count + i + 1);
    }
    for (uint32_t i = 0; i < scene.count; i++) {
        assert_int_equal(swarm_world_record(&scene.world, i).messages, rounds + 1);
    }
    assert_int_equal(swarm_world_read(&scene.world, &scene.world.closes), 0);
    close_scene();
}

/* One holds the memory that is there for all, one the block that is set aside, and the others
 * wait. */
static void peers_that_stop_inside_messages_lose_a_connection_a_second(void **state)
{
    enum {
        PEERS = 5
    };
    open_scene(*state, PEERS);
    swarm_world_start(&scene.world);
    accept_all();
    int64_t start_ms = test_now_ms();
    for (uint32_t i = 0; i < PEERS; i++) {
        assert_int_equal(peer_send(&scene.peers[i], scene.frame, 40000), 40000);
    }
    for (uint32_t closes = 1; closes <= PEERS - 2; closes++) {
        swarm_world_await(&scene.world, &scene.world.closes, closes);
        int64_t now_ms = test_now_ms();
        assert_true(now_ms - start_ms >= 900 * (int64_t)closes);
    }
    uint32_t failed = 0;
    for (uint32_t i = 0; i < PEERS; i++) {
        struct swarm_record record = swarm_world_record(&scene.world, i);
        failed += record.closes;
        assert_int_equal(record.error, record.closes > 0 ? THRONG_ENOBUFS : 0);
    }
    assert_int_equal(failed, PEERS - 2);
    /* The last two have what they need. */
    for (uint32_t i = 0; i < PEERS; i++) {
        if (swarm_world_record(&scene.world, i).closes == 0) {
            assert_true(peer_send_all(&scene.peers[i], scene.frame + 40000, FRAME - 40000,
                                      test_deadline_ms()));
        }
    }
    swarm_world_await(&scene.world, &scene.world.messages, 2);
    assert_int_equal(swarm_world_read(&scene.world, &scene.world.closes), PEERS - 2);
    close_scene();
}

static void abort_all(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    for (uint32_t i = 0; i < world->options.connections; i++) {
        (void)throng_swarm_disconnect(thread, i, i % 2 == 0);
    }
}

static void connect_all(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    for (uint32_t i = 0; i < world->options.connections; i++) {
        if (throng_swarm_connect(thread, i) != 0) {
            abort();
        }
    }
}

static void memory_comes_back_from_whoever_ends_while_it_waits(void **state)
{
    enum {
        PEERS = 20,
        ROUNDS = 3
    };
    open_scene(*state, PEERS);
    swarm_world_start(&scene.world);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        accept_all();
        swarm_world_await(&scene.world, &scene.world.opens, round * PEERS);
        for (uint32_t i = 0; i < PEERS; i++) {
            assert_int_equal(peer_send(&scene.peers[i], scene.frame, HALF), HALF);
        }
        swarm_world_run(&scene.world, abort_all);
        for (uint32_t i = 0; i < PEERS; i++) {
            (void)peer_await_end(&scene.peers[i], test_deadline_ms());
            peer_close(&scene.peers[i]);
        }
        swarm_world_await(&scene.world, &scene.world.closes, round * PEERS);
        swarm_world_run(&scene.world, connect_all);
    }
    accept_all();
    for (uint32_t i = 0; i < PEERS; i++) {
        assert_true(peer_send_all(&scene.peers[i], scene.frame, FRAME, test_deadline_ms()));
    }
    swarm_world_await(&scene.world, &scene.world.messages, PEERS);
    assert_int_equal(swarm_world_read(&scene.world, &scene.world.closes), ROUNDS * PEERS);
    close_scene();
}

/* cmocka's initial_state is not const; nobody writes to it. */
static char best[] = "auto";

#define IN_EACH_BACKEND(test)                                                                      \
    {#test " [plain]", test, NULL, NULL, test_plain_backend},                                      \
    {                                                                                              \
#test " [auto]", test, NULL, NULL, best                                                    \
    }

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_EACH_BACKEND(more_pieces_than_memory_for_them_all_arrive),
        IN_EACH_BACKEND(peers_that_stop_inside_messages_lose_a_connection_a_second),
        IN_EACH_BACKEND(memory_comes_back_from_whoever_ends_while_it_waits),
    };
    return cmocka_run_group_tests_name("swarm_memory", tests, NULL, NULL);
}
