/* SPDX-License-Identifier: MIT
 * Values are read where they lie in the bytes, and are what MessagePack-C takes them for: each is
 * compared with the object that it makes of it. Every input ends at a guard page. */
#include <math.h>
#include <string.h>

#include <throng/message_object.h>

#include "check.h"
#include "guard.h"

static struct test_guard guard;
static struct throng_decoder *decoder;
static struct throng_message message;

#define DECODE(text) decode(text, sizeof(text) - 1)

/* A body behind an envelope. */
static throng_value decode(const void *body, size_t size)
{
    uint8_t bytes[1024] = {0x93, 7, 0xc0};
    assert_true(size <= sizeof bytes - 3);
    memcpy(bytes + 3, body, size);
    assert_int_equal(
        throng_decode(decoder, test_guard_copy(&guard, bytes, 3 + size), 3 + size, &message), 0);
    return message.body;
}

/* ---- as MessagePack-C has it ---- */

static void expect_number(throng_value value, const msgpack_object *object)
{
    uint64_t number = 0;
    int64_t with_sign = 0;
    const bool is_negative = object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
    assert_int_equal(throng_value_u64(value, &number), is_negative ? THRONG_EPROTOCOL : 0);
    assert_true(is_negative || number == object->via.u64);
    const bool is_large = !is_negative && object->via.u64 > INT64_MAX;
    assert_int_equal(throng_value_i64(value, &with_sign), is_large ? THRONG_EPROTOCOL : 0);
    assert_true(is_large || with_sign == object->via.i64);
}

static void expect_bytes(throng_value value, const msgpack_object *object)
{
    const char *text = NULL;
    const void *data = NULL;
    size_t size = 0;
    if (object->type == MSGPACK_OBJECT_STR) {
        assert_int_equal(throng_value_string(value, &text, &size), 0);
        /* Both in the message; MessagePack-C has no place for what is empty. */
        assert_true(size == 0 || text == object->via.str.ptr);
        assert_true(text > (const char *)message.data);
        assert_true(text + size <= (const char *)message.data + message.size);
        assert_int_equal(size, object->via.str.size);
    } else {
        assert_int_equal(throng_value_bin(value, &data, &size), 0);
        assert_true(size == 0 || data == object->via.bin.ptr);
        assert_int_equal(size, object->via.bin.size);
    }
}

/* The value and its object say the same. */
static void expect_same(throng_value value)
{
    const msgpack_object *object = throng_value_object(value);
    const throng_value other = throng_object_value(object);
    double fraction = 0;
    bool yes = false;
    assert_non_null(object);
    assert_int_equal(throng_value_kind(value), throng_value_kind(other));
    assert_int_equal(throng_value_size(value), throng_value_size(other));
    switch (throng_value_kind(value)) {
    case THRONG_VALUE_BOOL:
        assert_int_equal(throng_value_bool(value, &yes), 0);
        assert_true(yes == object->via.boolean);
        break;
    case THRONG_VALUE_INTEGER:
        expect_number(value, object);
        break;
    case THRONG_VALUE_FLOAT:
        assert_int_equal(throng_value_f64(value, &fraction), 0);
        assert_true(fraction == object->via.f64);
        break;
    case THRONG_VALUE_STRING:
    case THRONG_VALUE_BIN:
        expect_bytes(value, object);
        break;
    default:
        break;
    }
}

/* One of each form, the numbers at the ends of their ranges. */
static const struct {
    uint8_t bytes[10];
    size_t size;
} forms[] = {
    {{0x00}, 1},
    {{0x7f}, 1},
    {{0xe0}, 1},
    {{0xff}, 1},
    {{0xc0}, 1},
    {{0xc2}, 1},
    {{0xc3}, 1},
    {{0xcc, 0xff}, 2},
    {{0xcd, 0xff, 0xfe}, 3},
    {{0xce, 0xff, 0xfe, 0xfd, 0xfc}, 5},
    {{0xcf, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8}, 9},
    {{0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9},
    {{0xd0, 0x80}, 2},
    {{0xd0, 0x7f}, 2},
    {{0xd1, 0x80, 0x01}, 3},
    {{0xd1, 0x7f, 0x01}, 3},
    {{0xd2, 0x80, 0, 0, 0x01}, 5},
    {{0xd2, 0x7f, 0, 0, 0x01}, 5},
    {{0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0x01}, 9},
    {{0xd3, 0x7f, 0, 0, 0, 0, 0, 0, 0x01}, 9},
    {{0xca, 0xc0, 0x20, 0, 0}, 5},
    {{0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0x01}, 9},
    {{0xa0}, 1},
    {{0xa3, 'a', 'b', 'c'}, 4},
    {{0xd9, 2, 'a', 'b'}, 4},
    {{0xda, 0, 2, 'a', 'b'}, 5},
    {{0xdb, 0, 0, 0, 2, 'a', 'b'}, 7},
    {{0xc4, 2, 1, 2}, 4},
    {{0xc5, 0, 2, 1, 2}, 5},
    {{0xc6, 0, 0, 0, 2, 1, 2}, 7},
    {{0xc7, 1, 5, 6}, 4},
    {{0xc8, 0, 1, 5, 6}, 5},
    {{0xc9, 0, 0, 0, 1, 5, 6}, 7},
    {{0xd4, 5, 6}, 3},
    {{0xd5, 5, 6, 7}, 4},
    {{0xd6, 5, 6, 7, 8, 9}, 6},
    {{0x90}, 1},
    {{0x91, 0x01}, 2},
    {{0xdc, 0, 1, 0x01}, 4},
    {{0xdd, 0, 0, 0, 1, 0x01}, 6},
    {{0x80}, 1},
    {{0x81, 0xa1, 'k', 0x01}, 4},
    {{0xde, 0, 1, 0xa1, 'k', 0x01}, 6},
    {{0xdf, 0, 0, 0, 1, 0xa1, 'k', 0x01}, 8},
};

static void each_form_is_what_messagepack_c_takes_it_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        expect_same(decode(forms[i].bytes, forms[i].size));
    }
}

