/* SPDX-License-Identifier: MIT
 * See options.h. */
#include "options.h"

#include <string.h>

#include "prometheus.h"

#define INTERVAL_LEAST_S 0.1
#define INTERVAL_MOST_S 3600

static enum options_result bad(char *complaint, const char *name, const char *value,
                               const char *what)
{
    (void)snprintf(complaint, OPTIONS_COMPLAINT_SIZE, "--%s is \"%.80s\"; it must be %s", name,
                   value, what);
    return OPTIONS_BAD;
}

static enum options_result read_value(struct top_options *options, const char *name,
                                      const char *value, char *complaint)
{
    double seconds;
    if (strcmp(name, "connect") == 0) {
        if (strncmp(value, "tcp://", 6) != 0 || value[6] == '\0') {
            return bad(complaint, name, value, "tcp://HOST:PORT, ports 1..65535");
        }
        options->connect = value;
        return OPTIONS_GO;
    }
    if (!prometheus_number(value, strlen(value), &seconds) || seconds < INTERVAL_LEAST_S ||
        seconds > INTERVAL_MOST_S) {
        return bad(complaint, name, value, "seconds, 0.1..3600");
    }
    options->interval_ms = (uint32_t)(seconds * 1000 + 0.5);
    return OPTIONS_GO;
}

static bool *flag_of(struct top_options *options, const char *word)
{
    return strcmp(word, "--plain") == 0  ? &options->plain
           : strcmp(word, "--once") == 0 ? &options->once
           : strcmp(word, "--json") == 0 ? &options->json
                                         : NULL;
}

enum options_result top_options_read(struct top_options *options, int argc, char *const *argv,
                                     char complaint[OPTIONS_COMPLAINT_SIZE])
{
    memset(options, 0, sizeof(*options));
    options->interval_ms = 1000;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool *flag = flag_of(options, word);
        if (flag != NULL) {
            *flag = true;
            continue;
        }
        if (strcmp(word, "--help") == 0) {
            return OPTIONS_HELP;
        }
        if (strcmp(word, "--version") == 0) {
            return OPTIONS_VERSION;
        }
        if (strcmp(word, "--connect") != 0 && strcmp(word, "--interval") != 0) {
            (void)snprintf(complaint, OPTIONS_COMPLAINT_SIZE,
                           "unknown option \"%.80s\"; --help lists them", word);
            return OPTIONS_BAD;
        }
        if (i + 1 == argc) {
            (void)snprintf(complaint, OPTIONS_COMPLAINT_SIZE, "%s needs a value", word);
            return OPTIONS_BAD;
        }
        if (read_value(options, word + 2, argv[++i], complaint) == OPTIONS_BAD) {
            return OPTIONS_BAD;
        }
    }
    if (options->connect == NULL) {
        (void)snprintf(complaint, OPTIONS_COMPLAINT_SIZE,
                       "--connect is missing; it must be tcp://HOST:PORT, a server's --admin");
        return OPTIONS_BAD;
    }
    return OPTIONS_GO;
}

void top_options_help(FILE *file)
{
    fputs("usage: throng-top --connect tcp://HOST:PORT [options]\n\n"
          "Shows what a throng server does, from the /metrics of its admin listener.\n\n"
          "  --connect tcp://HOST:PORT  the admin listener: a server's --admin\n"
          "  --interval SECONDS         between two looks, 0.1..3600 (1)\n"
          "  --plain                    a table each interval, no screen; so if standard output is "
          "no terminal\n"
          "  --once                     one table, after one interval, for rates need two looks; "
          "and exit\n"
          "  --json                     a line of JSON instead of each table\n"
          "  --help, --version\n"
          "\nOn the screen: q ends it, space holds it, + and - change the interval.\n"
          "\nExit status: 0; 1 if standard output failed, or with --once if the server could not "
          "be reached;\n2 for a command line that makes no sense.\n",
          file);
}
