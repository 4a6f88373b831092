/* SPDX-License-Identifier: MIT
 * What throng-top makes of two pages: rates, restarts, percentiles, the worst first, and how it is
 * shown. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "check.h"

#include "../../tools/top/dashboard.h"
#include "../../tools/top/format.h"
#include "../../tools/top/view.h"

static struct page before, now;
static struct dashboard dashboard;
static char shown[65536];

static void fill(struct page *page, uint64_t at_ms, const char *text)
{
    page->at_ms = at_ms;
    page->size = strlen(text);
    memcpy(page->bytes, text, page->size);
    page_read(page);
}

static int clear(void **state)
{
    (void)state;
    memset(&dashboard, 0, sizeof(dashboard));
    return 0;
}

static void a_rate_is_the_growth_by_the_time_between(void **state)
{
    (void)state;
    fill(&before, 1000, "throng_messages_received_total 100\n");
    fill(&now, 3000, "throng_messages_received_total 700\n");
    dashboard_update(&dashboard, &before, NULL);
    assert_true(dashboard.per_s[RATE_MESSAGES_IN] < 0); /* not known from one page */
    assert_int_equal(dashboard.history_count, 0);
    dashboard_update(&dashboard, &now, &before);
    assert_true(dashboard.per_s[RATE_MESSAGES_IN] == 300);
    assert_true(dashboard.total[RATE_MESSAGES_IN] == 700);
    assert_int_equal(dashboard.history_count, 1);
    assert_int_equal(dashboard.restarts, 0);
}

static void a_restart_makes_no_negative_rate(void **state)
{
    (void)state;
    fill(&before, 1000, "throng_start_time_seconds 50\nthrong_messages_received_total 9000\n");
    fill(&now, 2000, "throng_start_time_seconds 60\nthrong_messages_received_total 10\n");
    dashboard_update(&dashboard, &now, &before);
    assert_int_equal(dashboard.restarts, 1);
    assert_true(dashboard.per_s[RATE_MESSAGES_IN] < 0);
    /* One counter that went back alone counts from 0. */
    fill(&before, 3000, "throng_messages_received_total 500\n");
    fill(&now, 4000, "throng_messages_received_total 20\n");
    dashboard_update(&dashboard, &now, &before);
    assert_true(dashboard.per_s[RATE_MESSAGES_IN] == 20);
}

static void the_fullest_pool_and_queue_come_first(void **state)
{
    (void)state;
    fill(&now, 1000,
         "throng_slots_taken 10\nthrong_connections_max 100\n"
         "throng_send_memory_bytes 1000\nthrong_send_memory_free_bytes 200\n"
         "throng_queue_depth{queue=\"events\",io_thread=\"0\"} 5\n"
         "throng_queue_depth{queue=\"events\",io_thread=\"1\"} 50\n"
         "throng_queue_depth{queue=\"commands\",io_thread=\"0\"} 40\n"
         "throng_queue_capacity{queue=\"events\"} 100\nthrong_queue_capacity{queue=\"commands\"} "
         "50\n");
    dashboard_update(&dashboard, &now, NULL);
    assert_int_equal(dashboard.pool_count, 2);
    assert_string_equal(dashboard.pools[0].name, "send memory");
    assert_true(dashboard.pools[0].used == 800);
    assert_int_equal(dashboard.queue_count, 3);
    assert_string_equal(dashboard.queues[0].name, "commands 0");
    assert_string_equal(dashboard.queues[1].name, "events 1");
}

static void what_happened_most_often_now_comes_first(void **state)
{
    (void)state;
    fill(&before, 1000,
         "throng_connections_closed_total{reason=\"peer\"} 900\n"
         "throng_connections_closed_total{reason=\"idle\"} 5\n"
         "throng_connections_closed_total{reason=\"reset\"} 0\n");
    fill(&now, 2000,
         "throng_connections_closed_total{reason=\"peer\"} 901\n"
         "throng_connections_closed_total{reason=\"idle\"} 25\n"
         "throng_connections_closed_total{reason=\"reset\"} 0\n"
         "throng_connections_refused_total{reason=\"full\"} 3\n");
    dashboard_update(&dashboard, &now, &before);
    assert_int_equal(dashboard.end_count, 2);
    assert_string_equal(dashboard.ends[0].name, "idle");
    assert_true(dashboard.ends[0].per_s == 20);
    assert_int_equal(dashboard.trouble_count, 1);
    assert_string_equal(dashboard.troubles[0].name, "connections refused, full");
}

