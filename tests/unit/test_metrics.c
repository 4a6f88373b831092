/* SPDX-License-Identifier: MIT
 * The text of /metrics: that it has every number, fits its room at its longest, and says nothing
 * else. */
#include "admin/metrics.h"

#include <string.h>

#include "check.h"
#include "guard.h"

static struct test_guard guard;
static char text[TG_METRICS_TEXT_MAX + 1];

static int open_guard(void **state)
{
    (void)state;
    test_guard_open(&guard, TG_METRICS_TEXT_MAX);
    return 0;
}

static int close_guard(void **state)
{
    (void)state;
    test_guard_close(&guard);
    return 0;
}

static void write_text(const struct tg_metrics *metrics)
{
    size_t size = tg_metrics_write(metrics, text, TG_METRICS_TEXT_MAX);
    assert_true(size > 0 && size < TG_METRICS_TEXT_MAX);
    assert_int_equal(text[size - 1], '\n');
    text[size] = '\0';
}

static void expect_line(const char *line)
{
    const char *found = strstr(text, line);
    if (found == NULL || (found != text && found[-1] != '\n') || found[strlen(line)] != '\n') {
        fail_msg("no line \"%s\"", line);
    }
}

static struct tg_metrics numbered(void)
{
    struct tg_metrics metrics = {.backend = "epoll", .worker_count = 2, .io_threads = 2};
    uint64_t number = 1000;
#define NUMBER_FIELD(name, sentence) metrics.counters.name = number++;
    THRONG_COUNTER_MAP(NUMBER_FIELD)
#undef NUMBER_FIELD
    return metrics;
}

/* Whatever a row's name and unit are: its number stands at the end of a line. */
static void expect_number(const char *field, uint64_t number)
{
    char plain[32];
    char blocks[32];
    char seconds[32];
    (void)snprintf(plain, sizeof(plain), " %" PRIu64 "\n", number);
    (void)snprintf(blocks, sizeof(blocks), " %" PRIu64 "\n", number * 512);
    (void)snprintf(seconds, sizeof(seconds), " %" PRIu64 ".%03u\n", number / 1000,
                   (unsigned)(number % 1000));
    if (strstr(text, plain) == NULL && strstr(text, blocks) == NULL &&
        strstr(text, seconds) == NULL) {
        fail_msg("the counter %s is missing", field);
    }
}

static void every_counter_is_there(void **state)
{
    (void)state;
    struct tg_metrics metrics = numbered();
    write_text(&metrics);
#define EXPECT_FIELD(name, sentence) expect_number(#name, metrics.counters.name);
    THRONG_COUNTER_MAP(EXPECT_FIELD)
#undef EXPECT_FIELD
}

static void numbers_are_in_base_units(void **state)
{
    (void)state;
    struct tg_metrics metrics = {
        .backend = "epoll", .start_unix_ms = 1700000000042, .uptime_ms = 7};
    metrics.counters.send_units_free = 3;
    metrics.counters.logic_stalled_ms = 12345;
    metrics.latency_sum_ns = 1234567890123;
    write_text(&metrics);
    expect_line("throng_start_time_seconds 1700000000.042");
    expect_line("throng_uptime_seconds 0.007");
    expect_line("throng_send_memory_free_bytes 1536");
    expect_line("throng_logic_stalled_seconds 12.345");
    expect_line("throng_event_latency_seconds_sum 1234.567890123");
}

static void labels_say_which(void **state)
{
    (void)state;
    struct tg_metrics metrics = {.backend = "io_uring-plain", .worker_count = 2};
    metrics.closed_by[THRONG_CLOSE_FIRST_MESSAGE] = 5;
    metrics.states[TG_SLOT_PEER_ENDED] = 6;
    metrics.workers[1].queue_depths[TG_QUEUE_commands] = 7;
    metrics.workers[1].receive_buffers_free = 8;
    metrics.queue_capacities[TG_QUEUE_log] = 64;
    metrics.counters.rate_pauses = 9;
    metrics.memory[TG_REGION_SEND_SMALL] = 10;
    metrics.admin_requests[4] = 11;
    write_text(&metrics);
    expect_line("throng_build_info{version=\"0.1.0\",backend=\"io_uring-plain\"} 1");
    expect_line("throng_connections_closed_total{reason=\"first_message\"} 5");
    expect_line("throng_connections_by_state{state=\"peer_ended\"} 6");
    expect_line("throng_queue_depth{queue=\"commands\",io_thread=\"1\"} 7");
    expect_line("throng_queue_depth{queue=\"commands\",io_thread=\"0\"} 0");
    expect_line("throng_receive_buffers_free{io_thread=\"1\"} 8");
    expect_line("throng_queue_capacity{queue=\"log\"} 64");
    expect_line("throng_read_pauses_total{reason=\"rate\"} 9");
    expect_line("throng_memory_reserved_bytes{region=\"send_small\"} 10");
    expect_line("throng_admin_requests_total{class=\"4xx\"} 11");
    assert_null(strstr(text, "io_thread=\"2\""));
    assert_null(strstr(text, "state=\"free\""));
}

