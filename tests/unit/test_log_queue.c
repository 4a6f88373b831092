/* SPDX-License-Identifier: MIT
 * Log lines between a worker and the logic thread: in order, cut where they are too long, dropped
 * and counted where the logic thread does not come by. */
#include "event/log_queue.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

struct heard {
    uint32_t count;
    enum throng_log_level levels[TG_LOG_LINES];
    char texts[TG_LOG_LINES][TG_LOG_LINE_BYTES];
};

static struct tg_log_queue queue;
static struct heard heard;
static void *storage;

static void hear(void *context, enum throng_log_level level, const char *text)
{
    struct heard *into = context;
    assert_true(into->count < TG_LOG_LINES);
    into->levels[into->count] = level;
    (void)snprintf(into->texts[into->count++], TG_LOG_LINE_BYTES, "%s", text);
}

static int open_queue(void **state)
{
    (void)state;
    storage = calloc(1, tg_log_queue_bytes());
    memset(&queue, 0, sizeof(queue));
    memset(&heard, 0, sizeof(heard));
    tg_log_queue_init(&queue, storage);
    return storage == NULL ? -1 : 0;
}

static int close_queue(void **state)
{
    (void)state;
    free(storage);
    return 0;
}

static uint64_t dropped(void)
{
    return atomic_load_explicit(&queue.dropped, memory_order_relaxed);
}

static void lines_come_in_order_with_their_levels(void **state)
{
    (void)state;
    tg_log_queue_push(&queue, THRONG_LOG_WARNING, "peer %d of %s", 7, "many");
    tg_log_queue_push(&queue, THRONG_LOG_INFO, "quiet");
    tg_log_queue_drain(&queue, hear, &heard);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.texts[0], "peer 7 of many");
    assert_int_equal(heard.levels[0], THRONG_LOG_WARNING);
    assert_string_equal(heard.texts[1], "quiet");
    assert_int_equal(heard.levels[1], THRONG_LOG_INFO);
    tg_log_queue_drain(&queue, hear, &heard); /* each once */
    assert_int_equal(heard.count, 2);
}

static void news_are_told_once(void **state)
{
    (void)state;
    assert_false(tg_log_queue_has_news(&queue));
    tg_log_queue_push(&queue, THRONG_LOG_INFO, "a");
    tg_log_queue_push(&queue, THRONG_LOG_INFO, "b");
    assert_true(tg_log_queue_has_news(&queue));
    assert_false(tg_log_queue_has_news(&queue));
}

static void a_line_too_many_is_dropped_and_counted_and_no_news(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 64; i++) {
        tg_log_queue_push(&queue, THRONG_LOG_INFO, "line %u", i);
    }
    assert_int_equal(dropped(), 0);
    (void)tg_log_queue_has_news(&queue);
    tg_log_queue_push(&queue, THRONG_LOG_ERROR, "too many");
    tg_log_queue_push(&queue, THRONG_LOG_ERROR, "too many");
    assert_int_equal(dropped(), 2);
    assert_false(tg_log_queue_has_news(&queue));

    tg_log_queue_drain(&queue, hear, &heard); /* those that fitted are whole */
    assert_int_equal(heard.count, 64);
    assert_string_equal(heard.texts[0], "line 0");
    assert_string_equal(heard.texts[63], "line 63");
    tg_log_queue_push(&queue, THRONG_LOG_INFO, "room again");
    assert_int_equal(dropped(), 2);
    heard.count = 0;
    tg_log_queue_drain(&queue, hear, &heard);
    assert_string_equal(heard.texts[0], "room again");
}

static void a_long_line_is_cut_at_its_room(void **state)
{
    char text[400];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tg_log_queue_push(&queue, THRONG_LOG_INFO, "%s", text);
    tg_log_queue_push(&queue, THRONG_LOG_INFO, "next");
    tg_log_queue_drain(&queue, hear, &heard);
    assert_int_equal(strlen(heard.texts[0]), 251);
    assert_string_equal(heard.texts[0] + 247, "x...");
    assert_string_equal(heard.texts[1], "next");
}

static void a_line_break_in_a_peers_words_does_not_break_the_line(void **state)
{
    (void)state;
    tg_log_queue_push(&queue, THRONG_LOG_INFO, "%s is gone", "eve\n\x1b[1merror: %n");
    tg_log_queue_drain(&queue, hear, &heard);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.texts[0], "eve\\n\\x1b[1merror: %n is gone");
}

static void without_a_sink_lines_make_room_all_the_same(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        tg_log_queue_push(&queue, THRONG_LOG_INFO, "nobody listens");
        tg_log_queue_drain(&queue, NULL, NULL);
    }
    assert_int_equal(dropped(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_in_order_with_their_levels, open_queue,
                                        close_queue),
        cmocka_unit_test_setup_teardown(news_are_told_once, open_queue, close_queue),
        cmocka_unit_test_setup_teardown(a_line_too_many_is_dropped_and_counted_and_no_news,
                                        open_queue, close_queue),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_at_its_room, open_queue, close_queue),
        cmocka_unit_test_setup_teardown(a_line_break_in_a_peers_words_does_not_break_the_line,
                                        open_queue, close_queue),
        cmocka_unit_test_setup_teardown(without_a_sink_lines_make_room_all_the_same, open_queue,
                                        close_queue),
    };
    return cmocka_run_group_tests_name("log queue", tests, NULL, NULL);
}
