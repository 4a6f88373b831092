/* SPDX-License-Identifier: MIT
 * Ticks, timers and posts as events. Logic thread, but for throng_post. */
#include "time/logic_time.h"

#include "os/clock.h"
#include "state.h"

#define NS_PER_MS UINT64_C(1000000)
#define DELAY_MS_MAX 86400000u

void tg_logic_time_init(struct throng_server *server)
{
    const struct throng_server_options *options = &server->config.options;
    struct tg_logic_time *time = server->memory.at[TG_REGION_TIMERS];
    tg_timer_pool_init(&time->timers, time + 1, options->timers_max, tg_clock_ns() / NS_PER_MS);
    tg_post_queue_init(&time->posts, server->memory.at[TG_REGION_POSTS],
                       tg_ring_capacity_for(options->posts_max));
    server->time = time;
}

static void renew_gauge(struct tg_logic_time *time)
{
    atomic_store_explicit(&time->timers_running, tg_timer_pool_running(&time->timers),
                          memory_order_relaxed);
}

/* ---- the batch ---- */

static uint64_t batch_now_ns(struct tg_logic_time *time)
{
    if (time->now_ns == 0) {
        time->now_ns = tg_clock_ns();
    }
    return time->now_ns;
}

void tg_logic_time_begin_batch(struct tg_logic_time *time)
{
    time->now_ns = 0;
    time->tick_is_due = false;
    time->timers_left = 0;
    if (time->tick.rate_hz != 0 || tg_timer_pool_running(&time->timers) > 0) {
        uint64_t now_ns = batch_now_ns(time);
        time->tick_is_due = tg_tick_is_due(&time->tick, now_ns);
        time->timers_left =
            tg_timer_pool_is_due(&time->timers, now_ns / NS_PER_MS) ? TG_BATCH_EVENTS : 0;
    }
    time->posts_left = tg_post_queue_has_posts(&time->posts) ? TG_BATCH_EVENTS : 0;
}

/* An event without a connection, whose release goes to nobody. */
static void fill_event(struct throng_event *event, enum throng_event_type type, void *user,
                       uint64_t number)
{
    *event = (struct throng_event){.type = (uint32_t)type,
                                   .user = user,
                                   .number = number,
                                   .private_origin = tg_origin(0, TG_HOLDER_NONE)};
}

static void take_tick(struct tg_logic_time *time, struct throng_event *event)
{
    uint64_t missed = tg_tick_take(&time->tick, time->now_ns);
    time->tick_is_due = false;
    tg_count(&time->ticks_missed, missed);
    fill_event(event, THRONG_EVENT_TICK, NULL, time->tick.taken);
    event->missed = missed < UINT32_MAX ? (uint32_t)missed : UINT32_MAX;
}

static size_t take_timers(struct tg_logic_time *time, struct throng_event *events, size_t capacity)
{
    size_t count = 0;
    struct tg_timer_due due = {0};
    while (count < capacity && time->timers_left > 0) {
        if (tg_timer_pool_take(&time->timers, time->now_ns / NS_PER_MS, &due)) {
            fill_event(&events[count++], THRONG_EVENT_TIMER, due.user, due.id);
            time->timers_left--;
        } else {
            time->timers_left = 0;
        }
    }
    renew_gauge(time);
    return count;
}

static size_t take_posts(struct tg_logic_time *time, struct throng_event *events, size_t capacity)
{
    size_t count = 0;
    struct tg_post post = {0};
    while (count < capacity && time->posts_left > 0) {
        if (tg_post_queue_pop(&time->posts, &post)) {
            fill_event(&events[count++], THRONG_EVENT_POSTED, post.user, post.number);
            time->posts_left--;
        } else {
            time->posts_left = 0;
        }
    }
    return count;
}

