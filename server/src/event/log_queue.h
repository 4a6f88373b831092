/* SPDX-License-Identifier: MIT
 * Log lines on their way from a worker to the logic thread, which alone calls the user's sink: a
 * worker may have a descriptor table in which the user's log file does not exist. Full queue: the
 * line is dropped and counted. */
#ifndef TG_EVENT_LOG_QUEUE_H
#define TG_EVENT_LOG_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <throng/log.h>

#include "base/format.h"
#include "base/ring.h"

#define TG_LOG_LINE_BYTES 252
#define TG_LOG_LINES 64u

struct tg_log_line {
    uint32_t level; /* enum throng_log_level */
    char text[TG_LOG_LINE_BYTES];
};

struct tg_log_queue {
    struct tg_ring ring;
    bool news; /* worker's: pushed since tg_log_queue_has_news */
    _Atomic uint64_t dropped;
};

static inline size_t tg_log_queue_bytes(void)
{
    return sizeof(struct tg_log_line) * TG_LOG_LINES;
}

void tg_log_queue_init(struct tg_log_queue *queue, void *storage);

/* Worker: formats a line, escapes what a log must not be given (base/line.h), and makes it visible
 * at once. */
TG_FORMAT(3, 4)
void tg_log_queue_push(struct tg_log_queue *queue, enum throng_log_level level, const char *format,
                       ...);

/* Worker: whether a line was pushed since the last call: the logic thread is to be woken. */
bool tg_log_queue_has_news(struct tg_log_queue *queue);

/* Logic thread: hands all lines to the sink (NULL: drops them). */
void tg_log_queue_drain(struct tg_log_queue *queue, throng_log_sink *sink, void *context);

#endif
