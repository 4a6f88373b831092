/* SPDX-License-Identifier: MIT
 * What comes after a deadline, for each of the clients: it was told once, and whatever the system
 * brings later belongs to nobody, or to the next call. */
#include <string.h>

#include "backends.h"
#include "client_pair.h"
#include "swarm_world.h"
#include "tcp_pair.h"

/* --- connects ------------------------------------------------------------------------------ */

#define CONNECT_MS 100
/* Linux repeats the unanswered request of a connect after a second. */
#define LATE_MS 1300

/* The host hears again: takes all connections of that long. Answers how many there are beside those
 * that kept its backlog full, which are given up. */
static uint32_t wake_up(struct host *host, int for_ms)
{
    uint16_t fillers[HOST_FILLERS_MAX];
    uint32_t strangers = 0;
    for (int i = 0; i < HOST_FILLERS_MAX; i++) {
        struct throng_address ours = {.port = 0};
        if (host->fillers[i].descriptor >= 0) {
            peer_local_address(&host->fillers[i], &ours);
        }
        fillers[i] = ours.port;
        peer_close(&host->fillers[i]);
    }
    int64_t end_ms = test_now_ms() + for_ms;
    while (test_now_ms() < end_ms) {
        struct peer peer;
        if (host_accept(host, &peer, 10)) {
            struct throng_address theirs;
            peer_remote_address(&peer, &theirs);
            bool is_filler = false;
            for (int i = 0; i < HOST_FILLERS_MAX; i++) {
                is_filler |= fillers[i] == theirs.port;
            }
            strangers += !is_filler;
            peer_close(&peer);
        }
    }
    return strangers;
}

static void connect_once_more(struct swarm_world *world, struct throng_swarm_thread *thread)
{
    (void)world;
    assert_int_equal(throng_swarm_connect(thread, 0), 0);
}

static void accept_one(const struct host *host)
{
    struct peer peer;
    assert_true(host_accept(host, &peer, test_deadline_ms()));
    peer_close(&peer);
}

/* Each kind of client connects to a host that is deaf until after the deadline. */
struct trio {
    struct host deaf;
    struct swarm_world swarms[2]; /* on the best backend and on the plain one */
    struct client_pair *pair;
};

static void start_swarm(struct swarm_world *world, const struct host *host, const char *backend)
{
    swarm_world_open_options(world, 1, host->endpoint);
    world->options.connect_timeout_ms = CONNECT_MS;
    world->options.backend = backend;
    swarm_world_start(world);
}

static void time_out_all(struct trio *trio)
{
    struct throng_tcp *tcp = NULL;
    int64_t begin_ms = test_now_ms();
    start_swarm(&trio->swarms[0], &trio->deaf, NULL);
    start_swarm(&trio->swarms[1], &trio->deaf, test_plain_backend);
    assert_int_equal(throng_client_connect(trio->pair->client, trio->deaf.endpoint), 0);
    assert_int_equal(throng_tcp_connect(&tcp, trio->deaf.endpoint, NULL, CONNECT_MS, NULL),
                     THRONG_ETIMEDOUT);
    assert_in_range(test_now_ms() - begin_ms, CONNECT_MS - 1, test_deadline_ms());
    client_pair_expect_failed(trio->pair, THRONG_ETIMEDOUT);
    for (int i = 0; i < 2; i++) {
        swarm_world_await(&trio->swarms[i], &trio->swarms[i].closes, 1);
        assert_int_equal(swarm_world_record(&trio->swarms[i], 0).error, THRONG_ETIMEDOUT);
    }
}

