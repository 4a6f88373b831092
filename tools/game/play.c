/* SPDX-License-Identifier: MIT
 * See play.h. */
#include "play.h"

#include <stdio.h>
#include <stdlib.h>

#include "map.h"

#define SECOND_NS UINT64_C(1000000000)

/* How often a thread looks at its bots in SETTLE; after how long without an answer an input is
 * followed by another one (the server takes so many between two ticks, and may have been late). */
#define LOOK_NS UINT64_C(20000000)
#define PATIENCE_NS UINT64_C(500000000)

static uint32_t bot_of(const struct play *play, const struct play_thread *part, uint32_t place)
{
    return place * throng_swarm_threads(play->swarm) + part->index;
}

/* The thread's part, prepared when it is first seen. */
static struct play_thread *part_of(struct play *play, const struct throng_swarm_thread *thread)
{
    uint32_t index = throng_swarm_thread_index(thread);
    struct play_thread *part = &play->threads[index];
    if (part->bot_count == 0) {
        uint32_t threads = throng_swarm_threads(play->swarm);
        part->index = index;
        part->bot_count = (play->options->bots - index + threads - 1) / threads;
        part->first_due_ns = throng_swarm_now_ns();
    }
    return part;
}

static void say(struct play *play, struct throng_swarm_thread *thread, uint32_t index,
                const uint8_t *bytes, size_t size)
{
    if (size > 0) {
        int result = throng_swarm_write(thread, index, bytes, size);
        tally_add(&play->tally.unsent, result < 0);
    }
}

static void say_resync(struct play *play, struct throng_swarm_thread *thread, uint32_t index,
                       uint64_t now_ns)
{
    uint8_t bytes[BOT_MESSAGE_BYTES];
    size_t size = bot_resync(&play->bots[index], now_ns, bytes);
    tally_add(&play->tally.resyncs, size > 0);
    say(play, thread, index, bytes, size);
}

static void say_input(struct play *play, struct throng_swarm_thread *thread, uint32_t index,
                      uint64_t now_ns)
{
    uint8_t bytes[BOT_MESSAGE_BYTES];
    size_t size = bot_input(&play->bots[index], now_ns, bytes);
    tally_add(&play->tally.inputs, size > 0);
    say(play, thread, index, bytes, size);
}

/* ---- the swarm's calls ---- */

static void on_open(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    struct play *play = context;
    uint8_t bytes[BOT_MESSAGE_BYTES];
    say(play, thread, index, bytes, bot_join(bytes));
}

static void on_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    struct play *play = context;
    struct play_thread *part = part_of(play, thread);
    uint64_t now_ns = throng_swarm_now_ns();
    bot_hear(&play->bots[index], data, size, now_ns, &play->tally, &part->latency);
    say_resync(play, thread, index, now_ns);
}

static void on_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    struct play *play = context;
    (void)error;
    if (part_of(play, thread)->phase == PLAY_END) {
        return;
    }
    if (play->bots[index].is_welcome) {
        tally_add(&play->tally.ended, 1);
    } else {
        tally_add(&play->tally.failed, 1);
    }
}

/* The bots take turns, evenly spread over the time: their inputs reach the server at any moment
 * between two ticks. When the next turn is due. */
static uint64_t take_turns(struct play *play, struct throng_swarm_thread *thread,
                           struct play_thread *part, uint64_t now_ns)
{
    uint64_t per_second = (uint64_t)play->options->rate * part->bot_count;
    uint64_t due = now_ns > part->first_due_ns
                       ? (now_ns - part->first_due_ns) / 1000 * per_second / (SECOND_NS / 1000)
                       : 0;
    if (due > part->due_count + part->bot_count) {
        part->due_count = due - part->bot_count; /* late: what was not said is not said twice */
    }
    for (; part->due_count < due; part->due_count++) {
        uint32_t index = bot_of(play, part, (uint32_t)(part->due_count % part->bot_count));
        say_resync(play, thread, index, now_ns);
        say_input(play, thread, index, now_ns);
    }
    return part->first_due_ns + (due + 1) * SECOND_NS / per_second + 1000;
}

static uint64_t settle(struct play *play, struct throng_swarm_thread *thread,
                       struct play_thread *part, uint64_t now_ns)
{
    uint32_t unsettled = 0;
    for (uint32_t place = 0; place < part->bot_count; place++) {
        uint32_t index = bot_of(play, part, place);
        const struct bot *bot = &play->bots[index];
        if (!bot_is_settled(bot)) {
            unsettled++;
            say_resync(play, thread, index, now_ns);
            if (now_ns - bot->sent[bot->sequence % BOT_SENT_MAX].sent_ns > PATIENCE_NS) {
                say_input(play, thread, index, now_ns);
            }
        }
    }
    atomic_store_explicit(&part->unsettled, unsettled, memory_order_relaxed);
    return now_ns + LOOK_NS;
}

