/* SPDX-License-Identifier: MIT
 * The charts: numbers in words, where grids have lines, and that a line goes where its values
 * are. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

#include "../../tools/stress/svg.h"

static char text[65536];

static FILE *open_text(void)
{
    FILE *file = fopen("stress_svg.txt", "w+b");
    assert_non_null(file);
    return file;
}

static void close_text(FILE *file)
{
    rewind(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_int_equal(remove("stress_svg.txt"), 0);
}

static void expect_label(double value, enum svg_unit unit, const char *expected)
{
    char label[SVG_LABEL_SIZE];
    svg_label(label, value, unit);
    assert_string_equal(label, expected);
}

static void numbers_have_three_digits_and_a_unit(void **state)
{
    (void)state;
    expect_label(0, SVG_COUNT, "0");
    expect_label(7, SVG_COUNT, "7");
    expect_label(0.25, SVG_COUNT, "0.25");
    expect_label(999, SVG_COUNT, "999");
    expect_label(1500, SVG_COUNT, "1.5k");
    expect_label(100001, SVG_COUNT, "100k");
    expect_label(65000000, SVG_COUNT, "65M");
    expect_label(350, SVG_NANOSECONDS, "350 ns");
    expect_label(1230, SVG_NANOSECONDS, "1.23 us");
    expect_label(182452200, SVG_NANOSECONDS, "182 ms");
    expect_label(2e9, SVG_NANOSECONDS, "2 s");
    expect_label(1572864, SVG_BYTES, "1.5 MiB");
    expect_label(12.5, SVG_SECONDS, "12.5 s");
    expect_label(1e30, SVG_COUNT, "1000000000000000000000G"); /* never longer */
}

static void expect_ticks(double most, enum svg_unit unit, unsigned count, double second,
                         double last)
{
    double ticks[SVG_TICKS_MAX];
    assert_int_equal(svg_ticks(most, unit, ticks), count);
    assert_true(ticks[0] == 0);
    assert_true(ticks[1] > second * 0.999 && ticks[1] < second * 1.001);
    assert_true(ticks[count - 1] > last * 0.999 && ticks[count - 1] < last * 1.001);
}

static void grids_have_round_steps_and_end_above_the_values(void **state)
{
    (void)state;
    expect_ticks(100, SVG_COUNT, 6, 20, 100);
    expect_ticks(101, SVG_COUNT, 4, 50, 150);
    expect_ticks(3, SVG_COUNT, 4, 1, 3);
    expect_ticks(0.3, SVG_COUNT, 4, 0.1, 0.3);
    expect_ticks(5 * 1048576.0, SVG_BYTES, 6, 1048576, 5 * 1048576.0);
    expect_ticks(9, SVG_SECONDS, 6, 2, 10);
    expect_ticks(0, SVG_COUNT, 2, 0.2, 0.2);
}

static void logarithmic_grids_are_powers_of_ten(void **state)
{
    (void)state;
    double ticks[SVG_TICKS_MAX];
    assert_int_equal(svg_log_ticks(1000, 1000000, ticks), 4);
    assert_true(ticks[0] == 1000 && ticks[3] == 1000000);
    assert_int_equal(svg_log_ticks(999, 1000001, ticks), 6);
    assert_true(ticks[0] == 100 && ticks[5] == 10000000);
    assert_int_equal(svg_log_ticks(50, 50, ticks), 2);
    assert_true(ticks[0] == 10 && ticks[1] == 100);
    assert_int_equal(svg_log_ticks(100, 100, ticks), 2); /* an axis has two ends */
    assert_int_equal(svg_log_ticks(1, 1e300, ticks), SVG_TICKS_MAX);
}

static void text_cannot_break_out_of_its_element(void **state)
{
    (void)state;
    FILE *file = open_text();
    svg_text(file, "a<b>&\"c\"\x01\xff\n");
    close_text(file);
    assert_string_equal(text, "a&lt;b&gt;&amp;&quot;c&quot;???");
}

static void count_tags(const char *tag, int expected)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, tag)) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, expected);
}

static void a_line_goes_through_its_values_and_has_gaps(void **state)
{
    (void)state;
    /* Plot: x from 70 to 484 (500 wide), y from 168 up to 48 (200 high); 4 seconds, 0..100. */
    static const double values[] = {0, 100, -1, 50};
    struct svg_lines chart = {
        .title = "Rate", .x_step = 1, .count = 4, .series_count = 1, .series = {{"a", values}}};
    FILE *file = open_text();
    svg_lines(file, &chart, 0, 0, 500, 200);
    close_text(file);
    assert_non_null(strstr(text, "d=\"M173.5 168.0L277.0 48.0M484.0 108.0h0\""));
    assert_null(strstr(text, "class=\"area"));
    count_tags("<svg", 1);
    count_tags("</svg>", 1);
    count_tags("<text", 2 + 6 + 5); /* title, legend, y and x ticks */
    count_tags("</text>", 2 + 6 + 5);
}

static void a_chart_without_values_is_a_chart(void **state)
{
    (void)state;
    static const double nothing[] = {-1, -1};
    struct svg_lines chart = {.title = "Latency",
                              .log = true,
                              .area = true,
                              .x_step = 1,
                              .count = 2,
                              .series_count = 1,
                              .series = {{"p50", nothing}}};
    FILE *file = open_text();
    svg_lines(file, &chart, 0, 0, 500, 200);
    chart.count = 0;
    svg_lines(file, &chart, 0, 0, 500, 200);
    close_text(file);
    count_tags("</svg>", 2);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
}

static void bars_stand_where_their_values_are(void **state)
{
    (void)state;
    /* x: 1 us at 70 to 100 us at 484, a decade is 207; y: 1 at 168 to 100 at 48. */
    static const uint64_t counts[] = {10, 0, 1, 100};
    struct svg_bars chart = {.title = "Distribution",
                             .first = 1000,
                             .ratio = 3.16227766016838,
                             .counts = counts,
                             .count = 4,
                             .mark_count = 1,
                             .marks = {10000},
                             .mark_names = {"p50"}};
    FILE *file = open_text();
    svg_bars(file, &chart, 0, 0, 500, 200);
    close_text(file);
    assert_non_null(strstr(text, "M70.0 168.0V108.0H172.9V168.0Z"));
    assert_non_null(strstr(text, "M277.0 168.0V166.0H379.9V168.0Z")); /* one is seen */
    assert_non_null(strstr(text, "M380.5 168.0V48.0H483.4V168.0Z"));
    assert_non_null(strstr(text, "mark s1\" d=\"M277.0 168.0V48.0\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_three_digits_and_a_unit),
        cmocka_unit_test(grids_have_round_steps_and_end_above_the_values),
        cmocka_unit_test(logarithmic_grids_are_powers_of_ten),
        cmocka_unit_test(text_cannot_break_out_of_its_element),
        cmocka_unit_test(a_line_goes_through_its_values_and_has_gaps),
        cmocka_unit_test(a_chart_without_values_is_a_chart),
        cmocka_unit_test(bars_stand_where_their_values_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
