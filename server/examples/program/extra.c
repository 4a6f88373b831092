/* SPDX-License-Identifier: MIT
 * Options that one program has besides the server's: read, refused and described from its table.
 * Main thread, before the start. */
#include <inttypes.h>
#include <stdio.h>

#include "options.h"

/* The column of --help's second line. */
#define COLUMN 34

/* More digits than any uint32_t has. */
#define DIGITS_MAX 10

void program_default_extras(const struct program *program)
{
    for (size_t i = 0; i < program->option_count; i++) {
        const struct program_option *option = &program->options[i];
        if (option->number != NULL) {
            *option->number = option->fallback;
        } else {
            *option->text = NULL;
        }
    }
}

const struct program_option *program_find_extra(const struct program *program, const char *name)
{
    for (size_t i = 0; i < program->option_count; i++) {
        if (program_same_name(name, program->options[i].name)) {
            return &program->options[i];
        }
    }
    return NULL;
}

/* Digits only. False if it is something else, or no uint32_t. */
static bool read_number(const char *text, uint32_t *number)
{
    uint64_t value = 0;
    size_t digits = 0;
    while (digits <= DIGITS_MAX && text[digits] >= '0' && text[digits] <= '9') {
        value = value * 10 + (uint64_t)(text[digits] - '0');
        digits++;
    }
    if (digits == 0 || text[digits] != '\0' || value > UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

int program_set_extra(const struct program_option *option, const char *value)
{
    uint32_t number = 0;
    if (option->number == NULL) {
        *option->text = value;
        return 0;
    }
    if (!read_number(value, &number) || number < option->least || number > option->most) {
        fprintf(stderr, "%s is \"%s\"; it must be %" PRIu32 "..%" PRIu32 " %s (see --help)\n",
                option->name, value, option->least, option->most, option->unit);
        return 2;
    }
    *option->number = number;
    return 0;
}

void program_print_extras_help(const struct program *program)
{
    for (size_t i = 0; i < program->option_count; i++) {
        const struct program_option *option = &program->options[i];
        if (option->number == NULL) {
            program_print_help_line(option->name, option->unit, option->help);
            continue;
        }
        program_print_help_line(option->name, "N", option->help);
        printf("  %*s%s, %" PRIu32 "..%" PRIu32 "; default %" PRIu32 "\n", COLUMN, "", option->unit,
               option->least, option->most, option->fallback);
    }
}

/* A config file's names have '_'. */
static void print_name(const char *name)
{
    for (; *name != '\0'; name++) {
        putchar(*name == '-' ? '_' : *name);
    }
}

void program_print_extras_config(const struct program *program)
{
    for (size_t i = 0; i < program->option_count; i++) {
        const struct program_option *option = &program->options[i];
        const char *text = option->number == NULL ? *option->text : NULL;
        bool is_set = option->number != NULL ? *option->number != option->fallback : text != NULL;
        printf("\n; %s\n; %s\n%s", option->help, option->unit, is_set ? "" : ";");
        print_name(option->name);
        if (option->number != NULL) {
            printf(" = %" PRIu32 "\n", *option->number);
        } else {
            printf(" = %s\n", text != NULL ? text : "");
        }
    }
}
