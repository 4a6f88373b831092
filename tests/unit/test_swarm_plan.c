/* SPDX-License-Identifier: MIT
 * The swarm's plan: how many source addresses so many connections need, which one each comes from,
 * and what is refused with which words. */
#include "swarm/state.h"

#include <string.h>

#include "check.h"

/* The usual 32768..60999: two fifths are 11,292. */
#define PORTS 28232u

static struct throng_address ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
    return (struct throng_address){
        .family = THRONG_ADDRESS_IPV4, .port = port, .bytes = {a, b, c, d}};
}

/* As tg_swarm_plan_make leaves it for tg_swarm_plan_sources: one target, 127.0.0.1:7000. */
static struct swarm_plan plan_for(uint32_t connections)
{
    struct swarm_plan plan;
    memset(&plan, 0, sizeof(plan));
    plan.options.connections = connections;
    plan.options.source_count = 1;
    plan.target_count = 1;
    plan.targets[0] = ipv4(127, 0, 0, 1, 7000);
    return plan;
}

static int make(struct swarm_plan *plan, uint32_t ports, struct throng_error *error)
{
    memset(error, 0, sizeof(*error));
    return tg_swarm_plan_sources(plan, ports, error);
}

static void expect_source(const struct swarm_plan *plan, uint32_t index, const char *expected)
{
    char text[THRONG_ADDRESS_TEXT_SIZE];
    struct throng_address source = tg_swarm_plan_source(plan, index);
    assert_string_equal(throng_address_text(&source, text), expected);
}

/* ---- how many ---- */

static void the_system_chooses_the_source_while_one_address_has_ports_to_spare(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(11292);
    assert_int_equal(make(&plan, PORTS, &error), 0);
    assert_false(plan.has_source);
    assert_int_equal(plan.options.source_count, 1);
}

static void one_more_is_spread_over_two_loopback_addresses(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(11293);
    assert_int_equal(make(&plan, PORTS, &error), 0);
    assert_true(plan.has_source);
    assert_int_equal(plan.options.source_count, 2);
    expect_source(&plan, 0, "tcp://127.0.0.1:0");
    expect_source(&plan, 11292, "tcp://127.0.0.2:0");
}

static void sixty_five_thousand_take_six_addresses(void **state)
{
    struct throng_error error;
    uint32_t per_source[7] = {0};
    (void)state;
    struct swarm_plan plan = plan_for(65000);
    assert_int_equal(make(&plan, PORTS, &error), 0);
    assert_int_equal(plan.options.source_count, 6);
    for (uint32_t i = 0; i < 65000; i++) {
        struct throng_address source = tg_swarm_plan_source(&plan, i);
        assert_in_range(source.bytes[3], 1, 6);
        per_source[source.bytes[3]]++;
    }
    for (int i = 1; i <= 6; i++) {
        assert_in_range(per_source[i], 10800, 11292); /* evenly, and none beyond its two fifths */
    }
}

static void each_target_has_the_ports_of_an_address_for_itself(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(22584);
    plan.target_count = 2;
    plan.targets[1] = ipv4(127, 0, 0, 1, 7001);
    assert_int_equal(make(&plan, PORTS, &error), 0);
    assert_false(plan.has_source);
    plan = plan_for(22585);
    plan.target_count = 2;
    plan.targets[1] = ipv4(127, 0, 0, 1, 7001);
    assert_int_equal(make(&plan, PORTS, &error), 0);
    assert_int_equal(plan.options.source_count, 2);
    /* A pair of neighbours goes to the two targets, from the same place among their sources. */
    expect_source(&plan, 0, "tcp://127.0.0.1:0");
    expect_source(&plan, 1, "tcp://127.0.0.1:0");
    expect_source(&plan, 22583, "tcp://127.0.0.2:0");
}

static void a_target_that_is_named_twice_has_its_ports_only_once(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(22584);
    plan.target_count = 2;
    plan.targets[1] = plan.targets[0];
    assert_int_equal(make(&plan, PORTS, &error), 0);
    assert_true(plan.options.source_count >= 2);
}

static void a_target_elsewhere_uses_all_ports_of_the_one_address_and_no_more(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(PORTS);
    plan.targets[0] = ipv4(192, 0, 2, 1, 7000);
    assert_int_equal(make(&plan, PORTS, &error), 0);
    assert_false(plan.has_source);

    plan = plan_for(PORTS + 1);
    plan.targets[0] = ipv4(192, 0, 2, 1, 7000);
    assert_int_equal(make(&plan, PORTS, &error), THRONG_EADDRNOTAVAIL);
    assert_int_equal(error.code, THRONG_EADDRNOTAVAIL);
    assert_non_null(strstr(error.text, "connections is 28233"));
    assert_non_null(strstr(error.text, "28232 ports"));
    assert_non_null(strstr(error.text, "3 source addresses would do"));
}

