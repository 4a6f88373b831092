/* SPDX-License-Identifier: MIT
 * The rule of heartbeats: what one end does, then two ends against each other on a line with
 * delays, in which nobody may be given up and nothing may storm. */
#include "codec/heartbeat.h"

#include <string.h>

#include "base/prng.h"
#include "check.h"

/* ---- one end ---- */

static void a_heartbeat_is_due_after_an_interval_in_which_nothing_was_sent(void **state)
{
    struct tg_heartbeat beat;
    (void)state;
    tg_heartbeat_begin(&beat, 100, 1000);
    assert_false(tg_heartbeat_is_due(&beat, 1099));
    assert_true(tg_heartbeat_is_due(&beat, 1100));
    beat.sent = 1050;
    assert_false(tg_heartbeat_is_due(&beat, 1149));
    assert_true(tg_heartbeat_is_due(&beat, 1150));
    tg_heartbeat_give(&beat, 1160);
    assert_false(tg_heartbeat_is_due(&beat, 1259));
    assert_true(tg_heartbeat_is_due(&beat, 1260)); /* also if the one before is unanswered */
}

static void the_peer_is_given_up_after_three_intervals_of_silence(void **state)
{
    struct tg_heartbeat beat;
    (void)state;
    tg_heartbeat_begin(&beat, 100, 1000);
    assert_false(tg_heartbeat_is_silent(&beat, 1299));
    assert_true(tg_heartbeat_is_silent(&beat, 1300));
    beat.received = 1200;
    assert_false(tg_heartbeat_is_silent(&beat, 1499));
    assert_true(tg_heartbeat_is_silent(&beat, 1500));
}

static void questions_are_answered_once_and_answers_never(void **state)
{
    struct tg_heartbeat beat;
    (void)state;
    tg_heartbeat_begin(&beat, 100, 1000);
    for (int i = 0; i < 1000; i++) {
        tg_heartbeat_take(&beat);
    }
    assert_true(tg_heartbeat_is_due(&beat, 1000));
    tg_heartbeat_give(&beat, 1000);
    assert_false(tg_heartbeat_is_due(&beat, 1001));
    assert_int_equal(beat.unanswered, 0); /* an answer asks for none */

    tg_heartbeat_give(&beat, 1100);
    tg_heartbeat_give(&beat, 1200);
    assert_int_equal(beat.unanswered, 2);
    tg_heartbeat_take(&beat);
    tg_heartbeat_take(&beat);
    assert_false(beat.owes_answer);
    tg_heartbeat_take(&beat);
    assert_true(beat.owes_answer);
}

/* ---- two ends ---- */

#define LINE_MAX 4096u
#define STEPS 20000u

/* One direction: what is on its way, in order. */
struct line {
    struct {
        uint64_t due;
        bool is_empty; /* an empty message; else data */
    } items[LINE_MAX];
    uint32_t first;
    uint32_t count;
};

struct end {
    struct tg_heartbeat beat;
    struct line line; /* from this end to the other */
    uint32_t beats;   /* sent, answers included */
    uint32_t busy;    /* steps for which messages wait to be sent */
};

static struct tg_prng prng;

static uint32_t below(uint32_t bound)
{
    return tg_prng_below(&prng, bound);
}

static void send_item(struct end *end, uint64_t now, uint32_t delay_max, bool is_empty)
{
    struct line *line = &end->line;
    assert_true(line->count < LINE_MAX);
    uint64_t due = now + 1 + below(delay_max);
    if (line->count > 0) {
        uint64_t before = line->items[(line->first + line->count - 1) % LINE_MAX].due;
        due = due < before ? before : due; /* TCP keeps the order */
    }
    uint32_t place = (line->first + line->count++) % LINE_MAX;
    line->items[place].due = due;
    line->items[place].is_empty = is_empty;
}

static void receive(struct end *end, struct line *from, uint64_t now)
{
    while (from->count > 0 && from->items[from->first].due <= now) {
        end->beat.received = now;
        if (from->items[from->first].is_empty) {
            tg_heartbeat_take(&end->beat);
        }
        from->first = (from->first + 1) % LINE_MAX;
        from->count--;
    }
}

