/* SPDX-License-Identifier: MIT
 * Random calls from inside every function of the handler, on the connection itself and on others of
 * its thread and of other threads. A model says what each call must answer, and every echo must be
 * the next one of its connection: nothing lost, doubled or mixed up across ends and new beginnings.
 */
#include <stdatomic.h>
#include <string.h>

#include <throng/swarm.h>

#include "check.h"
#include "echo_group.h"
#include "pattern.h"
#include "stopwatch.h"

#define THREADS 3u
#define CONNECTIONS 60u
#define SIZE_MOST 3000u
#define CALLS 40000u /* of each thread */

enum model_state {
    MODEL_COMING, /* to be connected, or connecting */
    MODEL_UP,
    MODEL_LEAVING, /* throng_swarm_disconnect was called */
    MODEL_DOWN,
};

/* Of one connection; its thread's. */
struct model {
    enum model_state state;
    uint32_t generation; /* how often it was up */
    uint32_t written;    /* messages of this generation */
    uint32_t received;
};

/* What each message begins with. */
struct stamp {
    uint32_t index;
    uint32_t generation;
    uint32_t number;
};

struct monkey {
    uint64_t random;
    uint32_t calls_left;
    uint32_t depth; /* of handler functions inside each other: none may be */
};

static struct model models[CONNECTIONS];
static struct monkey monkeys[THREADS];
static uint8_t noise[SIZE_MOST];

/* What the test's thread looks at. */
static _Atomic uint32_t busy;      /* monkeys with calls left */
static _Atomic uint32_t unsettled; /* connections that come or leave */
static _Atomic uint32_t ups;
static _Atomic uint64_t awaited; /* echoes of connections that are up */
static _Atomic uint64_t opens;
static _Atomic uint64_t echoes;
static _Atomic(const char *) complaint;

static void expect(bool right, const char *text)
{
    const char *none = NULL;
    if (!right) {
        (void)atomic_compare_exchange_strong(&complaint, &none, text);
    }
}

/* ---- the calls ---- */

static void set_state(struct model *model, enum model_state state)
{
    bool was_settled = model->state == MODEL_UP || model->state == MODEL_DOWN;
    bool is_settled = state == MODEL_UP || state == MODEL_DOWN;
    if (model->state == MODEL_UP && state != MODEL_UP) {
        atomic_fetch_sub(&ups, 1);
        atomic_fetch_sub(&awaited, model->written - model->received);
    }
    atomic_fetch_add(&ups, model->state != MODEL_UP && state == MODEL_UP);
    atomic_fetch_add(&unsettled, (uint32_t)was_settled - (uint32_t)is_settled);
    model->state = state;
}

static void do_write(struct throng_swarm_thread *thread, uint32_t index, uint32_t size)
{
    static _Thread_local uint8_t bytes[SIZE_MOST + sizeof(struct stamp)];
    struct model *model = &models[index];
    struct stamp stamp = {index, model->generation, model->written};
    memcpy(bytes, &stamp, sizeof(stamp));
    memcpy(bytes + sizeof(stamp), noise, size);
    if (model->state == MODEL_UP) { /* before the call: the echo may be counted by another thread */
        atomic_fetch_add(&awaited, 1);
    }
    int result = throng_swarm_write(thread, index, bytes, sizeof(stamp) + size);
    if (model->state != MODEL_UP) {
        expect(result == THRONG_EINVAL, "a write to one that is not up");
        return;
    }
    expect(result == 0 || result == THRONG_EAGAIN, "a write to one that is up");
    if (result == 0) {
        model->written++;
    } else {
        atomic_fetch_sub(&awaited, 1);
    }
}

static void do_disconnect(struct throng_swarm_thread *thread, uint32_t index, bool abort)
{
    struct model *model = &models[index];
    int result = throng_swarm_disconnect(thread, index, abort);
    expect(result == (model->state == MODEL_DOWN ? THRONG_EINVAL : 0), "a disconnect");
    if (model->state != MODEL_DOWN) {
        set_state(model, MODEL_LEAVING);
    }
}

