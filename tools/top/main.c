/* SPDX-License-Identifier: MIT
 * throng-top: a terminal dashboard on a server's /metrics. README.md says what it shows.
 *
 *     throng-top --connect tcp://127.0.0.1:9100 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <throng/client.h>
#include <throng/version.h>

#include "../terminal/system.h"
#include "fetch.h"
#include "json.h"
#include "options.h"
#include "screen.h"
#include "view_plain.h"

#define FETCH_MS_MAX 2000 /* a server that is near answers in less, or not at all */
#define INTERVAL_MS_LEAST 100
#define EMPTY_READS_MAX 20
#define INTERVAL_MS_MOST 3600000

enum {
    EXIT_ALL_RIGHT = 0,
    EXIT_NOT_ALL_RIGHT = 1,
    EXIT_BAD_USAGE = 2,
};

struct top {
    struct top_options options;
    struct throng_address address;
    struct page *now;    /* the newest page, if dashboard.known */
    struct page *before; /* room for the next one */
    struct dashboard dashboard;
    char note[FETCH_COMPLAINT_SIZE]; /* why it is not reachable, or that it is held */
    bool has_page;                   /* `now` is one to measure from */
    bool screen;
    bool held;
    bool ended;
    unsigned empty_reads; /* times in a row that there was input, but no key */
};

/* One look at the server. */
static void look(struct top *top)
{
    char complaint[FETCH_COMPLAINT_SIZE] = "";
    uint32_t limit = top->options.interval_ms < FETCH_MS_MAX ? FETCH_MS_MAX / 2 : FETCH_MS_MAX;
    if (!fetch_page(top->before, top->options.connect, &top->address, limit, complaint)) {
        dashboard_lost(&top->dashboard);
        memcpy(top->note, complaint, sizeof(top->note));
        return;
    }
    struct page *page = top->before;
    top->before = top->now;
    top->now = page;
    dashboard_update(&top->dashboard, top->now, top->has_page ? top->before : NULL);
    top->has_page = true;
    top->note[0] = '\0';
}

static void show(const struct top *top)
{
    uint64_t now_ms = system_now_ms();
    if (top->screen) {
        screen_show(&top->dashboard, top->options.connect, now_ms,
                    top->held ? "held; space goes on" : top->note);
    } else if (top->options.json) {
        json_dashboard(stdout, &top->dashboard, top->options.connect);
    } else {
        view_plain(stdout, &top->dashboard, top->options.connect, now_ms, top->note);
    }
    (void)fflush(stdout);
}

static void take_key(struct top *top, enum screen_key key)
{
    uint32_t *interval_ms = &top->options.interval_ms;
    if (key == SCREEN_QUIT) {
        top->ended = true;
    } else if (key == SCREEN_HOLD) {
        top->held = !top->held;
    } else if (key == SCREEN_SLOWER && *interval_ms <= INTERVAL_MS_MOST / 2) {
        *interval_ms *= 2;
    } else if (key == SCREEN_FASTER && *interval_ms >= INTERVAL_MS_LEAST * 2) {
        *interval_ms /= 2;
    }
}

/* Until the next look is due; keys are answered at once. */
static void wait_for_next(struct top *top, uint64_t from_ms)
{
    while (!top->ended) {
        uint64_t passed = system_now_ms() - from_ms;
        if (passed >= top->options.interval_ms) {
            return;
        }
        struct system_wait wait = {.input = top->screen,
                                   .descriptor = -1,
                                   .timeout_ms = (int)(top->options.interval_ms - passed)};
        unsigned ready = system_wait(&wait);
        top->ended |= (ready & SYSTEM_INTERRUPTED) != 0;
        if (!top->screen) {
            continue;
        }
        enum screen_key key;
        bool typed = false;
        while ((key = screen_key()) != SCREEN_NOTHING) {
            take_key(top, key);
            typed = true;
        }
        /* Half of a character is no key yet; but input that goes on without one is the end of
         * it. */
        top->empty_reads = (ready & SYSTEM_INPUT) != 0 && !typed ? top->empty_reads + 1 : 0;
        top->ended |= top->empty_reads == EMPTY_READS_MAX;
        if (typed) {
            show(top);
        }
    }
}

static int watch(struct top *top)
{
    while (!top->ended) {
        uint64_t from_ms = system_now_ms();
        if (!top->held) {
            look(top);
        }
        if (system_interrupted()) {
            break; /* which may have cut the look short */
        }
        show(top);
        if (ferror(stdout)) {
            fprintf(stderr, "the table could not be written\n");
            return EXIT_NOT_ALL_RIGHT;
        }
        wait_for_next(top, from_ms);
    }
    return EXIT_ALL_RIGHT;
}

/* Two looks, because a rate is between two. */
static int look_once(struct top *top)
{
    uint64_t from_ms = system_now_ms();
    look(top);
    if (top->dashboard.reachable) {
        wait_for_next(top, from_ms);
        look(top);
    }
    show(top);
    if (ferror(stdout)) {
        fprintf(stderr, "the table could not be written\n");
        return EXIT_NOT_ALL_RIGHT;
    }
    if (!top->dashboard.reachable) {
        fprintf(stderr, "%s: %s\n", top->options.connect, top->note);
        return EXIT_NOT_ALL_RIGHT;
    }
    return EXIT_ALL_RIGHT;
}

static int run(struct top *top)
{
    if (throng_client_resolve(top->options.connect, &top->address, 1) < 1) {
        fprintf(stderr,
                "--connect is \"%.80s\"; it must be tcp://HOST:PORT with a host that can "
                "be resolved, ports 1..65535\n",
                top->options.connect);
        return EXIT_BAD_USAGE;
    }
    top->now = calloc(1, sizeof(*top->now));
    top->before = calloc(1, sizeof(*top->before));
    if (top->now == NULL || top->before == NULL) {
        fprintf(stderr, "out of memory\n");
        return EXIT_NOT_ALL_RIGHT;
    }
    if (top->options.once) {
        return look_once(top);
    }
    top->screen = !top->options.plain && !top->options.json && system_output_is_terminal() &&
                  system_input_is_terminal() && screen_begin();
    int status = watch(top);
    if (top->screen) {
        screen_end();
    }
    return status;
}

int main(int argc, char **argv)
{
    static struct top top; /* not on the stack: the history is large */
    char complaint[OPTIONS_COMPLAINT_SIZE];
    switch (top_options_read(&top.options, argc, argv, complaint)) {
    case OPTIONS_HELP:
        top_options_help(stdout);
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
    if (!system_begin()) {
        return EXIT_NOT_ALL_RIGHT;
    }
    int status = run(&top);
    free(top.now);
    free(top.before);
    return status;
}
