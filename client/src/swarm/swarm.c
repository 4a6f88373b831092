/* SPDX-License-Identifier: MIT
 * The swarm's life: memory, threads, stop. The thread that owns the swarm, but for what is marked.
 *
 * Each thread has one reservation for everything of its own, carved in the same order twice: first
 * without memory, to know the size. */
#include <stdio.h>

#include "base/assert.h"
#include "base/failure.h"
#include "os/clock.h"
#include "os/memory.h"
#include "swarm/state.h"

/* ---- memory ---- */

struct carver {
    uint8_t *memory; /* NULL: only measure */
    size_t used;
};

static void *carve(struct carver *carver, size_t bytes)
{
    size_t at = (carver->used + 4095) & ~(size_t)4095;
    carver->used = at + bytes;
    return carver->memory == NULL ? NULL : carver->memory + at;
}

/* Half of the send memory in large blocks, if that gives any. */
static void split_send_bytes(size_t bytes, uint32_t *small, uint32_t *large)
{
    *large = (uint32_t)(bytes / 2 / TG_LARGE_BLOCK_BYTES);
    *small = (uint32_t)((bytes - (size_t)*large * TG_LARGE_BLOCK_BYTES) / TG_BLOCK_BYTES);
}

static void carve_thread(struct carver *carver, struct throng_swarm_thread *thread,
                         const struct swarm_plan *plan)
{
    const struct throng_swarm_options *options = &plan->options;
    uint32_t small;
    uint32_t large;
    split_send_bytes(options->send_bytes, &small, &large);
    struct tg_port_options port = {.recv_pool = &thread->recv_pool,
                                   .turn_bytes = SWARM_RECEIVE_BUFFER_BYTES,
                                   .streams_max = thread->conn_count,
                                   .buffers_max = SWARM_RECEIVE_BUFFERS};
    thread->conns = carve(carver, thread->conn_count * sizeof(struct swarm_conn));
    void *block_tables = carve(carver, tg_block_pool_table_bytes(small, large, 0));
    void *small_data = carve(carver, tg_block_pool_small_bytes(small));
    void *large_data = carve(carver, tg_block_pool_large_bytes(large));
    void *assembly = carve(carver, options->assembly_bytes);
    void *pieces = carve(carver, tg_intake_pieces_bytes(thread->conn_count));
    void *assembly_tables = carve(carver, tg_message_pool_table_bytes(options->assembly_bytes));
    void *receive = carve(carver, (size_t)SWARM_RECEIVE_BUFFERS * SWARM_RECEIVE_BUFFER_BYTES);
    void *receive_tables = carve(carver, tg_recv_pool_table_bytes(SWARM_RECEIVE_BUFFERS));
    port.memory = carve(carver, tg_port_memory_bytes(plan->backend, &port));
    if (carver->memory == NULL) {
        return;
    }
    tg_block_pool_init(&thread->blocks, block_tables, small_data, small, large_data, large, 0);
    tg_message_pool_init(&thread->message_pool, assembly, options->assembly_bytes, assembly_tables);
    tg_recv_pool_init(&thread->recv_pool, receive, SWARM_RECEIVE_BUFFER_BYTES,
                      SWARM_RECEIVE_BUFFERS, receive_tables);
    tg_intake_init(&thread->intake, &thread->recv_pool, &thread->message_pool, &plan->rules, pieces,
                   thread->conn_count);
    thread->port_options = port;
}

static int reserve_thread(struct throng_swarm *swarm, uint32_t index, struct throng_error *error)
{
    struct throng_swarm_thread *thread = &swarm->threads[index];
    const struct swarm_plan *plan = &swarm->plan;
    thread->swarm = swarm;
    thread->index = index;
    thread->conn_count = (plan->options.connections + plan->thread_count - 1 - index) /
                         plan->thread_count;
    struct carver carver = {NULL, 0};
    carve_thread(&carver, thread, plan);
    thread->memory = tg_memory_reserve(carver.used);
    if (thread->memory == NULL) {
        return tg_failure(error, THRONG_ENOMEM, "the system has no %zu bytes for thread %u of %u",
                          carver.used, index, plan->thread_count);
    }
    thread->memory_bytes = carver.used;
    carver = (struct carver){thread->memory, 0};
    carve_thread(&carver, thread, plan);
    return 0;
}

static void destroy(struct throng_swarm *swarm)
{
    for (uint32_t i = 0; i < swarm->plan.thread_count; i++) {
        tg_memory_release(swarm->threads[i].memory, swarm->threads[i].memory_bytes);
    }
    tg_memory_release(swarm, swarm->memory_bytes);
}

static int create(struct throng_swarm **created, const struct swarm_plan *plan,
                  struct throng_error *error)
{
    size_t bytes = sizeof(struct throng_swarm) +
                   (size_t)plan->thread_count * sizeof(struct throng_swarm_thread);
    struct throng_swarm *swarm = tg_memory_reserve(bytes);
    if (swarm == NULL) {
        (void)tg_failure(error, THRONG_ENOMEM, "the system has no %zu bytes for %u threads", bytes,
                         plan->thread_count);
        return THRONG_ENOMEM;
    }
    swarm->plan = *plan;
    tg_parker_init(&swarm->starter);
    swarm->memory_bytes = bytes;
    for (uint32_t i = 0; i < plan->thread_count; i++) {
        int result = reserve_thread(swarm, i, error);
        if (result < 0) {
            destroy(swarm);
            return result;
        }
    }
    *created = swarm;
    return 0;
}

