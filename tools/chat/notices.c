/* SPDX-License-Identifier: MIT
 * See notices.h. */
#include "notices.h"

#include <stdio.h>

/* " by NAME" */
static const char *by_whom(char phrase[EVENT_NAME_SIZE + 8], const struct event *event)
{
    phrase[0] = '\0';
    if (event->by[0] != '\0') {
        (void)snprintf(phrase, EVENT_NAME_SIZE + 8, " by %s", event->by);
    }
    return phrase;
}

/* Between a sentence and the reason that follows it, if one does. */
static const char *colon(const struct event *event)
{
    return event->text[0] != '\0' ? ": " : "";
}

static enum line_kind left_text(char *text, const struct event *event)
{
    char by[EVENT_NAME_SIZE + 8];
    switch (event->why) {
    case CHAT_WHY_LEFT:
        (void)snprintf(text, NOTICE_SIZE, "%s left", event->name);
        break;
    case CHAT_WHY_KICKED:
        (void)snprintf(text, NOTICE_SIZE, "%s was put out%s%s%s", event->name, by_whom(by, event),
                       colon(event), event->text);
        break;
    case CHAT_WHY_CLOSED:
        (void)snprintf(text, NOTICE_SIZE, "this room was closed%s%s%s", by_whom(by, event),
                       colon(event), event->text);
        return LINE_NOTICE;
    default:
        (void)snprintf(text, NOTICE_SIZE, "%s is gone", event->name);
        break;
    }
    return LINE_COMING;
}

static enum line_kind muted_text(char *text, const struct event *event)
{
    char by[EVENT_NAME_SIZE + 8];
    if (event->number == 0) {
        (void)snprintf(text, NOTICE_SIZE, "you may speak again");
    } else {
        (void)snprintf(text, NOTICE_SIZE, "you are muted for %llu s%s%s%s",
                       (unsigned long long)((event->number + 999) / 1000), by_whom(by, event),
                       colon(event), event->text);
    }
    return LINE_ERROR;
}

static enum line_kind topic_text(char *text, const struct event *event)
{
    if (event->text[0] == '\0') {
        (void)snprintf(text, NOTICE_SIZE, "%s removed the topic", event->by);
    } else {
        (void)snprintf(text, NOTICE_SIZE, "%s set the topic: %s", event->by, event->text);
    }
    return LINE_NOTICE;
}

/* What was done of which nothing else tells. */
static enum line_kind done_text(char *text, const struct event *event)
{
    const char *sentence = event->of == CHAT_OPERATOR     ? "you are an operator now"
                           : event->of == CHAT_KICK       ? "put out: "
                           : event->of == CHAT_MUTE       ? "muted: "
                           : event->of == CHAT_UNMUTE     ? "may speak again: "
                           : event->of == CHAT_BAN        ? "banned: "
                           : event->of == CHAT_UNBAN      ? "no longer banned: "
                           : event->of == CHAT_NAME       ? "your name is now "
                           : event->of == CHAT_CLOSE_ROOM ? "the room was closed"
                                                          : NULL;
    if (sentence != NULL) {
        (void)snprintf(text, NOTICE_SIZE, "%s%s", sentence, event->name);
    }
    return LINE_NOTICE;
}

static enum line_kind listed_text(char *text, const struct event *event)
{
    unsigned long long number = event->number;
    if (event->kind == EVENT_ROOM_LISTED) {
        (void)snprintf(text, NOTICE_SIZE, "#%s, %llu here%s%s", event->room, number,
                       event->text[0] != '\0' ? "; topic: " : "", event->text);
    } else if (number == 0) {
        (void)snprintf(text, NOTICE_SIZE, "%s is banned for good%s%s", event->name, colon(event),
                       event->text);
    } else {
        (void)snprintf(text, NOTICE_SIZE, "%s is banned for %llu s more%s%s", event->name, number,
                       colon(event), event->text);
    }
    return LINE_NOTICE;
}

enum line_kind notice_text(char text[NOTICE_SIZE], const struct event *event)
{
    char by[EVENT_NAME_SIZE + 8];
    text[0] = '\0';
    switch (event->kind) {
    case EVENT_WELCOME:
        (void)snprintf(text, NOTICE_SIZE, "you are %s", event->name);
        return LINE_NOTICE;
    case EVENT_JOINED:
        (void)snprintf(text, NOTICE_SIZE, "%s came", event->name);
        return LINE_COMING;
    case EVENT_LEFT:
        return left_text(text, event);
    case EVENT_LEFT_ROOM:
        (void)snprintf(text, NOTICE_SIZE, "you left #%s", event->room);
        return LINE_NOTICE;
    case EVENT_RENAMED:
        (void)snprintf(text, NOTICE_SIZE, "%s is now %s", event->old, event->name);
        return LINE_COMING;
    case EVENT_TOPIC:
        return topic_text(text, event);
    case EVENT_ANNOUNCED:
        (void)snprintf(text, NOTICE_SIZE, "an operator, to everybody: %s", event->text);
        return LINE_NOTICE;
    case EVENT_MUTED:
        return muted_text(text, event);
    case EVENT_KICKED:
        (void)snprintf(text, NOTICE_SIZE, "you were put out of #%s%s%s%s", event->room,
                       by_whom(by, event), colon(event), event->text);
        return LINE_ERROR;
    case EVENT_WARNING:
        (void)snprintf(text, NOTICE_SIZE, "the server warns: %s", event->text);
        return LINE_ERROR;
    case EVENT_REFUSED:
    case EVENT_GOODBYE:
    case EVENT_ODD:
        (void)snprintf(text, NOTICE_SIZE, "the server says: %s", event->text);
        return LINE_ERROR;
    case EVENT_ROOM_LISTED:
    case EVENT_BAN_LISTED:
        return listed_text(text, event);
    case EVENT_DONE:
        return done_text(text, event);
    default:
        return LINE_NOTICE;
    }
}
