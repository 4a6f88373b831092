/* SPDX-License-Identifier: MIT
 * From bytes to a message and its fields. Every input ends at a guard page. */
#include "message/scan.h"

#include <math.h>
#include <string.h>

#include <throng/message_object.h>

#include "check.h"
#include "guard.h"

static struct test_guard guard;
static struct throng_decoder *decoder;
static struct throng_message message;

#define DECODE(text) decode(text, sizeof(text) - 1)

static int decode(const void *data, size_t size)
{
    message = (struct throng_message){0};
    return throng_decode(decoder, test_guard_copy(&guard, data, size), size, &message);
}

static void the_examples_of_the_specification_are_read(void **state)
{
    uint64_t x = 0;
    (void)state;
    assert_int_equal(DECODE("\x93\x07\xc0\x81\xa1x\x05"), 0);
    assert_int_equal(message.type, 7);
    assert_int_equal(message.request, 0);
    assert_false(message.is_reply);
    assert_int_equal(throng_body_u64(&message, "x", &x), 0);
    assert_int_equal(x, 5);
    assert_int_equal(DECODE("\x93\x07\x2a\xc0"), 0);
    assert_int_equal(message.request, 42);
    assert_false(message.is_reply);
    assert_int_equal(throng_message_reply_id(&message), -42);
    assert_int_equal(DECODE("\x93\x08\xd0\xd6\xa2ok"), 0);
    assert_int_equal(message.request, 42);
    assert_true(message.is_reply);
    assert_int_equal(throng_message_reply_id(&message), 0);
    assert_int_equal(throng_value_kind(message.body), THRONG_VALUE_STRING);
}

static void numbers_of_the_envelope_may_have_any_width(void **state)
{
    (void)state;
    assert_int_equal(DECODE("\xdc\0\3\xcf\0\0\0\0\0\0\0\7\xd3\0\0\0\0\0\0\0\1\xc0"), 0);
    assert_int_equal(message.type, 7);
    assert_int_equal(message.request, 1);
    assert_int_equal(DECODE("\xdd\0\0\0\3\xd2\0\0\0\7\xd3\xff\xff\xff\xff\xff\xff\xff\xff\xc0"), 0);
    assert_int_equal(message.request, 1);
    assert_true(message.is_reply);
    assert_int_equal(DECODE("\x93\xce\xff\xff\xff\xff\xce\x7f\xff\xff\xff\xc0"), 0);
    assert_int_equal(message.type, 4294967295);
    assert_int_equal(message.request, 2147483647);
    assert_int_equal(DECODE("\x93\7\xd2\x80\0\0\1\xc0"), 0);
    assert_int_equal(message.request, 2147483647);
    assert_true(message.is_reply);
    assert_int_equal(DECODE("\x93\7\xff\xc0"), 0);
    assert_int_equal(message.request, 1);
}

static void other_envelopes_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum throng_message_fault_kind kind;
    } rows[] = {
        {"", 0, THRONG_FAULT_TRUNCATED},
        {"\x93", 1, THRONG_FAULT_TRUNCATED},
        {"\x93\7", 2, THRONG_FAULT_TRUNCATED},
        {"\x93\7\xc0", 3, THRONG_FAULT_TRUNCATED},
        {"\x93\xcd\7", 3, THRONG_FAULT_TRUNCATED},
        {"\xdc\0", 2, THRONG_FAULT_TRUNCATED},
        {"\x92\7\xc0", 3, THRONG_FAULT_ENVELOPE},
        {"\x94\7\xc0\xc0\xc0", 5, THRONG_FAULT_ENVELOPE},
        {"\xdc\0\4\7\xc0\xc0\xc0", 7, THRONG_FAULT_ENVELOPE},
        {"\xdd\1\0\0\3\7\xc0\xc0", 8, THRONG_FAULT_ENVELOPE},
        {"\x83\7\xc0\xc0", 4, THRONG_FAULT_ENVELOPE},
        {"\x93\xff\xc0\xc0", 4, THRONG_FAULT_TYPE},
        {"\x93\xa1x\xc0\xc0", 5, THRONG_FAULT_TYPE},
        {"\x93\xcf\0\0\0\1\0\0\0\0\xc0\xc0", 12, THRONG_FAULT_TYPE},
        {"\x93\xcb\0\0\0\0\0\0\0\0\xc0\xc0", 12, THRONG_FAULT_TYPE},
        {"\x93\7\0\xc0", 4, THRONG_FAULT_REQUEST},
        {"\x93\7\xc3\xc0", 4, THRONG_FAULT_REQUEST},
        {"\x93\7\xce\x80\0\0\0\xc0", 8, THRONG_FAULT_REQUEST},
        {"\x93\7\xd2\x80\0\0\0\xc0", 8, THRONG_FAULT_REQUEST},
        {"\x93\7\xd3\x80\0\0\0\0\0\0\0\xc0", 12, THRONG_FAULT_REQUEST},
        {"\x93\7\xc0\xc0\xc0", 5, THRONG_FAULT_TRAILING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(decode(rows[i].bytes, rows[i].size), THRONG_EPROTOCOL);
        assert_int_equal(message.fault.kind, rows[i].kind);
    }
}

