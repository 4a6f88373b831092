/* SPDX-License-Identifier: MIT
 * The swarm's plan: its defaults and its pace, the sum of a source address and an offset, and
 * sources that make no sense. test_swarm_sources.c has how many sources it takes. */
#include "swarm/state.h"

#include <string.h>

#include "check.h"

/* The usual 32768..60999. */
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

/* ---- no sense ---- */

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
        cmocka_unit_test(a_source_of_the_other_family_is_refused),
        cmocka_unit_test(a_count_of_sources_without_the_first_is_refused),
        cmocka_unit_test(the_sum_of_address_and_offset_carries_from_byte_to_byte),
        cmocka_unit_test(an_ipv6_source_carries_over_its_groups),
        cmocka_unit_test(the_port_and_the_rest_of_the_first_address_are_not_passed_on_by_accident),
        cmocka_unit_test(the_defaults_are_the_documented_ones),
        cmocka_unit_test(the_defaults_grow_with_the_longest_message),
        cmocka_unit_test(the_interval_of_connects_is_never_shorter_than_asked_for),
    };
    return cmocka_run_group_tests_name("swarm plan", tests, NULL, NULL);
}
