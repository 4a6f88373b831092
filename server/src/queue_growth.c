/* SPDX-License-Identifier: MIT
 * Doublings of queues. Logic thread.
 *
 *   waits:      below 1/16 ... 1/8 ....... 1/4 ....... 1/2 ....... all of the limit
 *   doublings:  0              1           2           3           4   (until below 1/16 again) */
#include "queue_growth.h"

#include "os/clock.h"
#include "state.h"

#define FULL 4u
#define LOG_REST_NS UINT64_C(1000000000)

static void note_line(struct throng_server *server, const struct tg_seat *seat, uint32_t units)
{
    struct tg_queue_growth *growth = &server->growth;
    uint64_t now_ns = tg_clock_ns();
    if (growth->line_due || now_ns < growth->quiet_until_ns) {
        return;
    }
    growth->quiet_until_ns = now_ns + LOG_REST_NS;
    growth->line_due = true;
    growth->line_units = units;
    growth->line_units_max = seat->units_max;
    growth->line_peer = tg_ends_peer(&server->arena.ends, tg_conn_slot(seat->id));
}

void tg_queue_growth_log(struct throng_server *server)
{
    struct tg_queue_growth *growth = &server->growth;
    if (growth->line_due) {
        char text[THRONG_ADDRESS_TEXT_SIZE];
        growth->line_due = false;
        tg_server_log(server, THRONG_LOG_INFO,
                      "%s does not keep up: %llu bytes wait to be sent to it (at most %llu)",
                      throng_address_text(&growth->line_peer, text),
                      (unsigned long long)growth->line_units * TG_BLOCK_BYTES,
                      (unsigned long long)growth->line_units_max * TG_BLOCK_BYTES);
    }
}

static void reach(struct throng_server *server, struct tg_seat *seat, uint32_t doublings,
                  uint32_t units)
{
    if (doublings > seat->doublings) {
        tg_count(&server->counters.queue_doublings, doublings - seat->doublings);
        seat->doublings = (uint8_t)doublings;
        note_line(server, seat, units);
    }
}

TG_OUT_OF_LINE static void note_peak(struct throng_server *server, uint32_t units)
{
    server->growth.peak_units = units;
    atomic_store_explicit(&server->counters.queue_bytes_peak, (uint64_t)units * TG_BLOCK_BYTES,
                          memory_order_relaxed);
}

TG_OUT_OF_LINE static void note_doublings(struct throng_server *server, struct tg_seat *seat,
                                          uint32_t units)
{
    uint32_t doublings = 1;
    while (doublings < FULL && units >= seat->units_max >> (FULL - 1 - doublings)) {
        doublings++;
    }
    reach(server, seat, doublings, units);
}

void tg_queue_growth_note(struct throng_server *server, struct tg_seat *seat, uint32_t before,
                          uint32_t after)
{
    if (before <= seat->units_max / 16) {
        seat->doublings = 0;
    }
    if (!TG_LIKELY(after <= server->growth.peak_units)) {
        note_peak(server, after);
    }
    if (!TG_LIKELY(after < (seat->units_max + 7) / 8)) {
        note_doublings(server, seat, after);
    }
}

void tg_queue_growth_is_full(struct throng_server *server, struct tg_seat *seat)
{
    reach(server, seat, FULL, seat->units_out + seat->pending.units);
}
