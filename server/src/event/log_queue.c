/* SPDX-License-Identifier: MIT
 * The log queue: a ring of fixed-size lines. */
#include "event/log_queue.h"

#include <stdarg.h>

#include "base/line.h"

void tg_log_queue_init(struct tg_log_queue *queue, void *storage)
{
    tg_ring_init(&queue->ring, storage, TG_LOG_LINES, sizeof(struct tg_log_line));
    atomic_init(&queue->dropped, 0);
}

void tg_log_queue_push(struct tg_log_queue *queue, enum throng_log_level level, const char *format,
                       ...)
{
    struct tg_log_line *line = tg_ring_claim(&queue->ring);
    if (line == NULL) {
        atomic_fetch_add_explicit(&queue->dropped, 1, memory_order_relaxed);
        return;
    }
    line->level = (uint32_t)level;
    va_list arguments;
    va_start(arguments, format);
    (void)tg_line_format(line->text, sizeof(line->text), format, arguments);
    va_end(arguments);
    queue->news = true;
    tg_ring_push(&queue->ring);
    (void)tg_ring_publish(&queue->ring);
}

bool tg_log_queue_has_news(struct tg_log_queue *queue)
{
    bool news = queue->news;
    queue->news = false;
    return news;
}

void tg_log_queue_drain(struct tg_log_queue *queue, throng_log_sink *sink, void *context)
{
    struct tg_log_line *line = tg_ring_peek(&queue->ring);
    if (line == NULL) {
        return;
    }
    do {
        if (sink != NULL) {
            sink(context, (enum throng_log_level)line->level, line->text);
        }
        tg_ring_pop(&queue->ring);
        line = tg_ring_peek_seen(&queue->ring);
    } while (line != NULL);
    (void)tg_ring_return(&queue->ring);
}
