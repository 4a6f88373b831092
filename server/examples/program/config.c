/* SPDX-License-Identifier: MIT
 * The config file of the bundled server programs: INI, read by libinih if the build has it, with
 * the server's options (`max_connections = 65000`), and a sample of it. Main thread, before the
 * start. */
#include <stdio.h>
#include <string.h>

#include <throng/version.h>

#include "options.h"
#ifdef PROGRAM_WITH_INIH
#include <ini.h>

/* The file's strings live here: the options keep some of them, and inih none. */
static char kept[4096];
static size_t kept_size;

/* inih: 1 = go on, 0 = this line is bad. It goes on all the same, and remembers the first. */
static int read_config_line(void *user, const char *section, const char *name, const char *value)
{
    int *status = user;
    (void)section; /* sections are for the reader's eyes */
    if (*status != 0) {
        return 0;
    }
    size_t size = strlen(value) + 1;
    if (size > sizeof(kept) - kept_size) {
        fprintf(stderr, "the config file's values have more than %zu bytes\n", sizeof(kept));
        *status = 2;
        return 0;
    }
    char *text = memcpy(kept + kept_size, value, size);
    kept_size += size;
    *status = program_set_option(name, text);
    return *status == 0;
}

int program_read_config(const char *file)
{
    int status = 0;
    int result = ini_parse(file, read_config_line, &status);
    if (result < 0) {
        fprintf(stderr, "cannot read the config file \"%s\"\n", file);
        return 2;
    }
    if (result > 0) {
        fprintf(stderr, "%s, line %d is not right\n", file, result);
        return 2;
    }
    return 0;
}
#else
int program_read_config(const char *file)
{
    fprintf(stderr, "cannot read \"%s\": this program was built without libinih\n", file);
    return 2;
}
#endif

static void print_listeners(const struct throng_server_options *options)
{
    for (uint32_t i = 0; i < THRONG_LISTENERS_MAX && options->listen[i] != NULL; i++) {
        printf("listen = %s\n", options->listen[i]);
    }
}

/* An option that was not given is a comment: its default may follow from the others. */
void program_print_config(const struct program_settings *settings)
{
    struct throng_option_info info;
    printf(
        "; Options of throng %s, for --config. A line with ; is a comment; the numbers there are\n"
        "; the defaults.\n",
        throng_version());
    for (uint32_t i = 0; throng_server_option_info(i, &info) == 0; i++) {
        printf("\n; %s\n; %s%s%s%s%s\n", info.help, info.unit, info.range[0] != '\0' ? ", " : "",
               info.range, info.fallback[0] != '\0' ? "; default " : "", info.fallback);
        if (strcmp(info.name, "listen") == 0) {
            print_listeners(settings->options);
        } else if (settings->given[i] != NULL) {
            printf("%s = %s\n", info.name, settings->given[i]);
        } else {
            printf(";%s = %s\n", info.name, info.fallback);
        }
    }
    program_print_extras_config(settings->program);
}
