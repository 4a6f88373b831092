/* SPDX-License-Identifier: MIT
 * See model.h. */
#include "model.h"

#include <stdio.h>
#include <string.h>

#include "notices.h"

void model_begin(struct model *model, const char *name, model_sink *sink, void *context)
{
    memset(model, 0, sizeof(*model));
    (void)snprintf(model->name, sizeof(model->name), "%s", name);
    model->room_count = 1;
    model->sink = sink;
    model->context = context;
}

void model_end(struct model *model)
{
    for (size_t i = 0; i < model->room_count; i++) {
        room_clear(&model->rooms[i]);
    }
    model->room_count = 1;
}

/* ---- rooms ---- */

struct room *model_find(struct model *model, const char *name)
{
    for (size_t i = 1; i < model->room_count; i++) {
        if (strcmp(model->rooms[i].name, name) == 0) {
            return &model->rooms[i];
        }
    }
    return NULL;
}

struct room *model_want(struct model *model, const char *name)
{
    struct room *room = model_find(model, name);
    if (room == NULL && model->room_count < MODEL_ROOMS_MAX && name[0] != '\0') {
        room = &model->rooms[model->room_count++];
        memset(room, 0, sizeof(*room));
        (void)snprintf(room->name, sizeof(room->name), "%s", name);
    }
    if (room != NULL) {
        room->wanted = true;
        model->changes++;
    }
    return room;
}

bool model_look(struct model *model, size_t index)
{
    if (index >= model->room_count) {
        return false;
    }
    model->current = index;
    model->rooms[index].unread = 0;
    model->rooms[index].mentioned = false;
    model->changes++;
    return true;
}

void model_forget(struct model *model, struct room *room)
{
    size_t index = (size_t)(room - model->rooms);
    if (index == 0) {
        return;
    }
    room_clear(room);
    model->room_count--;
    memmove(room, room + 1, (model->room_count - index) * sizeof(*room));
    /* What moved away must not be freed twice. */
    memset(&model->rooms[model->room_count], 0, sizeof(*room));
    (void)model_look(model, model->current >= index ? model->current - 1 : model->current);
}

void model_disconnected(struct model *model)
{
    for (size_t i = 1; i < model->room_count; i++) {
        model->rooms[i].inside = false;
        room_clear_members(&model->rooms[i]);
    }
    model->changes++;
}

/* ---- lines ---- */

static bool mentions(const char *text, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = strstr(text, name); size > 0 && at != NULL; at = strstr(at + 1, name)) {
        /* The whole word: neither a letter nor half of a character follows or precedes. */
        unsigned char next = (unsigned char)at[size];
        unsigned char last = at > text ? (unsigned char)at[-1] : ' ';
        const char *inner = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
        if ((next == '\0' || (next < 0x80 && strchr(inner, next) == NULL)) && last < 0x80 &&
            strchr(inner, last) == NULL) {
            return true;
        }
    }
    return false;
}

static void add(struct model *model, struct room *room, const struct line *line, const char *text)
{
    const struct line *added = room_add_line(room, line, text);
    bool looked_at = room == &model->rooms[model->current];
    model->changes++;
    if (added == NULL) {
        return;
    }
    if (!looked_at && line->kind <= LINE_TOLD) {
        room->unread++;
        room->mentioned |= line->mentions_us || line->kind == LINE_PRIVATE;
    }
    if (model->sink != NULL) {
        model->sink(model->context, room, added);
    }
}

void model_note(struct model *model, struct room *room, enum line_kind kind, int64_t now_ms,
                const char *text)
{
    struct line line = {.kind = kind, .at_ms = now_ms};
    add(model, room != NULL ? room : &model->rooms[model->current], &line, text);
}

static void add_private(struct model *model, enum line_kind kind, const char *name,
                        const char *text, int64_t at_ms)
{
    struct line line = {.kind = kind, .at_ms = at_ms};
    (void)snprintf(line.name, sizeof(line.name), "%s", name);
    add(model, &model->rooms[model->current], &line, text);
}

void model_told(struct model *model, const char *name, const char *text, int64_t now_ms)
{
    add_private(model, LINE_TOLD, name, text, now_ms);
}

static void note_missed(struct model *model, struct room *room, uint64_t count, int64_t at_ms)
{
    char text[96];
    (void)snprintf(text, sizeof(text), "%llu line%s did not come", (unsigned long long)count,
                   count == 1 ? "" : "s");
    model->missed += count;
    model_note(model, room, LINE_NOTICE, at_ms, text);
}

/* A line that somebody said, whether now or before we came. Numbers tell what was shown already. */
static void take_said(struct model *model, struct room *room, const struct event *event)
{
    struct line line = {.kind = event->is_action ? LINE_ACTION : LINE_SAID,
                        .seq = event->seq,
                        .at_ms = event->at_ms};
    if (event->seq <= room->last_seq) {
        model->doubled += event->kind == EVENT_LINE;
        return;
    }
    bool known = room->last_seq > 0 || event->kind == EVENT_LINE;
    if (known && event->seq > room->last_seq + 1) {
        note_missed(model, room, event->seq - room->last_seq - 1, event->at_ms);
    }
    room->last_seq = event->seq;
    (void)snprintf(line.name, sizeof(line.name), "%s", event->name);
    line.mentions_us = strcmp(event->name, model->name) != 0 && mentions(event->text, model->name);
    add(model, room, &line, event->text);
}