size_t tg_logic_time_take(struct throng_server *server, struct throng_event *events,
                          size_t capacity)
{
    struct tg_logic_time *time = server->time;
    size_t count = 0;
    if (time->tick_is_due && capacity > 0) {
        take_tick(time, &events[count++]);
    }
    if (time->timers_left > 0) {
        count += take_timers(time, events + count, capacity - count);
    }
    if (time->posts_left > 0) {
        count += take_posts(time, events + count, capacity - count);
    }
    tg_count(&server->counters.events_unreleased, count);
    return count;
}

/* When the next tick or timer is due, or has to be moved; UINT64_MAX: nothing will be. */
static uint64_t next_due_ns(const struct tg_logic_time *time)
{
    uint64_t due_ns = UINT64_MAX;
    if (time->tick.rate_hz != 0) {
        due_ns = tg_tick_due_ns(&time->tick, time->tick.taken + 1);
    }
    uint64_t now_ms = time->now_ns / NS_PER_MS;
    int64_t wait_ms = tg_timer_wheel_wait_ms(&time->timers.wheel, now_ms);
    if (wait_ms >= 0 && (now_ms + (uint64_t)wait_ms) * NS_PER_MS < due_ns) {
        due_ns = (now_ms + (uint64_t)wait_ms) * NS_PER_MS;
    }
    return due_ns;
}

int64_t tg_logic_time_wait_limit(const struct tg_logic_time *time, int64_t limit_ns)
{
    uint64_t due_ns = next_due_ns(time);
    if (due_ns == UINT64_MAX || limit_ns == 0) {
        return limit_ns;
    }
    /* Not from the batch's time: what is late already must not be later by as much. */
    uint64_t now_ns = tg_clock_ns();
    uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    return limit_ns < 0 || left_ns < (uint64_t)limit_ns ? (int64_t)left_ns : limit_ns;
}

/* ---- public ---- */

uint64_t throng_now_ns(const struct throng_server *server)
{
    return server == NULL ? 0 : batch_now_ns(server->time);
}

int throng_timer_start(struct throng_server *server, uint32_t delay_ms, uint32_t period_ms,
                       void *user, throng_timer *timer)
{
    if (server == NULL || delay_ms > DELAY_MS_MAX || period_ms > DELAY_MS_MAX) {
        return THRONG_EINVAL;
    }
    /* The clock's time and not the batch's: a batch may have taken long already, and then the timer
     * would come early for whoever looks at a clock of his own. Rounded up for the same reason. */
    uint64_t now_ms = (tg_clock_ns() + NS_PER_MS - 1) / NS_PER_MS;
    uint64_t id = tg_timer_pool_start(&server->time->timers, now_ms + delay_ms, period_ms, user);
    if (id == 0) {
        return THRONG_EAGAIN;
    }
    if (timer != NULL) {
        timer->id = id;
    }
    renew_gauge(server->time);
    return 0;
}

int throng_timer_stop(struct throng_server *server, throng_timer timer)
{
    if (server == NULL) {
        return THRONG_EINVAL;
    }
    if (!tg_timer_pool_stop(&server->time->timers, timer.id)) {
        return THRONG_ESTALE;
    }
    renew_gauge(server->time);
    return 0;
}

int throng_tick(struct throng_server *server, uint32_t rate_hz)
{
    if (server == NULL || rate_hz > TG_TICK_RATE_MAX) {
        return THRONG_EINVAL;
    }
    struct tg_logic_time *time = server->time;
    time->tick = (struct tg_tick){.start_ns = tg_clock_ns(), .rate_hz = rate_hz};
    time->tick_is_due = false; /* the old one's */
    return 0;
}

int throng_post(struct throng_server *server, void *user, uint64_t number)
{
    if (server == NULL) {
        return THRONG_EINVAL;
    }
    struct tg_logic_time *time = server->time;
    const struct tg_post post = {user, number};
    if (!tg_post_queue_push(&time->posts, &post)) {
        atomic_fetch_add_explicit(&time->posts_refused, 1, memory_order_relaxed);
        return THRONG_EAGAIN;
    }
    tg_server_rouse(server);
    return 0;
}