static void one_target_elsewhere_keeps_all_from_being_spread(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(60000);
    plan.target_count = 2;
    plan.targets[1] = ipv4(192, 0, 2, 1, 7000);
    assert_int_equal(make(&plan, PORTS, &error), THRONG_EADDRNOTAVAIL);
    assert_non_null(strstr(error.text, "3 source addresses would do"));
}

static void given_sources_must_have_ports_for_all(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(20);
    plan.options.source = ipv4(127, 9, 0, 1, 0);
    plan.options.source_count = 2;
    assert_int_equal(make(&plan, 10, &error), 0);
    expect_source(&plan, 0, "tcp://127.9.0.1:0");
    expect_source(&plan, 19, "tcp://127.9.0.2:0");

    plan = plan_for(21);
    plan.options.source = ipv4(127, 9, 0, 1, 0);
    plan.options.source_count = 2;
    assert_int_equal(make(&plan, 10, &error), THRONG_EADDRNOTAVAIL);
    assert_non_null(strstr(error.text, "connections is 21"));
    assert_non_null(strstr(error.text, "2 source addresses"));
    assert_non_null(strstr(error.text, "6 source addresses would do"));
}

static void a_source_of_the_other_family_is_refused(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(1);
    plan.options.source = (struct throng_address){.family = THRONG_ADDRESS_IPV6, .bytes = {0}};
    plan.options.source.bytes[15] = 1;
    assert_int_equal(make(&plan, PORTS, &error), THRONG_EINVAL);
    assert_non_null(strstr(error.text, "tcp://[::1]:0"));
    assert_non_null(strstr(error.text, "tcp://127.0.0.1:7000"));
}

static void a_count_of_sources_without_the_first_is_refused(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(1);
    plan.options.source_count = 2;
    assert_int_equal(make(&plan, PORTS, &error), THRONG_EINVAL);
    assert_non_null(strstr(error.text, "source_count is 2"));
}

static void a_range_of_a_single_port_is_still_a_range(void **state)
{
    struct throng_error error;
    (void)state;
    struct swarm_plan plan = plan_for(3);
    assert_int_equal(make(&plan, 1, &error), 0);
    assert_int_equal(plan.options.source_count, 3);
    expect_source(&plan, 2, "tcp://127.0.0.3:0");
}

/* ---- which one ---- */

/* A plan whose connection i comes from the address i after the first. */
static struct swarm_plan one_each(struct throng_address first)
{
    struct throng_error error;
    struct swarm_plan plan = plan_for(65536);
    plan.options.source = first;
    plan.options.source_count = 65536;
    plan.targets[0].family = first.family;
    assert_int_equal(make(&plan, PORTS, &error), 0);
    return plan;
}

static void the_sum_of_address_and_offset_carries_from_byte_to_byte(void **state)
{
    (void)state;
    struct swarm_plan plan = one_each(ipv4(10, 1, 255, 254, 0));
    expect_source(&plan, 0, "tcp://10.1.255.254:0");
    expect_source(&plan, 1, "tcp://10.1.255.255:0");
    expect_source(&plan, 2, "tcp://10.2.0.0:0");
    expect_source(&plan, 257, "tcp://10.2.0.255:0");
    expect_source(&plan, 258, "tcp://10.2.1.0:0");
    expect_source(&plan, 65535, "tcp://10.2.255.253:0");
    plan = one_each(ipv4(126, 255, 255, 255, 0));
    expect_source(&plan, 1, "tcp://127.0.0.0:0");
}

static void an_ipv6_source_carries_over_its_groups(void **state)
{
    struct throng_address first = {.family = THRONG_ADDRESS_IPV6,
                                   .bytes = {0x20, 0x01, 0x0d, 0xb8, [13] = 0xff, 0xff, 0xfe}};
    (void)state;
    struct swarm_plan plan = one_each(first);
    expect_source(&plan, 0, "tcp://[2001:db8::ff:fffe]:0");
    expect_source(&plan, 1, "tcp://[2001:db8::ff:ffff]:0");
    expect_source(&plan, 2, "tcp://[2001:db8::100:0]:0");
    expect_source(&plan, 65535, "tcp://[2001:db8::100:fffd]:0");
}

static void the_port_and_the_rest_of_the_first_address_are_not_passed_on_by_accident(void **state)
{
    struct throng_address first = {.family = THRONG_ADDRESS_IPV6,
                                   .port = 4711,
                                   .scope_id = 3,
                                   .bytes = {0xfe, 0x80, [15] = 9}};
    (void)state;
    struct swarm_plan plan = one_each(first);
    struct throng_address source = tg_swarm_plan_source(&plan, 7);
    assert_int_equal(source.port, 0);
    assert_int_equal(source.scope_id, 3); /* the interface of a link-local address */
    assert_int_equal(source.bytes[15], 16);
}

