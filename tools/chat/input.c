/* SPDX-License-Identifier: MIT
 * What was typed becomes requests: chat_input of chat.h. */
#include <stdio.h>
#include <string.h>

#include "chat.h"
#include "commands.h"

#define MUTE_SECONDS_DEFAULT 300

static struct room *current(struct chat *chat)
{
    return &chat->model.rooms[chat->model.current];
}

/* The room that a command means: the one it names, or the one that is looked at. */
static const char *room_name(struct chat *chat, const struct command *command)
{
    return command->word[0] != '\0' ? command->word : current(chat)->name;
}

static void ask(struct chat *chat, uint32_t type, const struct ask *ask)
{
    int result = session_ask(chat->session, type, ask);
    if (result == THRONG_EINVAL) {
        chat_note(chat, LINE_ERROR, "not connected: this was not sent");
    } else if (result == THRONG_ETOOBIG) {
        chat_note(chat, LINE_ERROR, "too long: this was not sent");
    } else if (result != 0) {
        chat_note(chat, LINE_ERROR, "the server does not keep up: this was not sent");
    }
}

/* NULL for nothing: a key that is left out. */
static const char *optional(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* ---- speaking ---- */

static void say(struct chat *chat, uint32_t type, const char *text)
{
    struct ask line = {.room = current(chat)->name, .text = text};
    if (chat->model.current == 0) {
        chat_note(chat, LINE_ERROR, "you are in no room: /join one");
        return;
    }
    ask(chat, type, &line);
}

static void tell(struct chat *chat, const struct command *command)
{
    struct ask private = {.name = command->word, .text = command->rest};
    if (session_is_ready(chat->session)) {
        model_told(&chat->model, command->word, command->rest, chat->unix_ms());
    }
    ask(chat, CHAT_TELL, &private);
}

/* ---- rooms ---- */

static void join(struct chat *chat, const struct command *command)
{
    struct room *room = model_find(&chat->model, command->word);
    if (room != NULL) {
        (void)model_look(&chat->model, (size_t)(room - chat->model.rooms));
    }
    if (room == NULL || !room->inside) {
        struct ask enter = {.room = command->word};
        chat->entering += session_is_ready(chat->session) ? 1 : 0;
        chat->look_at_next = true;
        ask(chat, CHAT_JOIN, &enter);
    }
}

static void look(struct chat *chat, const struct command *command)
{
    struct room *room = model_find(&chat->model, command->word);
    if (room == NULL) {
        chat_note(chat, LINE_ERROR, "you are not in that room: /join it");
        return;
    }
    (void)model_look(&chat->model, (size_t)(room - chat->model.rooms));
}

static void leave(struct chat *chat, const struct command *command)
{
    struct room *room = model_find(&chat->model, room_name(chat, command));
    if (room != NULL && !room->inside) {
        model_forget(&chat->model, room); /* a room that we only wanted, or were put out of */
        return;
    }
    struct ask out = {.room = room_name(chat, command)};
    ask(chat, CHAT_LEAVE, &out);
}

static void who(struct chat *chat, const struct command *command)
{
    struct room *room = model_find(&chat->model, room_name(chat, command));
    if (room != NULL) {
        room->list_wanted = true;
    }
    struct ask members = {.room = room_name(chat, command)};
    ask(chat, CHAT_WHO, &members);
}

static void topic(struct chat *chat, const struct command *command)
{
    struct ask set = {.room = current(chat)->name};
    if (command->rest[0] == '\0') {
        const char *text = current(chat)->topic;
        chat_note(chat, LINE_NOTICE, text[0] != '\0' ? text : "there is no topic");
        return;
    }
    set.text = strcmp(command->rest, "-") == 0 ? "" : command->rest;
    ask(chat, CHAT_TOPIC, &set);
}

/* ---- moderation ---- */

/* Digits and points with a point, or something with a colon: names have no colons, and hardly such
 * points. */
static bool is_address(const char *word)
{
    return strchr(word, ':') != NULL ||
           (strchr(word, '.') != NULL && strspn(word, "0123456789.") == strlen(word));
}

static void moderate(struct chat *chat, const struct command *command)
{
    struct ask who = {.text = optional(command->rest), .seconds = command->seconds};
    bool bans = command->kind == COMMAND_BAN || command->kind == COMMAND_UNBAN;
    *(bans && is_address(command->word) ? &who.address : &who.name) = command->word;
    switch (command->kind) {
    case COMMAND_KICK:
        who.room = optional(current(chat)->name); /* without a room: off the server */
        ask(chat, CHAT_KICK, &who);
        break;
    case COMMAND_MUTE:
        who.has_seconds = true;
        who.seconds = command->has_seconds ? command->seconds : MUTE_SECONDS_DEFAULT;
        ask(chat, CHAT_MUTE, &who);
        break;
    case COMMAND_BAN:
        who.has_seconds = true; /* 0: for good */
        ask(chat, CHAT_BAN, &who);
        break;
    case COMMAND_UNMUTE:
        ask(chat, CHAT_UNMUTE, &who);
        break;
    default:
        ask(chat, CHAT_UNBAN, &who);
        break;
    }
}

/* ---- the whole ---- */

static void help(struct chat *chat)
{
    const char *usage, *text;
    char line[160];
    for (size_t i = 0; (text = command_help(i, &usage)) != NULL; i++) {
        (void)snprintf(line, sizeof(line), "%s: %s", usage, text);
        chat_note(chat, LINE_NOTICE, line);
    }
}

static void ask_simple(struct chat *chat, const struct command *command)
{
    struct ask simple = {0};
    switch (command->kind) {
    case COMMAND_NICK:
        simple.name = command->word;
        ask(chat, CHAT_NAME, &simple);
        break;
    case COMMAND_OP:
        simple.token = command->word;
        ask(chat, CHAT_OPERATOR, &simple);
        break;
    case COMMAND_ANNOUNCE:
        simple.text = command->rest;
        ask(chat, CHAT_ANNOUNCE, &simple);
        break;
    case COMMAND_CLOSE:
        simple.room = room_name(chat, command);
        ask(chat, CHAT_CLOSE_ROOM, &simple);
        break;
    case COMMAND_ROOMS:
        ask(chat, CHAT_ROOMS, &simple);
        break;
    default:
        ask(chat, CHAT_BANS, &simple);
        break;
    }
}

void chat_input(struct chat *chat, const char *line)
{
    struct command command;
    command_read(&command, line);
    switch (command.kind) {
    case COMMAND_NOTHING:
        break;
    case COMMAND_BAD:
        chat_note(chat, LINE_ERROR, command.complaint);
        break;
    case COMMAND_SAY:
        say(chat, CHAT_SAY, command.rest);
        break;
    case COMMAND_ME:
        say(chat, CHAT_ME, command.rest);
        break;
    case COMMAND_MSG:
        tell(chat, &command);
        break;
    case COMMAND_JOIN:
        join(chat, &command);
        break;
    case COMMAND_ROOM:
        look(chat, &command);
        break;
    case COMMAND_LEAVE:
        leave(chat, &command);
        break;
    case COMMAND_WHO:
        who(chat, &command);
        break;
    case COMMAND_TOPIC:
        topic(chat, &command);
        break;
    case COMMAND_KICK:
    case COMMAND_MUTE:
    case COMMAND_UNMUTE:
    case COMMAND_BAN:
    case COMMAND_UNBAN:
        moderate(chat, &command);
        break;
    case COMMAND_HELP:
        help(chat);
        break;
    case COMMAND_QUIT:
        chat->quit = true;
        break;
    default:
        ask_simple(chat, &command);
        break;
    }
}
