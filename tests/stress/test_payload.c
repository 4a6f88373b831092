/* SPDX-License-Identifier: MIT
 * Payloads: repeatable, different from each other, and any changed byte is seen. */
#include <string.h>

#include "check.h"

#include "../../tools/stress/payload.h"

static struct payload_kind kind_of(uint32_t size_min, uint32_t size_max)
{
    return (struct payload_kind){.seed = 1, .size_min = size_min, .size_max = size_max};
}

static void a_payload_matches_itself_at_every_size_around_the_steps(void **state)
{
    uint8_t bytes[64];
    (void)state;
    for (uint32_t size = 0; size <= 40; size++) {
        struct payload_kind kind = kind_of(size, size);
        memset(bytes, 0xee, sizeof(bytes));
        assert_int_equal(payload_fill(&kind, 7, 9, bytes), size);
        assert_true(payload_matches(&kind, 7, 9, bytes, size));
        assert_int_equal(bytes[size], 0xee);
    }
}

static void every_changed_bit_is_seen_at_every_size_around_the_steps(void **state)
{
    uint8_t bytes[64];
    (void)state;
    for (uint32_t size = 1; size <= 40; size++) {
        struct payload_kind kind = kind_of(size, size);
        (void)payload_fill(&kind, 7, 9, bytes);
        for (uint32_t bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(payload_matches(&kind, 7, 9, bytes, size));
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void another_size_does_not_match(void **state)
{
    uint8_t bytes[128];
    (void)state;
    struct payload_kind kind = kind_of(64, 64);
    (void)payload_fill(&kind, 7, 9, bytes);
    assert_false(payload_matches(&kind, 7, 9, bytes, 63));
    assert_false(payload_matches(&kind, 7, 9, bytes, 65));
    assert_false(payload_matches(&kind, 7, 9, bytes, 0));
}

static void another_connection_sequence_or_seed_gives_other_bytes(void **state)
{
    uint8_t bytes[8];
    (void)state;
    struct payload_kind kind = kind_of(8, 8);
    (void)payload_fill(&kind, 7, 9, bytes);
    assert_false(payload_matches(&kind, 8, 9, bytes, 8));
    assert_false(payload_matches(&kind, 7, 10, bytes, 8));
    assert_false(payload_matches(&kind, 9, 7, bytes, 8));
    kind.seed = 2;
    assert_false(payload_matches(&kind, 7, 9, bytes, 8));
}

static void from_12_bytes_on_a_payload_names_its_connection_and_sequence(void **state)
{
    uint8_t bytes[12];
    uint32_t connection = 0;
    uint64_t sequence = 0;
    (void)state;
    struct payload_kind kind = kind_of(12, 12);
    (void)payload_fill(&kind, 64999, UINT64_C(0x123456789ab), bytes);
    assert_false(payload_names(bytes, 11, &connection, &sequence));
    assert_true(payload_names(bytes, 12, &connection, &sequence));
    assert_int_equal(connection, 64999);
    assert_true(sequence == UINT64_C(0x123456789ab));
}

static void sizes_stay_in_their_range_and_reach_both_ends(void **state)
{
    bool seen[6] = {false};
    (void)state;
    struct payload_kind kind = kind_of(3, 5);
    for (uint64_t sequence = 0; sequence < 200; sequence++) {
        uint32_t size = payload_size(&kind, 1, sequence);
        assert_in_range(size, 3, 5);
        seen[size] = true;
    }
    assert_true(seen[3] && seen[4] && seen[5]);
}

static void the_size_is_the_same_each_time_and_that_of_the_payload(void **state)
{
    static uint8_t bytes[2000];
    (void)state;
    struct payload_kind kind = kind_of(0, 2000);
    for (uint64_t sequence = 0; sequence < 100; sequence++) {
        assert_int_equal(payload_fill(&kind, 3, sequence, bytes), payload_size(&kind, 3, sequence));
    }
}

static void unaligned_bytes_match_too(void **state)
{
    uint8_t bytes[108];
    (void)state;
    struct payload_kind kind = kind_of(100, 100);
    for (size_t offset = 0; offset < 8; offset++) {
        (void)payload_fill(&kind, 7, offset, bytes + offset);
        assert_true(payload_matches(&kind, 7, offset, bytes + offset, 100));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_matches_itself_at_every_size_around_the_steps),
        cmocka_unit_test(every_changed_bit_is_seen_at_every_size_around_the_steps),
        cmocka_unit_test(another_size_does_not_match),
        cmocka_unit_test(another_connection_sequence_or_seed_gives_other_bytes),
        cmocka_unit_test(from_12_bytes_on_a_payload_names_its_connection_and_sequence),
        cmocka_unit_test(sizes_stay_in_their_range_and_reach_both_ends),
        cmocka_unit_test(the_size_is_the_same_each_time_and_that_of_the_payload),
        cmocka_unit_test(unaligned_bytes_match_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