/* An end's step: data now and then, long stretches of it as well; a heartbeat if one is due. */
static void act(struct end *end, uint64_t now, uint32_t delay_max, uint32_t talk)
{
    if (end->busy == 0 && talk > 0 && below(talk) == 0) {
        end->busy = 1 + below(400);
    }
    if (end->busy > 0) {
        end->busy--;
        end->beat.sent = now;
        send_item(end, now, delay_max, false);
    } else if (tg_heartbeat_is_due(&end->beat, now)) {
        tg_heartbeat_give(&end->beat, now);
        end->beats++;
        send_item(end, now, delay_max, true);
    }
}

static uint32_t empties_on(const struct line *line)
{
    uint32_t empties = 0;
    for (uint32_t i = 0; i < line->count; i++) {
        empties += line->items[(line->first + i) % LINE_MAX].is_empty;
    }
    return empties;
}

static struct end ends[2];

/* Runs two ends with these intervals against each other. Nobody is given up if they are equal and
 * the line is faster than they are. */
static void run_two(uint32_t first_interval, uint32_t second_interval, uint32_t delay_max,
                    uint32_t first_talk, uint32_t second_talk)
{
    memset(ends, 0, sizeof(ends));
    tg_heartbeat_begin(&ends[0].beat, first_interval, 1000);
    tg_heartbeat_begin(&ends[1].beat, second_interval, 1000);
    for (uint64_t now = 1000; now < 1000 + STEPS; now++) {
        receive(&ends[0], &ends[1].line, now);
        receive(&ends[1], &ends[0].line, now);
        act(&ends[0], now, delay_max, first_talk);
        act(&ends[1], now, delay_max, second_talk);
        /* Each empty message on the line, or owed, stands for one of ours that is unanswered. */
        uint32_t on_line = empties_on(&ends[0].line) + empties_on(&ends[1].line);
        uint32_t owed = (uint32_t)ends[0].beat.owes_answer + ends[1].beat.owes_answer;
        assert_true(on_line + owed <= ends[0].beat.unanswered + ends[1].beat.unanswered);
        if (first_interval == second_interval) {
            assert_false(tg_heartbeat_is_silent(&ends[0].beat, now));
            assert_false(tg_heartbeat_is_silent(&ends[1].beat, now));
        }
    }
    /* One an interval from each, and the other's answer to it. */
    uint32_t most = 2 * (STEPS / first_interval + STEPS / second_interval + 2);
    assert_true(ends[0].beats + ends[1].beats <= most);
}

static void two_ends_that_ask_at_once_settle(void **state)
{
    (void)state;
    run_two(100, 100, 1, 0, 0);
    assert_int_equal(ends[0].beats, STEPS / 100 - 1 + (STEPS % 100 != 0));
    assert_int_equal(ends[0].beats, ends[1].beats);
    assert_in_range(ends[0].beat.unanswered, 0, 1);
}

static void an_end_without_heartbeats_of_its_own_answers_each(void **state)
{
    (void)state;
    run_two(100, 1000000, 20, 0, 0);
    assert_in_range(ends[0].beats, 195, 200);
    assert_in_range(ends[1].beats, ends[0].beats - 1, ends[0].beats);
    assert_int_equal(ends[1].beat.unanswered, 0);
}

static void no_line_and_no_talk_makes_a_storm_or_a_false_alarm(void **state)
{
    static const uint32_t intervals[] = {50, 100, 333, 1000};
    static const uint32_t talks[] = {0, 30, 500, 5000};
    (void)state;
    prng.state = test_seed();
    for (uint32_t i = 0; i < test_scaled(400); i++) {
        uint32_t first = intervals[below(4)];
        uint32_t second = below(2) == 0 ? first : intervals[below(4)];
        run_two(first, second, 1 + below(40), talks[below(4)], talks[below(4)]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heartbeat_is_due_after_an_interval_in_which_nothing_was_sent),
        cmocka_unit_test(the_peer_is_given_up_after_three_intervals_of_silence),
        cmocka_unit_test(questions_are_answered_once_and_answers_never),
        cmocka_unit_test(two_ends_that_ask_at_once_settle),
        cmocka_unit_test(an_end_without_heartbeats_of_its_own_answers_each),
        cmocka_unit_test(no_line_and_no_talk_makes_a_storm_or_a_false_alarm),
    };
    return cmocka_run_group_tests_name("heartbeats", tests, NULL, NULL);
}
