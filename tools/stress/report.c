/* SPDX-License-Identifier: MIT
 * See report.h. */
#include "report.h"

#include <inttypes.h>

#include <throng/version.h>

static double per_second(uint64_t count, double seconds)
{
    return seconds > 0 ? (double)count / seconds : 0;
}

static double microseconds(const struct histogram *latency, uint32_t per_million)
{
    return (double)histogram_at(latency, per_million) / 1e3;
}

/* ---- table ---- */

static void print_count(FILE *file, const char *name, uint64_t count)
{
    fprintf(file, "  %-24s %" PRIu64 "\n", name, count);
}

static void print_wrong(FILE *file, const char *name, uint64_t count)
{
    if (count > 0) {
        fprintf(file, "  %-24s %" PRIu64 "  <--\n", name, count);
    } else {
        print_count(file, name, count);
    }
}

static void print_percentiles(FILE *file, const struct histogram *histogram)
{
    fprintf(file, "p50 %.1f   p90 %.1f   p99 %.1f   p99.9 %.1f   max %.1f\n",
            microseconds(histogram, 500000), microseconds(histogram, 900000),
            microseconds(histogram, 990000), microseconds(histogram, 999000),
            (double)histogram->max / 1e3);
}

static void print_connections(FILE *file, const struct stress_options *options,
                              const struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    fprintf(file, "connections\n");
    print_count(file, "asked for", options->connections);
    print_count(file, "connected", totals->opened);
    print_count(file, "at once, this end", outcome->peak);
    print_count(file, "at the end, this end", outcome->alive);
    if (outcome->has_established) {
        print_count(file, "at the end, server's end", outcome->established);
    } else {
        fprintf(file, "  %-24s unknown\n", "at the end, server's end");
    }
    fprintf(file, "  %-24s %.3f s, %.0f a second\n", "connecting took", outcome->connect_seconds,
            per_second(outcome->first_opened, outcome->connect_seconds));
    fprintf(file, "  %-24s ", "each, microseconds");
    print_percentiles(file, &outcome->connect);
    print_wrong(file, "failed", outcome->failed);
    print_wrong(file, "  refused", totals->refused);
    print_wrong(file, "  timed out", totals->timed_out);
    print_wrong(file, "reset by the server", totals->reset);
    print_wrong(file, "closed by the server", totals->ended);
    print_wrong(file, "broken otherwise", totals->broken);
}

static bool has_rooms(const struct stress_options *options)
{
    return options->scenario == SCENARIO_ROOMS || options->scenario == SCENARIO_CHAT;
}

/* What only some scenarios have. */
static void print_scenario(FILE *file, const struct stress_options *options,
                           const struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    if (options->scenario == SCENARIO_CHURN) {
        fprintf(file, "lives of a connection: connect, exchange, close\n");
        print_count(file, "begun", totals->lives);
        print_count(file, "verified to the end", totals->verified);
        fprintf(file, "  %-24s %.0f\n", "a second",
                per_second(totals->verified, outcome->talk_seconds));
        fprintf(file, "  %-24s ", "first answer, us");
        print_percentiles(file, &outcome->first_reply);
    } else if (has_rooms(options)) {
        fprintf(file, "rooms\n");
        print_count(file, "rooms", options->rooms);
        print_count(file, "members of each", options->room_size);
        print_wrong(file, "not let in", outcome->unready);
        print_count(file, "lines said", totals->sent);
        print_count(file, "deliveries due", totals->expected);
        if (options->bots > 0) {
            print_count(file, "people's lines heard", outcome->others);
        }
    }
}

static void print_messages(FILE *file, const struct stress_options *options,
                           const struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    fprintf(file, "messages\n");
    print_count(file, "sent", totals->sent);
    print_count(file, "answered right", totals->received);
    print_count(file, "connections answered", totals->answered);
    fprintf(file,
            has_rooms(options) ? "  %-24s %.0f deliveries, %.2f MB\n"
                               : "  %-24s %.0f messages, %.2f MB of payload, each way\n",
            "a second", per_second(totals->received, outcome->talk_seconds),
            per_second(totals->bytes, outcome->talk_seconds) / 1e6);
    print_wrong(file, "unanswered", outcome->unanswered);
    print_wrong(file, "lost", totals->lost);
    print_wrong(file, "duplicated", totals->duplicated);
    print_wrong(file, "reordered", totals->reordered);
    print_wrong(file, "corrupted", totals->corrupted);
    print_wrong(file, "foreign", totals->foreign);
    if (options->rate > 0) {
        print_count(file, "sent late", totals->late);
        print_count(file, "due, but never sent", totals->unsent);
    }
}

