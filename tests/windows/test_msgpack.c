/* SPDX-License-Identifier: MIT
 * MessagePack and cmocka, cross-built, on the system that the tests run on: a map goes there and
 * back, with the bytes that the format's description gives. */
#include <msgpack.h>
#include <string.h>

#include "check.h"

static void pack_text(msgpack_packer *packer, const char *text)
{
    msgpack_pack_str(packer, strlen(text));
    msgpack_pack_str_body(packer, text, strlen(text));
}

static void pack_everything(msgpack_sbuffer *buffer)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, buffer, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, 5);
    pack_text(&packer, "name");
    pack_text(&packer, "Zo\xc3\xab");
    pack_text(&packer, "big");
    msgpack_pack_uint64(&packer, UINT64_C(18446744073709551615));
    pack_text(&packer, "half");
    msgpack_pack_double(&packer, 0.5);
    pack_text(&packer, "low");
    msgpack_pack_int64(&packer, -33);
    pack_text(&packer, "raw");
    msgpack_pack_bin(&packer, 3);
    msgpack_pack_bin_body(&packer, "\0\xff\r", 3);
}

static void a_map_has_the_bytes_of_the_format(void **state)
{
    (void)state;
    static const char expected[] =
        "\x85\xa4name\xa4Zo\xc3\xab\xa3"
        "big\xcf\xff\xff\xff\xff\xff\xff\xff\xff"
        "\xa4half\xcb\x3f\xe0\0\0\0\0\0\0\xa3low\xd0\xdf\xa3raw\xc4\3\0\xff\r";
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    pack_everything(&buffer);
    assert_int_equal(buffer.size, sizeof(expected) - 1);
    assert_memory_equal(buffer.data, expected, sizeof(expected) - 1);
    msgpack_sbuffer_destroy(&buffer);
}

static const msgpack_object *value_of(const msgpack_object *map, uint32_t index, const char *key)
{
    const msgpack_object_kv *entry = &map->via.map.ptr[index];
    assert_int_equal(entry->key.type, MSGPACK_OBJECT_STR);
    assert_int_equal(entry->key.via.str.size, strlen(key));
    assert_memory_equal(entry->key.via.str.ptr, key, strlen(key));
    return &entry->val;
}

static void a_map_comes_back_as_it_was(void **state)
{
    (void)state;
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    pack_everything(&buffer);
    msgpack_unpacked result;
    msgpack_unpacked_init(&result);
    size_t offset = 0;
    assert_int_equal(msgpack_unpack_next(&result, buffer.data, buffer.size, &offset),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(offset, buffer.size);
    const msgpack_object *map = &result.data;
    assert_int_equal(map->type, MSGPACK_OBJECT_MAP);
    assert_int_equal(map->via.map.size, 5);
    const msgpack_object *name = value_of(map, 0, "name");
    assert_int_equal(name->type, MSGPACK_OBJECT_STR);
    assert_int_equal(name->via.str.size, 4);
    assert_memory_equal(name->via.str.ptr, "Zo\xc3\xab", 4);
    const msgpack_object *big = value_of(map, 1, "big");
    assert_int_equal(big->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
    assert_true(big->via.u64 == UINT64_C(18446744073709551615));
    const msgpack_object *half = value_of(map, 2, "half");
    assert_int_equal(half->type, MSGPACK_OBJECT_FLOAT64);
    assert_true(half->via.f64 == 0.5);
    const msgpack_object *low = value_of(map, 3, "low");
    assert_int_equal(low->type, MSGPACK_OBJECT_NEGATIVE_INTEGER);
    assert_true(low->via.i64 == -33);
    const msgpack_object *raw = value_of(map, 4, "raw");
    assert_int_equal(raw->type, MSGPACK_OBJECT_BIN);
    assert_int_equal(raw->via.bin.size, 3);
    assert_memory_equal(raw->via.bin.ptr, "\0\xff\r", 3);
    msgpack_unpacked_destroy(&result);
    msgpack_sbuffer_destroy(&buffer);
}

static void a_cut_map_is_not_taken_for_a_whole_one(void **state)
{
    (void)state;
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    pack_everything(&buffer);
    for (size_t length = 0; length < buffer.size; length++) {
        msgpack_unpacked result;
        msgpack_unpacked_init(&result);
        size_t offset = 0;
        assert_int_equal(msgpack_unpack_next(&result, buffer.data, length, &offset),
                         MSGPACK_UNPACK_CONTINUE);
        msgpack_unpacked_destroy(&result);
    }
    msgpack_sbuffer_destroy(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_has_the_bytes_of_the_format),
        cmocka_unit_test(a_map_comes_back_as_it_was),
        cmocka_unit_test(a_cut_map_is_not_taken_for_a_whole_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
