/* SPDX-License-Identifier: MIT
 * The latency histogram against sorted values, and at its bounds. */
#include <string.h>

#include "check.h"

#include "../../tools/stress/hgrm.h"
#include "../../tools/stress/histogram.h"

#define VALUES 20000

static struct histogram histogram;

static int clear(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof(histogram));
    return 0;
}

/* xorshift64 (Marsaglia 2003) */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

static void an_empty_histogram_answers_0(void **state)
{
    (void)state;
    assert_int_equal(histogram_at(&histogram, 500000), 0);
    assert_int_equal(histogram_at(&histogram, 1000000), 0);
}

static void values_below_256_are_exact(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 256; value++) {
        memset(&histogram, 0, sizeof(histogram));
        histogram_add(&histogram, value);
        histogram_add(&histogram, 1000000);
        assert_int_equal(histogram_at(&histogram, 500000), value);
    }
}

static void the_first_values_of_coarser_octaves_share_buckets_by_2_and_4(void **state)
{
    (void)state;
    histogram_add(&histogram, 256);
    histogram_add(&histogram, 5000);
    assert_int_equal(histogram_at(&histogram, 500000), 257);
    memset(&histogram, 0, sizeof(histogram));
    histogram_add(&histogram, 512);
    histogram_add(&histogram, 5000);
    assert_int_equal(histogram_at(&histogram, 500000), 515);
}

static void a_percentile_is_never_too_low_and_at_most_a_128th_too_high(void **state)
{
    static uint64_t values[VALUES];
    static const uint32_t places[] = {1, 100000, 500000, 900000, 990000, 999000, 1000000};
    (void)state;
    uint64_t random = test_seed() | 1;
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = next_random(&random) >> (24 + next_random(&random) % 40);
        histogram_add(&histogram, values[i]);
    }
    qsort(values, VALUES, sizeof(values[0]), compare);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t rank = ((size_t)VALUES * places[i] + 999999) / 1000000;
        uint64_t exact = values[rank - 1];
        uint64_t answer = histogram_at(&histogram, places[i]);
        assert_true(answer >= exact);
        assert_true(answer - exact <= exact / 128);
    }
}

static void the_maximum_is_exact_and_no_percentile_is_above_it(void **state)
{
    (void)state;
    histogram_add(&histogram, 1000003);
    assert_int_equal(histogram.max, 1000003);
    assert_int_equal(histogram_at(&histogram, 500000), 1000003);
    assert_int_equal(histogram_at(&histogram, 1000000), 1000003);
}

static void values_beyond_the_last_bucket_are_counted_and_the_maximum_kept(void **state)
{
    (void)state;
    histogram_add(&histogram, (UINT64_C(1) << 40) - 1);
    histogram_add(&histogram, UINT64_C(1) << 40);
    histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(histogram.count, 3);
    assert_true(histogram.max == UINT64_MAX);
    assert_true(histogram_at(&histogram, 1000000) == UINT64_MAX);
}

static void the_median_of_two_is_the_lower_one(void **state)
{
    (void)state;
    histogram_add(&histogram, 10);
    histogram_add(&histogram, 20);
    assert_int_equal(histogram_at(&histogram, 500000), 10);
    assert_int_equal(histogram_at(&histogram, 500001), 20);
}

static void ranks_of_very_many_values_do_not_overflow(void **state)
{
    (void)state;
    histogram.count = UINT64_C(1) << 60;
    histogram.buckets[3] = (UINT64_C(1) << 60) - 1;
    histogram.buckets[9] = 1;
    histogram.max = 9;
    assert_int_equal(histogram_at(&histogram, 999000), 3);
    assert_int_equal(histogram_at(&histogram, 1000000), 9);
}

static void merging_gives_what_adding_to_one_would_have(void **state)
{
    static struct histogram other;
    static struct histogram both;
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        histogram_add(i % 3 == 0 ? &other : &histogram, i * i);
        histogram_add(&both, i * i);
    }
    histogram_merge(&histogram, &other);
    assert_memory_equal(&histogram, &both, sizeof(both));
}

static void values_up_to_one_are_counted(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 100; value++) {
        histogram_add(&histogram, value);
    }
    assert_int_equal(histogram_count_to(&histogram, 0), 0);
    assert_int_equal(histogram_count_to(&histogram, 50), 50);
    assert_int_equal(histogram_count_to(&histogram, UINT64_MAX), 100);
    double mean;
    double variance;
    histogram_moments(&histogram, &mean, &variance);
    assert_true(mean > 50.49 && mean < 50.51);
    assert_true(variance > 833.24 && variance < 833.26); /* (100^2 - 1) / 12 */
    memset(&histogram, 0, sizeof(histogram));
    histogram_moments(&histogram, &mean, &variance);
    assert_true(mean == 0 && variance == 0);
}

static void the_percentile_text_is_hdr_histograms(void **state)
{
    (void)state;
    static char text[8192];
    FILE *file = fopen("stress_hgrm.txt", "w+b");
    assert_non_null(file);
    for (uint64_t i = 0; i < 4; i++) {
        histogram_add(&histogram, 1000000 * (i + 1));
    }
    hgrm_write(file, &histogram);
    rewind(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_int_equal(remove("stress_hgrm.txt"), 0);
    const char *first = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
                        "       1.004 0.000000000000          1           1.00\n"
                        "       1.004 0.100000000000          1           1.11\n";
    assert_memory_equal(text, first, strlen(first));
    assert_non_null(strstr(text, "\n       2.007 0.500000000000          2           2.00\n"));
    assert_non_null(strstr(text, "\n       4.000 1.000000000000          4\n#[Mean "));
    assert_non_null(strstr(text, "#[Max     =        4.000, Total count    =            4]\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_histogram_answers_0, clear),
        cmocka_unit_test_setup(values_below_256_are_exact, clear),
        cmocka_unit_test_setup(the_first_values_of_coarser_octaves_share_buckets_by_2_and_4, clear),
        cmocka_unit_test_setup(a_percentile_is_never_too_low_and_at_most_a_128th_too_high, clear),
        cmocka_unit_test_setup(the_maximum_is_exact_and_no_percentile_is_above_it, clear),
        cmocka_unit_test_setup(values_beyond_the_last_bucket_are_counted_and_the_maximum_kept,
                               clear),
        cmocka_unit_test_setup(the_median_of_two_is_the_lower_one, clear),
        cmocka_unit_test_setup(ranks_of_very_many_values_do_not_overflow, clear),
        cmocka_unit_test_setup(merging_gives_what_adding_to_one_would_have, clear),
        cmocka_unit_test_setup(values_up_to_one_are_counted, clear),
        cmocka_unit_test_setup(the_percentile_text_is_hdr_histograms, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
