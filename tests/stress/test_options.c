/* SPDX-License-Identifier: MIT
 * The load client's command line: what is taken, and what each refusal says. */
#include <string.h>

#include "check.h"

#include "../../tools/stress/options.h"

#define ARGUMENTS_MAX 48

static struct stress_options options;
static char complaint[OPTIONS_COMPLAINT_SIZE];

/* The command line, cut at its blanks. */
static enum options_result read_line(const char *line)
{
    static char text[1024];
    static char program[] = "throng-stress";
    char *arguments[ARGUMENTS_MAX] = {program};
    int count = 1;
    (void)snprintf(text, sizeof(text), "%s", line);
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < ARGUMENTS_MAX);
        arguments[count++] = word;
    }
    complaint[0] = '\0';
    return stress_options_read(&options, count, arguments, complaint);
}

#define TARGET "--connect tcp://127.0.0.1:7000 "

static void refuse(const char *line, const char *expected)
{
    assert_int_equal(read_line(line), OPTIONS_BAD);
    assert_string_equal(complaint, expected);
}

static void only_a_target_is_needed(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET), OPTIONS_GO);
    assert_string_equal(options.targets[0], "tcp://127.0.0.1:7000");
    assert_int_equal(options.target_count, 1);
    assert_int_equal(options.connections, 1);
    assert_int_equal(options.active, 1);
    assert_int_equal(options.size_min, 64);
    assert_int_equal(options.size_max, 64);
    assert_int_equal(options.window, 1);
    assert_int_equal(options.rate, 0);
    assert_int_equal(options.messages, 0);
    assert_true(options.talk_ns == UINT64_C(10000000000));
    assert_int_equal(options.idle_ns, 0);
    assert_int_equal(options.message_max, 65536);
    assert_int_equal(options.connect_timeout_ms, 30000);
    assert_int_equal(options.drain_timeout_ms, 10000);
    assert_int_equal(options.heartbeat_ms, 0);
    assert_false(options.json);
    assert_false(options.quiet);
}

static void empty_messages_and_heartbeats_exclude_each_other(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET "--heartbeat-ms 5000"), OPTIONS_GO);
    assert_int_equal(options.heartbeat_ms, 5000);
    assert_int_equal(read_line(TARGET "--heartbeat-ms 86400000 --size 1-9"), OPTIONS_GO);
    assert_int_equal(read_line(TARGET "--heartbeat-ms 0 --size 0-9"), OPTIONS_GO);
    refuse(TARGET "--heartbeat-ms 1 --size 0-9",
           "--size begins with \"0\"; with --heartbeat-ms it must be 1..67108864");
    refuse(TARGET "--size 0 --heartbeat-ms 1",
           "--size begins with \"0\"; with --heartbeat-ms it must be 1..67108864");
    refuse(TARGET "--heartbeat-ms 86400001",
           "--heartbeat-ms is \"86400001\"; it must be a whole number, 0..86400000");
}

static void each_option_is_taken(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET
                               "--connect tcp://[::1]:7001 --connections 65000 --size 10-2000 "
                               "--rate 100000 --seconds 2.5 --messages 7 --idle 0.25 --active 100 "
                               "--threads 4 --connect-rate 5000 --connect-timeout 100 "
                               "--drain-timeout 200 --source 127.0.0.9 --sources 3 "
                               "--message-max 3000 --byte-order little --backend epoll "
                               "--seed 18446744073709551615 --json --quiet"),
                     OPTIONS_GO);
    assert_int_equal(options.target_count, 2);
    assert_string_equal(options.targets[1], "tcp://[::1]:7001");
    assert_int_equal(options.connections, 65000);
    assert_int_equal(options.size_min, 10);
    assert_int_equal(options.size_max, 2000);
    assert_int_equal(options.rate, 100000);
    assert_int_equal(options.window, 0);
    assert_true(options.talk_ns == UINT64_C(2500000000));
    assert_int_equal(options.messages, 7);
    assert_int_equal(options.idle_ns, 250000000);
    assert_int_equal(options.active, 100);
    assert_int_equal(options.threads, 4);
    assert_int_equal(options.connect_rate, 5000);
    assert_int_equal(options.connect_timeout_ms, 100);
    assert_int_equal(options.drain_timeout_ms, 200);
    assert_int_equal(options.source.family, THRONG_ADDRESS_IPV4);
    assert_int_equal(options.source.bytes[3], 9);
    assert_int_equal(options.source_count, 3);
    assert_int_equal(options.message_max, 3000);
    assert_int_equal(options.byte_order, THRONG_BYTE_ORDER_LITTLE);
    assert_string_equal(options.backend, "epoll");
    assert_true(options.seed == UINT64_MAX);
    assert_true(options.json);
    assert_true(options.quiet);
}

