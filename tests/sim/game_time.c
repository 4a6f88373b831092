/* SPDX-License-Identifier: MIT
 * Timers and ticks of the game. */
#include "game_time.h"

#include <string.h>

#include "poster.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* From the look at the clock to the sleep, with what overtakes the logic thread meanwhile. */
#define SLACK_NS (5 * NS_PER_MS)

struct game_timer {
    uint64_t id; /* the latest; 0: none ever */
    uint64_t due_ms;
    uint32_t period_ms;
    bool runs;
};

static struct {
    const struct plan *plan;
    struct throng_server *server;
    struct game_timer timers[PLAN_TIMERS_MAX];
    uint32_t running;
    uint64_t came_ms; /* when the latest TIMER was due */
    uint64_t now_ns;  /* the latest throng_now_ns */
    uint32_t rate_hz;
    uint64_t tick_start_ns;
    uint64_t tick; /* the number of the latest */
    uint64_t missed;
    uint64_t out;
} self;

void game_time_begin(const struct plan *plan, struct throng_server *server)
{
    memset(&self, 0, sizeof self);
    self.plan = plan;
    self.server = server;
}

/* ---- events ---- */

static uint64_t batch_now_ns(void)
{
    uint64_t now_ns = throng_now_ns(self.server);
    TG_SIM_RULE(now_ns >= self.now_ns && now_ns <= tg_sim_now_ns(),
                "throng_now_ns goes back, or ahead");
    self.now_ns = now_ns;
    return now_ns;
}

static void take_timer(const struct throng_event *event)
{
    struct game_timer *timer = event->user;
    uint64_t now_ms = batch_now_ns() / NS_PER_MS;
    TG_SIM_RULE(timer >= self.timers && timer < self.timers + PLAN_TIMERS_MAX &&
                    timer->id == event->number && timer->runs,
                "a TIMER of one that was stopped, has come, or never ran");
    TG_SIM_RULE(timer->due_ms <= now_ms, "a TIMER is early");
    TG_SIM_RULE(timer->due_ms >= self.came_ms, "a TIMER comes after one that was due later");
    self.came_ms = timer->due_ms;
    if (timer->period_ms == 0) {
        timer->runs = false;
        self.running--;
        return;
    }
    while (timer->due_ms <= now_ms) {
        timer->due_ms += timer->period_ms;
    }
}

static uint64_t tick_due_ns(uint64_t number)
{
    return self.tick_start_ns + (number * NS_PER_S + self.rate_hz - 1) / self.rate_hz;
}

static void take_tick(const struct throng_event *event)
{
    uint64_t now_ns = batch_now_ns();
    TG_SIM_RULE(self.rate_hz != 0, "a TICK of a game that has none");
    TG_SIM_RULE(event->number == self.tick + event->missed + 1,
                "a TICK's number does not follow from the last one's");
    TG_SIM_RULE(tick_due_ns(event->number) <= now_ns, "a TICK is early");
    TG_SIM_RULE(tick_due_ns(event->number + 1) > now_ns, "a TICK is not the latest one");
    self.tick = event->number;
    self.missed += event->missed;
}

void game_time_take(const struct throng_event *event)
{
    TG_SIM_RULE(event->conn.id == 0 && event->data == NULL && event->size == 0 &&
                    event->reason == 0 && event->listener == 0,
                "an event of no connection has what only others have");
    TG_SIM_RULE(event->missed == 0 || event->type == THRONG_EVENT_TICK, "no TICK has missed some");
    self.out++;
    if (event->type == THRONG_EVENT_TIMER) {
        take_timer(event);
    } else if (event->type == THRONG_EVENT_TICK) {
        take_tick(event);
    } else {
        posters_take(event);
    }
}

void game_time_release(void)
{
    self.out--;
}

uint64_t game_time_out(void)
{
    return self.out;
}

/* ---- acts ---- */

/* Where a timer can be noted; one that the server must refuse has a place, too. */
static struct game_timer *free_place(void)
{
    static struct game_timer refused;
    for (uint32_t i = 0; i < PLAN_TIMERS_MAX; i++) {
        if (!self.timers[i].runs) {
            return &self.timers[i];
        }
    }
    return &refused;
}

