/* SPDX-License-Identifier: MIT
 * See report.h. */
#include "report.h"

#include <inttypes.h>

#define P50 500000u
#define P99 990000u

static double per_player(const struct outcome *outcome, uint64_t count)
{
    double players = outcome->players;
    return players > 0 && outcome->seconds > 0 ? (double)count / outcome->seconds / players : 0;
}

double report_ticks(const struct outcome *outcome)
{
    return per_player(outcome, outcome->measured.ticks);
}

double report_bytes(const struct outcome *outcome)
{
    return per_player(outcome, outcome->measured.bytes);
}

static double latency_ms(const struct outcome *outcome, uint32_t per_million)
{
    return (double)histogram_at(&outcome->latency, per_million) / 1e6;
}

static double latency_max_ms(const struct outcome *outcome)
{
    return (double)outcome->latency.max / 1e6;
}

static void print_error(FILE *file, uint64_t count, const char *text)
{
    if (count > 0) {
        fprintf(file, "WRONG: %" PRIu64 " %s\n", count, text);
    }
}

void report_text(FILE *file, const struct options *options, const struct outcome *outcome)
{
    const struct totals *whole = &outcome->whole;
    fprintf(file, "players             %" PRIu32 " of %" PRIu32 ", for %.1f s\n", outcome->players,
            options->bots, outcome->seconds);
    fprintf(file, "ticks a second      %.2f (%" PRIu64 " of %" PRIu64 " inside a longer step)\n",
            report_ticks(outcome), whole->skipped, whole->ticks);
    fprintf(file, "bytes a second      %.0f to each player\n", report_bytes(outcome));
    fprintf(file, "snapshots           %" PRIu64 ", %" PRIu64 " of them whole; every checksum %s\n",
            whole->snapshots, whole->whole_snapshots,
            whole->wrong_sums == 0 ? "right" : "compared");
    fprintf(file, "missed              %" PRIu64 " times, %" PRIu64 " whole ones asked for\n",
            whole->gaps, whole->resyncs);
    fprintf(file,
            "input to snapshot   p50 %.1f ms, p99 %.1f ms, max %.1f ms, of %" PRIu64 " inputs\n",
            latency_ms(outcome, P50), latency_ms(outcome, P99), latency_max_ms(outcome),
            outcome->latency.count);
    fprintf(file, "pellets             %" PRIu64 "\n", whole->pellets);
#define REPORT_ERROR(name, text) print_error(file, whole->name, text);
    TALLY_ERROR_MAP(REPORT_ERROR)
#undef REPORT_ERROR
    fprintf(file, "%s\n", outcome->errors == 0 ? "all right" : "NOT all right");
}

void report_json(FILE *file, const struct options *options, const struct outcome *outcome)
{
    fprintf(file, "{\"bots\": %" PRIu32 ", \"players\": %" PRIu32 ", \"seconds\": %.3f",
            options->bots, outcome->players, outcome->seconds);
    fprintf(file, ", \"ticks_per_second\": %.3f, \"bytes_per_second_per_player\": %.0f",
            report_ticks(outcome), report_bytes(outcome));
    fprintf(file,
            ", \"latency_ms\": {\"count\": %" PRIu64
            ", \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}",
            outcome->latency.count, latency_ms(outcome, P50), latency_ms(outcome, P99),
            latency_max_ms(outcome));
#define REPORT_COUNT(name, text) fprintf(file, ", \"" #name "\": %" PRIu64, outcome->whole.name);
    TALLY_MAP(REPORT_COUNT)
    TALLY_ERROR_MAP(REPORT_COUNT)
#undef REPORT_COUNT
    fprintf(file, ", \"errors\": %" PRIu64 "}\n", outcome->errors);
}
