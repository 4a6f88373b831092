/* SPDX-License-Identifier: MIT
 * The tables that users see: errors, log levels, the version. */
#include <throng/error.h>
#include <throng/log.h>
#include <throng/version.h>

#include <string.h>

#include "check.h"

struct row {
    const char *name;
    int code;
    const char *text;
};

static const struct row rows[] = {
#define ROW(name, number, text) {"THRONG_" #name, number, text},
    THRONG_ERROR_MAP(ROW)
#undef ROW
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static void each_error_has_a_number_of_its_own_that_never_changes(void **state)
{
    (void)state;
    assert_int_equal(ROW_COUNT, 26);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        assert_int_equal(rows[i].code, -(int)i - 1);
    }
    assert_int_equal(THRONG_OK, 0);
    assert_int_equal(THRONG_EINVAL, -1);
    assert_int_equal(THRONG_EAGAIN, -6);
    assert_int_equal(THRONG_EDESCRIPTORLIMIT, -20);
    assert_int_equal(THRONG_ESYSTEM, -25);
    assert_int_equal(THRONG_EREMOTE, -26);
}

static void each_error_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        assert_string_equal(throng_error_name(rows[i].code), rows[i].name);
        assert_string_equal(throng_error_text(rows[i].code), rows[i].text);
        assert_true(strlen(rows[i].text) >= 4);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(rows[i].name, rows[k].name);
            assert_string_not_equal(rows[i].text, rows[k].text);
        }
    }
    assert_string_equal(throng_error_name(THRONG_OK), "THRONG_OK");
    assert_string_equal(throng_error_text(THRONG_OK), "success");
    assert_string_equal(throng_error_name(THRONG_EEOF), "THRONG_EEOF");
    assert_string_equal(throng_error_text(THRONG_EEOF), "end of stream");
}

static void a_number_outside_the_table_is_named_unknown(void **state)
{
    (void)state;
    static const int codes[] = {1, -27, -1000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_string_equal(throng_error_name(codes[i]), "THRONG_E?");
        assert_string_equal(throng_error_text(codes[i]), "unknown error");
    }
}

static void log_levels_have_names(void **state)
{
    (void)state;
    assert_string_equal(throng_log_level_name(THRONG_LOG_ERROR), "error");
    assert_string_equal(throng_log_level_name(THRONG_LOG_WARNING), "warning");
    assert_string_equal(throng_log_level_name(THRONG_LOG_INFO), "info");
    assert_string_equal(throng_log_level_name((enum throng_log_level)0), "?");
}

static void the_version_text_says_what_the_version_numbers_say(void **state)
{
    (void)state;
    char text[40];
    snprintf(text, sizeof text, "%d.%d.%d", THRONG_VERSION_MAJOR, THRONG_VERSION_MINOR,
             THRONG_VERSION_PATCH);
    assert_string_equal(THRONG_VERSION_TEXT, text);
    assert_string_equal(throng_version(), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_a_number_of_its_own_that_never_changes),
        cmocka_unit_test(each_error_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(a_number_outside_the_table_is_named_unknown),
        cmocka_unit_test(log_levels_have_names),
        cmocka_unit_test(the_version_text_says_what_the_version_numbers_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
