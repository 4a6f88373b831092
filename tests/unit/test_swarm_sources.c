/* SPDX-License-Identifier: MIT
 * How many source addresses a swarm takes, which one each connection gets, and when there are too
 * few ports. */
#include <string.h>

#include "check.h"
#include "swarm/state.h"

static struct throng_address address(uint8_t first, uint8_t last, uint16_t port)
{
    return (struct throng_address){
        .family = THRONG_ADDRESS_IPV4, .port = port, .bytes = {first, 0, 0, last}};
}

static struct throng_address loopback_ipv6(void)
{
    return (struct throng_address){
        .family = THRONG_ADDRESS_IPV6, .port = 7000, .bytes = {[15] = 1}};
}

static struct swarm_plan plan_for(uint32_t connections, uint32_t target_count,
                                  struct throng_address target)
{
    struct swarm_plan plan;
    memset(&plan, 0, sizeof(plan));
    plan.options.connections = connections;
    plan.options.source_count = 1;
    plan.target_count = target_count;
    for (uint32_t i = 0; i < target_count; i++) {
        plan.targets[i] = target;
        plan.targets[i].port = (uint16_t)(target.port + i);
    }
    return plan;
}

/* The most connections that one source makes to one target address. */
static uint32_t busiest(const struct swarm_plan *plan)
{
    static uint32_t uses[64][THRONG_SWARM_TARGETS_MAX];
    uint32_t most = 0;
    memset(uses, 0, sizeof(uses));
    for (uint32_t i = 0; i < plan->options.connections; i++) {
        struct throng_address source = tg_swarm_plan_source(plan, i);
        uint32_t number = source.bytes[3] - (uint32_t)plan->options.source.bytes[3];
        uint32_t target = plan->targets[i % plan->target_count].port % THRONG_SWARM_TARGETS_MAX;
        assert_int_equal(source.port, 0);
        assert_in_range(number, 0, plan->options.source_count - 1);
        uses[number][target]++;
        most = uses[number][target] > most ? uses[number][target] : most;
    }
    return most;
}

static void few_connections_leave_the_source_to_the_system(void **state)
{
    struct swarm_plan plan = plan_for(10000, 1, address(127, 1, 7000));
    (void)state;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, NULL), 0);
    assert_false(plan.has_source);
    assert_int_equal(plan.options.source_count, 1);
}

static void loopback_sources_are_spread_so_that_each_uses_two_fifths_of_its_ports(void **state)
{
    struct swarm_plan plan = plan_for(10001, 1, address(127, 1, 7000));
    (void)state;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, NULL), 0);
    assert_true(plan.has_source);
    assert_int_equal(plan.options.source_count, 2);
    assert_int_equal(busiest(&plan), 5001);

    plan = plan_for(65000, 1, address(127, 1, 7000));
    assert_int_equal(tg_swarm_plan_sources(&plan, 28232, NULL), 0);
    assert_int_equal(plan.options.source_count, 6);
    assert_int_equal(busiest(&plan), 10834);
    struct throng_address first = tg_swarm_plan_source(&plan, 0);
    struct throng_address last = tg_swarm_plan_source(&plan, 64999);
    assert_memory_equal(first.bytes, "\177\0\0\1", 4);
    assert_memory_equal(last.bytes, "\177\0\0\6", 4);
}

static void each_target_has_the_ports_of_a_source_for_itself(void **state)
{
    struct swarm_plan plan = plan_for(40000, 4, address(127, 1, 7000));
    (void)state;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, NULL), 0);
    assert_false(plan.has_source);

    plan = plan_for(80000, 4, address(127, 1, 7000));
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, NULL), 0);
    assert_int_equal(plan.options.source_count, 2);
    assert_int_equal(busiest(&plan), 10000);
}

static void a_target_named_twice_is_still_one(void **state)
{
    struct swarm_plan plan = plan_for(20000, 2, address(127, 1, 7000));
    (void)state;
    plan.targets[1] = plan.targets[0];
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, NULL), 0);
    assert_int_equal(plan.options.source_count, 2);
    assert_int_equal(busiest(&plan), 10000);
}

