/* SPDX-License-Identifier: MIT
 * throng-chat: the terminal client of throng-chat-server. README.md says how it is used.
 *
 *     throng-chat --connect tcp://127.0.0.1:7010 --name ana --room lobby */
#include <stdio.h>
#include <string.h>

#include <throng/client.h>
#include <throng/version.h>

#include "../terminal/system.h"
#include "chat.h"
#include "lines.h"
#include "options.h"
#include "screen.h"
#include "view_plain.h"

#define ADDRESSES_MAX 8
#define EMPTY_READS_MAX 20

enum {
    EXIT_ALL_RIGHT = 0,
    EXIT_NOT_WRITTEN = 1,
    EXIT_BAD_USAGE = 2,
    EXIT_NOT_WANTED = 3,
};

/* Waits until there is something to do; answers what (system.h). */
static unsigned wait(const struct chat *chat, bool input)
{
    struct system_wait wait = {.input = input};
    uint64_t now_ms = system_now_ms();
    wait.descriptor = session_descriptor(chat->session, &wait.read, &wait.write);
    wait.timeout_ms = session_wait_ms(chat->session, now_ms);
    return system_wait(&wait);
}

/* ---- with a screen ---- */

static int run_screen(struct screen *screen)
{
    struct chat *chat = screen->chat;
    uint64_t shown = UINT64_MAX;
    unsigned empty_reads = 0;
    while (!chat->quit && !screen->ended) {
        session_update(chat->session, system_now_ms());
        if (chat->model.changes != shown) {
            screen_show(screen);
            shown = chat->model.changes;
        }
        unsigned ready = wait(chat, true);
        if (ready & SYSTEM_INTERRUPTED) {
            break;
        }
        /* Also without input: the terminal may have another size, which is a key too. */
        bool typed = screen_keys(screen);
        if (typed) {
            shown = UINT64_MAX;
        }
        /* Half of a character is no key yet; but input that goes on without one is the end of
         * it. */
        empty_reads = (ready & SYSTEM_INPUT) != 0 && !typed ? empty_reads + 1 : 0;
        screen->ended |= empty_reads == EMPTY_READS_MAX;
    }
    return chat->refused ? EXIT_NOT_WANTED : EXIT_ALL_RIGHT;
}

/* ---- with plain lines ---- */

/* Does with standard input what can be done now. Answers whether more may come. */
static bool take_input(struct chat *chat, struct lines *lines, bool readable)
{
    char line[LINES_BYTES_MAX + 1];
    if (readable && lines_space(lines) > 0) {
        int size = system_read_input(lines_end(lines), lines_space(lines));
        if (size == 0) {
            lines_finish(lines);
        } else if (size > 0) {
            lines_added(lines, (size_t)size);
        }
    }
    while (!chat->quit && chat_takes_input(chat) && lines_take(lines, line)) {
        chat_input(chat, line);
    }
    return !lines_finished(lines);
}

static int run_plain(struct chat *chat)
{
    struct lines lines = {0};
    bool open = true;
    unsigned ready = 0;
    /* After the end of the input, what was asked is still answered. */
    while (!chat->quit && !chat->refused && (open || session_outstanding(chat->session) > 0)) {
        session_update(chat->session, system_now_ms());
        if (open) {
            open = take_input(chat, &lines, (ready & SYSTEM_INPUT) != 0);
        }
        if (fflush(stdout) != 0) {
            fprintf(stderr, "a line could not be written\n");
            return EXIT_NOT_WRITTEN;
        }
        if (chat->quit || chat->refused || (!open && session_outstanding(chat->session) == 0)) {
            break;
        }
        /* Nothing is read that could not be sent: it waits in the pipe. */
        ready = wait(chat, open && chat_takes_input(chat) && lines_space(&lines) > 0);
        if (ready & SYSTEM_INTERRUPTED) {
            break;
        }
    }
    return chat->refused ? EXIT_NOT_WANTED : EXIT_ALL_RIGHT;
}

/* ---- start ---- */

static int run(const struct chat_options *options)
{
    static struct chat chat; /* not on the stack: the rooms' lines are large */
    static struct screen screen;
    struct throng_address addresses[ADDRESSES_MAX];
    struct throng_error error = {0};
    struct view_plain plain = {.file = stdout,
                               .color = !options->no_color && system_output_is_terminal()};
    int count = throng_client_resolve(options->connect, addresses, ADDRESSES_MAX);
    if (count < 1) {
        fprintf(stderr,
                "--connect is \"%.80s\"; it must be tcp://HOST:PORT with a host that can be "
                "resolved, ports 1..65535\n",
                options->connect);
        return EXIT_BAD_USAGE;
    }
    screen.chat = &chat;
    screen.endpoint = options->connect;
    bool has_screen = !options->plain && system_output_is_terminal() &&
                      system_input_is_terminal() && screen_begin(&screen, !options->no_color);
    int status = EXIT_BAD_USAGE;
    if (chat_begin(&chat, options, addresses, (size_t)count, has_screen ? NULL : view_plain_line,
                   &plain, &error) == 0) {
        status = has_screen ? run_screen(&screen) : run_plain(&chat);
    }
    if (has_screen) {
        screen_end(&screen);
    }
    if (chat.refused && has_screen) {
        fprintf(stderr, "%s\n", chat.status); /* the screen is gone, and with it what it said */
    }
    if (error.code != 0 && chat.session == NULL) {
        fprintf(stderr, "%s\n", error.text);
    }
    chat_end(&chat);
    return status;
}

int main(int argc, char **argv)
{
    struct chat_options options;
    char complaint[OPTIONS_COMPLAINT_SIZE];
    switch (chat_options_read(&options, argc, argv, complaint)) {
    case OPTIONS_HELP:
        chat_options_help(stdout);
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
    return system_begin() ? run(&options) : EXIT_NOT_WRITTEN;
}
