/* SPDX-License-Identifier: MIT
 * Sums of runs, and their texts. */
#include "sums.h"

#include <stdio.h>

#include <throng/server.h>

#include "campaign.h"

typedef unsigned long long big;

void sums_add(struct sums *sums, const struct run_result *result)
{
    sums->runs++;
    sums->cpu_ns += result->cpu_ns;
    sums->virtual_ns += result->virtual_ns;
    sums->steps += result->steps;
    sums->switches += result->switches;
    sums->completions += result->completions;
    sums->faulted += result->faulted;
    sums->connections += result->connections;
    sums->opened += result->opened;
    sums->messages_up += result->messages_up;
    sums->messages_down += result->messages_down;
    sums->looks += result->looks;
    for (int i = 0; i < TG_SIM_FAULT_COUNT; i++) {
        sums->faults[i] += result->faults[i];
    }
    for (int i = 0; i < (int)LEDGER_REASONS; i++) {
        sums->reasons[i] += result->reasons[i];
    }
}

void sums_fail(struct sums *sums, uint64_t seed)
{
    if (sums->failed_count < SUMS_FAILED_MAX) {
        sums->failed[sums->failed_count++] = seed;
    }
}

static double rate(uint64_t count, uint64_t cpu_ns)
{
    return cpu_ns == 0 ? 0 : (double)count * 1e9 / (double)cpu_ns;
}

void campaign_print_run(const struct run_result *result)
{
    printf("seed %llu: hash %016llx, %llu steps, %llu completions, %llu faulted, %llu connections, "
           "%llu opened, %llu up, %llu down, %.3f s virtual, %.3f s, %.0f completions/s\n",
           (big)result->seed, (big)result->hash, (big)result->steps, (big)result->completions,
           (big)result->faulted, (big)result->connections, (big)result->opened,
           (big)result->messages_up, (big)result->messages_down, (double)result->virtual_ns / 1e9,
           (double)result->cpu_ns / 1e9, rate(result->completions, result->cpu_ns));
}

void sums_print_progress(const struct sums *sums, double seconds)
{
    printf("%6.0f s: %llu runs, %.2f M completions, %.2f M faulted, %u failed\n", seconds,
           (big)sums->runs, (double)sums->completions / 1e6, (double)sums->faulted / 1e6,
           sums->failed_count);
    (void)fflush(stdout);
}

static void print_json(const struct sums *sums, double seconds)
{
    printf("{\"runs\": %llu, \"seconds\": %.3f, \"cpu_seconds\": %.3f, \"steps\": %llu, "
           "\"completions\": %llu, \"faulted\": %llu, \"connections\": %llu, \"opened\": %llu, "
           "\"messages_up\": %llu, \"messages_down\": %llu, \"completions_per_cpu_second\": %.0f, "
           "\"failed\": [",
           (big)sums->runs, seconds, (double)sums->cpu_ns / 1e9, (big)sums->steps,
           (big)sums->completions, (big)sums->faulted, (big)sums->connections, (big)sums->opened,
           (big)sums->messages_up, (big)sums->messages_down, rate(sums->completions, sums->cpu_ns));
    for (uint32_t i = 0; i < sums->failed_count; i++) {
        printf("%s%llu", i == 0 ? "" : ", ", (big)sums->failed[i]);
    }
    printf("]}\n");
}

static void print_text(const struct sums *sums, double seconds)
{
    printf("faults:");
    for (int i = 0; i < TG_SIM_FAULT_COUNT; i++) {
        printf(" %s=%llu", tg_sim_fault_name((enum tg_sim_fault)i), (big)sums->faults[i]);
    }
    printf("\nclosed:");
    for (int i = 1; i <= THRONG_CLOSE_EVICTED; i++) {
        printf(" \"%s\"=%llu", throng_close_reason_text((enum throng_close_reason)i),
               (big)sums->reasons[i]);
    }
    printf("\n%llu runs, %u failed; %llu steps, %llu switches, %llu connections, %llu opened, "
           "%llu messages up, %llu down, %llu looks at a sleeping world, %.0f s virtual\n",
           (big)sums->runs, sums->failed_count, (big)sums->steps, (big)sums->switches,
           (big)sums->connections, (big)sums->opened, (big)sums->messages_up,
           (big)sums->messages_down, (big)sums->looks, (double)sums->virtual_ns / 1e9);
    printf("%llu completions, %llu of them faulted, in %.1f s and %.1f s of processor time: "
           "%.0f completions per second of it\n",
           (big)sums->completions, (big)sums->faulted, seconds, (double)sums->cpu_ns / 1e9,
           rate(sums->completions, sums->cpu_ns));
    for (uint32_t i = 0; i < sums->failed_count; i++) {
        printf("%s%llu%s", i == 0 ? "FAILED seeds: " : " ", (big)sums->failed[i],
               i + 1 == sums->failed_count ? "\n" : "");
    }
}

void sums_print(const struct sums *sums, const struct options *options, double seconds)
{
    if (options->json) {
        print_json(sums, seconds);
    } else {
        print_text(sums, seconds);
    }
}
