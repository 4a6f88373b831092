/* SPDX-License-Identifier: MIT
 * throng-stress: the load client. README.md says what it does and what its report means.
 *
 *     throng-stress --connect tcp://127.0.0.1:7000 --connections 65000 --messages 1 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <throng/version.h>

#include "hgrm.h"
#include "options.h"
#include "page.h"
#include "report.h"
#include "run.h"
#include "system.h"

enum {
    EXIT_ALL_RIGHT = 0,
    EXIT_NOT_ALL_RIGHT = 1,
    EXIT_BAD_USAGE = 2,
};

/* The file stays behind half written if the disk is full; the line says so. */
static bool close_file(FILE *file, const char *name)
{
    bool written = ferror(file) == 0;
    if (fclose(file) != 0 || !written) {
        fprintf(stderr, "%s could not be written\n", name);
        return false;
    }
    return true;
}

static FILE *open_file(const char *name)
{
    FILE *file = fopen(name, "wb");
    if (file == NULL) {
        fprintf(stderr, "%s could not be opened for writing\n", name);
    }
    return file;
}

static bool write_page(const struct stress_options *options, const struct outcome *outcome,
                       int argc, char *const *argv)
{
    struct page *page = calloc(1, sizeof(*page));
    FILE *file = page != NULL ? open_file(options->report_file) : NULL;
    bool written = false;
    if (file != NULL) {
        const char *end = strrchr(options->report_file, '.');
        page_collect(page, options, outcome, argc, argv);
        if (strcmp(end, ".svg") == 0) {
            page_write_svg(file, page);
        } else {
            page_write_html(file, page);
        }
        written = close_file(file, options->report_file);
    }
    free(page);
    return written;
}

static bool write_hgrm(const char *name, const struct outcome *outcome)
{
    FILE *file = open_file(name);
    if (file != NULL) {
        hgrm_write(file, &outcome->latency);
    }
    return file != NULL && close_file(file, name);
}

static int run(const struct stress_options *options, int argc, char *const *argv)
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
    bool written = options->report_file == NULL || write_page(options, &outcome, argc, argv);
    written = (options->hgrm_file == NULL || write_hgrm(options->hgrm_file, &outcome)) && written;
    run_release(&outcome);
    /* A report that nobody got is not all right. */
    if (fflush(stdout) != 0) {
        fprintf(stderr, "the report could not be written\n");
        return EXIT_NOT_ALL_RIGHT;
    }
    return outcome.errors == 0 && written ? EXIT_ALL_RIGHT : EXIT_NOT_ALL_RIGHT;
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
    return run(&options, argc, argv);
}
