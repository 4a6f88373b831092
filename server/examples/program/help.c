/* SPDX-License-Identifier: MIT
 * --help of the bundled server programs: the server's options as the library describes them, two
 * lines each. tests/house/check_readme.py reads it. Main thread, before the start. */
#include <stdio.h>
#include <string.h>

#include <throng/version.h>

#include "options.h"

/* The column of what an option sets, and room for the longest name with its value. */
#define COLUMN 34
#define NAME_SIZE 64

void program_print_help_line(const char *name, const char *value, const char *help)
{
    char option[NAME_SIZE];
    (void)snprintf(option, sizeof(option), "--%s%s%s", name, value != NULL ? " " : "",
                   value != NULL ? value : "");
    for (char *at = option; *at != '\0' && *at != ' '; at++) {
        *at = *at == '_' ? '-' : *at;
    }
    if (help[0] == '\0') {
        printf("  %s\n", option);
    } else {
        printf("  %-*s%s\n", COLUMN, option, help);
    }
}

/* The default: the program's, where it has one of its own. */
static const char *find_fallback(const struct program *program,
                                 const struct throng_option_info *info)
{
    for (size_t i = 0; i < program->preset_count; i++) {
        if (program_same_name(program->presets[i].name, info->name)) {
            return program->presets[i].value;
        }
    }
    return info->fallback;
}

static void print_option(const struct program *program, const struct throng_option_info *info)
{
    bool is_number = info->range[0] != '\0';
    bool is_listen = strcmp(info->name, "listen") == 0;
    bool is_endpoint = strncmp(info->unit, "tcp://", 6) == 0;
    const char *value = is_number ? "N" : is_endpoint ? "tcp://HOST:PORT" : "NAME";
    const char *fallback = is_listen ? PROGRAM_LISTEN : find_fallback(program, info);
    program_print_help_line(info->name, value, info->help);
    printf("  %*s%s%s%s; default %s\n", COLUMN, "", is_listen ? "repeatable" : info->unit,
           is_number ? ", " : "", info->range, fallback);
}

void program_print_help_head(const struct program_settings *settings)
{
    struct throng_option_info info;
    printf("%s %s - %s\n\nOptions of the server:\n", settings->path, throng_version(),
           settings->program->purpose);
    for (uint32_t i = 0; throng_server_option_info(i, &info) == 0; i++) {
        print_option(settings->program, &info);
    }
    printf("\nOptions of the program:\n");
}

void program_print_help_foot(void)
{
    printf("\nThe descriptor limit (RLIMIT_NOFILE) N allows N - 64 connections per I/O thread;\n"
           "65,000 connections under a limit of 20,000 need 4 I/O threads.\n");
}
