/* SPDX-License-Identifier: MIT
 * See commands.h. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

static const struct row {
    enum command_kind kind;
    const char *word;
    const char *arguments;
    const char *usage;
    const char *help;
} table[] = {
#define COMMAND_ROW(name, word, arguments, usage, help)                                            \
    {COMMAND_##name, word, arguments, "/" word " " usage, help},
    COMMAND_MAP(COMMAND_ROW)
#undef COMMAND_ROW
};

#define COUNT (sizeof(table) / sizeof(table[0]))

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    return at;
}

static size_t word_length(const char *at)
{
    return strcspn(at, " \t");
}

static const struct row *find(const char *word, size_t size)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strlen(table[i].word) == size && memcmp(table[i].word, word, size) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static void complain(struct command *command, const struct row *row)
{
    command->kind = COMMAND_BAD;
    (void)snprintf(command->complaint, sizeof(command->complaint), "usage: %s", row->usage);
}

/* Takes a word; false if it is too long. */
static bool read_word(struct command *command, const char **at)
{
    size_t length = word_length(*at);
    const char *from = *at;
    *at = skip_blanks(*at + length);
    if (length > 1 && *from == '#') { /* how rooms are shown */
        from++;
        length--;
    }
    if (length >= sizeof(command->word)) {
        return false;
    }
    memcpy(command->word, from, length);
    command->word[length] = '\0';
    return true;
}

/* A word of digits alone is seconds; anything else begins what follows. False if it is too many. */
static bool read_seconds(struct command *command, const char **at)
{
    size_t length = word_length(*at);
    uint64_t sum = 0;
    if (length == 0 || strspn(*at, "0123456789") != length) {
        return true;
    }
    for (size_t i = 0; i < length; i++) {
        sum = sum * 10 + (uint64_t)((*at)[i] - '0');
        if (sum > COMMAND_SECONDS_MAX) {
            return false;
        }
    }
    command->has_seconds = true;
    command->seconds = (uint32_t)sum;
    *at = skip_blanks(*at + length);
    return true;
}

/* Takes what the row asks for, and nothing must be left. */
static bool read_arguments(struct command *command, const struct row *row, const char *at)
{
    for (const char *wanted = row->arguments; *wanted != '\0'; wanted++) {
        bool missing = *at == '\0' && (*wanted == 'w' || *wanted == 't');
        if (missing) {
            return false;
        }
        if ((*wanted == 'w' || *wanted == 'W') && !read_word(command, &at)) {
            return false;
        }
        if (*wanted == 'd' && !read_seconds(command, &at)) {
            (void)snprintf(command->complaint, sizeof(command->complaint),
                           "SECONDS is \"%.20s\"; it must be 0..%d", at, COMMAND_SECONDS_MAX);
            return false;
        }
        if (*wanted == 't' || *wanted == 'T') {
            command->rest = at;
            at += strlen(at);
        }
    }
    return *at == '\0';
}

void command_read(struct command *command, const char *line)
{
    memset(command, 0, sizeof(*command));
    command->rest = "";
    if (line[0] != '/' || line[1] == '/') {
        command->rest = line[0] == '/' ? line + 1 : line;
        command->kind = *skip_blanks(line) == '\0' ? COMMAND_NOTHING : COMMAND_SAY;
        return;
    }
    size_t size = word_length(line + 1);
    const struct row *row = find(line + 1, size);
    if (row == NULL) {
        command->kind = COMMAND_BAD;
        (void)snprintf(command->complaint, sizeof(command->complaint),
                       "there is no command /%.*s; /help lists them", (int)(size < 40 ? size : 40),
                       line + 1);
        return;
    }
    command->kind = row->kind;
    if (!read_arguments(command, row, skip_blanks(line + 1 + size))) {
        if (command->complaint[0] == '\0') {
            complain(command, row);
        }
        command->kind = COMMAND_BAD;
    }
}

const char *command_help(size_t index, const char **usage)
{
    if (index >= COUNT) {
        return NULL;
    }
    *usage = table[index].usage;
    return table[index].help;
}

const char *command_word(size_t index)
{
    return index < COUNT ? table[index].word : NULL;
}
