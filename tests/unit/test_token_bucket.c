/* SPDX-License-Identifier: MIT
 * The token bucket: what comes in time, what a debt costs, and that no part of a token is lost. */
#include "base/token_bucket.h"

#include "check.h"

static const struct tg_rate ten = {.per_s = 10, .burst = 20};

static struct tg_token_bucket full(struct tg_rate rate, uint32_t now_ms)
{
    struct tg_token_bucket bucket;
    tg_token_bucket_init(&bucket, rate, now_ms);
    return bucket;
}

static void a_new_bucket_holds_the_burst(void **state)
{
    (void)state;
    struct tg_token_bucket bucket = full(ten, 5);
    assert_int_equal(bucket.tokens, 20);
    tg_token_bucket_fill(&bucket, ten, 100000);
    assert_int_equal(bucket.tokens, 20);
}

static void tokens_come_with_time_and_no_part_of_one_is_lost(void **state)
{
    (void)state;
    struct tg_token_bucket bucket = full(ten, 0);
    tg_token_bucket_spend(&bucket, 20);
    for (uint32_t now_ms = 1; now_ms < 100; now_ms++) {
        tg_token_bucket_fill(&bucket, ten, now_ms);
        assert_int_equal(bucket.tokens, 0);
    }
    tg_token_bucket_fill(&bucket, ten, 100);
    assert_int_equal(bucket.tokens, 1);
    tg_token_bucket_fill(&bucket, ten, 199);
    assert_int_equal(bucket.tokens, 1);
    tg_token_bucket_fill(&bucket, ten, 1000);
    assert_int_equal(bucket.tokens, 10);
}

/* As many as the rate, however often somebody looks. */
static void looking_often_makes_no_tokens(void **state)
{
    (void)state;
    const struct tg_rate odd = {.per_s = 1500, .burst = 100000};
    struct tg_token_bucket bucket = full(odd, 0);
    tg_token_bucket_spend(&bucket, 100000);
    for (uint32_t now_ms = 1; now_ms <= 10001; now_ms++) {
        tg_token_bucket_fill(&bucket, odd, now_ms);
    }
    assert_int_equal(bucket.tokens, 15001);
}

static void a_debt_is_paid_off_first(void **state)
{
    (void)state;
    struct tg_token_bucket bucket = full(ten, 0);
    tg_token_bucket_spend(&bucket, 50);
    assert_int_equal(bucket.tokens, -30);
    assert_int_equal(tg_token_bucket_wait_ms(&bucket, ten), 3100);
    tg_token_bucket_fill(&bucket, ten, 3099);
    assert_true(tg_token_bucket_is_empty(&bucket));
    assert_int_equal(tg_token_bucket_wait_ms(&bucket, ten), 1);
    tg_token_bucket_fill(&bucket, ten, 3100);
    assert_int_equal(bucket.tokens, 1);
    assert_int_equal(tg_token_bucket_wait_ms(&bucket, ten), 0);
}

static void it_never_holds_more_than_the_burst(void **state)
{
    (void)state;
    struct tg_token_bucket bucket = full(ten, 0);
    tg_token_bucket_spend(&bucket, 1);
    tg_token_bucket_fill(&bucket, ten, 1000000);
    assert_int_equal(bucket.tokens, 20);
}

static void what_could_not_be_spent_may_go_beyond_the_burst(void **state)
{
    (void)state;
    struct tg_token_bucket bucket = full(ten, 0);
    tg_token_bucket_allow(&bucket, ten, 3000);
    assert_int_equal(bucket.tokens, 50);
    tg_token_bucket_fill(&bucket, ten, 4000); /* nothing more comes while it is above */
    assert_int_equal(bucket.tokens, 50);
    tg_token_bucket_spend(&bucket, 45);
    tg_token_bucket_fill(&bucket, ten, 4100);
    assert_int_equal(bucket.tokens, 6);
    tg_token_bucket_allow(&bucket, (struct tg_rate){.per_s = 1u << 30, .burst = 1}, UINT32_MAX);
    assert_int_equal(bucket.tokens, INT32_MAX);
}

static void a_debt_can_be_forgiven(void **state)
{
    (void)state;
    struct tg_token_bucket bucket = full(ten, 0);
    tg_token_bucket_spend(&bucket, 50);
    tg_token_bucket_forgive(&bucket);
    assert_int_equal(bucket.tokens, 0);
    tg_token_bucket_fill(&bucket, ten, 500);
    tg_token_bucket_forgive(&bucket);
    assert_int_equal(bucket.tokens, 5);
}

static void the_clock_may_wrap(void **state)
{
    (void)state;
    struct tg_token_bucket bucket = full(ten, UINT32_MAX - 49);
    tg_token_bucket_spend(&bucket, 20);
    tg_token_bucket_fill(&bucket, ten, 49);
    assert_int_equal(bucket.tokens, 0);
    tg_token_bucket_fill(&bucket, ten, 50);
    assert_int_equal(bucket.tokens, 1);
}

static void the_largest_rates_and_debts_stay_in_range(void **state)
{
    (void)state;
    const struct tg_rate most = {.per_s = 1u << 30, .burst = 1u << 30};
    struct tg_token_bucket bucket = full(most, 0);
    for (int i = 0; i < 5; i++) {
        tg_token_bucket_spend(&bucket, 1u << 30);
    }
    assert_int_equal(bucket.tokens, INT32_MIN);
    tg_token_bucket_fill(&bucket, most, 1);
    assert_int_equal(bucket.tokens, INT32_MIN + 1073741);
    tg_token_bucket_fill(&bucket, most, 2500);  /* more than 2^31 at once, less than all */
    assert_int_equal(bucket.tokens, 536870912); /* 2500 ms of 2^30 a second, from -2^31 */
    tg_token_bucket_fill(&bucket, most, UINT32_MAX);
    assert_int_equal(bucket.tokens, 1 << 30);
    const struct tg_rate least = {.per_s = 1, .burst = 1};
    bucket = full(least, 0);
    tg_token_bucket_spend(&bucket, 1u << 30);
    assert_int_equal(tg_token_bucket_wait_ms(&bucket, least), UINT32_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_bucket_holds_the_burst),
        cmocka_unit_test(tokens_come_with_time_and_no_part_of_one_is_lost),
        cmocka_unit_test(looking_often_makes_no_tokens),
        cmocka_unit_test(a_debt_is_paid_off_first),
        cmocka_unit_test(it_never_holds_more_than_the_burst),
        cmocka_unit_test(what_could_not_be_spent_may_go_beyond_the_burst),
        cmocka_unit_test(a_debt_can_be_forgiven),
        cmocka_unit_test(the_clock_may_wrap),
        cmocka_unit_test(the_largest_rates_and_debts_stay_in_range),
    };
    return cmocka_run_group_tests_name("token_bucket", tests, NULL, NULL);
}