static void start_timer(void)
{
    struct game_timer *timer = free_place();
    uint32_t longest_ms = tg_sim_below(2) == 0 ? 4 : self.plan->timer_ms;
    uint32_t delay_ms = tg_sim_below(longest_ms);
    uint32_t least_ms = tg_sim_below(32) == 0 ? 1 : 50;
    uint32_t period_ms = tg_sim_below(8) == 0 ? least_ms + tg_sim_below(longest_ms) : 0;
    throng_timer name = {0};
    uint64_t now_ns = tg_sim_now_ns();
    int result = throng_timer_start(self.server, delay_ms, period_ms, timer, &name);
    if (self.running == self.plan->server.timers_max) {
        TG_SIM_RULE(result == THRONG_EAGAIN && name.id == 0, "more timers run than timers_max");
        return;
    }
    TG_SIM_RULE(result == 0 && name.id != 0 && name.id != timer->id, "a timer does not start");
    *timer = (struct game_timer){.id = name.id,
                                 .due_ms = (now_ns + NS_PER_MS - 1) / NS_PER_MS + delay_ms,
                                 .period_ms = period_ms,
                                 .runs = true};
    self.running++;
}

static void stop_timer(struct game_timer *timer)
{
    int result = throng_timer_stop(self.server, (throng_timer){timer->id});
    TG_SIM_RULE(result == (timer->runs ? 0 : THRONG_ESTALE),
                "a timer cannot be stopped, or one that does not run can");
    self.running -= timer->runs;
    timer->runs = false;
}

static void set_tick(uint32_t rate_hz)
{
    self.tick_start_ns = tg_sim_now_ns();
    self.rate_hz = rate_hz;
    self.tick = 0;
    TG_SIM_RULE(throng_tick(self.server, rate_hz) == 0, "a tick cannot be set");
}

void game_time_act(void)
{
    if (self.plan->timer_ms > 0 && tg_sim_below(256) < self.plan->timer_parts) {
        uint32_t pick = tg_sim_below(3);
        if (pick == 0) {
            stop_timer(&self.timers[tg_sim_below(PLAN_TIMERS_MAX)]);
        } else {
            start_timer();
        }
    }
    if (self.plan->tick_hz > 0 && (self.rate_hz == 0 || tg_sim_below(1024) == 0)) {
        set_tick(tg_sim_below(4) == 0 ? 0 : 1 + tg_sim_below(self.plan->tick_hz));
    }
}

void game_time_end(void)
{
    if (self.rate_hz != 0) {
        set_tick(0);
    }
    for (uint32_t i = 0; i < PLAN_TIMERS_MAX; i++) {
        if (self.timers[i].runs && self.timers[i].period_ms > 0) {
            stop_timer(&self.timers[i]);
        }
    }
}

uint32_t game_time_waiting(void)
{
    return self.running;
}

/* ---- looks from outside ---- */

void game_time_check_counters(const struct throng_counters *now)
{
    TG_SIM_RULE(now->timers_running == self.running, "timers_running is wrong");
    TG_SIM_RULE(now->ticks_missed == self.missed, "ticks_missed is wrong");
    TG_SIM_RULE(now->posts_refused == posters_refused(), "posts_refused is wrong");
}

void game_time_check_sleep(void)
{
    if (tg_sim_now_ns() < SLACK_NS) {
        return;
    }
    uint64_t now_ns = tg_sim_now_ns() - SLACK_NS;
    TG_SIM_RULE(self.rate_hz == 0 || tick_due_ns(self.tick + 1) > now_ns,
                "the logic thread sleeps, and a tick is due");
    for (uint32_t i = 0; i < PLAN_TIMERS_MAX && self.running > 0; i++) {
        TG_SIM_RULE(!self.timers[i].runs || self.timers[i].due_ms * NS_PER_MS > now_ns,
                    "the logic thread sleeps, and a timer is due");
    }
}
