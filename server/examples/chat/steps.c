/* SPDX-License-Identifier: MIT
 * Steps that several handlers share: reading fields, leaving rooms, ending a user. See
 * handlers.h. */
#include <string.h>

#include "handlers.h"
#include "utf8.h"

void refuse(struct chat *chat, enum chat_code code)
{
    tell_refused(chat, &(struct refusal){.code = code});
}

/* ---- reading a request ---- */

static void refuse_field(struct chat *chat, enum chat_code code, const char *key, uint64_t given,
                         uint64_t limit)
{
    tell_refused(chat,
                 &(struct refusal){.code = code, .field = key, .given = given, .limit = limit});
}

bool read_text(struct chat *chat, const char *key, size_t bytes_max, struct chat_text *text)
{
    if (throng_body_string(chat->message, key, &text->bytes, &text->size) != 0) {
        refuse_field(chat, CHAT_CODE_MALFORMED, key, 0, 0);
        return false;
    }
    enum chat_code code = utf8_check_text(text->bytes, text->size, bytes_max);
    if (code == CHAT_CODE_TOO_LONG) {
        refuse_field(chat, code, key, text->size, bytes_max);
    } else if (code != CHAT_CODE_NONE) {
        refuse_field(chat, code, key, 0, 0);
    }
    return code == CHAT_CODE_NONE;
}

bool read_optional_text(struct chat *chat, const char *key, size_t bytes_max,
                        struct chat_text *text)
{
    *text = (struct chat_text){.bytes = ""};
    return !throng_body_has(chat->message, key) || read_text(chat, key, bytes_max, text);
}

bool read_optional_number(struct chat *chat, const char *key, uint64_t *number)
{
    *number = 0;
    if (throng_body_has(chat->message, key) && throng_body_u64(chat->message, key, number) != 0) {
        refuse_field(chat, CHAT_CODE_MALFORMED, key, 0, 0);
        return false;
    }
    return true;
}

bool read_seconds(struct chat *chat, uint32_t least, uint32_t *seconds)
{
    if (throng_body_u32(chat->message, CHAT_KEY_SECONDS, seconds) != 0) {
        refuse_field(chat, CHAT_CODE_MALFORMED, CHAT_KEY_SECONDS, 0, 0);
        return false;
    }
    if (*seconds < least || *seconds > CHAT_SECONDS_MAX) {
        refuse_field(chat, CHAT_CODE_OUT_OF_RANGE, CHAT_KEY_SECONDS, *seconds, CHAT_SECONDS_MAX);
        return false;
    }
    return true;
}

static bool read_name(struct chat *chat, const char *key, size_t chars_max, struct chat_name *name)
{
    struct chat_text text;
    if (throng_body_string(chat->message, key, &text.bytes, &text.size) != 0) {
        refuse_field(chat, CHAT_CODE_MALFORMED, key, 0, 0);
        return false;
    }
    enum chat_code code = chat_name_take(name, text.bytes, text.size, chars_max);
    if (code != CHAT_CODE_NONE) {
        refuse_field(chat, code, key, 0, code == CHAT_CODE_TOO_LONG ? chars_max : 0);
    }
    return code == CHAT_CODE_NONE;
}

bool read_user_name(struct chat *chat, struct chat_name *name)
{
    return read_name(chat, CHAT_KEY_NAME, CHAT_NAME_CHARS_MAX, name);
}

bool read_room_name(struct chat *chat, struct chat_name *name)
{
    return read_name(chat, CHAT_KEY_ROOM, CHAT_ROOM_CHARS_MAX, name);
}

struct chat_user *read_user(struct chat *chat)
{
    struct chat_name name;
    if (!read_user_name(chat, &name)) {
        return NULL;
    }
    struct chat_user *user = chat_user_find(&chat->state, &name);
    if (user == NULL) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_NO_USER,
                                             .field = CHAT_KEY_NAME,
                                             .value = name.text});
    }
    return user;
}

struct chat_room *read_room(struct chat *chat)
{
    struct chat_name name;
    if (!read_room_name(chat, &name)) {
        return NULL;
    }
    struct chat_room *room = chat_room_find(&chat->state, &name);
    if (room == NULL) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_NO_ROOM,
                                             .field = CHAT_KEY_ROOM,
                                             .value = name.text});
    }
    return room;
}

struct chat_room *read_own_room(struct chat *chat)
{
    struct chat_room *room = read_room(chat);
    if (room != NULL && chat_seat_find(&chat->state, chat->user, room) == NULL) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_NOT_MEMBER,
                                             .field = CHAT_KEY_ROOM,
                                             .value = room->name.text});
        return NULL;
    }
    return room;
}

/* ---- leaving ---- */

void leave_room(struct chat *chat, struct chat_user *user, struct chat_room *room,
                const struct leaving *leaving)
{
    (void)chat->outlet.room_leave(chat->outlet.end, room->heard, user->conn);
    chat_seat_leave(&chat->state, user, room, chat->now_ms);
    if (room->members == 0) {
        return; /* nobody is there to hear it */
    }
    const char *by = leaving->by != NULL ? leaving->by->name.text : "";
    tell_begin(chat, CHAT_LEFT, 6);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_name(chat, CHAT_KEY_NAME, &user->name);
    tell_number(chat, CHAT_KEY_WHY, leaving->why);
    tell_text(chat, CHAT_KEY_BY, by, strlen(by));
    tell_text(chat, CHAT_KEY_TEXT, leaving->text.bytes, leaving->text.size);
    tell_members(chat, room, THRONG_NOBODY);
}

void leave_all(struct chat *chat, struct chat_user *user, const struct leaving *leaving)
{
    const struct chat_seat *seat = chat_seat_at(&chat->state, user->first_seat);
    while (seat != NULL) {
        leave_room(chat, user, chat_seat_room(&chat->state, seat), leaving);
        seat = chat_seat_at(&chat->state, user->first_seat);
    }
}

void say_goodbye(struct chat *chat, struct chat_user *user, enum chat_code code,
                 const struct leaving *leaving)
{
    if (user->is_leaving) {
        return;
    }
    user->is_leaving = true;
    tell_begin(chat, CHAT_GOODBYE, 2);
    tell_number(chat, CHAT_KEY_CODE, code);
    tell_text(chat, CHAT_KEY_TEXT, leaving->text.bytes, leaving->text.size);
    tell_user(chat, user);
    (void)chat->outlet.close(chat->outlet.end, user->conn);
    leave_all(chat, user, leaving);
    chat_user_forget(&chat->state, user);
}

/* ---- muting ---- */

void mute_user(struct chat *chat, struct chat_user *user, uint64_t wait_ms,
               const struct chat_user *by, struct chat_text text)
{
    user->muted_until_ms = chat->now_ms + wait_ms;
    /* A full table forgets the mute at the end of the connection: better than forgetting a ban. */
    (void)chat_bans_add(&chat->state.mutes, CHAT_BAN_MUTE, &user->name, NULL, user->muted_until_ms,
                        chat->now_ms);
    tell_muted(chat, user, wait_ms, by, text.bytes, text.size);
}
