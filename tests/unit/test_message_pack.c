/* SPDX-License-Identifier: MIT
 * Writing messages: the bytes are those of MessagePack's specification, misuse is an error, and no
 * buffer is passed by a byte. */
#include <throng/message_object.h>

#include <string.h>

#include "check.h"
#include "guard.h"

static struct test_guard guard;
static struct throng_pack pack;
static uint8_t *buffer;

static void begin(size_t capacity)
{
    buffer = test_guard_tail(&guard, capacity);
    throng_pack_to_buffer(&pack, buffer, capacity);
}

static void expect_bytes(const void *bytes, size_t size)
{
    assert_int_equal(throng_pack_end(&pack), size);
    assert_memory_equal(buffer, bytes, size);
}

#define EXPECT(text) expect_bytes(text, sizeof(text) - 1)

static void the_examples_of_the_specification_are_written(void **state)
{
    (void)state;
    begin(64);
    throng_pack_envelope(&pack, 7, 0);
    throng_pack_map(&pack, 1);
    throng_pack_field_u64(&pack, "x", 5);
    EXPECT("\x93\x07\xc0\x81\xa1x\x05");
    begin(64);
    throng_pack_envelope(&pack, 7, 42);
    throng_pack_nil(&pack);
    EXPECT("\x93\x07\x2a\xc0");
    begin(64);
    throng_pack_envelope(&pack, 8, -42);
    throng_pack_text(&pack, "ok");
    EXPECT("\x93\x08\xd0\xd6\xa2ok");
    begin(64);
    throng_pack_error_message(&pack, -1, -22, "no");
    EXPECT("\x93\x00\xff\x82\xa4"
           "code\xea\xa4text\xa2no");
}

static void each_kind_of_value_is_written_in_its_shortest_form(void **state)
{
    (void)state;
    begin(200);
    throng_pack_array(&pack, 17);
    throng_pack_u64(&pack, 127);
    throng_pack_u64(&pack, 128);
    throng_pack_u64(&pack, 65536);
    throng_pack_u64(&pack, UINT64_MAX);
    throng_pack_i64(&pack, -32);
    throng_pack_i64(&pack, -33);
    throng_pack_i64(&pack, INT64_MIN);
    throng_pack_i64(&pack, 255);
    throng_pack_f64(&pack, 1.5);
    throng_pack_f32(&pack, 1.5f);
    throng_pack_bool(&pack, true);
    throng_pack_bool(&pack, false);
    throng_pack_string(&pack, NULL, 0);
    throng_pack_string(&pack, "a\0b", 3);
    throng_pack_bin(&pack, "\1\2", 2);
    throng_pack_encoded(&pack, "\x92\1\2", 3);
    throng_pack_map(&pack, 0);
    EXPECT("\xdc\0\x11\x7f\xcc\x80\xce\0\1\0\0\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xe0\xd0\xdf\xd3"
           "\x80\0\0\0"
           "\0\0\0\0\xcc\xff\xcb\x3f\xf8\0\0\0\0\0\0\xca\x3f\xc0\0\0\xc3\xc2\xa0\xa3"
           "a\0b\xc4\2\1\2\x92\1\2\x80");
}

static void fields_are_a_key_and_a_value(void **state)
{
    (void)state;
    begin(200);
    throng_pack_map(&pack, 8);
    throng_pack_field_bool(&pack, "a", true);
    throng_pack_field_i64(&pack, "b", -1);
    throng_pack_field_f64(&pack, "c", 0);
    throng_pack_field_string(&pack, "d", "xyz", 2);
    throng_pack_field_text(&pack, "e", "z");
    throng_pack_field_bin(&pack, "f", "\7", 1);
    throng_pack_field_array(&pack, "g", 1);
    throng_pack_nil(&pack);
    throng_pack_field_map(&pack, "h", 0);
    EXPECT("\x88\xa1"
           "a\xc3\xa1"
           "b\xff\xa1"
           "c\xcb\0\0\0\0\0\0\0\0\xa1"
           "d\xa2xy\xa1"
           "e\xa1z\xa1"
           "f\xc4\1\7\xa1g\x91\xc0\xa1h\x80");
}

