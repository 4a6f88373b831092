/* SPDX-License-Identifier: MIT
 * The command line of throng-stress: any words. What is accepted makes sense together; what is not
 * gets a complaint.
 *
 *   words that end with a line feed; one that begins with a byte below 32 starts with an option's
 *   name */
#include <string.h>

#include "../../../tools/stress/options.h"
#include "options.h"

#define WORDS_MAX 40
#define WORD_MEMORY (FUZZ_TEXT_MAX + WORDS_MAX * 20)

static const char *const names[] = {
    "--connect",
    "--connections",
    "--size",
    "--window",
    "--rate",
    "--seconds",
    "--messages",
    "--idle",
    "--active",
    "--threads",
    "--connect-rate",
    "--source",
    "--sources",
    "--message-max",
    "--byte-order",
    "--backend",
    "--seed",
    "--json",
    "--heartbeat-ms",
    "--quiet",
    "--help",
    "--drain-timeout",
    "--connect-timeout",
    "--scenario",
    "--rooms",
    "--room-size",
    "--bots",
    "--server-pid",
    "--report",
    "--hgrm",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static char memory[WORD_MEMORY];
static char program[] = "throng-stress";

/* Cuts the script into words; answers how many. */
static int cut_words(struct fuzz_script *script, char *words[WORDS_MAX])
{
    char *at = memory;
    int count = 0;
    words[count++] = program;
    while (count < WORDS_MAX && !fuzz_is_over(script)) {
        char c = (char)fuzz_byte(script);
        words[count++] = at;
        if (c >= 0 && c < ' ' && c != '\n') {
            const char *name = names[(size_t)c % NAMES];
            memcpy(at, name, strlen(name));
            at += strlen(name);
            c = (char)fuzz_byte(script);
        }
        for (; c != '\n' && c != '\0'; c = (char)fuzz_byte(script)) {
            *at++ = c;
        }
        *at++ = '\0';
    }
    return count;
}

static void check_accepted(const struct stress_options *options)
{
    FUZZ_CHECK(options->target_count >= 1 && options->target_count <= THRONG_SWARM_TARGETS_MAX);
    for (uint32_t i = 0; i < options->target_count; i++) {
        FUZZ_CHECK(strncmp(options->targets[i], "tcp://", 6) == 0);
    }
    FUZZ_CHECK(options->connections >= 1 && options->connections <= 1048575);
    FUZZ_CHECK(options->active >= 1 && options->active <= options->connections);
    FUZZ_CHECK(options->size_min <= options->size_max);
    FUZZ_CHECK(options->size_max <= options->message_max && options->message_max <= 67108864);
    FUZZ_CHECK(options->scenario < SCENARIO_COUNT);
    bool both = options->rate > 0 && options->window > 0;
    FUZZ_CHECK(options->rate > 0 || options->window > 0);
    FUZZ_CHECK(!both || options->scenario == SCENARIO_CHURN);
    bool rooms = options->scenario == SCENARIO_ROOMS || options->scenario == SCENARIO_CHAT;
    FUZZ_CHECK(rooms ? options->rooms >= 1 && options->room_size >= 1 : options->rooms == 0);
    FUZZ_CHECK(options->room_size <= options->connections);
    FUZZ_CHECK((uint64_t)options->rooms * options->room_size <= UINT64_C(4194300) * 2);
    FUZZ_CHECK(options->scenario != SCENARIO_ROOMS || options->size_min >= 12);
    FUZZ_CHECK(options->rate <= 100000000 && options->window <= 1024);
    FUZZ_CHECK(options->talk_ns >= 1000000);
    FUZZ_CHECK(options->talk_ns == UINT64_MAX || options->talk_ns <= 86400000000000);
    FUZZ_CHECK(options->talk_ns != UINT64_MAX || options->messages > 0);
    FUZZ_CHECK(options->idle_ns <= 86400000000000);
    FUZZ_CHECK(options->threads <= 64 && options->source_count <= 65536);
    FUZZ_CHECK(options->source_count == 0 || options->source.family != THRONG_ADDRESS_NONE);
    FUZZ_CHECK((unsigned)options->byte_order <= 1);
    FUZZ_CHECK(options->connect_timeout_ms >= 1 && options->connect_timeout_ms <= 3600000);
    FUZZ_CHECK(options->drain_timeout_ms >= 1 && options->drain_timeout_ms <= 3600000);
}

void fuzz_stress_arguments(struct fuzz_script *script)
{
    char *words[WORDS_MAX];
    char complaint[OPTIONS_COMPLAINT_SIZE] = "";
    struct stress_options options;
    int count = cut_words(script, words);
    complaint[sizeof(complaint) - 1] = '?';
    enum options_result result = stress_options_read(&options, count, words, complaint);
    if (result == OPTIONS_GO) {
        check_accepted(&options);
    }
    FUZZ_CHECK((result == OPTIONS_BAD) == (complaint[0] != '\0'));
    FUZZ_CHECK(memchr(complaint, '\0', sizeof(complaint)) != NULL);
}
