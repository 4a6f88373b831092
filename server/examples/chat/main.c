/* SPDX-License-Identifier: MIT
 * throng-chat-server: a chat. Options, loop, drain; what it does is in chat.c and behind it.
 *
 *     throng-chat-server --listen tcp://0.0.0.0:7010 --operator-token-file token.txt
 *
 * SIGTERM or SIGINT (Windows: Ctrl-C or Ctrl-Break) says goodbye, sends what waits, and ends with
 * 0. A second one stops at once. */
#include <stdio.h>
#include <stdlib.h>

#include "outlet.h"
#include "settings.h"

/* Events taken at once. */
#define BATCH 256

/* How long a drain may take, and how often the chat is swept. */
#define DRAIN_MS 10000
#define SWEEP_MS 1000

static void open_user(struct throng_server *server, struct chat *chat, throng_conn conn)
{
    struct throng_address address = {0};
    (void)throng_peer_address(server, conn, &address);
    (void)throng_set_user(server, conn, chat_opened(chat, conn, &address));
}

/* An event that was taken in one batch with its connection's OPEN does not carry the user yet. */
static struct chat_user *user_of(struct throng_server *server, const struct throng_event *event)
{
    void *user = event->user;
    if (user == NULL) {
        (void)throng_get_user(server, event->conn, &user);
    }
    return user;
}

static void handle(struct throng_server *server, struct chat *chat,
                   const struct throng_event *event)
{
    struct chat_user *user = NULL;
    switch (event->type) {
    case THRONG_EVENT_OPEN:
        open_user(server, chat, event->conn);
        break;
    case THRONG_EVENT_MESSAGE:
        user = user_of(server, event);
        if (user != NULL) {
            chat_received(chat, user, event->data, event->size);
        }
        break;
    case THRONG_EVENT_CLOSED:
        user = user_of(server, event);
        if (user != NULL) {
            chat_closed(chat, user);
        }
        break;
    case THRONG_EVENT_TIMER:
        chat_swept(chat);
        break;
    default:
        break; /* WRITABLE: nobody waits for room, see tell_user */
    }
}

/* Answers the number of requests to end that were heeded. */
static int heed_requests(struct throng_server *server, struct chat *chat, int heeded)
{
    int requests = program_signalled();
    if (requests > heeded) {
        if (heeded == 0) {
            chat_stopping(chat);
        }
        throng_server_drain(server, requests == 1 ? DRAIN_MS : 0);
    }
    return requests;
}

static void serve(struct throng_server *server, struct chat *chat)
{
    static struct throng_event events[BATCH];
    int heeded = 0;
    int count;
    while ((count = throng_get_events(server, events, BATCH, -1)) >= 0) {
        chat_set_time(chat, throng_now_ns(server) / 1000000, program_wall_ms());
        for (int i = 0; i < count; i++) {
            handle(server, chat, &events[i]);
            throng_release_event(server, &events[i]);
        }
        heeded = heed_requests(server, chat, heeded);
    }
}

static int run(struct throng_server *server, const struct chat_settings *settings)
{
    static struct chat chat;
    const struct chat_outlet outlet = chat_outlet_of(server);
    struct throng_error error = {0};
    if (!chat_create(&chat, settings, &outlet, &error) ||
        throng_timer_start(server, SWEEP_MS, SWEEP_MS, NULL, NULL) != 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    serve(server, &chat);
    chat_destroy(&chat);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    struct chat_settings settings;
    struct throng_server_options options;
    throng_server_options_init(&options);
    if (program_read(&options, argc, argv, &chat_program, &status) != 0) {
        return status;
    }
    status = chat_settings_take(&settings, &options);
    if (status != 0) {
        return status;
    }
    struct throng_server *server = program_start(&options, &status);
    if (server == NULL) {
        return status;
    }
    status = run(server, &settings);
    int finished = program_finish(server);
    return status != 0 ? status : finished;
}
