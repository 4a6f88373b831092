/* SPDX-License-Identifier: MIT
 * The reader of Prometheus' text format, with what a server sends and with what an enemy would. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "guard.h"

#include "../../tools/top/prometheus.h"

static struct test_guard guard;

static int open_guard(void **state)
{
    (void)state;
    test_guard_open(&guard, 4096);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    test_guard_close(&guard);
    return 0;
}

/* Reads a page that ends at a forbidden one. Answers the samples; the first one is in *first. */
static unsigned read_page(const char *page, struct prometheus_sample *first, unsigned *bad)
{
    struct prometheus_reader reader;
    struct prometheus_sample sample = {0};
    unsigned count = 0;
    size_t size = strlen(page);
    prometheus_begin(&reader, (const char *)test_guard_copy(&guard, page, size), size);
    while (prometheus_next(&reader, &sample)) {
        if (count++ == 0) {
            *first = sample;
        }
    }
    *bad = reader.bad_lines;
    return count;
}

static double number_of(const char *text)
{
    double number = NAN;
    size_t size = strlen(text);
    (void)prometheus_number((const char *)test_guard_copy(&guard, text, size), size, &number);
    return number;
}

static void samples_with_and_without_labels_are_read(void **state)
{
    struct prometheus_sample sample = {0};
    unsigned bad;
    char value[32];
    (void)state;
    assert_int_equal(read_page("# HELP a b\n# TYPE a counter\n\na 1\n", &sample, &bad), 1);
    assert_int_equal(sample.name_size, 1);
    assert_int_equal(sample.labels_size, 0);
    assert_true(sample.value == 1);
    assert_int_equal(read_page("a{x=\"1\",le=\"+Inf\",} 2.5 1600000000\r\nb 3", &sample, &bad), 2);
    assert_int_equal(bad, 0);
    assert_true(sample.value == 2.5);
    assert_true(prometheus_label(sample.labels, sample.labels_size, "le", value, sizeof(value)));
    assert_string_equal(value, "+Inf");
    assert_false(prometheus_label(sample.labels, sample.labels_size, "l", value, sizeof(value)));
}

static void escapes_in_labels_are_undone_and_braces_in_them_end_nothing(void **state)
{
    struct prometheus_sample sample = {0};
    unsigned bad;
    char value[32];
    (void)state;
    assert_int_equal(read_page("a{x=\"q\\\"\\\\\\n}{,\"} 7\n", &sample, &bad), 1);
    assert_true(sample.value == 7);
    assert_true(prometheus_label(sample.labels, sample.labels_size, "x", value, sizeof(value)));
    assert_string_equal(value, "q\"\\\n}{,");
    assert_true(prometheus_label(sample.labels, sample.labels_size, "x", value, 3));
    assert_string_equal(value, "q\""); /* cut */
}

static void numbers_are_those_of_the_format(void **state)
{
    (void)state;
    assert_true(number_of("0") == 0);
    assert_true(number_of("12345678901234567") == 12345678901234567.0);
    assert_true(number_of("-1.5") == -1.5);
    assert_true(number_of("1e3") == 1000);
    assert_true(number_of("0.00001") == 0.00001);
    assert_true(number_of("2.5e-05") == 2.5e-05);
    assert_true(number_of("+7") == 7);
    assert_true(number_of("+Inf") > DBL_MAX);
    assert_true(number_of("-Inf") < 0);
    assert_true(number_of("1e999999999999") > DBL_MAX);
    assert_true(number_of("0e999999999999") == 0);
    assert_true(number_of("1e-999999999999") == 0);
    assert_true(fabs(number_of("18446744073709551615") / 18446744073709551615.0 - 1) < 1e-15);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const bad[] = {"",   "-",  ".",   "e5",   "1e",  "1e+", "0x10", "1,5",
                                      "1 ", " 1", "--1", "Inf1", "NaN", "nan", "inf",  "1.2.3"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        double number = -4;
        assert_false(prometheus_number(bad[i], strlen(bad[i]), &number));
        assert_true(number == -4);
    }
}

static void a_bad_line_hides_no_other(void **state)
{
    static const char *const bad_lines[] = {"a",         "a ",         "1a 5",
                                            "a{ 5",      "a{x} 5",     "a{x=} 5",
                                            "a{x=\"} 5", "a{x=\"\\",   "a{x=\"1\" y=\"2\"} 5",
                                            "a{x=\"1\"", "a{x=\"1\"}", "{} 5",
                                            "a=5",       "a\x01 5",    "\xff\xfe 5",
                                            "a{,} 5",    "a{x='1'} 5", "a NaN"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
        struct prometheus_sample sample = {0};
        unsigned bad;
        char page[64];
        (void)snprintf(page, sizeof(page), "%s\ngood 1\n", bad_lines[i]);
        assert_int_equal(read_page(page, &sample, &bad), 1);
        assert_memory_equal(sample.name, "good", 4);
        assert_int_equal(bad, 1);
        (void)read_page(bad_lines[i], &sample, &bad); /* at the end of the page too */
        assert_int_equal(bad, 1);
    }
}

static void a_page_cut_anywhere_is_read_without_going_beyond(void **state)
{
    static const char page[] =
        "# HELP x y\na{b=\"c\\\"d\",e=\"f\"} 1.5e-3 123\nlonger_name{le=\"+Inf\"} +Inf\nz 9\n";
    (void)state;
    for (size_t size = 0; size < sizeof(page); size++) {
        struct prometheus_reader reader;
        struct prometheus_sample sample = {0};
        prometheus_begin(&reader, (const char *)test_guard_copy(&guard, page, size), size);
        while (prometheus_next(&reader, &sample)) {
            char value[8];
            (void)prometheus_label(sample.labels, sample.labels_size, "e", value, sizeof(value));
        }
    }
}

static void random_pages_are_survived(void **state)
{
    static const char bytes[] = "ab{}=\",\\ \n#1.5e+-Inf\x80\r\t_:0";
    uint64_t random = test_seed() | UINT64_C(1);
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char page[48];
        struct prometheus_reader reader;
        struct prometheus_sample sample = {0};
        for (size_t i = 0; i < sizeof(page); i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            page[i] = bytes[random % (sizeof(bytes) - 1)];
        }
        prometheus_begin(&reader, (const char *)test_guard_copy(&guard, page, sizeof(page)),
                         sizeof(page));
        while (prometheus_next(&reader, &sample)) {
            char value[8];
            assert_true(sample.name_size > 0);
            assert_int_equal(isnan((float)sample.value) != 0, 0);
            (void)prometheus_label(sample.labels, sample.labels_size, "a", value, sizeof(value));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_with_and_without_labels_are_read),
        cmocka_unit_test(escapes_in_labels_are_undone_and_braces_in_them_end_nothing),
        cmocka_unit_test(numbers_are_those_of_the_format),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(a_bad_line_hides_no_other),
        cmocka_unit_test(a_page_cut_anywhere_is_read_without_going_beyond),
        cmocka_unit_test(random_pages_are_survived),
    };
    return cmocka_run_group_tests(tests, open_guard, close_guard);
}