/* Line numbers begin again when a room, or the server, was made anew. */
static void begin_anew(struct model *model, struct room *room, int64_t now_ms)
{
    model_note(model, room, LINE_NOTICE, now_ms, "this room was made anew; its lines count from 1");
    for (size_t i = 0; i < room->line_count; i++) {
        /* The old numbers mean other lines now. */
        room->lines[(room->line_first + i) % ROOM_LINES_MAX].seq = 0;
    }
    room->last_seq = 0;
}

/* ---- entering ---- */

static void take_entered(struct model *model, const struct event *event, int64_t now_ms)
{
    char text[NOTICE_SIZE];
    struct room *room = model_find(model, event->room);
    if (room == NULL && (room = model_find(model, event->old)) != NULL) {
        /* The same room, in the spelling of who made it. */
        memcpy(room->name, event->room, sizeof(room->name));
    }
    room = model_want(model, event->room);
    if (room == NULL) {
        return;
    }
    if (event->seq < room->last_seq) {
        begin_anew(model, room, now_ms);
    }
    room->inside = true;
    (void)snprintf(room->topic, sizeof(room->topic), "%s", event->text);
    (void)snprintf(text, sizeof(text), "you are in #%s, %llu here%s%s", event->room,
                   (unsigned long long)event->number, event->text[0] != '\0' ? "; topic: " : "",
                   event->text);
    model_note(model, room, LINE_NOTICE, now_ms, text);
}

static void take_past(struct model *model, const struct event *event, int64_t now_ms)
{
    struct room *room = model_find(model, event->room);
    if (room == NULL) {
        return;
    }
    const struct line *known = room_find_line(room, event->seq);
    if (known != NULL && (known->at_ms != event->at_ms || strcmp(known->text, event->text) != 0)) {
        begin_anew(model, room, now_ms);
    }
    take_said(model, room, event);
}

/* ---- events ---- */

static void take_members(struct model *model, struct room *room, const struct event *event)
{
    if (event->kind == EVENT_MEMBERS) {
        room_clear_members(room);
    } else if (event->kind == EVENT_MEMBER) {
        room_add_member(room, event->name);
    } else {
        room->members_known = event->number == 0;
    }
    model->changes++;
}

static void take_change(struct model *model, struct room *room, const struct event *event)
{
    switch (event->kind) {
    case EVENT_JOINED:
        room_add_member(room, event->name);
        break;
    case EVENT_LEFT:
        room_remove_member(room, event->name);
        room->inside &= event->why != CHAT_WHY_CLOSED;
        room->wanted &= event->why != CHAT_WHY_CLOSED;
        break;
    case EVENT_RENAMED:
        room_remove_member(room, event->old);
        room_add_member(room, event->name);
        if (strcmp(event->old, model->name) == 0) {
            memcpy(model->name, event->name, sizeof(model->name));
        }
        break;
    case EVENT_TOPIC:
        memcpy(room->topic, event->text, sizeof(room->topic));
        break;
    case EVENT_KICKED:
    case EVENT_LEFT_ROOM:
        room->inside = false;
        room->wanted = false;
        room_clear_members(room);
        break;
    default:
        break;
    }
}

/* What the server says beside the lines of a room: a sentence of it, and what it changes. */
static void take_notice(struct model *model, struct room *room, const struct event *event,
                        int64_t now_ms)
{
    char text[NOTICE_SIZE];
    enum line_kind kind = notice_text(text, event);
    if (room != NULL) {
        take_change(model, room, event);
    }
    if (text[0] != '\0') {
        model_note(model, room, kind, event->at_ms > 0 ? event->at_ms : now_ms, text);
    }
    model->changes++;
}

void model_take(struct model *model, const struct event *event, int64_t now_ms)
{
    struct room *room = model_find(model, event->room);
    switch (event->kind) {
    case EVENT_WELCOME:
        memcpy(model->name, event->name, sizeof(model->name));
        take_notice(model, NULL, event, now_ms);
        break;
    case EVENT_ENTERED:
        take_entered(model, event, now_ms);
        break;
    case EVENT_PAST:
        take_past(model, event, now_ms);
        break;
    case EVENT_LINE:
        if (room != NULL) {
            take_said(model, room, event);
        }
        break;
    case EVENT_PRIVATE:
        add_private(model, LINE_PRIVATE, event->name, event->text, event->at_ms);
        break;
    case EVENT_DONE:
        if (event->of == CHAT_NAME && strcmp(event->name, model->name) == 0) {
            break; /* a room has told it */
        }
        if (event->of == CHAT_NAME) {
            memcpy(model->name, event->name, sizeof(model->name));
        }
        take_notice(model, room, event, now_ms);
        break;
    case EVENT_MEMBERS:
    case EVENT_MEMBER:
    case EVENT_MEMBERS_END:
        if (room != NULL) {
            take_members(model, room, event);
        }
        break;
    default:
        take_notice(model, room, event, now_ms);
        break;
    }
}