static void print_latency(FILE *file, const struct stress_options *options,
                          const struct histogram *latency)
{
    fprintf(file, "latency, microseconds from the %s\n",
            options->rate > 0 && options->scenario != SCENARIO_CHURN ? "intended send time"
                                                                     : "send");
    fprintf(file, "  ");
    print_percentiles(file, latency);
}

static void print_server(FILE *file, const struct outcome *outcome)
{
    if (outcome->has_server) {
        fprintf(file, "the server's process\n");
        fprintf(file, "  %-24s %.1f MiB before, %.1f MiB at the end\n", "memory",
                (double)outcome->server_begin.rss_bytes / 1048576,
                (double)outcome->server_end.rss_bytes / 1048576);
        fprintf(file, "  %-24s %.2f s\n", "CPU",
                outcome->server_end.cpu_seconds - outcome->server_begin.cpu_seconds);
    }
}

static void print_own(FILE *file, const struct outcome *outcome)
{
    fprintf(file, "this process\n");
    fprintf(file, "  %-24s %.2f s user, %.2f s system\n", "CPU", outcome->usage.user_seconds,
            outcome->usage.system_seconds);
    fprintf(file, "  %-24s %.1f MiB\n", "memory at most",
            (double)outcome->usage.peak_rss_bytes / 1048576);
    print_count(file, "threads", outcome->threads);
    print_count(file, "source addresses", outcome->sources);
    fprintf(file, "  %-24s %s\n", "backend", outcome->backend);
}

void report_table(FILE *file, const struct stress_options *options, const struct outcome *outcome)
{
    print_connections(file, options, outcome);
    print_scenario(file, options, outcome);
    print_messages(file, options, outcome);
    print_latency(file, options, &outcome->latency);
    print_server(file, outcome);
    print_own(file, outcome);
    if (outcome->interrupted) {
        fprintf(file, "stopped early by a signal\n");
    }
    if (outcome->errors == 0) {
        fprintf(file, "all right\n");
    } else {
        if (outcome->first_wrong[0] != '\0') {
            fprintf(file, "the first: %s\n", outcome->first_wrong);
        }
        fprintf(file, "NOT ALL RIGHT: %" PRIu64 " errors\n", outcome->errors);
    }
}

/* ---- JSON ---- */

static void json_count(FILE *file, const char *key, uint64_t count)
{
    fprintf(file, "  \"%s\": %" PRIu64 ",\n", key, count);
}

static void json_real(FILE *file, const char *key, double number)
{
    fprintf(file, "  \"%s\": %.3f,\n", key, number);
}

static void json_connections(FILE *file, const struct stress_options *options,
                             const struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    json_count(file, "connections", options->connections);
    json_count(file, "connected", totals->opened);
    json_count(file, "connected_peak", outcome->peak);
    json_count(file, "alive", outcome->alive);
    if (outcome->has_established) {
        json_count(file, "server_established", outcome->established);
    } else {
        fprintf(file, "  \"server_established\": null,\n");
    }
    json_count(file, "failed", outcome->failed);
    json_count(file, "refused", totals->refused);
    json_count(file, "timed_out", totals->timed_out);
    json_count(file, "reset", totals->reset);
    json_count(file, "closed_by_peer", totals->ended);
    json_count(file, "broken", totals->broken);
    json_real(file, "connect_seconds", outcome->connect_seconds);
    json_real(file, "connects_per_second",
              per_second(outcome->first_opened, outcome->connect_seconds));
    json_real(file, "connect_p50_us", microseconds(&outcome->connect, 500000));
    json_real(file, "connect_p90_us", microseconds(&outcome->connect, 900000));
    json_real(file, "connect_p99_us", microseconds(&outcome->connect, 990000));
    json_real(file, "connect_p99_9_us", microseconds(&outcome->connect, 999000));
    json_real(file, "connect_max_us", (double)outcome->connect.max / 1e3);
}

