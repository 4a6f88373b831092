/* SPDX-License-Identifier: MIT
 * Notes how what waits for a connection grows: the most ever, and each doubling from an eighth of
 * its limit on, counted and now and then a log line. Logic thread; asked by writes that took a
 * block. */
#ifndef TG_SERVER_QUEUE_GROWTH_H
#define TG_SERVER_QUEUE_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

#include <throng/types.h>

struct throng_server;
struct tg_seat;

struct tg_queue_growth {
    uint32_t peak_units;
    /* The line to be written with the next batch: sinks are not called inside throng_write_data. */
    bool line_due;
    uint32_t line_units;
    uint32_t line_units_max;
    struct throng_address line_peer;
    uint64_t quiet_until_ns;
};

/* Units that waited before and after a write. */
void tg_queue_growth_note(struct throng_server *server, struct tg_seat *seat, uint32_t before,
                          uint32_t after);

/* A write was refused: the limit is reached, though a longest message may be missing to it. */
void tg_queue_growth_is_full(struct throng_server *server, struct tg_seat *seat);

/* Writes the line that is due. */
void tg_queue_growth_log(struct throng_server *server);

#endif
