/* SPDX-License-Identifier: MIT
 * The timer wheel, held against an unsorted table of due times: starts, stops and restarts, steps
 * of any length, and starts and stops out of the hands of a timer that has just come out.
 *
 *   byte 0   the time at the start
 *   1 ...    operations: bits 0-1 what, bits 2-4 which timer, bits 6-7 of what kind; then arguments */
#include "fuzz.h"
#include "timer/timer_wheel.h"

#define TIMERS 8u
#define NEVER UINT64_MAX
#define TURN (UINT64_C(1) << 24)

/* What one timer's end may set off, all together in a run: the loop of a run has an end. */
#define REACTIONS_MAX 64u

static const uint64_t beginnings[8] = {
    0, 1, 63, 4095, TURN - 1, TURN, 123456789, (UINT64_C(1) << 40) - 1,
};

static struct tg_timer_wheel wheel;
static struct tg_timer timers[TIMERS];

/* The reference: when each timer comes out, or NEVER. One that was due at its start comes out in
 * the tick of its start. */
struct reference {
    uint64_t tick_ms[TIMERS];
    bool runs[TIMERS];
    uint64_t now_ms;
    uint32_t reactions;
};

static struct reference reference;

static void open_world(uint32_t beginning)
{
    reference = (struct reference){.now_ms = beginnings[beginning % 8]};
    tg_timer_wheel_init(&wheel, reference.now_ms);
    for (uint32_t i = 0; i < TIMERS; i++) {
        tg_timer_init(&timers[i]);
    }
}

/* The running timer that comes out first; of several, any; TIMERS if none runs. */
static uint32_t find_first(void)
{
    uint32_t first = TIMERS;
    for (uint32_t i = 0; i < TIMERS; i++) {
        if (reference.runs[i] &&
            (first == TIMERS || reference.tick_ms[i] < reference.tick_ms[first])) {
            first = i;
        }
    }
    return first;
}

/* Time spans around the borders of the levels, and odd ones. */
static uint64_t draw_span(struct fuzz_script *script, uint32_t kind)
{
    uint32_t value = fuzz_byte(script);
    switch (kind & 3) {
    case 0:
        return value;
    case 1:
        return (uint64_t)value << 6 | (value & 63);
    case 2: { /* a little before, at, or after 2^0 .. 2^31 */
        uint64_t later = (UINT64_C(1) << (value & 31)) + (value >> 5);
        return later > 4 ? later - 4 : 0;
    }
    default:
        return (uint64_t)value << 16 | fuzz_pair(script);
    }
}

static void start(struct fuzz_script *script, uint32_t timer, uint32_t kind)
{
    uint64_t span = draw_span(script, kind);
    uint64_t due_ms = reference.now_ms + span;
    if (kind == 3 && (span & 7) == 7) {
        due_ms = (span & 8) != 0 ? NEVER
                                 : reference.now_ms / 2; /* long ago, or at the end of time */
    }
    tg_timer_start(&wheel, &timers[timer], due_ms);
    reference.runs[timer] = true;
    reference.tick_ms[timer] = due_ms > reference.now_ms ? due_ms : reference.now_ms;
    FUZZ_CHECK(timers[timer].due_ms == due_ms);
}

static void stop(uint32_t timer)
{
    tg_timer_stop(&wheel, &timers[timer]);
    reference.runs[timer] = false;
}

/* What the owner of a timer does when it comes out. */
static void react(struct fuzz_script *script, uint32_t timer)
{
    uint32_t choice = fuzz_is_over(script) ? 0 : fuzz_byte(script);
    uint32_t other = choice >> 2 & (TIMERS - 1);
    if (++reference.reactions > REACTIONS_MAX) {
        return;
    }
    switch (choice & 3) {
    case 1:
        start(script, timer, choice >> 6);
        break;
    case 2:
        start(script, other, choice >> 6);
        break;
    case 3:
        stop(other);
        break;
    default:
        break;
    }
}

/* The wheel tells how long the owner may sleep: never past the first timer, and not at all only if
 * there is something to do. */
static void check_wait(bool is_drained)
{
    int64_t wait_ms = tg_timer_wheel_wait_ms(&wheel, reference.now_ms);
    uint32_t first = find_first();
    if (first == TIMERS) {
        FUZZ_CHECK(wait_ms == -1);
        return;
    }
    FUZZ_CHECK(wait_ms >= 0);
    FUZZ_CHECK((uint64_t)wait_ms <= reference.tick_ms[first] - reference.now_ms);
    FUZZ_CHECK(wait_ms > 0 || !is_drained);
}

static void check_state(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < TIMERS; i++) {
        FUZZ_CHECK(tg_timer_is_running(&timers[i]) == reference.runs[i]);
        count += reference.runs[i];
    }
    FUZZ_CHECK(wheel.count == count);
}

static void advance(struct fuzz_script *script, uint64_t until_ms)
{
    struct tg_timer *timer;
    while ((timer = tg_timer_wheel_expire(&wheel, until_ms)) != NULL) {
        uint32_t index = (uint32_t)(timer - timers);
        uint32_t first = find_first();
        FUZZ_CHECK(index < TIMERS && first < TIMERS && reference.runs[index]);
        FUZZ_CHECK(reference.tick_ms[index] == reference.tick_ms[first]);
        FUZZ_CHECK(reference.tick_ms[index] <= until_ms || until_ms < reference.now_ms);
        FUZZ_CHECK(!tg_timer_is_running(timer));
        reference.runs[index] = false;
        if (reference.tick_ms[index] > reference.now_ms) {
            reference.now_ms = reference.tick_ms[index];
        }
        react(script, index);
    }
    if (until_ms > reference.now_ms) {
        reference.now_ms = until_ms;
    }
    uint32_t first = find_first();
    FUZZ_CHECK(first == TIMERS || reference.tick_ms[first] > reference.now_ms);
    FUZZ_CHECK(wheel.now_ms == reference.now_ms);
    check_wait(true);
}

static void step(struct fuzz_script *script)
{
    uint32_t operation = fuzz_byte(script);
    uint32_t timer = operation >> 2 & (TIMERS - 1);
    switch (operation & 3) {
    case 0:
        start(script, timer, operation >> 6);
        break;
    case 1:
        stop(timer);
        break;
    case 2:
        advance(script, reference.now_ms + draw_span(script, operation >> 6));
        break;
    default: { /* as long as the wheel says, as its owner does; or a step back, which is none */
        int64_t wait_ms = tg_timer_wheel_wait_ms(&wheel, reference.now_ms);
        bool is_back = (operation >> 6) == 3;
        uint64_t sleep_ms = wait_ms < 0 || wait_ms > (int64_t)TURN ? TURN : (uint64_t)wait_ms;
        advance(script, is_back ? reference.now_ms / 2 : reference.now_ms + sleep_ms);
        break;
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = fuzz_script_open(data, size);
    open_world(fuzz_byte(&script));
    while (!fuzz_is_over(&script)) {
        step(&script);
        check_state();
        check_wait(false);
    }
    for (uint32_t i = 0; i < TIMERS; i++) {
        stop(i);
    }
    check_state();
    check_wait(false);
    return 0;
}