static void say_goodbye(struct play *play, struct throng_swarm_thread *thread,
                        const struct play_thread *part)
{
    for (uint32_t place = 0; place < part->bot_count; place++) {
        (void)throng_swarm_disconnect(thread, bot_of(play, part, place), false);
    }
}

static void enter_phase(struct play *play, struct throng_swarm_thread *thread,
                        struct play_thread *part, uint64_t now_ns)
{
    if (part->phase == PLAY_ON) {
        part->latency = (struct histogram){0}; /* the crowd at the entrance is not measured */
    } else if (part->phase == PLAY_SETTLE) {
        (void)settle(play, thread, part, now_ns);
    } else if (part->phase == PLAY_END) {
        say_goodbye(play, thread, part);
    }
}

static uint64_t on_turn(void *context, struct throng_swarm_thread *thread, uint64_t now_ns)
{
    struct play *play = context;
    struct play_thread *part = part_of(play, thread);
    enum play_phase phase =
        (enum play_phase)atomic_load_explicit(&play->phase, memory_order_relaxed);
    if (phase != part->phase) {
        part->phase = phase;
        enter_phase(play, thread, part, now_ns);
        /* release: pairs with the acquire in play_is_settled; makes `unsettled` visible. */
        atomic_store_explicit(&part->phase_seen, (int)phase, memory_order_release);
    }
    if (play->options->watch && part->index == 0 && now_ns - part->shown_ns >= SECOND_NS) {
        part->shown_ns = now_ns;
        map_print(stdout, &play->bots[0].view, play->bots[0].player);
    }
    switch (phase) {
    case PLAY_JOIN:
    case PLAY_ON:
        return take_turns(play, thread, part, now_ns);
    case PLAY_SETTLE:
        return settle(play, thread, part, now_ns);
    default:
        return UINT64_MAX;
    }
}

/* ---- the main thread's ---- */

int play_start(struct play *play, const struct options *options, struct throng_error *error)
{
    *play = (struct play){.options = options};
    play->bots = calloc(options->bots, sizeof(*play->bots));
    play->threads = calloc(THRONG_SWARM_THREADS_LIMIT, sizeof(*play->threads));
    if (play->bots == NULL || play->threads == NULL) {
        (void)snprintf(error->text, sizeof(error->text), "the system has no memory for %u bots",
                       options->bots);
        return THRONG_ENOMEM;
    }
    for (uint32_t i = 0; i < options->bots; i++) {
        bot_init(&play->bots[i], options->seed + i);
    }
    struct throng_swarm_options swarm;
    throng_swarm_options_init(&swarm);
    swarm.targets[0] = options->connect;
    swarm.connections = options->bots;
    swarm.threads = options->threads;
    swarm.message_bytes_max = GAME_MESSAGE_BYTES_MAX;
    swarm.backend = options->backend;
    swarm.handler = (struct throng_swarm_handler){.context = play,
                                                  .on_open = on_open,
                                                  .on_message = on_message,
                                                  .on_closed = on_closed,
                                                  .on_turn = on_turn};
    return throng_swarm_start(&play->swarm, &swarm, error);
}

void play_stop(struct play *play)
{
    free(play->bots);
    free(play->threads);
}

void play_enter(struct play *play, enum play_phase phase)
{
    atomic_store_explicit(&play->phase, (int)phase, memory_order_relaxed);
    throng_swarm_wake(play->swarm);
}

uint32_t play_unsettled(const struct play *play)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < throng_swarm_threads(play->swarm); i++) {
        sum += atomic_load_explicit(&play->threads[i].unsettled, memory_order_relaxed);
    }
    return sum;
}

bool play_is_settled(const struct play *play)
{
    for (uint32_t i = 0; i < throng_swarm_threads(play->swarm); i++) {
        /* acquire: pairs with the release in on_turn. */
        if (atomic_load_explicit(&play->threads[i].phase_seen, memory_order_acquire) !=
            PLAY_SETTLE) {
            return false;
        }
    }
    return play_unsettled(play) == 0;
}

void play_latency(const struct play *play, struct histogram *latency)
{
    *latency = (struct histogram){0};
    for (uint32_t i = 0; i < THRONG_SWARM_THREADS_LIMIT; i++) {
        if (play->threads[i].bot_count > 0) {
            histogram_merge(latency, &play->threads[i].latency);
        }
    }
}