#define BUCKETS(a, b, c)                                                                           \
    "throng_event_latency_seconds_bucket{le=\"0.001\"} " #a "\n"                                   \
    "throng_event_latency_seconds_bucket{le=\"0.01\"} " #b "\n"                                    \
    "throng_event_latency_seconds_bucket{le=\"+Inf\"} " #c "\n"                                    \
    "throng_event_latency_seconds_count " #c "\n"

static void percentiles_are_of_what_came_between_the_pages(void **state)
{
    (void)state;
    fill(&before, 1000, BUCKETS(1000, 1000, 1000));
    fill(&now, 2000, BUCKETS(1050, 1100, 1100));
    dashboard_update(&dashboard, &now, &before);
    assert_true(dashboard.latency.samples == 100);
    assert_true(fabs(dashboard.latency.p50 - 0.001) < 1e-9);
    assert_true(fabs(dashboard.latency.p90 - 0.0082) < 1e-9);
    assert_true(dashboard.latency.most == 0.01);
    assert_true(dashboard.latency_is_recent);
    /* Nothing new: all of them. */
    dashboard_update(&dashboard, &now, &now);
    assert_true(dashboard.latency.samples == 1100);
    assert_false(dashboard.latency_is_recent);
}

static void nonsense_in_a_histogram_gives_no_nonsense(void **state)
{
    (void)state;
    fill(&now, 1000,
         "throng_event_latency_seconds_bucket{le=\"x\"} 5\n"
         "throng_event_latency_seconds_bucket 5\n"
         "throng_event_latency_seconds_bucket{le=\"1\"} -5\n"
         "throng_event_latency_seconds_bucket{le=\"+Inf\"} +Inf\n");
    dashboard_update(&dashboard, &now, NULL);
    assert_true(dashboard.latency.samples == 0);
    fill(&now, 1000, "throng_event_latency_seconds_bucket{le=\"+Inf\"} 7\n");
    dashboard_update(&dashboard, &now, NULL);
    assert_true(dashboard.latency.p99 == 0); /* all that is known: above 0 */
    assert_true(dashboard.latency.most > DBL_MAX);
}

static void a_server_that_is_away_leaves_what_was_known(void **state)
{
    (void)state;
    fill(&now, 1000, "throng_connections 12\n");
    dashboard_update(&dashboard, &now, NULL);
    dashboard_lost(&dashboard);
    assert_false(dashboard.reachable);
    assert_true(dashboard.connections == 12);
    assert_true(dashboard.per_s[RATE_ACCEPTED] < 0);
}

static void more_samples_than_there_is_room_for_are_counted(void **state)
{
    (void)state;
    now.size = 0;
    for (int i = 0; i < PAGE_SAMPLES_MAX + 5; i++) {
        memcpy(now.bytes + now.size, "a 1\n", 4);
        now.size += 4;
    }
    page_read(&now);
    assert_int_equal(now.count, PAGE_SAMPLES_MAX);
    assert_int_equal(now.samples_passed_over, 5);
}

/* ---- how it is shown ---- */

static void show_piece(void *context, enum view_style style, const char *text)
{
    (void)context;
    (void)snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "%s%s",
                   style == VIEW_BAD ? "!" : "", text);
}

static void show_end(void *context)
{
    ++*(size_t *)context;
    (void)snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "\n");
}

static size_t show(size_t columns, size_t rows)
{
    size_t lines = 0;
    struct view_target target = {&lines, show_piece, show_end, columns, rows};
    shown[0] = '\0';
    view_dashboard(&target, &dashboard, "tcp://h:1", 5000, "");
    return lines;
}

static void a_label_of_an_enemy_commands_no_terminal(void **state)
{
    (void)state;
    fill(&now, 1000,
         "throng_build_info{version=\"\x1b[2J\",backend=\"\xc2\x9b\"} 1\n"
         "throng_connections_closed_total{reason=\"\x1b]0;x\x07\"} 1\n");
    dashboard_update(&dashboard, &now, NULL);
    (void)show(100, 100);
    assert_null(strchr(shown, '\x1b'));
    assert_null(strchr(shown, '\x07'));
    assert_non_null(strstr(shown, "\\x1b[2J"));
}