static void do_connect(struct throng_swarm_thread *thread, uint32_t index)
{
    struct model *model = &models[index];
    int result = throng_swarm_connect(thread, index);
    expect(result == (model->state == MODEL_DOWN ? 0 : THRONG_EINVAL), "a connect");
    if (model->state == MODEL_DOWN) {
        set_state(model, MODEL_COMING);
    }
}

static void do_ask(struct throng_swarm_thread *thread, uint32_t index)
{
    struct throng_address address;
    bool is_up = models[index].state == MODEL_UP;
    int result = throng_swarm_local_address(thread, index, &address);
    expect(result == (is_up ? 0 : THRONG_EINVAL), "an address");
    expect(!is_up || throng_swarm_connect_ns(thread, index) > 0, "a connect time");
}

static void do_foreign(struct throng_swarm_thread *thread, uint32_t index)
{
    expect(throng_swarm_write(thread, index, "x", 1) == THRONG_EINVAL, "a foreign write");
    expect(throng_swarm_connect(thread, index) == THRONG_EINVAL, "a foreign connect");
    expect(throng_swarm_disconnect(thread, index, true) == THRONG_EINVAL, "a foreign disconnect");
}

static void act(struct throng_swarm_thread *thread, struct monkey *monkey, uint32_t index)
{
    uint64_t random = test_random(&monkey->random);
    if (index % THREADS != throng_swarm_thread_index(thread)) {
        do_foreign(thread, index);
        return;
    }
    switch (random % 16) {
    case 0:
        do_disconnect(thread, index, true);
        break;
    case 1:
    case 2:
        do_disconnect(thread, index, false);
        break;
    case 3:
    case 4:
    case 5:
        do_connect(thread, index);
        break;
    case 6:
        do_ask(thread, index);
        break;
    default:
        do_write(thread, index, (uint32_t)(random >> 32) % SIZE_MOST);
        break;
    }
}

/* A few calls, about `index` (if it is one) and about others. */
static void meddle(struct throng_swarm_thread *thread, uint32_t index)
{
    struct monkey *monkey = &monkeys[throng_swarm_thread_index(thread)];
    uint32_t count = (uint32_t)(test_random(&monkey->random) % 4);
    for (uint32_t i = 0; i < count && monkey->calls_left > 0; i++) {
        uint32_t other = (uint32_t)(test_random(&monkey->random) % CONNECTIONS);
        act(thread, monkey, index == UINT32_MAX || i % 2 != 0 ? other : index);
        if (--monkey->calls_left == 0) {
            atomic_fetch_sub(&busy, 1);
        }
    }
}

/* ---- the handler ---- */

static void enter(struct throng_swarm_thread *thread)
{
    expect(monkeys[throng_swarm_thread_index(thread)].depth++ == 0, "a handler inside a handler");
}

static void leave(struct throng_swarm_thread *thread)
{
    monkeys[throng_swarm_thread_index(thread)].depth--;
}

static void on_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    struct model *model = &models[index];
    (void)context;
    enter(thread);
    expect(model->state == MODEL_COMING, "on_open");
    model->generation++;
    model->written = 0;
    model->received = 0;
    set_state(model, MODEL_UP);
    atomic_fetch_add(&opens, 1);
    meddle(thread, index);
    leave(thread);
}

static void on_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    struct model *model = &models[index];
    struct stamp stamp;
    (void)context;
    enter(thread);
    expect(model->state == MODEL_UP, "on_message");
    expect(size >= sizeof(stamp) && size <= sizeof(stamp) + SIZE_MOST, "the size of an echo");
    memcpy(&stamp, data, sizeof(stamp));
    expect(stamp.index == index, "an echo of another connection");
    expect(stamp.generation == model->generation, "an echo of another time");
    expect(stamp.number == model->received, "an echo out of turn");
    expect(memcmp((const uint8_t *)data + sizeof(stamp), noise, size - sizeof(stamp)) == 0,
           "the bytes of an echo");
    model->received++;
    atomic_fetch_add(&echoes, 1);
    atomic_fetch_sub(&awaited, 1);
    meddle(thread, index);
    leave(thread);
}