static void connect_all(struct trio *trio)
{
    struct throng_tcp *tcp = NULL;
    throng_client_close(trio->pair->client);
    assert_int_equal(throng_client_connect(trio->pair->client, trio->deaf.endpoint), 0);
    CLIENT_UNTIL(trio->pair, throng_client_state(trio->pair->client) == THRONG_CLIENT_CONNECTED);
    accept_one(&trio->deaf);
    assert_int_equal(throng_tcp_connect(&tcp, trio->deaf.endpoint, NULL, test_deadline_ms(), NULL),
                     0);
    accept_one(&trio->deaf);
    throng_tcp_close(tcp);
    for (int i = 0; i < 2; i++) {
        swarm_world_run(&trio->swarms[i], connect_once_more);
        swarm_world_await(&trio->swarms[i], &trio->swarms[i].opens, 1);
        accept_one(&trio->deaf);
    }
}

static void nobody_hears_of_a_connect_that_was_given_up(void **state)
{
    struct trio trio = {.pair = *state};
    trio.pair->options.connect_timeout_ms = CONNECT_MS;
    client_pair_create(trio.pair);
    assert_true(host_open_deaf(&trio.deaf));
    time_out_all(&trio);
    assert_int_equal(wake_up(&trio.deaf, LATE_MS), 0);
    client_pair_expect_failed(trio.pair, THRONG_ETIMEDOUT);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(swarm_world_read(&trio.swarms[i], &trio.swarms[i].opens), 0);
        assert_int_equal(swarm_world_read(&trio.swarms[i], &trio.swarms[i].closes), 1);
    }
    connect_all(&trio);
    swarm_world_close(&trio.swarms[0]);
    swarm_world_close(&trio.swarms[1]);
    host_close(&trio.deaf);
}

static void an_answer_that_is_late_but_in_time_connects(void **state)
{
    struct client_pair *pair = *state;
    struct host deaf;
    client_pair_create(pair);
    assert_true(host_open_deaf(&deaf));
    assert_int_equal(throng_client_connect(pair->client, deaf.endpoint), 0);
    assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_CONNECTING);
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    uint32_t strangers = 0;
    while (strangers == 0 && test_now_ms() < deadline_ms) {
        strangers += wake_up(&deaf, 50);
    }
    assert_int_equal(strangers, 1);
    assert_int_equal(throng_client_update(pair->client), THRONG_CLIENT_FAILED); /* the host left */
    assert_int_equal(throng_client_error(pair->client), THRONG_EEOF);
    host_close(&deaf);
}

/* A loop that sleeps for as long as it is told needs no more than a few updates. */
static void the_deadline_is_kept_by_who_waits_as_long_as_told(void **state)
{
    struct client_pair *pair = *state;
    struct host deaf;
    int updates = 0;
    pair->options.connect_timeout_ms = CONNECT_MS;
    client_pair_create(pair);
    assert_true(host_open_deaf(&deaf));
    int64_t begin_ms = test_now_ms();
    assert_int_equal(throng_client_connect(pair->client, deaf.endpoint), 0);
    while (throng_client_state(pair->client) == THRONG_CLIENT_CONNECTING) {
        int wait_ms = throng_client_wait_ms(pair->client);
        assert_in_range(wait_ms, 0, CONNECT_MS);
        test_pause_us((uint32_t)wait_ms * 1000);
        (void)throng_client_update(pair->client);
        updates++;
    }
    assert_in_range(test_now_ms() - begin_ms, CONNECT_MS - 1, test_deadline_ms());
    assert_in_range(updates, 1, 3);
    client_pair_expect_failed(pair, THRONG_ETIMEDOUT);
    host_close(&deaf);
}

/* --- reads --------------------------------------------------------------------------------- */

/* Cut inside the header, after it, inside the payload, before its last byte. */
static void a_message_whose_read_timed_out_is_read_once(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[8];
    tcp_pair_connect(pair);
    for (size_t cut = 0; cut <= 8; cut++) {
        tcp_pair_send(pair, "\0\0\0\5hello", cut);
        for (int again = 0; again < 2; again++) {
            int64_t begin_ms = test_now_ms();
            assert_int_equal(throng_tcp_read(pair->tcp, message, 8, 10), THRONG_EAGAIN);
            assert_in_range(test_now_ms() - begin_ms, 9, test_deadline_ms());
        }
        tcp_pair_send(pair, &"\0\0\0\5hello"[cut], 9 - cut);
        tcp_pair_expect_read(pair, "hello", 5);
        assert_int_equal(throng_tcp_read(pair->tcp, message, 8, 0), THRONG_EAGAIN);
    }
}