/* ---- threads ---- */

static int await_thread(struct throng_swarm *swarm, struct throng_swarm_thread *thread)
{
    for (;;) {
        tg_parker_prepare(&swarm->starter);
        /* acquire: pairs with the release in tg_swarm_thread_main. */
        int started = atomic_load_explicit(&thread->started, memory_order_acquire);
        if (started != 0) {
            tg_parker_cancel(&swarm->starter);
            return started < 0 ? started : 0;
        }
        tg_parker_sleep(&swarm->starter, -1);
    }
}

static void stop_threads(struct throng_swarm *swarm)
{
    for (uint32_t i = 0; i < swarm->threads_started; i++) {
        struct throng_swarm_thread *thread = &swarm->threads[i];
        /* release: pairs with the acquire in the thread's loop. */
        atomic_store_explicit(&thread->stop, true, memory_order_release);
        if (atomic_load_explicit(&thread->started, memory_order_acquire) > 0) {
            tg_port_wake(thread->port);
        }
    }
    for (uint32_t i = 0; i < swarm->threads_started; i++) {
        tg_thread_join(&swarm->threads[i].thread);
    }
    /* In the process's table, not the threads' own. */
    for (uint32_t i = 0; i < swarm->threads_started; i++) {
        tg_port_destroy(swarm->threads[i].port);
    }
}

/* Lets the handlers run. */
static void release_threads(struct throng_swarm *swarm)
{
    for (uint32_t i = 0; i < swarm->plan.thread_count; i++) {
        /* release: pairs with the acquire in await_go. */
        atomic_store_explicit(&swarm->threads[i].go, true, memory_order_release);
        tg_port_wake(swarm->threads[i].port);
    }
}

static int explain(const struct throng_swarm *swarm, uint32_t index, int result,
                   struct throng_error *error)
{
    const struct swarm_plan *plan = &swarm->plan;
    (void)tg_failure(error, result, "cannot start thread %u of %u (backend %s): %s", index,
                     plan->thread_count, plan->backend->name, throng_error_text(result));
    if (result == THRONG_ENOTSUP && plan->own_descriptors && error != NULL) {
        tg_failure_append(
            error,
            "; connections is %u, but the descriptor limit (RLIMIT_NOFILE) is %u, and "
            "this system refuses a thread its own descriptor table (unshare)",
            plan->options.connections, plan->descriptor_limit);
    }
    return result;
}

/* Starts the threads one after the other; each waits until it is let go. All or nothing. */
static int start_threads(struct throng_swarm *swarm, struct throng_error *error)
{
    for (uint32_t i = 0; i < swarm->plan.thread_count; i++) {
        struct throng_swarm_thread *thread = &swarm->threads[i];
        char name[24];
        (void)snprintf(name, sizeof(name), "throng-sw-%u", i);
        int result = tg_thread_start(&thread->thread, name, tg_swarm_thread_main, thread);
        if (result == 0) {
            swarm->threads_started++;
            result = await_thread(swarm, thread);
        }
        if (result < 0) {
            stop_threads(swarm);
            return explain(swarm, i, result, error);
        }
    }
    return 0;
}

/* ---- public ---- */

int throng_swarm_start(struct throng_swarm **started, const struct throng_swarm_options *options,
                       struct throng_error *error)
{
    struct swarm_plan plan;
    struct throng_swarm *swarm = NULL;
    if (started == NULL) {
        return tg_failure(error, THRONG_EINVAL, "swarm is NULL");
    }
    int result = tg_swarm_plan_make(&plan, options, error);
    if (result < 0) {
        return result;
    }
    result = create(&swarm, &plan, error);
    if (result < 0) {
        return result;
    }
    result = start_threads(swarm, error);
    if (result < 0) {
        destroy(swarm);
        return result;
    }
    /* Handlers may run before this returns, and may want the pointer. */
    *started = swarm;
    release_threads(swarm);
    return 0;
}

void throng_swarm_stop(struct throng_swarm *swarm)
{
    if (swarm != NULL) {
        TG_REQUIRE(!tg_swarm_thread_is_own(swarm)); /* it would wait for itself */
        stop_threads(swarm);
        destroy(swarm);
    }
}

uint32_t throng_swarm_threads(const struct throng_swarm *swarm)
{
    return swarm->plan.thread_count;
}

uint32_t throng_swarm_source_count(const struct throng_swarm *swarm)
{
    return swarm->plan.options.source_count;
}

const char *throng_swarm_backend(const struct throng_swarm *swarm)
{
    return swarm->plan.backend->name;
}

uint32_t throng_swarm_connected(const struct throng_swarm *swarm)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < swarm->plan.thread_count; i++) {
        sum += atomic_load_explicit(&swarm->threads[i].connected, memory_order_relaxed);
    }
    return sum;
}

void throng_swarm_wake(struct throng_swarm *swarm)
{
    /* In a private descriptor table the numbers of the other threads' ports mean other things. */
    TG_REQUIRE(!tg_swarm_thread_is_own(swarm));
    for (uint32_t i = 0; i < swarm->plan.thread_count; i++) {
        /* release: pairs with the acquire in turn; makes visible what the caller wants on_turn to
         * see. tg_port_wake begins with a full fence, which pairs with the announcement in
         * sleep_limit. */
        atomic_store_explicit(&swarm->threads[i].woken, true, memory_order_release);
        tg_port_wake(swarm->threads[i].port);
    }
}

uint64_t throng_swarm_now_ns(void)
{
    return tg_clock_ns();
}