static void sources_are_not_made_up_for_other_networks(void **state)
{
    struct throng_error error;
    struct swarm_plan plan = plan_for(25000, 1, address(10, 1, 7000));
    (void)state;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, &error), 0);
    assert_false(plan.has_source);
    plan = plan_for(25001, 1, address(10, 1, 7000));
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, &error), THRONG_EADDRNOTAVAIL);
    assert_non_null(strstr(error.text, "connections is 25001"));
    assert_non_null(strstr(error.text, "1 source address with 25000 ports"));
    assert_non_null(strstr(error.text, "3 source addresses would do"));
    plan = plan_for(25001, 1, loopback_ipv6()); /* ::1 is one address, not a network */
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, &error), THRONG_EADDRNOTAVAIL);
    plan = plan_for(25001, 1, address(127, 1, 7000));
    plan.targets[plan.target_count++] = address(10, 1, 7000);
    plan.options.connections = 50001;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, &error), THRONG_EADDRNOTAVAIL);
}

static void given_sources_are_used_evenly_and_to_the_last_port(void **state)
{
    struct throng_error error;
    struct swarm_plan plan = plan_for(75000, 1, address(10, 1, 7000));
    (void)state;
    plan.options.source = address(10, 9, 0);
    plan.options.source_count = 3;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, &error), 0);
    assert_int_equal(busiest(&plan), 25000);
    plan.options.connections = 75001;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, &error), THRONG_EADDRNOTAVAIL);
    plan.options.connections = 300;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, &error), 0);
    assert_int_equal(busiest(&plan), 100);
}

static void addresses_count_on_over_the_end_of_a_byte(void **state)
{
    struct swarm_plan plan = plan_for(3, 1, address(127, 1, 7000));
    (void)state;
    plan.options.source =
        (struct throng_address){.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 255, 255}};
    plan.options.source_count = 3;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, NULL), 0);
    struct throng_address source = tg_swarm_plan_source(&plan, 1);
    assert_memory_equal(source.bytes, "\177\1\0\0", 4);

    plan = plan_for(2, 1, loopback_ipv6());
    plan.options.source = (struct throng_address){.family = THRONG_ADDRESS_IPV6,
                                                  .bytes = {[13] = 5, [14] = 255, [15] = 255}};
    plan.options.source_count = 2;
    assert_int_equal(tg_swarm_plan_sources(&plan, 25000, NULL), 0);
    source = tg_swarm_plan_source(&plan, 1);
    assert_memory_equal(source.bytes + 13, "\6\0\0", 3);
}

static void tiny_port_ranges_do_not_confuse_it(void **state)
{
    struct swarm_plan plan = plan_for(1, 1, address(127, 1, 7000));
    (void)state;
    assert_int_equal(tg_swarm_plan_sources(&plan, 1, NULL), 0);
    assert_int_equal(plan.options.source_count, 1);
    plan.options.connections = 20;
    assert_int_equal(tg_swarm_plan_sources(&plan, 1, NULL), 0);
    assert_int_equal(plan.options.source_count, 20);
    assert_int_equal(busiest(&plan), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_connections_leave_the_source_to_the_system),
        cmocka_unit_test(loopback_sources_are_spread_so_that_each_uses_two_fifths_of_its_ports),
        cmocka_unit_test(each_target_has_the_ports_of_a_source_for_itself),
        cmocka_unit_test(a_target_named_twice_is_still_one),
        cmocka_unit_test(sources_are_not_made_up_for_other_networks),
        cmocka_unit_test(given_sources_are_used_evenly_and_to_the_last_port),
        cmocka_unit_test(addresses_count_on_over_the_end_of_a_byte),
        cmocka_unit_test(tiny_port_ranges_do_not_confuse_it),
    };
    return cmocka_run_group_tests_name("swarm sources", tests, NULL, NULL);
}