static void json_messages(FILE *file, const struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    json_count(file, "messages_sent", totals->sent);
    json_count(file, "messages_received", totals->received);
    json_count(file, "bytes_received", totals->bytes);
    json_count(file, "answered", totals->answered);
    json_real(file, "talk_seconds", outcome->talk_seconds);
    json_real(file, "messages_per_second", per_second(totals->received, outcome->talk_seconds));
    json_real(file, "bytes_per_second", per_second(totals->bytes, outcome->talk_seconds));
    json_count(file, "unanswered", outcome->unanswered);
    json_count(file, "lost", totals->lost);
    json_count(file, "duplicated", totals->duplicated);
    json_count(file, "reordered", totals->reordered);
    json_count(file, "corrupted", totals->corrupted);
    json_count(file, "foreign", totals->foreign);
    json_count(file, "late", totals->late);
    json_count(file, "unsent", totals->unsent);
}

static void json_percentiles(FILE *file, const char *key, const struct histogram *histogram)
{
    fprintf(file,
            "  \"%s\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p99_9\": %.1f, "
            "\"max\": %.1f},\n",
            key, microseconds(histogram, 500000), microseconds(histogram, 900000),
            microseconds(histogram, 990000), microseconds(histogram, 999000),
            (double)histogram->max / 1e3);
}

/* What only some scenarios have. */
static void json_scenario(FILE *file, const struct stress_options *options,
                          const struct outcome *outcome)
{
    const struct totals *totals = &outcome->totals;
    if (options->scenario == SCENARIO_CHURN) {
        json_count(file, "lives", totals->lives);
        json_count(file, "lives_verified", totals->verified);
        json_real(file, "lives_per_second", per_second(totals->verified, outcome->talk_seconds));
        json_percentiles(file, "first_answer_us", &outcome->first_reply);
    } else if (has_rooms(options)) {
        json_count(file, "rooms", options->rooms);
        json_count(file, "room_size", options->room_size);
        json_count(file, "not_let_in", outcome->unready);
        json_count(file, "lines", totals->sent);
        json_count(file, "deliveries_due", totals->expected);
        json_count(file, "others_lines", outcome->others);
    }
    if (outcome->has_server) {
        json_count(file, "server_rss_bytes_before", outcome->server_begin.rss_bytes);
        json_count(file, "server_rss_bytes", outcome->server_end.rss_bytes);
        json_real(file, "server_cpu_seconds",
                  outcome->server_end.cpu_seconds - outcome->server_begin.cpu_seconds);
    }
}

/* A text of printable ASCII, or null. */
static void json_text(FILE *file, const char *key, const char *text)
{
    fprintf(file, "  \"%s\": %s", key, text[0] == '\0' ? "null" : "\"");
    for (const char *at = text; *at != '\0'; at++) {
        fprintf(file, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    }
    fprintf(file, "%s,\n", text[0] == '\0' ? "" : "\"");
}

void report_json(FILE *file, const struct stress_options *options, const struct outcome *outcome)
{
    fprintf(file, "{\n  \"throng_version\": \"%s\",\n", throng_version());
    json_connections(file, options, outcome);
    json_messages(file, outcome);
    json_count(file, "errors", outcome->errors);
    json_percentiles(file, "latency_us", &outcome->latency);
    json_text(file, "scenario", stress_scenario_name(options->scenario));
    json_text(file, "first_wrong", outcome->first_wrong);
    json_scenario(file, options, outcome);
    json_real(file, "cpu_user_seconds", outcome->usage.user_seconds);
    json_real(file, "cpu_system_seconds", outcome->usage.system_seconds);
    json_count(file, "peak_rss_bytes", outcome->usage.peak_rss_bytes);
    json_count(file, "threads", outcome->threads);
    json_count(file, "source_addresses", outcome->sources);
    json_count(file, "seed", options->seed);
    fprintf(file, "  \"backend\": \"%s\",\n  \"interrupted\": %s\n}\n", outcome->backend,
            outcome->interrupted ? "true" : "false");
}
