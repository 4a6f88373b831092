/* SPDX-License-Identifier: MIT
 * What happened when, in fixed memory; and when things that have a rate are due. */
#include <string.h>

#include "check.h"

#include "../../tools/stress/pace.h"
#include "../../tools/stress/timeline.h"

#define START UINT64_C(5000000000)
#define SECOND UINT64_C(1000000000)

static struct timeline timeline;
static struct timeline other;

static void prepare(void)
{
    memset(&timeline, 0, sizeof(timeline));
    memset(&other, 0, sizeof(other));
    timeline_begin(&timeline, START);
    timeline_begin(&other, START);
}

static void a_point_is_a_second(void **state)
{
    (void)state;
    prepare();
    timeline_answer(&timeline, START, 100, 7);
    timeline_answer(&timeline, START + SECOND - 1, 300, 8);
    timeline_answer(&timeline, START + SECOND, 200, 9);
    timeline_answer(&timeline, START - 1, 50, 1); /* a clock reading from before the start */
    assert_int_equal(timeline.count, 2);
    assert_int_equal(timeline.points[0].answers, 3);
    assert_int_equal(timeline.points[0].bytes, 16);
    assert_int_equal(timeline.points[0].latency_max_ns, 300);
    assert_int_equal(timeline.points[1].answers, 1);
    assert_true(timeline_step(&timeline) == 1);
}

static void when_points_run_out_two_become_one(void **state)
{
    (void)state;
    prepare();
    for (uint64_t second = 0; second < 1000; second++) {
        timeline_answer(&timeline, START + second * SECOND, second + 1, 1);
        struct timeline_point *point = timeline_at(&timeline, START + second * SECOND);
        point->looked = true;
        point->errors = second;
    }
    assert_true(timeline_step(&timeline) == 8); /* 1000 seconds in 240 points: 125 of 8 s */
    assert_int_equal(timeline.count, 125);
    uint64_t answers = 0;
    for (uint32_t i = 0; i < timeline.count; i++) {
        assert_int_equal(timeline.points[i].answers, 8);
        assert_int_equal(timeline.points[i].errors, 8 * i + 7); /* the last look */
        assert_int_equal(timeline.points[i].latency_max_ns, 8 * i + 8);
        answers += timeline.points[i].answers;
    }
    assert_int_equal(answers, 1000);
}

static void timelines_of_different_steps_are_merged(void **state)
{
    (void)state;
    prepare();
    timeline_answer(&timeline, START, 10, 1);
    timeline_answer(&timeline, START + 3 * SECOND, 10, 1);
    timeline_answer(&other, START + SECOND, 20, 1);
    timeline_answer(&other, START + 300 * SECOND, 30, 1);
    timeline_merge(&timeline, &other);
    assert_true(timeline_step(&timeline) == 2);
    assert_int_equal(timeline.count, 151);
    assert_int_equal(timeline.points[0].answers, 2);
    assert_int_equal(timeline.points[1].answers, 1);
    assert_int_equal(timeline.points[150].answers, 1);
    prepare();
    timeline_answer(&timeline, START + 300 * SECOND, 30, 1);
    timeline_answer(&other, START + 2 * SECOND, 20, 1);
    timeline_merge(&timeline, &other);
    assert_int_equal(timeline.points[1].answers, 1);
    assert_int_equal(timeline.points[150].answers, 1);
}

static void a_percentile_is_never_too_low_and_at_most_a_sixteenth_too_high(void **state)
{
    (void)state;
    prepare();
    for (uint64_t i = 1; i <= 100; i++) {
        timeline_answer(&timeline, START, i * 1000, 1);
    }
    const struct timeline_point *point = &timeline.points[0];
    static const uint32_t per_cent[] = {1, 50, 90, 99};
    for (size_t i = 0; i < 4; i++) {
        uint64_t exact = per_cent[i] * UINT64_C(1000);
        uint64_t found = timeline_latency(point, per_cent[i] * 10000);
        assert_true(found >= exact && found <= exact + exact / 16);
    }
    assert_int_equal(timeline_latency(point, 1000000), 100000);
    assert_int_equal(timeline_latency(&timeline.points[5], 500000), 0);
    timeline_answer(&timeline, START, UINT64_C(1) << 50, 1); /* beyond all buckets */
    assert_true(timeline_latency(point, 1000000) == UINT64_C(1) << 50);
}

static void what_is_due_stays_due(void **state)
{
    (void)state;
    struct pace pace = pace_start(1000, 1000, 1, 0, 1); /* one a millisecond */
    assert_int_equal(pace_due(&pace), 1000);
    pace.due_count = 5;
    assert_int_equal(pace_due(&pace), 5001000);
    assert_int_equal(pace_missed(&pace, 1000), 0);
    assert_int_equal(pace_missed(&pace, 5001000), 0);
    assert_int_equal(pace_missed(&pace, 9001000), 4);
    assert_int_equal(pace_missed(&pace, 0), 0);
}

static void threads_share_a_rate_and_take_turns(void **state)
{
    (void)state;
    struct pace second = pace_start(0, 1000, 0.25, 2, 4); /* 250 a second: one in 4 ms */
    assert_int_equal(pace_due(&second), 2000000);
    second.due_count = 1;
    assert_int_equal(pace_due(&second), 6000000);
    struct pace none = pace_start(0, 1000, 0, 1, 4);
    none.due_count = 1;
    assert_true(pace_due(&none) > UINT64_C(31536000000000000)); /* not this year */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_is_a_second),
        cmocka_unit_test(when_points_run_out_two_become_one),
        cmocka_unit_test(timelines_of_different_steps_are_merged),
        cmocka_unit_test(a_percentile_is_never_too_low_and_at_most_a_sixteenth_too_high),
        cmocka_unit_test(what_is_due_stays_due),
        cmocka_unit_test(threads_share_a_rate_and_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
