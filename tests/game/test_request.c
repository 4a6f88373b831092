/* SPDX-License-Identifier: MIT
 * What clients may say to the game's server: each kind in its exact size, and nothing else. */
#include <string.h>

#include "check.h"
#include "guard.h"

#include "../../server/examples/game/request.h"

static void each_request_is_read(void **state)
{
    (void)state;
    struct request request = {0};
    assert_true(request_read(&request, "\1\7", 2));
    assert_int_equal(request.kind, GAME_JOIN);
    assert_int_equal(request.version, 7);
    assert_true(request_read(&request, "\2\4\3\2\1\x7f\x80", 7));
    assert_int_equal(request.kind, GAME_INPUT);
    assert_int_equal(request.sequence, 0x01020304);
    assert_int_equal(request.dx, 127);
    assert_int_equal(request.dy, -128);
    assert_true(request_read(&request, "\3", 1));
    assert_int_equal(request.kind, GAME_RESYNC);
}

/* Of all first bytes and all sizes up to 16 there are three messages. */
static void nothing_else_is_a_request(void **state)
{
    (void)state;
    struct test_guard guard;
    struct request request = {0};
    uint8_t bytes[16];
    uint32_t count = 0;
    test_guard_open(&guard, sizeof(bytes));
    for (uint32_t kind = 0; kind < 256; kind++) {
        memset(bytes, 1, sizeof(bytes));
        bytes[0] = (uint8_t)kind;
        for (size_t size = 1; size <= sizeof(bytes); size++) {
            count += request_read(&request, test_guard_copy(&guard, bytes, size), size);
        }
    }
    assert_int_equal(count, 3);
    assert_false(request_read(&request, NULL, 0));
    assert_false(request_read(&request, "\2\0\0\0\0\1\1", 7)); /* sequences begin at 1 */
    test_guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_is_read),
        cmocka_unit_test(nothing_else_is_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