static void a_fields_key_may_be_long(void **state)
{
    static const char key[] = "abcdefghijklmnopqrstuvwxyz012345";
    static uint8_t expected[64];
    (void)state;
    for (size_t skipped = 0; skipped < 3; skipped++) { /* 32, 31 and 30 bytes */
        throng_pack_to_buffer(&pack, expected, sizeof expected);
        throng_pack_map(&pack, 1);
        throng_pack_text(&pack, key + skipped);
        throng_pack_u64(&pack, 5);
        const int64_t size = throng_pack_end(&pack);
        assert_int_equal(expected[1], skipped == 0 ? 0xd9 : 0xa0 + 32 - (int)skipped);
        begin(64);
        throng_pack_map(&pack, 1);
        throng_pack_field_u64(&pack, key + skipped, 5);
        size_t written = 0;
        const void *bytes = throng_pack_unpassed(&pack, &written);
        assert_int_equal(written, size);
        assert_memory_equal(bytes, expected, written);
    }
}

static void a_buffer_takes_what_fits_and_not_a_byte_more(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 7; capacity++) {
        begin(capacity);
        throng_pack_envelope(&pack, 7, 0);
        throng_pack_map(&pack, 1);
        throng_pack_field_u64(&pack, "x", 5);
        assert_int_equal(throng_pack_end(&pack), THRONG_ETOOBIG);
        assert_int_equal(throng_pack_error(&pack), THRONG_ETOOBIG);
    }
    begin(7);
    throng_pack_envelope(&pack, 7, 0);
    throng_pack_map(&pack, 1);
    throng_pack_field_u64(&pack, "x", 5);
    EXPECT("\x93\x07\xc0\x81\xa1x\x05");
    throng_pack_to_buffer(&pack, NULL, 10);
    throng_pack_nil(&pack);
    assert_int_equal(throng_pack_end(&pack), THRONG_ETOOBIG);
}

static void expect_misuse(void)
{
    size_t size;
    assert_null(throng_pack_unpassed(&pack, &size));
    assert_int_equal(throng_pack_end(&pack), THRONG_EINVAL);
}

static void misuse_is_an_error(void **state)
{
    (void)state;
    begin(64); /* nothing */
    expect_misuse();
    begin(64); /* a value is missing */
    throng_pack_envelope(&pack, 7, 0);
    expect_misuse();
    begin(64); /* one too many */
    throng_pack_envelope(&pack, 7, 0);
    throng_pack_nil(&pack);
    throng_pack_nil(&pack);
    expect_misuse();
    begin(64); /* a pair lacks its value */
    throng_pack_map(&pack, 1);
    throng_pack_text(&pack, "x");
    expect_misuse();
    begin(64); /* an inner one is missing */
    throng_pack_array(&pack, 2);
    throng_pack_array(&pack, 1);
    throng_pack_nil(&pack);
    expect_misuse();
    begin(64); /* throng's own type */
    throng_pack_envelope(&pack, 0, 0);
    expect_misuse();
    begin(64); /* not the first */
    throng_pack_array(&pack, 1);
    throng_pack_envelope(&pack, 7, 0);
    expect_misuse();
    begin(64);
    throng_pack_text(&pack, NULL);
    expect_misuse();
    begin(64);
    throng_pack_string(&pack, NULL, 1);
    expect_misuse();
    begin(64);
    throng_pack_encoded(&pack, "", 0);
    expect_misuse();
    throng_pack_to_sink(&pack, NULL, NULL);
    throng_pack_nil(&pack);
    expect_misuse();
}

static void nesting_ends_at_its_limit(void **state)
{
    (void)state;
    begin(64);
    for (int i = 0; i < THRONG_PACK_DEPTH_MAX; i++) {
        throng_pack_array(&pack, 1);
    }
    throng_pack_nil(&pack);
    assert_int_equal(throng_pack_end(&pack), THRONG_PACK_DEPTH_MAX + 1);
    begin(64);
    for (int i = 0; i <= THRONG_PACK_DEPTH_MAX; i++) {
        throng_pack_array(&pack, 1);
    }
    assert_int_equal(throng_pack_end(&pack), THRONG_EINVAL);
}

static void the_first_error_is_kept(void **state)
{
    (void)state;
    begin(1);
    throng_pack_fail(&pack, THRONG_ESTALE);
    throng_pack_text(&pack, NULL);
    throng_pack_fail(&pack, THRONG_EINVAL);
    assert_int_equal(throng_pack_end(&pack), THRONG_ESTALE);
}

/* ---- sinks ---- */

static uint8_t sunk[200000];
static size_t sunk_bytes;
static size_t sink_room;
static uint32_t sink_calls;

