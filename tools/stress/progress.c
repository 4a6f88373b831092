/* SPDX-License-Identifier: MIT
 * See progress.h. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "process.h"

#define SECOND_NS UINT64_C(1000000000)

void progress_start(struct progress *progress, const struct stress_options *options,
                    uint64_t now_ns)
{
    *progress = (struct progress){.quiet = options->quiet,
                                  .terminal = process_has_terminal(),
                                  .phase = "starting",
                                  .connections = options->connections,
                                  .start_ns = now_ns,
                                  .shown_ns = now_ns};
}

void progress_phase(struct progress *progress, const char *phase)
{
    progress->phase = phase;
}

static void print_line(struct progress *progress, const struct totals *totals, uint32_t up,
                       uint64_t now_ns)
{
    double seconds = (double)(now_ns - progress->shown_ns) / 1e9;
    double connects = (double)(totals->opened - progress->opened) / seconds;
    double messages = (double)(totals->received - progress->received) / seconds;
    double bytes = (double)(totals->bytes - progress->bytes) / seconds;
    fprintf(stderr,
            "%s%4" PRIu64 " s  %-10s  %u of %u up, %.0f connects/s, %.0f messages/s, %.1f MB/s, "
            "%" PRIu64 " on their way, %" PRIu64 " errors%s",
            progress->line_open ? "\r" : "", (now_ns - progress->start_ns) / SECOND_NS,
            progress->phase, up, progress->connections, connects, messages, bytes / 1e6,
            totals->expected - totals->settled, tally_errors(totals),
            /* the terminal's own "erase to the end of the line" */
            progress->terminal ? "\033[K" : "\n");
    (void)fflush(stderr);
    progress->line_open = progress->terminal;
}

void progress_show(struct progress *progress, const struct totals *totals, uint32_t up,
                   uint64_t now_ns)
{
    if (progress->quiet || now_ns - progress->shown_ns < SECOND_NS) {
        return;
    }
    print_line(progress, totals, up, now_ns);
    progress->shown_ns = now_ns;
    progress->received = totals->received;
    progress->bytes = totals->bytes;
    progress->opened = totals->opened;
}

void progress_end(struct progress *progress)
{
    if (progress->line_open) {
        fputc('\n', stderr);
        progress->line_open = false;
    }
}
