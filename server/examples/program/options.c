/* SPDX-License-Identifier: MIT
 * The command line of the bundled server programs: the server's options, which the library names,
 * reads and refuses, and the few that are the program's own. Main thread, before the start. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include <throng/version.h>

#include "confine.h"
#include "system.h"

/* What an own option answers besides an exit status. */
#define GO_ON 0
#define IS_DONE (-1)

/* Lines that a program adds to --budget. */
#define PROGRAM_TERMS_MAX 16

/* One at a time is enough, and its strings must outlive the start of the server. */
static struct program_settings settings;
static bool wants_budget;
static bool wants_config;

/* ---- the server's options ---- */

static char one_spelling(char letter)
{
    return (char)(letter == '-' ? '_' : letter);
}

bool program_same_name(const char *left, const char *right)
{
    size_t at = 0;
    while (left[at] != '\0' && one_spelling(left[at]) == one_spelling(right[at])) {
        at++;
    }
    return left[at] == '\0' && right[at] == '\0';
}

static uint32_t find_option(const char *name)
{
    struct throng_option_info info;
    uint32_t index = 0;
    while (throng_server_option_info(index, &info) == 0 && !program_same_name(name, info.name)) {
        index++;
    }
    return index;
}

int program_set_option(const char *name, const char *value)
{
    const struct program_option *extra = program_find_extra(settings.program, name);
    if (extra != NULL) {
        return program_set_extra(extra, value);
    }
    struct throng_error error;
    if (throng_server_options_set(settings.options, name, value, &error) < 0) {
        fprintf(stderr, "%s (see --help)\n", error.text);
        return 2;
    }
    uint32_t index = find_option(name);
    if (index >= PROGRAM_OPTIONS_MAX) {
        fprintf(stderr, "%s is option %u; this program can keep %u\n", name, index,
                PROGRAM_OPTIONS_MAX);
        return 2;
    }
    settings.given[index] = value;
    return 0;
}

/* ---- the program's own ---- */

static int take_config(const char *value)
{
    return program_read_config(value);
}

static int take_print_config(const char *value)
{
    (void)value;
    wants_config = true;
    return GO_ON;
}

static int take_budget(const char *value)
{
    (void)value;
    wants_budget = true;
    return GO_ON;
}

static int take_help(const char *value);

static int take_version(const char *value)
{
    (void)value;
    printf("%s\n", throng_version());
    return IS_DONE;
}

/* Options of the program, not of the server. `value` is NULL for those that take none. */
static const struct own_option {
    const char *name;
    const char *value;
    const char *help;
    int (*take)(const char *value); /* GO_ON, IS_DONE or an exit status */
} own_options[] = {
    {"config", "FILE", "read options from an INI file: name = value, without the dashes",
     take_config},
    {"print-config", NULL, "print such a file, with every option and what was set; and exit",
     take_print_config},
    {"budget", NULL, "print each piece of memory that this would reserve, and exit", take_budget},
    {"user", "NAME", "become this user when the ports are open (as root)", confine_take_user},
    {"sandbox", "NAME", "on, off: give up files, programs and new sockets (Linux); default off",
     confine_take_sandbox},
    {"help", NULL, "", take_help},
    {"version", NULL, "", take_version},
};

#define OWN_COUNT (sizeof(own_options) / sizeof(own_options[0]))

static int take_help(const char *value)
{
    (void)value;
    program_print_help_head(&settings);
    for (size_t i = 0; i < OWN_COUNT; i++) {
        program_print_help_line(own_options[i].name, own_options[i].value, own_options[i].help);
    }
    program_print_extras_help(settings.program);
    program_print_help_foot();
    return IS_DONE;
}

static const struct own_option *find_own_option(const char *name)
{
    for (size_t i = 0; i < OWN_COUNT; i++) {
        if (strcmp(name, own_options[i].name) == 0) {
            return &own_options[i];
        }
    }
    return NULL;
}

/* ---- the command line ---- */

/* Reads argv[*at] and its value. */
static int read_argument(int argc, char **argv, int *at)
{
    const char *argument = argv[*at];
    if (strncmp(argument, "--", 2) != 0) {
        fprintf(stderr, "unknown argument \"%s\"; --help lists the options\n", argument);
        return 2;
    }
    const struct own_option *own = find_own_option(argument + 2);
    if (own != NULL && own->value == NULL) {
        return own->take(NULL);
    }
    if (*at + 1 == argc) {
        fprintf(stderr, "%s needs a value; --help tells which\n", argument);
        return 2;
    }
    const char *value = argv[++*at];
    return own != NULL ? own->take(value) : program_set_option(argument + 2, value);
}

/* The program's own memory, as throng_budget_text writes the server's. */
static void print_own_budget(const struct program *program)
{
    struct throng_budget_term terms[PROGRAM_TERMS_MAX];
    size_t count = program->budget(settings.options, terms, PROGRAM_TERMS_MAX);
    size_t total = 0;
    printf("\n%-20s %14s  %s\n", "the program's own", "bytes", "what it is");
    for (size_t i = 0; i < count; i++) {
        printf("%-20s %14zu  %s\n", terms[i].name, terms[i].bytes, terms[i].reason);
        total += terms[i].bytes;
    }
    printf("%-20s %14zu  reserved at start\n", "total", total);
}

static int print_budget(void)
{
    static char text[4096];
    struct throng_budget budget;
    struct throng_error error;
    if (throng_server_budget(settings.options, &budget, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    (void)throng_budget_text(&budget, text, sizeof(text));
    fputs(text, stdout);
    if (settings.program->budget != NULL) {
        print_own_budget(settings.program);
    }
    return 0;
}

static int read_arguments(int argc, char **argv)
{
    int result = GO_ON;
    for (size_t i = 0; result == GO_ON && i < settings.program->preset_count; i++) {
        const struct program_preset *preset = &settings.program->presets[i];
        result = program_set_option(preset->name, preset->value);
    }
    for (int at = 1; result == GO_ON && at < argc; at++) {
        result = read_argument(argc, argv, &at);
    }
    return result;
}

int program_read(struct throng_server_options *options, int argc, char **argv,
                 const struct program *program, int *status)
{
    system_begin();
    memset(&settings, 0, sizeof(settings));
    settings.options = options;
    settings.path = argv[0];
    settings.program = program;
    program_default_extras(program);
    *status = 0;
    int result = read_arguments(argc, argv);
    if (result != GO_ON) {
        *status = result == IS_DONE ? 0 : result;
        return 1;
    }
    if (options->listen[0] == NULL) {
        options->listen[0] = PROGRAM_LISTEN;
    }
    if (program->settle != NULL) {
        program->settle(options);
    }
    if (wants_config) {
        program_print_config(&settings);
        return 1;
    }
    if (wants_budget) {
        *status = print_budget();
        return 1;
    }
    return 0;
}

int program_read_options(struct throng_server_options *options, int argc, char **argv,
                         const char *purpose, int *status)
{
    static struct program plain;
    plain.purpose = purpose;
    return program_read(options, argc, argv, &plain, status);
}
