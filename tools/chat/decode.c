/* SPDX-License-Identifier: MIT
 * See decode.h. A field that is missing or of another kind counts as empty, or 0: a client shows
 * what it can. */
#include "decode.h"

#include <stdio.h>
#include <string.h>

#include "../terminal/text.h"

/* One message on its way to events. */
struct decoding {
    const struct asked *asked;
    struct event *event;
    event_sink *sink;
    void *context;
};

/* ---- fields ---- */

static void get_text(throng_value map, const char *key, char *out, size_t out_size)
{
    const char *text = "";
    size_t size = 0;
    (void)throng_value_string(throng_map_get(map, key), &text, &size);
    (void)text_escape(out, out_size, text, size);
}

static uint64_t get_number(throng_value map, const char *key)
{
    uint64_t number = 0;
    (void)throng_value_u64(throng_map_get(map, key), &number);
    return number;
}

static uint32_t get_small(throng_value map, const char *key)
{
    uint64_t number = get_number(map, key);
    return number <= UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

/* Every field that an event may have and that means the same wherever it comes. */
static void get_fields(struct event *event, throng_value body)
{
    uint64_t at = get_number(body, CHAT_KEY_AT);
    memset(event, 0, sizeof(*event));
    get_text(body, CHAT_KEY_ROOM, event->room, sizeof(event->room));
    get_text(body, CHAT_KEY_NAME, event->name, sizeof(event->name));
    get_text(body, CHAT_KEY_OLD, event->old, sizeof(event->old));
    get_text(body, CHAT_KEY_BY, event->by, sizeof(event->by));
    get_text(body, CHAT_KEY_TEXT, event->text, sizeof(event->text));
    event->seq = get_number(body, CHAT_KEY_SEQ);
    event->at_ms = at <= INT64_MAX ? (int64_t)at : 0;
    event->code = get_small(body, CHAT_KEY_CODE);
    event->why = get_small(body, CHAT_KEY_WHY);
    event->of = get_small(body, CHAT_KEY_OF);
}

static void deliver(const struct decoding *decoding, enum event_kind kind)
{
    decoding->event->kind = kind;
    decoding->sink(decoding->context, decoding->event);
}

/* An event that has nothing but its kind and room. */
static void deliver_bare(const struct decoding *decoding, enum event_kind kind, const char *room,
                         uint64_t number)
{
    struct event *event = decoding->event;
    char name[EVENT_NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%s", room); /* it may be the event's own */
    memset(event, 0, sizeof(*event));
    memcpy(event->room, name, sizeof(name));
    event->number = number;
    event->of = decoding->asked != NULL ? decoding->asked->type : 0;
    deliver(decoding, kind);
}

static void deliver_line(const struct decoding *decoding, enum event_kind kind, throng_value body)
{
    struct event *event = decoding->event;
    get_fields(event, body);
    get_text(body, CHAT_KEY_FROM, event->name, sizeof(event->name));
    (void)throng_value_bool(throng_map_get(body, CHAT_KEY_ME), &event->is_action);
    deliver(decoding, kind);
}

/* ---- answers ---- */

static void deliver_entered(const struct decoding *decoding, throng_value body)
{
    struct event *event = decoding->event;
    throng_value lines = throng_map_get(body, CHAT_KEY_LINES);
    char room[EVENT_NAME_SIZE];
    get_fields(event, body);
    memcpy(room, event->room, sizeof(room));
    get_text(body, CHAT_KEY_TOPIC, event->text, sizeof(event->text));
    event->number = get_number(body, CHAT_KEY_MEMBERS);
    memcpy(event->old, decoding->asked->room, sizeof(event->old));
    deliver(decoding, EVENT_ENTERED);
    for (uint32_t i = 0; i < throng_value_size(lines); i++) {
        deliver_line(decoding, EVENT_PAST, throng_array_at(lines, i));
    }
    deliver_bare(decoding, EVENT_ENTERED_END, room, 0);
}

static void deliver_members(const struct decoding *decoding, throng_value body)
{
    throng_value names = throng_map_get(body, CHAT_KEY_NAMES);
    struct event *event = decoding->event;
    char room[EVENT_NAME_SIZE];
    get_text(body, CHAT_KEY_ROOM, room, sizeof(room));
    if (decoding->asked->from == 0) {
        deliver_bare(decoding, EVENT_MEMBERS, room, 0);
    }
    for (uint32_t i = 0; i < throng_value_size(names); i++) {
        const char *text = "";
        size_t size = 0;
        (void)throng_value_string(throng_array_at(names, i), &text, &size);
        memset(event, 0, sizeof(*event));
        memcpy(event->room, room, sizeof(room));
        (void)text_escape(event->name, sizeof(event->name), text, size);
        deliver(decoding, EVENT_MEMBER);
    }
    deliver_bare(decoding, EVENT_MEMBERS_END, room, get_number(body, CHAT_KEY_NEXT));
}

static void deliver_list(const struct decoding *decoding, throng_value body, const char *key,
                         enum event_kind kind)
{
    throng_value list = throng_map_get(body, key);
    struct event *event = decoding->event;
    for (uint32_t i = 0; i < throng_value_size(list); i++) {
        throng_value row = throng_array_at(list, i);
        get_fields(event, row);
        if (event->name[0] == '\0') {
            get_text(row, CHAT_KEY_ADDRESS, event->name, sizeof(event->name));
        }
        event->number =
            get_number(row, kind == EVENT_BAN_LISTED ? CHAT_KEY_SECONDS : CHAT_KEY_MEMBERS);
        deliver(decoding, kind);
    }
    deliver_bare(decoding, EVENT_LIST_END, "", get_number(body, CHAT_KEY_NEXT));
}

static void deliver_answer(const struct decoding *decoding, throng_value body)
{
    struct event *event = decoding->event;
    switch (decoding->asked->type) {
    case CHAT_JOIN:
        deliver_entered(decoding, body);
        return;
    case CHAT_WHO:
        deliver_members(decoding, body);
        return;
    case CHAT_ROOMS:
        deliver_list(decoding, body, CHAT_KEY_ROOMS, EVENT_ROOM_LISTED);
        return;
    case CHAT_BANS:
        deliver_list(decoding, body, CHAT_KEY_BANS, EVENT_BAN_LISTED);
        return;
    default:
        break;
    }
    get_fields(event, body);
    event->of = decoding->asked->type;
    if (event->name[0] == '\0') {
        get_text(body, CHAT_KEY_ADDRESS, event->name, sizeof(event->name));
    }
    deliver(decoding, event->of == CHAT_HELLO   ? EVENT_WELCOME
                      : event->of == CHAT_LEAVE ? EVENT_LEFT_ROOM
                      : event->of == CHAT_TELL  ? EVENT_TOLD
                                                : EVENT_DONE);
}

/* ---- notices ---- */

static const struct {
    uint32_t type;
    enum event_kind kind;
} notices[] = {
    {CHAT_JOINED, EVENT_JOINED},       {CHAT_LEFT, EVENT_LEFT},       {CHAT_RENAMED, EVENT_RENAMED},
    {CHAT_TOPIC_IS, EVENT_TOPIC},      {CHAT_MUTED, EVENT_MUTED},     {CHAT_WARNING, EVENT_WARNING},
    {CHAT_ANNOUNCED, EVENT_ANNOUNCED}, {CHAT_KICKED, EVENT_KICKED},   {CHAT_STALE, EVENT_STALE},
    {CHAT_GOODBYE, EVENT_GOODBYE},     {CHAT_REFUSED, EVENT_REFUSED},
};

static void deliver_notice(const struct decoding *decoding, uint32_t type, throng_value body)
{
    struct event *event = decoding->event;
    get_fields(event, body);
    event->number = get_number(body, CHAT_KEY_WAIT);
    for (size_t i = 0; i < sizeof(notices) / sizeof(notices[0]); i++) {
        if (notices[i].type == type) {
            deliver(decoding, notices[i].kind);
            return;
        }
    }
    /* A type of a newer server: it may add some. Ours of throng itself says what was wrong with a
     * request. */
    if (type == THRONG_MESSAGE_TYPE_ERROR) {
        deliver(decoding, EVENT_ODD);
    }
}

void decode_message(const struct throng_message *message, const struct asked *asked,
                    struct event *event, event_sink *sink, void *context)
{
    struct decoding decoding = {.asked = asked, .event = event, .sink = sink, .context = context};
    if (message->is_reply && asked == NULL) {
        return; /* an answer to nothing */
    }
    if (asked != NULL && message->type == asked->type) {
        deliver_answer(&decoding, message->body);
    } else if (message->type == CHAT_LINE) {
        deliver_line(&decoding, EVENT_LINE, message->body);
    } else if (message->type == CHAT_PRIVATE) {
        deliver_line(&decoding, EVENT_PRIVATE, message->body);
    } else if (asked != NULL && message->type == CHAT_REFUSED) {
        get_fields(event, message->body);
        memcpy(event->room, asked->room, sizeof(event->room));
        event->of = asked->type;
        event->number = get_number(message->body, CHAT_KEY_WAIT);
        deliver(&decoding, EVENT_REFUSED);
    } else {
        deliver_notice(&decoding, message->type, message->body);
    }
}
