/* SPDX-License-Identifier: MIT
 * Heartbeats of the swarm and of the real server against each other: both ask, both answer, nobody
 * is given up, and no storm comes of it; also where one end's answers are stuck behind its
 * messages. */
#include <stdatomic.h>
#include <string.h>

#include <throng/server.h>
#include <throng/swarm.h>

#include "check.h"
#include "stopwatch.h"
#include "swarm_world.h"
#include "thread.h"

#define CONNECTIONS 50u

/* ---- the server: takes messages and counts ---- */

struct host_server {
    struct throng_server_options options;
    struct throng_server *server;
    struct test_thread thread;
    char endpoint[THRONG_ADDRESS_TEXT_SIZE];
    _Atomic bool is_over;
    _Atomic uint32_t messages;
    _Atomic uint32_t closes;
};

static void serve(void *argument)
{
    struct host_server *host = argument;
    struct throng_event event;
    while (!atomic_load(&host->is_over)) {
        if (throng_get_event(host->server, &event, -1) == 1) {
            atomic_fetch_add(&host->messages, event.type == THRONG_EVENT_MESSAGE);
            atomic_fetch_add(&host->closes, event.type == THRONG_EVENT_CLOSED);
            throng_release_event(host->server, &event);
        }
    }
}

static void init_server(struct host_server *host, uint32_t heartbeat_ms)
{
    memset(host, 0, sizeof(*host));
    throng_server_options_init(&host->options);
    host->options.listen[0] = "tcp://127.0.0.1:0";
    host->options.max_connections = CONNECTIONS;
    host->options.io_threads = 1;
    host->options.heartbeat_ms[0] = heartbeat_ms;
}

static void start_server(struct host_server *host)
{
    struct throng_error error = {0};
    struct throng_address address;
    if (throng_server_start(&host->server, &host->options, &error) != 0) {
        fail_msg("throng_server_start: %s", error.text);
    }
    assert_int_equal(throng_server_listen_address(host->server, 0, &address), 0);
    (void)throng_address_text(&address, host->endpoint);
    assert_true(test_thread_start(&host->thread, serve, host));
}

static void stop_server(struct host_server *host)
{
    atomic_store(&host->is_over, true);
    throng_server_wake(host->server);
    assert_true(test_thread_join(&host->thread));
    throng_server_stop(host->server);
}

static struct throng_counters counters_of(const struct host_server *host)
{
    struct throng_counters counters;
    throng_server_counters(host->server, &counters);
    return counters;
}

/* ---- tests ---- */

/* The intervals are those at which a machine may stand still for half a second. */
static void two_ends_that_both_ask_settle(void **state)
{
    static struct host_server host;
    struct swarm_world world;
    (void)state;
    init_server(&host, 200);
    start_server(&host);
    swarm_world_open_options(&world, CONNECTIONS, host.endpoint);
    world.options.heartbeat_ms = 200;
    int64_t begin_ms = test_now_ms();
    swarm_world_start(&world);
    swarm_world_await(&world, &world.opens, CONNECTIONS);
    while (counters_of(&host).heartbeats_received < UINT64_C(6) * CONNECTIONS) {
        assert_true(test_now_ms() - begin_ms < test_deadline_ms());
        test_pause_us(2000);
    }
    struct throng_counters counters = counters_of(&host);
    uint64_t intervals = (uint64_t)(test_now_ms() - begin_ms) / 200 + 1;
    printf("%u connections, %u intervals: %u sent, %u received\n", CONNECTIONS, (unsigned)intervals,
           (unsigned)counters.heartbeats_sent, (unsigned)counters.heartbeats_received);
    /* One of each end an interval, and an answer to each. */
    assert_true(counters.heartbeats_sent <= 2 * intervals * CONNECTIONS);
    assert_true(counters.heartbeats_received <= 2 * intervals * CONNECTIONS);
    assert_int_equal(atomic_load(&host.messages), 0);
    assert_int_equal(swarm_world_read(&world, &world.messages), 0);
    swarm_world_close(&world);
    stop_server(&host);
}

static void write_much(struct swarm_world *world, struct throng_swarm_thread *thread,
                       uint32_t index)
{
    static const uint8_t message[1000];
    (void)world;
    for (int i = 0; i < 120; i++) {
        (void)throng_swarm_write(thread, index, message, sizeof(message));
    }
}

/* The server takes the messages at their rate, and reads an answer no sooner than what was written
 * before it. It must go on asking meanwhile, or the client gives it up. */
static void a_server_that_reads_slowly_is_heard_all_the_time(void **state)
{
    static struct host_server host;
    struct swarm_world world;
    (void)state;
    init_server(&host, 200);
    host.options.messages_per_s = 40;
    host.options.messages_burst = 1;
    start_server(&host);
    swarm_world_open_options(&world, 1, host.endpoint);
    world.options.heartbeat_ms = 200;
    world.on_open = write_much;
    swarm_world_start(&world);
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    while (atomic_load(&host.messages) < 120 && test_now_ms() < deadline_ms &&
           swarm_world_read(&world, &world.closes) == 0) {
        test_pause_us(2000);
    }
    if (swarm_world_read(&world, &world.closes) > 0) {
        fail_msg("%s after %u messages", throng_error_name(swarm_world_record(&world, 0).error),
                 (unsigned)atomic_load(&host.messages));
    }
    assert_int_equal(atomic_load(&host.messages), 120);
    swarm_world_close(&world);
    stop_server(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_ends_that_both_ask_settle),
        cmocka_unit_test(a_server_that_reads_slowly_is_heard_all_the_time),
    };
    return cmocka_run_group_tests_name("heartbeats of both ends", tests, NULL, NULL);
}