static void each_close_reason_has_a_line(void **state)
{
    (void)state;
    uint32_t count = 0;
    struct tg_metrics metrics = numbered();
    write_text(&metrics);
    for (const char *at = text; (at = strstr(at, "throng_connections_closed_total{")) != NULL;
         at++) {
        count++;
    }
    assert_int_equal(count, TG_CLOSE_REASONS - 1); /* NONE is no reason */
}

static void buckets_add_up(void **state)
{
    (void)state;
    struct tg_metrics metrics = {.backend = "epoll"};
    metrics.latency_buckets[0] = 1;
    metrics.latency_buckets[1] = 2;
    metrics.latency_buckets[TG_LATENCY_BUCKETS] = 4;
    write_text(&metrics);
    expect_line("throng_event_latency_seconds_bucket{le=\"0.000008192\"} 1");
    expect_line("throng_event_latency_seconds_bucket{le=\"0.000016384\"} 3");
    expect_line("throng_event_latency_seconds_bucket{le=\"8.589934592\"} 3");
    expect_line("throng_event_latency_seconds_bucket{le=\"+Inf\"} 7");
    expect_line("throng_event_latency_seconds_count 7");
}

static void a_duration_belongs_to_the_first_bucket_that_holds_it(void **state)
{
    (void)state;
    assert_int_equal(tg_latency_bucket(0), 0);
    assert_int_equal(tg_latency_bucket(8191), 0);
    assert_int_equal(tg_latency_bucket(8192), 0);
    assert_int_equal(tg_latency_bucket(8193), 1);
    assert_int_equal(tg_latency_bucket(16384), 1);
    assert_int_equal(tg_latency_bucket(8589934592), 20);
    assert_int_equal(tg_latency_bucket(8589934593), 21);
    assert_int_equal(tg_latency_bucket(UINT64_MAX), 21);
}

/* The longest there can be: every number has 20 digits. */
static void the_longest_text_has_room(void **state)
{
    (void)state;
    struct tg_metrics metrics;
    memset(&metrics, 0xff, sizeof(metrics));
    metrics.backend = "io_uring-plain";
    metrics.worker_count = THRONG_IO_THREADS_LIMIT;
    metrics.draining = true;
    write_text(&metrics);
    /* And another quarter, for counters to come. */
    assert_true(strlen(text) < TG_METRICS_TEXT_MAX / 4 * 3);
}

static void what_does_not_fit_is_not_written(void **state)
{
    (void)state;
    struct tg_metrics metrics = numbered();
    write_text(&metrics);
    size_t length = strlen(text);
    /* One byte more than the text, for the NUL of whoever formats it. */
    assert_int_equal(
        tg_metrics_write(&metrics, (char *)test_guard_tail(&guard, length + 1), length + 1),
        length);
    for (size_t size = 1; size <= length; size += size < length - 64 ? 61 : 1) {
        assert_int_equal(tg_metrics_write(&metrics, (char *)test_guard_tail(&guard, size), size),
                         0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counter_is_there),
        cmocka_unit_test(numbers_are_in_base_units),
        cmocka_unit_test(labels_say_which),
        cmocka_unit_test(each_close_reason_has_a_line),
        cmocka_unit_test(buckets_add_up),
        cmocka_unit_test(a_duration_belongs_to_the_first_bucket_that_holds_it),
        cmocka_unit_test(the_longest_text_has_room),
        cmocka_unit_test(what_does_not_fit_is_not_written),
    };
    return cmocka_run_group_tests_name("metrics", tests, open_guard, close_guard);
}