static void an_ipv6_source_is_taken(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET "--source ::1"), OPTIONS_GO);
    assert_int_equal(options.source.family, THRONG_ADDRESS_IPV6);
    assert_int_equal(options.source.bytes[15], 1);
}

static void with_messages_there_is_no_time_limit_unless_one_is_given(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET "--messages 1"), OPTIONS_GO);
    assert_true(options.talk_ns == UINT64_MAX);
    assert_int_equal(read_line(TARGET "--messages 1 --seconds 3"), OPTIONS_GO);
    assert_true(options.talk_ns == UINT64_C(3000000000));
}

static void the_message_limit_follows_a_large_size(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET "--size 65537"), OPTIONS_GO);
    assert_int_equal(options.message_max, 65537);
    refuse(TARGET "--size 1-2000 --message-max 1999",
           "--message-max is \"1999\"; it must be 2000..67108864, as --size asks");
}

static void help_and_version_win_wherever_they_stand(void **state)
{
    (void)state;
    assert_int_equal(read_line("--help"), OPTIONS_HELP);
    assert_int_equal(read_line(TARGET "--version"), OPTIONS_VERSION);
}

static void the_limits_of_a_number_are_taken_and_what_lies_beyond_refused(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET "--window 1"), OPTIONS_GO);
    assert_int_equal(read_line(TARGET "--window 1024"), OPTIONS_GO);
    assert_int_equal(options.window, 1024);
    refuse(TARGET "--window 0", "--window is \"0\"; it must be a whole number, 1..1024");
    refuse(TARGET "--window 1025", "--window is \"1025\"; it must be a whole number, 1..1024");
    refuse(TARGET "--connections 1048576",
           "--connections is \"1048576\"; it must be a whole number, 1..1048575");
    assert_int_equal(read_line(TARGET "--connections 1048575"), OPTIONS_GO);
}

static void what_is_not_a_number_is_refused(void **state)
{
    (void)state;
    refuse(TARGET "--rate -1", "--rate is \"-1\"; it must be a whole number, 1..100000000");
    refuse(TARGET "--rate 1e3", "--rate is \"1e3\"; it must be a whole number, 1..100000000");
    refuse(TARGET "--threads 0x4", "--threads is \"0x4\"; it must be a whole number, 1..64");
    refuse(TARGET "--messages 99999999999999999999",
           "--messages is \"99999999999999999999\"; it must be a whole number, 1..4294967295");
    refuse(TARGET "--seed 18446744073709551616",
           "--seed is \"18446744073709551616\"; it must be a whole number, "
           "0..18446744073709551615");
}

static void sizes_that_make_no_sense_are_refused(void **state)
{
    static const char *const sizes[] = {"2-1", "-5", "5-", "1-2-3", "x", "67108865", "0-67108865"};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char line[128];
        char expected[256];
        (void)snprintf(line, sizeof(line), TARGET "--size %s", sizes[i]);
        (void)snprintf(expected, sizeof(expected),
                       "--size is \"%s\"; it must be BYTES or BYTES-BYTES, the smaller first, "
                       "0..67108864",
                       sizes[i]);
        refuse(line, expected);
    }
    assert_int_equal(read_line(TARGET "--size 0-67108864"), OPTIONS_GO);
    assert_int_equal(read_line(TARGET "--size 0"), OPTIONS_GO);
}

static void seconds_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    refuse(TARGET "--seconds 0", "--seconds is \"0\"; it must be seconds, 0.001..86400");
    refuse(TARGET "--seconds 86400.1",
           "--seconds is \"86400.1\"; it must be seconds, 0.001..86400");
    refuse(TARGET "--idle 1.x", "--idle is \"1.x\"; it must be seconds, 0..86400");
    refuse(TARGET "--idle .5", "--idle is \".5\"; it must be seconds, 0..86400");
    assert_int_equal(read_line(TARGET "--seconds 86400 --idle 0"), OPTIONS_GO);
}

static void options_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    refuse(TARGET "--rate 5 --window 2",
           "--rate is \"5\" and --window is \"2\"; only one can be given");
    refuse(TARGET "--connections 10 --active 11",
           "--active is \"11\"; it must be 1..10, as --connections says");
    refuse(TARGET "--sources 2", "--sources is \"2\"; it must come with --source, the first one");
}