static int sink(void *context, const void *data, size_t size)
{
    assert_ptr_equal(context, sunk);
    assert_true(size >= 1);
    sink_calls++;
    if (size > sink_room - sunk_bytes) {
        return THRONG_EAGAIN;
    }
    memcpy(sunk + sunk_bytes, data, size);
    sunk_bytes += size;
    return 0;
}

static void begin_sink(size_t room)
{
    sunk_bytes = 0;
    sink_calls = 0;
    sink_room = room;
    throng_pack_to_sink(&pack, sink, sunk);
}

static void write_strings(uint32_t count, size_t size)
{
    static const char text[100000];
    throng_pack_array(&pack, count);
    for (uint32_t i = 0; i < count; i++) {
        throng_pack_string(&pack, text, size);
    }
}

static void a_sink_gets_the_same_bytes_as_a_buffer(void **state)
{
    static const size_t sizes[] = {0,   1,   31,  505, 506, 507,  508,
                                   509, 510, 511, 512, 513, 5000, 66000};
    static uint8_t same[200000];
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        throng_pack_to_buffer(&pack, same, sizeof same);
        write_strings(3, sizes[i]);
        const int64_t bytes = throng_pack_end(&pack);
        assert_true(bytes > (int64_t)(3 * sizes[i]));
        begin_sink(sizeof sunk);
        write_strings(3, sizes[i]);
        assert_int_equal(throng_pack_end(&pack), bytes);
        assert_int_equal(sunk_bytes, bytes);
        assert_memory_equal(sunk, same, (size_t)bytes);
    }
}

static void what_a_sink_was_not_asked_for_lies_in_the_pack(void **state)
{
    size_t size = 0;
    (void)state;
    begin_sink(sizeof sunk);
    throng_pack_string(&pack, (const char[509]){0}, 509); /* 3 + 509 = 512 */
    assert_non_null(throng_pack_unpassed(&pack, &size));
    assert_int_equal(size, 512);
    assert_int_equal(sink_calls, 0);
    assert_int_equal(throng_pack_end(&pack), 512);
    assert_int_equal(sink_calls, 1);
    begin_sink(sizeof sunk);
    throng_pack_string(&pack, (const char[510]){0}, 510);
    assert_null(throng_pack_unpassed(&pack, &size));
    assert_int_equal(throng_pack_end(&pack), 513);
}

static void a_sinks_error_ends_the_pack(void **state)
{
    (void)state;
    begin_sink(1000);
    write_strings(10, 400);
    assert_int_equal(throng_pack_end(&pack), THRONG_EAGAIN);
    const uint32_t calls = sink_calls;
    throng_pack_nil(&pack);
    assert_int_equal(throng_pack_end(&pack), THRONG_EAGAIN);
    assert_int_equal(sink_calls, calls);
    begin_sink(0); /* refused only at the end */
    throng_pack_nil(&pack);
    assert_int_equal(throng_pack_error(&pack), 0);
    assert_int_equal(throng_pack_end(&pack), THRONG_EAGAIN);
}

static void objects_of_messagepack_c_are_written(void **state)
{
    msgpack_object number = {.type = MSGPACK_OBJECT_POSITIVE_INTEGER, .via.u64 = 5};
    (void)state;
    begin(8);
    throng_pack_object(&pack, &number);
    EXPECT("\5");
    begin(8);
    throng_pack_object(&pack, NULL);
    expect_misuse();
    assert_int_equal(throng_value_kind(throng_object_value(&number)), THRONG_VALUE_INTEGER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_specification_are_written),
        cmocka_unit_test(each_kind_of_value_is_written_in_its_shortest_form),
        cmocka_unit_test(fields_are_a_key_and_a_value),
        cmocka_unit_test(a_fields_key_may_be_long),
        cmocka_unit_test(a_buffer_takes_what_fits_and_not_a_byte_more),
        cmocka_unit_test(misuse_is_an_error),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(the_first_error_is_kept),
        cmocka_unit_test(a_sink_gets_the_same_bytes_as_a_buffer),
        cmocka_unit_test(what_a_sink_was_not_asked_for_lies_in_the_pack),
        cmocka_unit_test(a_sinks_error_ends_the_pack),
        cmocka_unit_test(objects_of_messagepack_c_are_written),
    };
    test_guard_open(&guard, 4096);
    int failed = cmocka_run_group_tests_name("message_pack", tests, NULL, NULL);
    test_guard_close(&guard);
    return failed;
}
