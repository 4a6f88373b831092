/* SPDX-License-Identifier: MIT
 * The command line, and files of seeds. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIST_MAX 4096u

static const char usage[] =
    "throng-sim: server, clients and game in a simulated system, run after run.\n"
    "\n"
    "  --seed N            one run, in this process\n"
    "  --seeds A-B         these\n"
    "  --count N [--from A]  N seeds from A on (1)\n"
    "  --fresh N           N seeds that nobody knows beforehand\n"
    "  --seconds S         fresh seeds, so long\n"
    "  --replay FILE       the seeds of a file: a number first on each line, # begins a remark\n"
    "  --jobs N            processes (1)\n"
    "  --steps N           completions until the faults end, instead of the plan's own number\n"
    "  --verify [K]        run each Kth seed twice (1): both runs must be the same, step by step\n"
    "  --faults NAME=PARTS,...  these faults, in parts of 65,536, instead of the plan's\n"
    "  --list-faults       their names\n"
    "  --plan              print the plan, run nothing\n"
    "  --trace             print each step (with --seed)\n"
    "  --quiet             totals only\n"
    "  --first             end with the first seed that fails\n"
    "  --scaled            THRONG_TEST_SCALE percent of the seeds\n"
    "  --json              totals as one line of JSON\n"
    "\n"
    "Exit: 0, 1 if a seed failed, 2 for wrong options.\n";

static bool fail(const char *what, const char *value, int *status)
{
    (void)fprintf(stderr, "throng-sim: %s: %s\n\n%s", what, value == NULL ? "missing" : value,
                  usage);
    *status = 2;
    return false;
}

static bool read_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    if (text == NULL || *text < '0' || *text > '9') {
        return false;
    }
    *number = strtoull(text, &end, 10);
    return *end == '\0';
}

static bool read_range(const char *text, struct options *options)
{
    char *end = NULL;
    if (text == NULL) {
        return false;
    }
    options->first = strtoull(text, &end, 10);
    options->last = *end == '-' ? strtoull(end + 1, &end, 10) : options->first;
    return *end == '\0' && options->last >= options->first;
}

static void list_faults(void)
{
    static const char *const texts[] = {
#define FAULT_TEXT(name, text) text,
        TG_SIM_FAULT_MAP(FAULT_TEXT)
#undef FAULT_TEXT
    };
    for (int i = 0; i < TG_SIM_FAULT_COUNT; i++) {
        printf("%-22s %s\n", tg_sim_fault_name((enum tg_sim_fault)i), texts[i]);
    }
}

static bool read_fault(const char *text, size_t length, struct options *options)
{
    for (int i = 0; i < TG_SIM_FAULT_COUNT; i++) {
        const char *name = tg_sim_fault_name((enum tg_sim_fault)i);
        size_t size = strlen(name);
        if (size < length && strncmp(name, text, size) == 0 && text[size] == '=') {
            options->faults[i] = (uint32_t)strtoul(text + size + 1, NULL, 10);
            return true;
        }
    }
    return false;
}

static bool read_faults(const char *text, struct options *options)
{
    options->has_faults = true;
    options->faults_text = text;
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, ",");
        if (!read_fault(text, length, options)) {
            return false;
        }
        text += length + (text[length] == ',');
    }
    return text != NULL;
}

static bool read_seeds(const char *name, struct options *options)
{
    static uint64_t list[LIST_MAX];
    char line[512];
    FILE *file = name == NULL ? NULL : fopen(name, "r");
    if (file == NULL) {
        return false;
    }
    options->list = list;
    while (options->list_count < LIST_MAX && fgets(line, sizeof line, file) != NULL) {
        char *end = NULL;
        uint64_t seed = strtoull(line, &end, 10);
        if (end != line) {
            options->list[options->list_count++] = seed;
        }
    }
    (void)fclose(file);
    return options->list_count > 0;
}

static uint64_t fresh_seed(void)
{
    uint64_t seed = (uint64_t)time(NULL) * 1000003u;
    FILE *file = fopen("/dev/urandom", "rb");
    if (file != NULL) {
        if (fread(&seed, sizeof seed, 1, file) != 1) {
            seed++;
        }
        (void)fclose(file);
    }
    return seed % 1000000000000u;
}

static void set_count(struct options *options, uint64_t first, uint64_t count)
{
    options->first = first;
    options->last = first + (count == 0 ? 0 : count - 1);
}

/* An option with a value. 1: it was one, 0: it was none, -1: its value is wrong. */
static int read_valued(struct options *options, const char *name, const char *value)
{
    uint64_t number = 0;
    bool is_number = read_number(value, &number);
    if (strcmp(name, "--seed") == 0) {
        set_count(options, number, 1);
        options->is_one = true;
    } else if (strcmp(name, "--seeds") == 0) {
        return read_range(value, options) ? 1 : -1;
    } else if (strcmp(name, "--count") == 0) {
        set_count(options, options->first, number);
    } else if (strcmp(name, "--from") == 0) {
        set_count(options, number, options->last - options->first + 1);
    } else if (strcmp(name, "--fresh") == 0) {
        set_count(options, fresh_seed(), number);
    } else if (strcmp(name, "--seconds") == 0) {
        options->first = fresh_seed();
        options->seconds = (uint32_t)number;
    } else if (strcmp(name, "--replay") == 0) {
        return read_seeds(value, options) ? 1 : -1;
    } else if (strcmp(name, "--jobs") == 0) {
        options->jobs = number == 0 ? 1 : (uint32_t)number;
    } else if (strcmp(name, "--steps") == 0) {
        options->steps = (uint32_t)number;
    } else if (strcmp(name, "--faults") == 0) {
        return read_faults(value, options) ? 1 : -1;
    } else {
        return 0;
    }
    return is_number ? 1 : -1;
}