static void a_stuck_logic_thread_is_shown_as_bad(void **state)
{
    (void)state;
    fill(&now, 1000, "throng_logic_stalled_seconds 3.25\n");
    dashboard_update(&dashboard, &now, NULL);
    (void)show(100, 100);
    assert_non_null(strstr(shown, "!  STUCK for 3.25 s"));
    dashboard_lost(&dashboard);
    (void)show(100, 100);
    assert_non_null(strstr(shown, "!not reachable; what follows is 4 s old"));
}

static void no_more_rows_are_shown_than_there_are(void **state)
{
    (void)state;
    fill(&now, 1000, "throng_connections 1\n");
    dashboard_update(&dashboard, &now, NULL);
    assert_int_equal(show(40, 5), 5);
    assert_true(show(200, 100) > 15);
}

static void numbers_are_short(void **state)
{
    char text[FORMAT_SIZE];
    (void)state;
    assert_string_equal(format_count(text, 1234567), "1,234,567");
    assert_string_equal(format_count(text, 999), "999");
    assert_string_equal(format_count(text, 1000), "1,000");
    assert_string_equal(format_count(text, -1), "-");
    assert_string_equal(format_count(text, NAN), "-");
    assert_string_equal(format_count(text, INFINITY), "-");
    assert_string_equal(format_count(text, 1e300), "1e+300");
    assert_string_equal(format_bytes(text, 1023), "1023 B");
    assert_string_equal(format_bytes(text, 1024), "1.0 KiB");
    assert_string_equal(format_bytes(text, 1536 * 1024.0), "1.5 MiB");
    assert_string_equal(format_bytes(text, 1e300), "1000000000 PiB");
    assert_string_equal(format_seconds(text, 0.0000125), "12.5 us");
    assert_string_equal(format_seconds(text, 0.25), "250.0 ms");
    assert_string_equal(format_seconds(text, 2), "2.00 s");
    assert_string_equal(format_age(text, 59), "59 s");
    assert_string_equal(format_age(text, 3661), "1 h 1 min");
    assert_string_equal(format_age(text, 90000), "1 d 1 h");
}

static void bars_and_sparklines_are_in_proportion(void **state)
{
    static const double values[] = {0, 1, 2, 4, 8};
    char text[64];
    (void)state;
    format_bar(text, sizeof(text), 1, 2, 4);
    assert_string_equal(text, "██░░");
    format_bar(text, sizeof(text), 0, 2, 2);
    assert_string_equal(text, "░░");
    format_bar(text, sizeof(text), 1, 1000000, 2);
    assert_string_equal(text, "▏░");
    format_bar(text, sizeof(text), 9, 2, 2);
    assert_string_equal(text, "██");
    format_bar(text, sizeof(text), NAN, 2, 1);
    assert_string_equal(text, "░");
    format_bar(text, sizeof(text), 1, 0, 1);
    assert_string_equal(text, "░");
    format_bar(text, 7, 1, 1, 9);
    assert_string_equal(text, "██"); /* what fits */
    format_sparkline(text, sizeof(text), values, 5, 6);
    assert_string_equal(text, " ▁▂▃▅█");
    format_sparkline(text, sizeof(text), values, 5, 2);
    assert_string_equal(text, "▅█");
    format_sparkline(text, sizeof(text), values, 1, 1);
    assert_string_equal(text, "▁");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_rate_is_the_growth_by_the_time_between, clear),
        cmocka_unit_test_setup(a_restart_makes_no_negative_rate, clear),
        cmocka_unit_test_setup(the_fullest_pool_and_queue_come_first, clear),
        cmocka_unit_test_setup(what_happened_most_often_now_comes_first, clear),
        cmocka_unit_test_setup(percentiles_are_of_what_came_between_the_pages, clear),
        cmocka_unit_test_setup(nonsense_in_a_histogram_gives_no_nonsense, clear),
        cmocka_unit_test_setup(a_server_that_is_away_leaves_what_was_known, clear),
        cmocka_unit_test_setup(more_samples_than_there_is_room_for_are_counted, clear),
        cmocka_unit_test_setup(a_label_of_an_enemy_commands_no_terminal, clear),
        cmocka_unit_test_setup(a_stuck_logic_thread_is_shown_as_bad, clear),
        cmocka_unit_test_setup(no_more_rows_are_shown_than_there_are, clear),
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(bars_and_sparklines_are_in_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
