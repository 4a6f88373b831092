/* SPDX-License-Identifier: MIT
 * See options.h. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

static enum options_result bad(char *complaint, const char *name, const char *value,
                               const char *what)
{
    (void)snprintf(complaint, OPTIONS_COMPLAINT_SIZE, "%s is \"%.80s\"; it must be %s", name, value,
                   what);
    return OPTIONS_BAD;
}

static enum options_result read_room(struct chat_options *options, const char *value,
                                     char *complaint)
{
    value += value[0] == '#' ? 1 : 0;
    if (value[0] == '\0' || strlen(value) >= CHAT_ROOM_SIZE) {
        return bad(complaint, "--room", value, "a room's name, 1..32 characters");
    }
    if (options->room_count == CHAT_JOINED_MAX) {
        return bad(complaint, "--room", value, "given 1..16 times");
    }
    options->rooms[options->room_count++] = value;
    return OPTIONS_GO;
}

static enum options_result read_value(struct chat_options *options, const char *word,
                                      const char *value, char *complaint)
{
    if (strcmp(word, "--connect") == 0) {
        options->connect = value;
        bool good = strncmp(value, "tcp://", 6) == 0 && value[6] != '\0';
        return good ? OPTIONS_GO : bad(complaint, word, value, "tcp://HOST:PORT, ports 1..65535");
    }
    if (strcmp(word, "--name") == 0) {
        options->name = value;
        bool good = value[0] != '\0' && strlen(value) < CHAT_NAME_SIZE;
        return good ? OPTIONS_GO : bad(complaint, word, value, "1..24 characters");
    }
    if (strcmp(word, "--room") == 0) {
        return read_room(options, value, complaint);
    }
    options->no_color = strcmp(value, "never") == 0;
    return options->no_color || strcmp(value, "auto") == 0
               ? OPTIONS_GO
               : bad(complaint, word, value, "auto or never");
}

static bool has_value(const char *word)
{
    static const char *const words[] = {"--connect", "--name", "--room", "--color"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Who starts it, as the system knows them; no name at all is for the server to refuse. */
static const char *default_name(void)
{
    const char *name = getenv("USER");
    if (name == NULL || name[0] == '\0') {
        name = getenv("USERNAME"); /* Windows */
    }
    return name != NULL && name[0] != '\0' && strlen(name) < CHAT_NAME_SIZE ? name : "guest";
}

enum options_result chat_options_read(struct chat_options *options, int argc, char *const *argv,
                                      char complaint[OPTIONS_COMPLAINT_SIZE])
{
    memset(options, 0, sizeof(*options));
    options->name = default_name();
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0) {
            return OPTIONS_HELP;
        }
        if (strcmp(word, "--version") == 0) {
            return OPTIONS_VERSION;
        }
        if (strcmp(word, "--plain") == 0) {
            options->plain = true;
            continue;
        }
        if (!has_value(word)) {
            (void)snprintf(complaint, OPTIONS_COMPLAINT_SIZE,
                           "unknown option \"%.80s\"; --help lists them", word);
            return OPTIONS_BAD;
        }
        if (i + 1 == argc) {
            (void)snprintf(complaint, OPTIONS_COMPLAINT_SIZE, "%s needs a value", word);
            return OPTIONS_BAD;
        }
        if (read_value(options, word, argv[++i], complaint) == OPTIONS_BAD) {
            return OPTIONS_BAD;
        }
    }
    if (options->connect == NULL) {
        (void)snprintf(complaint, OPTIONS_COMPLAINT_SIZE,
                       "--connect is missing; it must be tcp://HOST:PORT");
        return OPTIONS_BAD;
    }
    return OPTIONS_GO;
}

void chat_options_help(FILE *file)
{
    fputs("usage: throng-chat --connect tcp://HOST:PORT [options]\n\n"
          "Talks to throng-chat-server. /help lists what can be typed.\n\n"
          "  --connect tcp://HOST:PORT  the server\n"
          "  --name NAME                your name (the user's)\n"
          "  --room ROOM                enter this room; up to 16 times\n"
          "  --plain                    a line for each event, no screen; so if standard output is "
          "no terminal\n"
          "  --color auto|never         colours, on a terminal (auto)\n"
          "  --help, --version\n"
          "\nExit status: 0 after /quit, the end of the input or a signal; 1 if standard output "
          "failed;\n2 for a command line that makes no sense; 3 if the server does not want you: "
          "a bad name, banned, kicked.\n",
          file);
}