static const char SAMPLE[] =
    "\x93\1\xc0\x88\xa1u\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1i\xd3\x80\0\0\0\0\0"
    "\0\0\xa1"
    "f\xcb\x3f\xf8\0\0\0\0\0\0\xa1"
    "b\xc3\xa1s\xa2"
    "a\0\xa1n\xc0\xa1"
    "d\xc4\2\0\1\xa1"
    "a\x93\1\2\x81\xa1k\xa1v";

static void each_kind_of_field_is_read_as_what_it_is(void **state)
{
    uint64_t u = 0;
    int64_t i = 0;
    double f = 0;
    bool b = false;
    const char *text;
    const void *data;
    size_t size;
    throng_value array, key, value;
    (void)state;
    assert_int_equal(DECODE(SAMPLE), 0);
    assert_int_equal(throng_body_u64(&message, "u", &u), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(throng_body_i64(&message, "i", &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(throng_body_f64(&message, "f", &f), 0);
    assert_true(f == 1.5);
    assert_int_equal(throng_body_bool(&message, "b", &b), 0);
    assert_true(b);
    assert_int_equal(throng_body_string(&message, "s", &text, &size), 0);
    assert_int_equal(size, 2);
    assert_memory_equal(text, "a", 2);
    assert_true((const uint8_t *)text > (const uint8_t *)message.data &&
                (const uint8_t *)text < (const uint8_t *)message.data + message.size);
    assert_int_equal(throng_body_bin(&message, "d", &data, &size), 0);
    assert_memory_equal(data, "\0\1", 2);
    assert_int_equal(throng_body_array(&message, "a", &array), 0);
    assert_int_equal(throng_value_size(array), 3);
    assert_int_equal(throng_value_u64(throng_array_at(array, 1), &u), 0);
    assert_int_equal(u, 2);
    assert_int_equal(throng_value_kind(throng_array_at(array, 3)), THRONG_VALUE_NONE);
    throng_map_at(throng_array_at(array, 2), 0, &key, &value);
    assert_int_equal(throng_value_string(key, &text, &size), 0);
    assert_int_equal(throng_value_string(value, &text, &size), 0);
    assert_memory_equal(text, "v", 1);
    throng_map_at(throng_array_at(array, 2), 1, &key, &value);
    assert_int_equal(throng_value_kind(key), THRONG_VALUE_NONE);
    assert_true(throng_body_has(&message, "u"));
    assert_false(throng_body_has(&message, "n"));
    assert_false(throng_body_has(&message, "zz"));
    assert_int_equal(message.fault.kind, THRONG_FAULT_NONE);
    assert_int_equal(throng_value_object(message.body)->type, MSGPACK_OBJECT_MAP);
}

static void expect_note(const char *text)
{
    struct throng_error error;
    throng_message_fault_text(&message.fault, &error);
    assert_string_equal(error.text, text);
    message.fault = (struct throng_message_fault){0};
}

static void what_is_not_there_or_of_another_kind_is_an_error(void **state)
{
    uint64_t u = 77;
    uint32_t small = 77;
    int64_t i = 77;
    double f = 77;
    bool b = true;
    const char *text = "untouched";
    const void *data = text;
    size_t size = 77;
    throng_value value = {text, NULL};
    (void)state;
    assert_int_equal(DECODE(SAMPLE), 0);
    assert_int_equal(throng_body_u64(&message, "zz", &u), THRONG_EPROTOCOL);
    expect_note("field \"zz\": the field is missing");
    assert_int_equal(throng_body_u64(&message, "s", &u), THRONG_EPROTOCOL);
    expect_note("field \"s\": the field is of another kind: a string instead of a whole number");
    assert_int_equal(throng_body_u64(&message, "i", &u), THRONG_EPROTOCOL);
    expect_note("field \"i\": the field's number is out of range");
    assert_int_equal(throng_body_u32(&message, "u", &small), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_i64(&message, "u", &i), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_i64(&message, "f", &i), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_f64(&message, "s", &f), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_bool(&message, "u", &b), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_string(&message, "d", &text, &size), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_utf8(&message, "n", &text, &size), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_bin(&message, "s", &data, &size), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_array(&message, "s", &value), THRONG_EPROTOCOL);
    assert_int_equal(throng_body_map(&message, "a", &value), THRONG_EPROTOCOL);
    expect_note("field \"u\": the field's number is out of range"); /* the first is kept */
    assert_true(u == 77 && small == 77 && i == 77 && f == 77 && b && size == 77);
    assert_string_equal(text, "untouched");
    assert_ptr_equal(data, text);
    assert_ptr_equal(value.private_place, text);
}

static void a_body_that_is_no_map_has_no_fields(void **state)
{
    uint64_t u = 0;
    (void)state;
    assert_int_equal(DECODE("\x93\1\xc0\7"), 0);
    assert_int_equal(throng_body_u64(&message, "x", &u), THRONG_EPROTOCOL);
    assert_int_equal(message.fault.kind, THRONG_FAULT_NO_FIELD);
    assert_int_equal(throng_value_u64(message.body, &u), 0);
    assert_int_equal(u, 7);
    assert_int_equal(throng_value_size(message.body), 0);
}

static void integers_are_numbers_and_nan_is_none(void **state)
{
    double f = 0;
    (void)state;
    assert_int_equal(DECODE("\x93\1\xc0\x91\xff"), 0);
    assert_int_equal(throng_value_f64(throng_array_at(message.body, 0), &f), 0);
    assert_true(f == -1);
    assert_int_equal(DECODE("\x93\1\xc0\xca\x40\x20\0\0"), 0);
    assert_int_equal(throng_value_f64(message.body, &f), 0);
    assert_true(f == 2.5);
    assert_int_equal(DECODE("\x93\1\xc0\xcb\x7f\xf8\0\0\0\0\0\0"), 0);
    assert_int_equal(throng_value_f64(message.body, &f), THRONG_EPROTOCOL);
    assert_int_equal(DECODE("\x93\1\xc0\xca\xff\x80\0\0"), 0);
    assert_int_equal(throng_value_f64(message.body, &f), THRONG_EPROTOCOL);
    assert_true(f == 2.5);
}

static void text_is_checked_where_it_is_asked_for(void **state)
{
    const char *text;
    size_t size;
    (void)state;
    assert_int_equal(DECODE("\x93\1\xc0\x81\xa1t\xa2\xc0\xaf"), 0);
    assert_int_equal(throng_body_string(&message, "t", &text, &size), 0);
    assert_int_equal(throng_body_utf8(&message, "t", &text, &size), THRONG_EPROTOCOL);
    expect_note("field \"t\": the field's text is not UTF-8");
    assert_int_equal(DECODE("\x93\1\xc0\x81\xa1t\xa2\xc3\xa9"), 0);
    assert_int_equal(throng_body_utf8(&message, "t", &text, &size), 0);
}

static void a_key_is_neither_the_beginning_of_one_nor_its_end(void **state)
{
    uint64_t u = 0;
    (void)state;
    assert_int_equal(DECODE("\x93\1\xc0\x84\xa2xy\1\xa0\2\xa2yx\3\xa1x\4"), 0);
    assert_int_equal(throng_body_u64(&message, "x", &u), 0);
    assert_int_equal(u, 4);
    assert_int_equal(throng_body_u64(&message, "", &u), 0);
    assert_int_equal(u, 2);
    assert_int_equal(throng_body_u64(&message, "xyz", &u), THRONG_EPROTOCOL);
}

static void the_first_of_two_equal_keys_counts(void **state)
{
    uint64_t u = 0;
    (void)state;
    assert_int_equal(DECODE("\x93\1\xc0\x82\xa1x\1\xa1x\2"), 0);
    assert_int_equal(throng_body_u64(&message, "x", &u), 0);
    assert_int_equal(u, 1);
}

static void the_deepest_and_the_widest_that_pass_are_decoded(void **state)
{
    const struct throng_message_limits limits = {.depth_max = 30, .nodes_max = 2000};
    static const uint8_t start[] = {0x93, 1, 0xc0};
    static const uint8_t wide_array[] = {0xdc, 0x07, 0xcf};
    static uint8_t bytes[4096];
    struct throng_decoder *wide;
    (void)state;
    assert_int_equal(throng_decoder_create(&wide, &limits, NULL), 0);
    memcpy(bytes, start, sizeof start);
    memset(bytes + 3, 0x91, 30);
    bytes[33] = 1;
    assert_int_equal(throng_decode(wide, bytes, 34, &message), 0);
    /* 1 + 1,998 and an empty one: as many as there may be. */
    memset(bytes, 1, sizeof bytes);
    memcpy(bytes, start, sizeof start);
    memcpy(bytes + sizeof start, wide_array, sizeof wide_array);
    assert_int_equal(throng_decode(wide, bytes, 6 + 1999, &message), 0);
    assert_int_equal(throng_value_size(message.body), 1999);
    bytes[5]++;
    assert_int_equal(throng_decode(wide, bytes, 6 + 2000, &message), THRONG_ETOOBIG);
    assert_int_equal(message.fault.value, 2001);
    assert_int_equal(message.fault.limit, 2000);
    throng_decoder_destroy(wide);
}

static void decoders_with_bad_limits_are_not_made(void **state)
{
    const struct throng_message_limits limits = {.depth_max = 31};
    struct throng_decoder *none = NULL;
    struct throng_error error = {0};
    (void)state;
    assert_int_equal(throng_decoder_create(&none, &limits, &error), THRONG_EINVAL);
    assert_string_equal(error.text, "limits.depth_max is 31; at most 30");
    assert_null(none);
    assert_int_equal(throng_decoder_create(NULL, NULL, &error), THRONG_EINVAL);
    throng_decoder_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_specification_are_read),
        cmocka_unit_test(numbers_of_the_envelope_may_have_any_width),
        cmocka_unit_test(other_envelopes_are_refused),
        cmocka_unit_test(each_kind_of_field_is_read_as_what_it_is),
        cmocka_unit_test(what_is_not_there_or_of_another_kind_is_an_error),
        cmocka_unit_test(a_body_that_is_no_map_has_no_fields),
        cmocka_unit_test(integers_are_numbers_and_nan_is_none),
        cmocka_unit_test(text_is_checked_where_it_is_asked_for),
        cmocka_unit_test(a_key_is_neither_the_beginning_of_one_nor_its_end),
        cmocka_unit_test(the_first_of_two_equal_keys_counts),
        cmocka_unit_test(the_deepest_and_the_widest_that_pass_are_decoded),
        cmocka_unit_test(decoders_with_bad_limits_are_not_made),
    };
    test_guard_open(&guard, 4096);
    int failed = throng_decoder_create(&decoder, NULL, NULL) == 0
                     ? cmocka_run_group_tests_name("message_decode", tests, NULL, NULL)
                     : 1;
    throng_decoder_destroy(decoder);
    test_guard_close(&guard);
    return failed;
}