static void a_missing_or_wrong_target_is_refused(void **state)
{
    (void)state;
    refuse("--connections 5", "--connect is missing; it must be tcp://HOST:PORT");
    refuse("--connect 127.0.0.1:7000",
           "--connect is \"127.0.0.1:7000\"; it must be tcp://HOST:PORT, ports 1..65535");
}

#define FOUR_TARGETS                                                                               \
    "--connect tcp://h:1 --connect tcp://h:1 --connect tcp://h:1 --connect tcp://h:1 "
#define SIXTEEN_TARGETS FOUR_TARGETS FOUR_TARGETS FOUR_TARGETS FOUR_TARGETS

static void a_seventeenth_target_is_refused(void **state)
{
    (void)state;
    assert_int_equal(read_line(SIXTEEN_TARGETS), OPTIONS_GO);
    assert_int_equal(options.target_count, 16);
    refuse(SIXTEEN_TARGETS "--connect tcp://i:1",
           "--connect is \"tcp://i:1\"; it can be given 1..16 times");
}

static void other_words_are_refused(void **state)
{
    (void)state;
    refuse(TARGET "--conections 5", "unknown option \"--conections\"; --help lists them");
    refuse(TARGET "5", "unknown option \"5\"; --help lists them");
    refuse(TARGET "--window", "--window needs a value: W");
    refuse(TARGET "--byte-order middle", "--byte-order is \"middle\"; it must be big or little");
    refuse(TARGET "--source localhost",
           "--source is \"localhost\"; it must be an IPv4 or IPv6 address of this machine");
}

static void a_scenario_is_taken_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET), OPTIONS_GO);
    assert_int_equal(options.scenario, SCENARIO_ECHO);
    assert_int_equal(read_line(TARGET "--scenario churn"), OPTIONS_GO);
    assert_int_equal(options.scenario, SCENARIO_CHURN);
    assert_int_equal(read_line(TARGET "--scenario chat"), OPTIONS_GO);
    assert_string_equal(stress_scenario_name(options.scenario), "chat");
    refuse(TARGET "--scenario Echo",
           "--scenario is \"Echo\"; it must be echo, idle, churn, rooms or chat");
}

static void an_option_of_another_scenario_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    refuse(TARGET "--rooms 3",
           "--rooms cannot be given with --scenario echo; it must be one of: rooms, chat");
    refuse(TARGET "--window 3 --scenario idle", "--window cannot be given with --scenario idle; it "
                                                "must be one of: echo, churn, rooms, chat");
    refuse(TARGET "--scenario churn --active 1",
           "--active cannot be given with --scenario churn; it must be one of: echo");
    refuse(
        TARGET "--scenario chat --size 9",
        "--size cannot be given with --scenario chat; it must be one of: echo, idle, churn, rooms");
    refuse(TARGET "--scenario rooms --bots 9",
           "--bots cannot be given with --scenario rooms; it must be one of: chat");
}

static void each_scenario_has_defaults_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET "--scenario idle"), OPTIONS_GO);
    assert_int_equal(options.rate, 10);
    assert_int_equal(options.window, 0);
    assert_true(options.talk_ns == UINT64_C(10000000000));
    assert_int_equal(read_line(TARGET "--scenario churn --rate 7"), OPTIONS_GO);
    assert_int_equal(options.rate, 7);
    assert_int_equal(options.window, 1);
    assert_int_equal(options.messages, 1);
    assert_true(options.talk_ns == UINT64_C(10000000000));
    assert_int_equal(read_line(TARGET "--scenario churn --window 4 --messages 9"), OPTIONS_GO);
    assert_int_equal(options.rate, 0);
    assert_int_equal(options.window, 4);
    assert_int_equal(options.messages, 9);
    assert_int_equal(read_line(TARGET "--scenario rooms"), OPTIONS_GO);
    assert_int_equal(options.rate, 100);
    assert_int_equal(options.connections, 100);
    assert_int_equal(read_line(TARGET "--scenario rooms --window 2"), OPTIONS_GO);
    assert_int_equal(options.rate, 0);
    assert_int_equal(read_line(TARGET "--scenario chat --bots 300"), OPTIONS_GO);
    assert_int_equal(options.connections, 300);
    assert_int_equal(options.rate, 16);
    assert_int_equal(options.rooms, 6);
}

