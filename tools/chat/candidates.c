/* SPDX-License-Identifier: MIT
 * What Tab can mean: see model_candidate in model.h. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "model.h"

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* Whether `text` begins with `word`; capitals of ASCII do not count. */
static bool begins(const char *text, const char *word)
{
    for (; *word != '\0'; text++, word++) {
        if (lower(*text) != lower(*word)) {
            return false;
        }
    }
    return true;
}

static bool command_candidate(const char *word, size_t index, char *candidate, size_t size)
{
    const char *name;
    for (size_t i = 0; (name = command_word(i)) != NULL; i++) {
        if (begins(name, word + 1) && index-- == 0) {
            (void)snprintf(candidate, size, "/%s ", name);
            return true;
        }
    }
    return false;
}

static bool room_candidate(const struct model *model, const char *word, size_t index,
                           char *candidate, size_t size)
{
    for (size_t i = 1; i < model->room_count; i++) {
        if (begins(model->rooms[i].name, word + 1) && index-- == 0) {
            (void)snprintf(candidate, size, "#%s ", model->rooms[i].name);
            return true;
        }
    }
    return false;
}

bool model_candidate(void *context, const char *word, bool first, size_t index, char *candidate,
                     size_t candidate_size)
{
    const struct model *model = context;
    const struct room *room = &model->rooms[model->current];
    if (first && word[0] == '/') {
        return command_candidate(word, index, candidate, candidate_size);
    }
    if (word[0] == '#') {
        return room_candidate(model, word, index, candidate, candidate_size);
    }
    for (size_t i = 0; i < room->member_count; i++) {
        if (begins(room->members[i], word) && index-- == 0) {
            /* "ben: " at the start of a line speaks to ben. */
            (void)snprintf(candidate, candidate_size, first ? "%s: " : "%s ", room->members[i]);
            return true;
        }
    }
    return false;
}