/* ---- the plan as a whole ---- */

static void nothing(void *context, struct throng_swarm_thread *thread, uint32_t index)
{
    (void)context;
    (void)thread;
    (void)index;
}

static void no_message(void *context, struct throng_swarm_thread *thread, uint32_t index,
                       const void *data, size_t size)
{
    (void)context;
    (void)thread;
    (void)index;
    (void)data;
    (void)size;
}

static void not_closed(void *context, struct throng_swarm_thread *thread, uint32_t index, int error)
{
    (void)context;
    (void)thread;
    (void)index;
    (void)error;
}

static struct throng_swarm_options options_for_one(void)
{
    struct throng_swarm_options options;
    throng_swarm_options_init(&options);
    options.targets[0] = "tcp://127.0.0.1:7000";
    options.handler = (struct throng_swarm_handler){
        .on_open = nothing, .on_message = no_message, .on_closed = not_closed};
    return options;
}

static void the_defaults_are_the_documented_ones(void **state)
{
    struct swarm_plan plan;
    (void)state;
    const struct throng_swarm_options options = options_for_one();
    assert_int_equal(tg_swarm_plan_make(&plan, &options, NULL), 0);
    assert_int_equal(plan.options.connections, 1);
    assert_int_equal(plan.thread_count, 1);
    assert_int_equal(plan.rules.message_bytes_max, 65536);
    assert_int_equal(plan.options.connects_in_flight, 256);
    assert_int_equal(plan.options.connect_timeout_ms, 30000);
    assert_int_equal(plan.options.send_queue_bytes_max, 262144);
    assert_int_equal(plan.send_units_max, 512);
    assert_int_equal(plan.options.send_bytes, 16777216);
    assert_int_equal(plan.options.assembly_bytes, 8388608);
    assert_int_equal(plan.connect_interval_ns, 0);
    assert_int_equal(plan.target_count, 1);
    assert_null(plan.options.targets[0]); /* the caller's string is not kept */
    assert_null(plan.options.backend);
}

static void the_defaults_grow_with_the_longest_message(void **state)
{
    struct swarm_plan plan;
    (void)state;
    struct throng_swarm_options options = options_for_one();
    options.message_bytes_max = 20000000; /* 39,063 blocks of 512 with its header */
    assert_int_equal(tg_swarm_plan_make(&plan, &options, NULL), 0);
    assert_int_equal(plan.options.send_queue_bytes_max, 40000512);
    assert_int_equal(plan.options.send_bytes, 40000512);
    assert_true(plan.options.assembly_bytes >= 80000000);
}

static void the_interval_of_connects_is_never_shorter_than_asked_for(void **state)
{
    static const struct {
        uint32_t threads;
        uint32_t rate;
        uint64_t interval_ns;
    } cases[] = {
        {1, 1, 1000000000}, {1, 3, 333333334},           {4, 400, 10000000},
        {3, 7, 428571429},  {1, UINT32_C(700000000), 2}, {1, UINT32_MAX, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct swarm_plan plan;
        struct throng_swarm_options options = options_for_one();
        options.threads = cases[i].threads;
        options.connects_per_second = cases[i].rate;
        assert_int_equal(tg_swarm_plan_make(&plan, &options, NULL), 0);
        assert_int_equal(plan.connect_interval_ns, cases[i].interval_ns);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_chooses_the_source_while_one_address_has_ports_to_spare),
        cmocka_unit_test(one_more_is_spread_over_two_loopback_addresses),
        cmocka_unit_test(sixty_five_thousand_take_six_addresses),
        cmocka_unit_test(each_target_has_the_ports_of_an_address_for_itself),
        cmocka_unit_test(a_target_that_is_named_twice_has_its_ports_only_once),
        cmocka_unit_test(a_target_elsewhere_uses_all_ports_of_the_one_address_and_no_more),
        cmocka_unit_test(one_target_elsewhere_keeps_all_from_being_spread),
        cmocka_unit_test(given_sources_must_have_ports_for_all),
        cmocka_unit_test(a_source_of_the_other_family_is_refused),
        cmocka_unit_test(a_count_of_sources_without_the_first_is_refused),
        cmocka_unit_test(a_range_of_a_single_port_is_still_a_range),
        cmocka_unit_test(the_sum_of_address_and_offset_carries_from_byte_to_byte),
        cmocka_unit_test(an_ipv6_source_carries_over_its_groups),
        cmocka_unit_test(the_port_and_the_rest_of_the_first_address_are_not_passed_on_by_accident),
        cmocka_unit_test(the_defaults_are_the_documented_ones),
        cmocka_unit_test(the_defaults_grow_with_the_longest_message),
        cmocka_unit_test(the_interval_of_connects_is_never_shorter_than_asked_for),
    };
    return cmocka_run_group_tests_name("swarm plan", tests, NULL, NULL);
}