/* An array of all of them, and a map: each is found by its index, whatever comes before it. */
static void each_form_is_found_behind_all_the_others(void **state)
{
    const uint32_t count = sizeof forms / sizeof forms[0];
    uint8_t array[512] = {0xdc, 0, (uint8_t)count};
    uint8_t map[512] = {0xde, 0, (uint8_t)count};
    size_t array_size = 3;
    size_t map_size = 3;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        memcpy(array + array_size, forms[i].bytes, forms[i].size);
        array_size += forms[i].size;
        map[map_size++] = 0xa1;
        map[map_size++] = (uint8_t)('0' + i);
        memcpy(map + map_size, forms[i].bytes, forms[i].size);
        map_size += forms[i].size;
    }
    throng_value body = decode(array, array_size);
    assert_int_equal(throng_value_size(body), count);
    for (uint32_t i = count; i-- > 0;) {
        expect_same(throng_array_at(body, i));
        assert_ptr_equal(throng_value_object(throng_array_at(body, i)),
                         &throng_value_object(body)->via.array.ptr[i]);
    }
    body = decode(map, map_size);
    for (uint32_t i = 0; i < count; i++) {
        const char key[] = {(char)('0' + i), '\0'};
        expect_same(throng_map_get(body, key));
        assert_ptr_equal(throng_value_object(throng_map_get(body, key)),
                         &throng_value_object(body)->via.map.ptr[i].val);
    }
}

static void objects_of_values_inside_are_found(void **state)
{
    /* [[1, [2], {}], {"k": [3, {"m": 4}], "n": []}, [[5]], 6] */
    const throng_value body = DECODE("\x94\x93\1\x91\2\x80\x82\xa1k\x92\3\x81\xa1m\4\xa1n\x90"
                                     "\x91\x91\5\6");
    throng_value key;
    throng_value value;
    (void)state;
    value = throng_array_at(throng_array_at(throng_array_at(body, 2), 0), 0);
    assert_int_equal(throng_value_object(value)->via.u64, 5);
    value = throng_map_get(throng_array_at(body, 1), "k");
    assert_int_equal(throng_value_object(throng_array_at(value, 0))->via.u64, 3);
    value = throng_map_get(throng_array_at(value, 1), "m");
    assert_int_equal(throng_value_object(value)->via.u64, 4);
    throng_map_at(throng_array_at(body, 1), 1, &key, &value);
    assert_int_equal(throng_value_object(key)->via.str.ptr[0], 'n');
    assert_int_equal(throng_value_object(value)->type, MSGPACK_OBJECT_ARRAY);
    value = throng_array_at(throng_array_at(body, 0), 1);
    assert_int_equal(throng_value_object(throng_array_at(value, 0))->via.u64, 2);
    value = throng_array_at(throng_array_at(body, 0), 2);
    assert_int_equal(throng_value_object(value)->type, MSGPACK_OBJECT_MAP);
    assert_int_equal(throng_value_object(throng_array_at(body, 3))->via.u64, 6);
    assert_ptr_equal(throng_value_object(body), throng_value_object(body));
    assert_null(throng_value_object(throng_array_at(body, 4)));
}

static void each_message_has_objects_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(throng_value_object(DECODE("\7"))->via.u64, 7);
    assert_int_equal(throng_value_object(DECODE("\x08"))->via.u64, 8);
    assert_int_equal(throng_value_object(DECODE("\x91\x09"))->via.array.size, 1);
}

/* As many as there may be, with what is inside at the end of the table: a sanitizer sees one too
 * many. */
static void the_last_value_that_there_may_be_is_read(void **state)
{
    const struct throng_message_limits limits = {.nodes_max = 5};
    struct throng_decoder *small;
    uint64_t number = 0;
    (void)state;
    assert_int_equal(throng_decoder_create(&small, &limits, NULL), 0);
    assert_int_equal(throng_decode(small, "\x93\7\xc0\x92\1\x92\2\3", 8, &message), 0);
    const throng_value inner = throng_array_at(message.body, 1);
    assert_int_equal(throng_value_u64(throng_array_at(inner, 1), &number), 0);
    assert_int_equal(number, 3);
    assert_int_equal(throng_value_object(throng_array_at(inner, 1))->via.u64, 3);
    throng_decoder_destroy(small);
}

