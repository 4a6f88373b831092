/* SPDX-License-Identifier: MIT
 * See chat.h. */
#include "chat.h"

#include <stdio.h>
#include <string.h>

#include "../terminal/system.h"

static struct chat *chat_of(void *context)
{
    return context;
}

void chat_note(struct chat *chat, enum line_kind kind, const char *text)
{
    model_note(&chat->model, NULL, kind, chat->unix_ms(), text);
}

static void ask_members(struct chat *chat, const char *room, uint64_t from)
{
    struct ask ask = {.room = room, .from = from};
    (void)session_ask(chat->session, CHAT_WHO, &ask);
}

/* ---- what the server says ---- */

/* Codes with which a room does not let us in, now or later. */
static bool is_final_for_room(uint32_t code)
{
    return code != CHAT_CODE_BUSY && code != CHAT_CODE_FLOOD && code != CHAT_CODE_MEMBER_ALREADY;
}

static void take_refused(struct chat *chat, const struct event *event)
{
    struct room *room = model_find(&chat->model, event->room);
    if (event->of == CHAT_JOIN) {
        chat->look_at_next = false;
        chat->entering -= chat->entering > 0;
        if (room != NULL && !room->inside && is_final_for_room(event->code)) {
            room->wanted = false;
        }
    }
}

static void list_members(struct chat *chat, const struct room *room)
{
    char text[EVENT_TEXT_SIZE];
    int used = snprintf(text, sizeof(text), "%zu in #%s:", room->member_count, room->name);
    for (size_t i = 0; i < room->member_count && used < (int)sizeof(text) - EVENT_NAME_SIZE - 8;
         i++) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, " %s", room->members[i]);
    }
    chat_note(chat, LINE_NOTICE, text);
}

/* What follows from an event, beside what the model makes of it. */
static void follow(struct chat *chat, const struct event *event)
{
    struct room *room = model_find(&chat->model, event->room);
    if (event->kind == EVENT_ENTERED) {
        chat->entering -= chat->entering > 0;
        if ((chat->model.current == 0 || chat->look_at_next) && room != NULL) {
            chat->look_at_next = false;
            (void)model_look(&chat->model, (size_t)(room - chat->model.rooms));
        }
    } else if (event->kind == EVENT_ENTERED_END || event->kind == EVENT_STALE) {
        ask_members(chat, event->room, 0);
    } else if (event->kind == EVENT_MEMBERS_END && event->number != 0) {
        ask_members(chat, event->room, event->number);
    } else if (event->kind == EVENT_MEMBERS_END && room != NULL && room->list_wanted) {
        room->list_wanted = false;
        list_members(chat, room);
    } else if (event->kind == EVENT_LIST_END && event->number != 0) {
        struct ask rest = {.from = event->number};
        (void)session_ask(chat->session, event->of, &rest);
    } else if (event->kind == EVENT_LEFT_ROOM && room != NULL) {
        model_forget(&chat->model, room);
    } else if (event->kind == EVENT_REFUSED) {
        take_refused(chat, event);
    }
}

static void take_event(void *context, const struct event *event)
{
    struct chat *chat = chat_of(context);
    struct event own = *event; /* the session works in it while we ask */
    char before[EVENT_NAME_SIZE];
    memcpy(before, chat->model.name, sizeof(before));
    model_take(&chat->model, &own, chat->unix_ms());
    if (strcmp(before, chat->model.name) != 0) {
        session_set_name(chat->session, chat->model.name);
    }
    follow(chat, &own);
}

/* ---- what happens to the connection ---- */

static void enter(struct chat *chat, const char *room)
{
    /* All of the history, not only what came after our last line: where it overlaps what was shown,
     * the model sees whether it is the same room, or one that was made anew under the same name. */
    struct ask ask = {.room = room};
    if (session_ask(chat->session, CHAT_JOIN, &ask) == 0) {
        chat->entering++;
    }
}

static void enter_wanted(struct chat *chat)
{
    chat->entering = 0;
    for (size_t i = 1; i < chat->model.room_count; i++) {
        if (chat->model.rooms[i].wanted) {
            enter(chat, chat->model.rooms[i].name);
        }
    }
}

static void take_change(void *context, enum session_change change, const char *text)
{
    struct chat *chat = chat_of(context);
    char sentence[320];
    switch (change) {
    case SESSION_CONNECTING:
        (void)snprintf(sentence, sizeof(sentence), "connecting to %s", text);
        break;
    case SESSION_RENAMED:
        (void)snprintf(sentence, sizeof(sentence), "that name is taken; trying %s", text);
        break;
    case SESSION_READY:
        chat->status[0] = '\0';
        chat->model.changes++;
        enter_wanted(chat);
        return;
    case SESSION_WAITING:
        model_disconnected(&chat->model);
        chat->entering = 0;
        (void)snprintf(sentence, sizeof(sentence), "%s", text);
        break;
    case SESSION_ENDED:
        chat->refused = true;
        (void)snprintf(sentence, sizeof(sentence), "the server does not want you: %.280s", text);
        break;
    }
    (void)snprintf(chat->status, sizeof(chat->status), "%.255s", sentence);
    chat_note(chat, change == SESSION_WAITING || change == SESSION_ENDED ? LINE_ERROR : LINE_NOTICE,
              sentence);
}

/* ---- life ---- */

int chat_begin(struct chat *chat, const struct chat_options *options,
               const struct throng_address *addresses, size_t address_count, model_sink *sink,
               void *context, struct throng_error *error)
{
    struct session_options session = {.endpoint = options->connect,
                                      .addresses = addresses,
                                      .address_count = address_count,
                                      .name = options->name,
                                      .take = take_event,
                                      .change = take_change,
                                      .random = system_random};
    memset(chat, 0, sizeof(*chat));
    session.context = chat;
    chat->unix_ms = system_unix_ms;
    model_begin(&chat->model, options->name, sink, context);
    for (size_t i = 0; i < options->room_count; i++) {
        (void)model_want(&chat->model, options->rooms[i]);
    }
    (void)model_look(&chat->model, options->room_count > 0 ? 1 : 0);
    chat->session = session_create(&session, error);
    return chat->session != NULL ? 0 : error->code;
}

void chat_end(struct chat *chat)
{
    session_destroy(chat->session);
    model_end(&chat->model);
}

bool chat_takes_input(const struct chat *chat)
{
    return session_is_ready(chat->session) && chat->entering == 0;
}
