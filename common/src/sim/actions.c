/* SPDX-License-Identifier: MIT
 * What is to happen at its time: a binary heap of the callers' own records. */
#include "sim/world.h"

static bool is_before(const struct tg_sim_action *one, const struct tg_sim_action *other)
{
    return one->due_ns != other->due_ns ? one->due_ns < other->due_ns : one->order < other->order;
}

static void put(uint32_t at, struct tg_sim_action *action)
{
    tg_world.actions[at] = action;
    action->place = at + 1;
}

static void sift_up(uint32_t at, struct tg_sim_action *action)
{
    while (at > 0 && is_before(action, tg_world.actions[(at - 1) / 2])) {
        put(at, tg_world.actions[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(at, action);
}

static void sift_down(uint32_t at, struct tg_sim_action *action)
{
    struct tg_sim_action **actions = tg_world.actions;
    uint32_t child;
    while ((child = 2 * at + 1) < tg_world.actions_count) {
        if (child + 1 < tg_world.actions_count && is_before(actions[child + 1], actions[child])) {
            child++;
        }
        if (is_before(action, actions[child])) {
            break;
        }
        put(at, actions[child]);
        at = child;
    }
    put(at, action);
}

void tg_sim_act_not(struct tg_sim_action *action)
{
    if (action->place == 0) {
        return;
    }
    uint32_t at = action->place - 1;
    action->place = 0;
    struct tg_sim_action *last = tg_world.actions[--tg_world.actions_count];
    if (last != action) {
        if (at > 0 && is_before(last, tg_world.actions[(at - 1) / 2])) {
            sift_up(at, last);
        } else {
            sift_down(at, last);
        }
    }
}

void tg_sim_act(struct tg_sim_action *action, void (*run)(struct tg_sim_action *),
                uint64_t delay_ns)
{
    tg_sim_act_not(action);
    TG_REQUIRE(tg_world.actions_count < TG_WORLD_ACTIONS);
    action->run = run;
    action->due_ns = tg_world.now_ns + delay_ns;
    action->order = tg_world.actions_order++;
    sift_up(tg_world.actions_count++, action);
}

uint64_t tg_sim_next_action_ns(void)
{
    return tg_world.actions_count == 0 ? UINT64_MAX : tg_world.actions[0]->due_ns;
}

void tg_sim_run_actions(void)
{
    struct tg_sim_thread *running = tg_world.running;
    tg_world.running = NULL;
    while (tg_sim_next_action_ns() <= tg_world.now_ns) {
        struct tg_sim_action *action = tg_world.actions[0];
        tg_sim_act_not(action);
        tg_world.counts.steps++;
        action->run(action);
    }
    tg_world.running = running;
}