static void expect_rooms(const char *line, uint32_t connections, uint32_t rooms, uint32_t size)
{
    assert_int_equal(read_line(line), OPTIONS_GO);
    assert_int_equal(options.connections, connections);
    assert_int_equal(options.rooms, rooms);
    assert_int_equal(options.room_size, size);
}

#define ROOMS TARGET "--scenario rooms "

static void rooms_members_and_connections_follow_from_each_other(void **state)
{
    (void)state;
    expect_rooms(ROOMS, 100, 2, 50);
    expect_rooms(ROOMS "--connections 65000", 65000, 1300, 50);
    expect_rooms(ROOMS "--connections 65000 --rooms 1300", 65000, 1300, 50);
    expect_rooms(ROOMS "--connections 30", 30, 1, 30);
    expect_rooms(ROOMS "--rooms 8 --room-size 5", 40, 8, 5);
    expect_rooms(ROOMS "--connections 10 --rooms 8 --room-size 5", 10, 8, 5);
    expect_rooms(ROOMS "--connections 5000 --room-size 5000", 5000, 1, 5000);
    expect_rooms(ROOMS "--rooms 3", 100, 3, 34);
}

static void rooms_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    refuse(ROOMS "--connections 10 --room-size 11",
           "--room-size is \"11\"; it must be 1..10, as --connections says");
    refuse(ROOMS "--rooms 1000000 --room-size 1000",
           "--rooms is \"1000000\"; times --room-size it must be 1..4194300");
    refuse(ROOMS "--size 11-90",
           "--size begins with \"11\"; with --scenario rooms it must be 12..67108843");
    refuse(ROOMS "--size 12-67108844",
           "--size ends with \"67108844\"; with --scenario rooms it must be 12..67108843");
    refuse(ROOMS "--size 1000 --message-max 1020",
           "--message-max is \"1020\"; it must be 1021..67108864, as --size asks");
    refuse(ROOMS "--rate 5 --window 2",
           "--rate is \"5\" and --window is \"2\"; only one can be given");
    refuse(TARGET "--scenario chat --bots 9 --connections 9",
           "--bots is \"9\" and --connections is \"9\"; only one can be given");
    assert_int_equal(read_line(ROOMS "--size 70000"), OPTIONS_GO);
    assert_int_equal(options.message_max, 70021);
}

static void reports_are_named_by_their_ends(void **state)
{
    (void)state;
    assert_int_equal(read_line(TARGET "--report a.svg --hgrm b --server-pid 1"), OPTIONS_GO);
    assert_string_equal(options.report_file, "a.svg");
    assert_string_equal(options.hgrm_file, "b");
    assert_int_equal(options.server_pid, 1);
    assert_int_equal(read_line(TARGET "--report a.html"), OPTIONS_GO);
    refuse(TARGET "--report .html", "--report is \".html\"; it must end in .html or .svg");
    refuse(TARGET "--report a.htm", "--report is \"a.htm\"; it must end in .html or .svg");
    refuse(TARGET "--server-pid 0",
           "--server-pid is \"0\"; it must be a whole number, 1..2147483647");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_target_is_needed),
        cmocka_unit_test(empty_messages_and_heartbeats_exclude_each_other),
        cmocka_unit_test(each_option_is_taken),
        cmocka_unit_test(an_ipv6_source_is_taken),
        cmocka_unit_test(with_messages_there_is_no_time_limit_unless_one_is_given),
        cmocka_unit_test(the_message_limit_follows_a_large_size),
        cmocka_unit_test(help_and_version_win_wherever_they_stand),
        cmocka_unit_test(the_limits_of_a_number_are_taken_and_what_lies_beyond_refused),
        cmocka_unit_test(what_is_not_a_number_is_refused),
        cmocka_unit_test(sizes_that_make_no_sense_are_refused),
        cmocka_unit_test(seconds_that_make_no_sense_are_refused),
        cmocka_unit_test(options_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_missing_or_wrong_target_is_refused),
        cmocka_unit_test(a_seventeenth_target_is_refused),
        cmocka_unit_test(other_words_are_refused),
        cmocka_unit_test(a_scenario_is_taken_by_its_name),
        cmocka_unit_test(an_option_of_another_scenario_is_refused_wherever_it_stands),
        cmocka_unit_test(each_scenario_has_defaults_of_its_own),
        cmocka_unit_test(rooms_members_and_connections_follow_from_each_other),
        cmocka_unit_test(rooms_that_make_no_sense_are_refused),
        cmocka_unit_test(reports_are_named_by_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