/* --- writes -------------------------------------------------------------------------------- */

#define HUGE_BYTES (64u * 1024u * 1024u)

/* Takes what comes, until nothing does or the stream ends; it must be the message that was cut off.
 * Answers whether it ended. */
static bool take_rest(const struct tcp_pair *pair, uint64_t *total, int limit_ms)
{
    static uint8_t got[65536];
    while (peer_await(&pair->peer, true, false, limit_ms)) {
        ptrdiff_t size = peer_receive(&pair->peer, got, sizeof(got));
        if (size == PEER_END) {
            return true;
        }
        assert_true(size > 0);
        for (size_t i = *total < 4 ? 4 - (size_t)*total : 0; i < (size_t)size; i++) {
            assert_int_equal(got[i], 'm');
        }
        *total += (uint64_t)size;
    }
    return false;
}

static void nothing_follows_a_write_that_timed_out(void **state)
{
    static uint8_t message[HUGE_BYTES];
    struct tcp_pair *pair = *state;
    uint64_t total = 0;
    pair->options.message_bytes_max = HUGE_BYTES;
    memset(message, 'm', sizeof(message));
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, message, HUGE_BYTES, 20), THRONG_ETIMEDOUT);
    assert_false(take_rest(pair, &total, 100)); /* now there would be room */
    assert_int_equal(throng_tcp_write(pair->tcp, "late", 4, 0), THRONG_ETIMEDOUT);
    throng_tcp_close(pair->tcp);
    pair->tcp = NULL;
    assert_true(take_rest(pair, &total, test_deadline_ms()));
    assert_in_range(total, 5, HUGE_BYTES + 3);
}

static void a_write_without_patience_that_fits_is_whole(void **state)
{
    struct tcp_pair *pair = *state;
    tcp_pair_connect(pair);
    assert_int_equal(throng_tcp_write(pair->tcp, "now", 3, 0), 0);
    tcp_pair_expect(pair, "\0\0\0\3now", 7);
}

/* --- heartbeats by hand -------------------------------------------------------------------- */

static void the_blocking_client_answers_a_heartbeat_by_hand(void **state)
{
    struct tcp_pair *pair = *state;
    uint8_t message[8];
    tcp_pair_connect(pair);
    tcp_pair_send(pair, "\0\0\0\0", 4);
    assert_int_equal(throng_tcp_read(pair->tcp, message, 8, test_deadline_ms()), 0);
    assert_int_equal(throng_tcp_write(pair->tcp, NULL, 0, test_deadline_ms()), 0);
    tcp_pair_expect(pair, "\0\0\0\0", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define OF_CLIENT(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, client_pair_setup, client_pair_teardown)
#define OF_TCP(name) cmocka_unit_test_setup_teardown(name, tcp_pair_setup, tcp_pair_teardown)
        OF_CLIENT(nobody_hears_of_a_connect_that_was_given_up),
        OF_CLIENT(an_answer_that_is_late_but_in_time_connects),
        OF_CLIENT(the_deadline_is_kept_by_who_waits_as_long_as_told),
        OF_TCP(a_message_whose_read_timed_out_is_read_once),
        OF_TCP(nothing_follows_a_write_that_timed_out),
        OF_TCP(a_write_without_patience_that_fits_is_whole),
        OF_TCP(the_blocking_client_answers_a_heartbeat_by_hand),
    };
    return cmocka_run_group_tests_name("clients after their deadlines", tests, NULL, NULL);
}