/* ---- keys ---- */

static void expect_u64(throng_value map, const char *key, uint64_t expected)
{
    uint64_t number = 0;
    assert_int_equal(throng_value_u64(throng_map_get(map, key), &number), 0);
    assert_int_equal(number, expected);
}

static void expect_nothing(throng_value map, const char *key)
{
    assert_int_equal(throng_value_kind(throng_map_get(map, key)), THRONG_VALUE_NONE);
}

static void a_key_is_found_in_whatever_form_it_comes(void **state)
{
    (void)state;
    expect_u64(DECODE("\x81\xd9\1x\5"), "x", 5);
    expect_u64(DECODE("\x81\xda\0\1x\5"), "x", 5);
    expect_u64(DECODE("\x82\xd9\1x\5\xa1x\6"), "x", 5); /* the first of two */
    expect_u64(DECODE("\x82\xa1x\6\xd9\1x\5"), "x", 6);
    expect_u64(DECODE("\xde\0\1\xa1x\5"), "x", 5);
    expect_u64(DECODE("\x82\xd9\0\5\xa0\6"), "", 5);
    expect_u64(DECODE("\x81\xbf"
                      "abcdefghijklmnopqrstuvwxyz01234\5"),
               "abcdefghijklmnopqrstuvwxyz01234", 5);
    expect_u64(DECODE("\x81\xd9\x20"
                      "abcdefghijklmnopqrstuvwxyz012345\5"),
               "abcdefghijklmnopqrstuvwxyz012345", 5);
}

static void a_key_with_a_nul_inside_is_another(void **state)
{
    const throng_value map = DECODE("\x83\xa3\x61\0\x62\1\xa2\x61\0\2\xa1\x61\3");
    (void)state;
    expect_u64(map, "a", 3);
    expect_nothing(map, "");
    expect_nothing(map, "b");
    expect_nothing(DECODE("\x81\xa1\0\1"), "");
}

static void keys_that_are_no_strings_are_passed_over(void **state)
{
    const throng_value map = DECODE("\x84\x78\1\xc4\1x\2\x91\xa1x\3\xa1x\4");
    (void)state;
    expect_u64(map, "x", 4);
    expect_nothing(map, "y");
    expect_nothing(DECODE("\x80"), "x");
    expect_nothing(DECODE("\x91\xa1x"), "x");
    expect_nothing(DECODE("\5"), "x");
}

/* ---- objects that no message holds ---- */

static void objects_made_by_hand_are_values_too(void **state)
{
    msgpack_object one = {.type = MSGPACK_OBJECT_POSITIVE_INTEGER, .via.u64 = 1};
    msgpack_object_kv pair = {.key = {.type = MSGPACK_OBJECT_STR, .via.str = {1, "x"}},
                              .val = {.type = MSGPACK_OBJECT_FLOAT64, .via.f64 = 0.5}};
    msgpack_object array = {.type = MSGPACK_OBJECT_ARRAY, .via.array = {1, &one}};
    msgpack_object map = {.type = MSGPACK_OBJECT_MAP, .via.map = {1, &pair}};
    const throng_value value = throng_object_value(&map);
    throng_value key;
    throng_value item;
    double fraction = 0;
    (void)state;
    assert_int_equal(throng_value_f64(throng_map_get(value, "x"), &fraction), 0);
    assert_true(fraction == 0.5);
    expect_nothing(value, "y");
    expect_nothing(throng_object_value(NULL), "x");
    throng_map_at(value, 0, &key, &item);
    assert_ptr_equal(throng_value_object(key), &pair.key);
    assert_ptr_equal(throng_value_object(item), &pair.val);
    item = throng_array_at(throng_object_value(&array), 0);
    assert_ptr_equal(throng_value_object(item), &one);
    assert_int_equal(throng_value_kind(throng_array_at(throng_object_value(&array), 1)),
                     THRONG_VALUE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_what_messagepack_c_takes_it_for),
        cmocka_unit_test(each_form_is_found_behind_all_the_others),
        cmocka_unit_test(objects_of_values_inside_are_found),
        cmocka_unit_test(each_message_has_objects_of_its_own),
        cmocka_unit_test(the_last_value_that_there_may_be_is_read),
        cmocka_unit_test(a_key_is_found_in_whatever_form_it_comes),
        cmocka_unit_test(a_key_with_a_nul_inside_is_another),
        cmocka_unit_test(keys_that_are_no_strings_are_passed_over),
        cmocka_unit_test(objects_made_by_hand_are_values_too),
    };
    const struct throng_message_limits limits = {.any_keys = true, .ext_allowed = true};
    test_guard_open(&guard, 4096);
    int failed = throng_decoder_create(&decoder, &limits, NULL) == 0
                     ? cmocka_run_group_tests_name("message_value", tests, NULL, NULL)
                     : 1;
    throng_decoder_destroy(decoder);
    test_guard_close(&guard);
    return failed;
}