static void on_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    (void)context;
    enter(thread);
    expect(models[index].state == MODEL_LEAVING, "on_closed of one that nobody ended");
    expect(error == THRONG_ECANCELED, "the error of on_closed");
    set_state(&models[index], MODEL_DOWN);
    meddle(thread, index);
    leave(thread);
}

static uint64_t on_turn(void *context, struct throng_swarm_thread *thread, uint64_t now_ns)
{
    (void)context;
    enter(thread);
    meddle(thread, UINT32_MAX);
    leave(thread);
    return monkeys[throng_swarm_thread_index(thread)].calls_left > 0 ? now_ns + 100000 : UINT64_MAX;
}

/* ---- the test ---- */

static void begin_models(uint64_t seed)
{
    memset(models, 0, sizeof(models));
    test_fill_pattern(noise, sizeof(noise), seed);
    atomic_store(&unsettled, CONNECTIONS);
    atomic_store(&busy, THREADS);
    atomic_store(&ups, 0);
    atomic_store(&awaited, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        monkeys[i] = (struct monkey){.random = seed + i, .calls_left = test_scaled(CALLS)};
    }
}

/* All calls made, all ends told, all echoes back. */
static void await_quiet(void)
{
    int64_t deadline_ms = test_now_ms() + 3 * test_deadline_ms();
    while ((atomic_load(&busy) > 0 || atomic_load(&unsettled) > 0 || atomic_load(&awaited) > 0) &&
           atomic_load(&complaint) == NULL && test_now_ms() < deadline_ms) {
        test_pause_us(1000);
    }
}

static void every_call_from_every_handler_does_what_the_model_says(void **state)
{
    struct throng_swarm *swarm = NULL;
    struct throng_swarm_options options;
    (void)state;
    begin_models(test_seed());
    throng_swarm_options_init(&options);
    options.targets[0] = echo.host.endpoint;
    options.connections = CONNECTIONS;
    options.threads = THREADS;
    options.connects_in_flight = 5;
    options.message_bytes_max = 4096;
    options.send_queue_bytes_max = 64 * 1024;
    options.send_bytes = 128 * 1024; /* little: writes are refused now and then */
    options.handler = (struct throng_swarm_handler){
        .on_open = on_open, .on_message = on_message, .on_closed = on_closed, .on_turn = on_turn};
    assert_int_equal(throng_swarm_start(&swarm, &options, NULL), 0);
    await_quiet();
    uint32_t connected = throng_swarm_connected(swarm);
    uint32_t up = atomic_load(&ups);
    printf("%" PRIu64 " times up, %" PRIu64 " echoes; at the end %" PRIu32 " are up, %" PRIu64
           " echoes awaited\n",
           atomic_load(&opens), atomic_load(&echoes), up, atomic_load(&awaited));
    throng_swarm_stop(swarm);
    const char *complained = atomic_load(&complaint);
    if (complained != NULL) {
        fail_msg("not as the model says: %s", complained);
    }
    assert_int_equal(atomic_load(&busy), 0);
    assert_int_equal(atomic_load(&unsettled), 0);
    assert_int_equal(atomic_load(&awaited), 0);
    assert_int_equal(connected, up);
    assert_true(atomic_load(&opens) > CONNECTIONS);
    assert_true(atomic_load(&echoes) > CONNECTIONS);
    assert_true(echo_host_settle(&echo));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_from_every_handler_does_what_the_model_says),
    };
    return cmocka_run_group_tests_name("swarm monkey", tests, start_echo, stop_echo);
}
