/* SPDX-License-Identifier: MIT
 * throng-stress: the load client. README.md says what it does and what its report means.
 *
 *     throng-stress --connect tcp://127.0.0.1:7000 --connections 65000 --messages 1 */
#include <stdio.h>

#include <throng/version.h>

#include "options.h"
#include "report.h"
#include "run.h"
#include "system.h"

enum {
    EXIT_ALL_RIGHT = 0,
    EXIT_NOT_ALL_RIGHT = 1,
    EXIT_BAD_USAGE = 2,
};

static int run(const struct stress_options *options)
{
    /* Not on the stack: the histogram is large. */
    static struct outcome outcome;
    struct throng_error error;
    int result = run_load(options, &outcome, &error);
    if (result < 0) {
        fprintf(stderr, "%s\n", error.text);
        return result == THRONG_EINVAL ? EXIT_BAD_USAGE : EXIT_NOT_ALL_RIGHT;
    }
    if (options->json) {
        report_json(stdout, options, &outcome);
    } else {
        report_table(stdout, options, &outcome);
    }
    run_release(&outcome);
    /* A report that nobody got is not all right. */
    if (fflush(stdout) != 0) {
        fprintf(stderr, "the report could not be written\n");
        return EXIT_NOT_ALL_RIGHT;
    }
    return outcome.errors == 0 ? EXIT_ALL_RIGHT : EXIT_NOT_ALL_RIGHT;
}

int main(int argc, char **argv)
{
    struct stress_options options;
    char complaint[OPTIONS_COMPLAINT_SIZE];
    system_begin();
    switch (stress_options_read(&options, argc, argv, complaint)) {
    case OPTIONS_HELP:
        stress_options_help(stdout);
        return EXIT_ALL_RIGHT;
    case OPTIONS_VERSION:
        printf("%s\n", throng_version());
        return EXIT_ALL_RIGHT;
    case OPTIONS_BAD:
        fprintf(stderr, "%s\n", complaint);
        return EXIT_BAD_USAGE;
    case OPTIONS_GO:
        break;
    }
    return run(&options);
}