static bool read_flag(struct options *options, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"--trace", &options->trace},   {"--plan", &options->plan_only},
        {"--json", &options->json},     {"--quiet", &options->quiet},
        {"--scaled", &options->scaled}, {"--first", &options->first_only},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(name, flags[i].name) == 0) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

static void apply_scale(struct options *options)
{
    const char *text = getenv("THRONG_TEST_SCALE");
    uint64_t percent = text == NULL ? 100 : strtoull(text, NULL, 10);
    if (options->scaled && percent > 0) {
        uint64_t count = (options->last - options->first + 1) * percent / 100;
        set_count(options, options->first, count == 0 ? 1 : count);
    }
}

bool options_read(struct options *options, int count, char **arguments, int *status)
{
    *options = (struct options){.first = 1, .last = 100, .jobs = 1, .program = arguments[0]};
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i];
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (strcmp(name, "--help") == 0) {
            printf("%s", usage);
            *status = 0;
            return false;
        }
        if (strcmp(name, "--list-faults") == 0) {
            list_faults();
            *status = 0;
            return false;
        }
        if (strcmp(name, "--verify") == 0) {
            uint64_t each = 1;
            i += read_number(value, &each);
            options->verify_each = (uint32_t)each;
            continue;
        }
        if (read_flag(options, name)) {
            continue;
        }
        int result = read_valued(options, name, value);
        if (result <= 0) {
            return fail(name, result == 0 ? "is no option" : value, status);
        }
        i++;
    }
    apply_scale(options);
    return true;
}

void options_plan(const struct options *options, uint64_t seed, struct plan *plan)
{
    plan_make(plan, seed, 100);
    if (options->steps > 0) {
        plan->completions = options->steps;
    }
    if (options->has_faults) {
        for (int i = 0; i < TG_SIM_FAULT_COUNT; i++) {
            plan->faults[i] = options->faults[i];
        }
        memset(plan->start_faults, 0, sizeof plan->start_faults);
        plan_judge_faults(plan);
    }
}
