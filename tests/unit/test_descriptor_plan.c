/* SPDX-License-Identifier: MIT
 * The plan of descriptor tables under limits that are lowered in a child process, where lowering
 * them is for good and harms nobody. */
#include "os/descriptor_plan.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

struct plan_case {
    uint32_t soft;
    uint32_t hard;
    uint32_t connections;
    uint32_t open;
    uint32_t threads_most;

    bool possible;
    uint32_t limit;
    uint32_t per_table;
    uint32_t threads;
    bool own_tables;
};

static bool is_as_expected(const struct plan_case *expected, bool possible,
                           const struct tg_descriptor_plan *plan)
{
    return possible == expected->possible && plan->limit == expected->limit &&
           plan->per_table == expected->per_table && plan->own_tables == expected->own_tables &&
           (!possible || plan->threads == expected->threads);
}

/* In the child; the exit status. */
static int try_case(const struct plan_case *expected)
{
    struct rlimit limit = {.rlim_cur = expected->soft, .rlim_max = expected->hard};
    struct tg_descriptor_plan plan;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 2;
    }
    bool possible = tg_descriptor_plan_make(&plan, expected->connections, expected->open,
                                            expected->threads_most);
    if (is_as_expected(expected, possible, &plan) && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur == plan.limit) {
        return 0;
    }
    fprintf(stderr, "possible %d, limit %u, per table %u, threads %u, own %d\n", possible,
            plan.limit, plan.per_table, plan.threads, plan.own_tables);
    return 1;
}

static void expect_all(const struct plan_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(try_case(&cases[i]));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fail_msg("case %zu: limits %u and %u, %u connections", i, cases[i].soft, cases[i].hard,
                     cases[i].connections);
        }
    }
}

static void one_table_does_while_connections_reserve_and_open_ones_fit(void **state)
{
    static const struct plan_case cases[] = {
        {200, 200, 126, 10, 64, true, 200, 136, 1, false}, /* 126 + 64 + 10 */
        {200, 200, 127, 10, 64, true, 200, 136, 1, true},  /* one too many; 127 fit one table */
        {200, 200, 1, 0, 1, true, 200, 136, 1, false},
    };
    (void)state;
    expect_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void the_soft_limit_is_raised_only_as_far_as_it_helps(void **state)
{
    static const struct plan_case cases[] = {
        {100, 2000, 400, 5, 64, true, 469, 405, 1, false},
        {100, 469, 400, 5, 64, true, 469, 405, 1, false},
        {100, 468, 400, 5, 64, true, 468, 404, 1, true},
        {1000, 2000, 400, 5, 64, true, 1000, 936, 1, false}, /* never lowered */
    };
    (void)state;
    expect_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void private_tables_have_room_for_one_more_than_asked_for(void **state)
{
    static const struct plan_case cases[] = {
        {200, 200, 135, 9, 64, true, 200, 136, 1, true},
        {200, 200, 136, 9, 64, true, 200, 136, 2, true},
        {200, 200, 1000, 9, 64, true, 200, 136, 8, true},
        {16000, 16000, 65000, 9, 64, true, 16000, 15936, 5, true},
    };
    (void)state;
    expect_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void more_threads_than_there_may_be_are_no_plan(void **state)
{
    static const struct plan_case cases[] = {
        {200, 200, 8703, 9, 64, true, 200, 136, 64, true},
        {200, 200, 8704, 9, 64, false, 200, 136, 0, true},
        {200, 200, 1000, 9, 7, false, 200, 136, 0, true},
    };
    (void)state;
    expect_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_limit_within_the_reserve_leaves_room_for_nobody(void **state)
{
    static const struct plan_case cases[] = {
        {65, 65, 63, 9, 64, true, 65, 1, 64, true},
        {65, 65, 64, 9, 64, false, 65, 1, 0, true},
        {64, 64, 1, 9, 64, false, 64, 0, 0, true},
        {20, 20, 1, 9, 64, false, 20, 0, 0, true},
    };
    (void)state;
    expect_all(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_table_does_while_connections_reserve_and_open_ones_fit),
        cmocka_unit_test(the_soft_limit_is_raised_only_as_far_as_it_helps),
        cmocka_unit_test(private_tables_have_room_for_one_more_than_asked_for),
        cmocka_unit_test(more_threads_than_there_may_be_are_no_plan),
        cmocka_unit_test(a_limit_within_the_reserve_leaves_room_for_nobody),
    };
    return cmocka_run_group_tests_name("descriptor plan", tests, NULL, NULL);
}
