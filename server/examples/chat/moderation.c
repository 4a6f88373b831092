/* SPDX-License-Identifier: MIT
 * What operators ask for. chat.c has checked that they are. See handlers.h. */
#include <string.h>

#include "handlers.h"

/* Wrong tokens that a connection may try. */
#define WRONG_TOKENS_MAX 3

/* ---- becoming one ---- */

/* In a time that does not tell how much of it is right. */
static bool token_is_right(const struct chat_settings *settings, const struct chat_text *token)
{
    unsigned char difference = 0;
    for (size_t i = 0; i < CHAT_TOKEN_BYTES_MAX; i++) {
        unsigned char given = i < token->size ? (unsigned char)token->bytes[i] : 0;
        difference |= (unsigned char)(given ^ (unsigned char)settings->token[i]);
    }
    return difference == 0 && token->size == settings->token_size && settings->token_size > 0;
}

void handle_operator(struct chat *chat)
{
    struct chat_user *user = chat->user;
    struct chat_text token = {.bytes = ""};
    uint64_t wait_ms = 0;
    if (chat_attempts_spent(chat->state.attempts, &user->place, chat->now_ms, &wait_ms)) {
        tell_refused(chat,
                     &(struct refusal){.code = CHAT_CODE_TOO_MANY_ATTEMPTS, .wait_ms = wait_ms});
        return;
    }
    if (!read_text(chat, CHAT_KEY_TOKEN, CHAT_TOKEN_BYTES_MAX, &token)) {
        return;
    }
    if (!token_is_right(&chat->settings, &token)) {
        chat_attempts_add(chat->state.attempts, &user->place, chat->now_ms);
        refuse(chat, CHAT_CODE_BAD_TOKEN);
        if (++user->wrong_tokens >= WRONG_TOKENS_MAX) {
            say_goodbye(chat, user, CHAT_CODE_TOO_MANY_ATTEMPTS,
                        &(struct leaving){.why = CHAT_WHY_QUIT, .text.bytes = ""});
        }
        return;
    }
    user->is_operator = true;
    tell_begin_reply(chat, 0);
    tell_reply(chat);
}

/* ---- kicks and mutes ---- */

static void reply_with_name(struct chat *chat, const struct chat_name *name)
{
    tell_begin_reply(chat, 1);
    tell_name(chat, CHAT_KEY_NAME, name);
    tell_reply(chat);
}

/* Out of the room at hand, which may hear of it; the connection stays. */
static void kick_from_room(struct chat *chat, struct chat_user *user, struct chat_room *room,
                           const struct leaving *leaving)
{
    tell_begin(chat, CHAT_KICKED, 3);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_name(chat, CHAT_KEY_BY, &leaving->by->name);
    tell_text(chat, CHAT_KEY_TEXT, leaving->text.bytes, leaving->text.size);
    tell_user(chat, user);
    leave_room(chat, user, room, leaving);
}

void handle_kick(struct chat *chat)
{
    struct leaving leaving = {.why = CHAT_WHY_KICKED, .by = chat->user};
    bool from_room = throng_body_has(chat->message, CHAT_KEY_ROOM);
    struct chat_user *user = read_user(chat);
    if (user == NULL ||
        !read_optional_text(chat, CHAT_KEY_TEXT, CHAT_REASON_BYTES_MAX, &leaving.text)) {
        return;
    }
    const struct chat_name name = user->name;
    if (!from_room) {
        reply_with_name(chat, &name); /* first: operators may kick themselves */
        say_goodbye(chat, user, CHAT_CODE_KICKED, &leaving);
        return;
    }
    struct chat_room *room = read_room(chat);
    if (room == NULL) {
        return;
    }
    if (chat_seat_find(&chat->state, user, room) == NULL) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_NOT_MEMBER,
                                             .field = CHAT_KEY_NAME,
                                             .value = name.text});
        return;
    }
    kick_from_room(chat, user, room, &leaving);
    reply_with_name(chat, &name);
}

void handle_mute(struct chat *chat)
{
    uint32_t seconds = 0;
    struct chat_text text;
    struct chat_user *user = read_user(chat);
    if (user == NULL || !read_seconds(chat, 1, &seconds) ||
        !read_optional_text(chat, CHAT_KEY_TEXT, CHAT_REASON_BYTES_MAX, &text)) {
        return;
    }
    mute_user(chat, user, (uint64_t)seconds * 1000, chat->user, text);
    reply_with_name(chat, &user->name);
}

void handle_unmute(struct chat *chat)
{
    struct chat_name name;
    if (!read_user_name(chat, &name)) {
        return;
    }
    struct chat_user *user = chat_user_find(&chat->state, &name);
    struct chat_ban *mute =
        chat_bans_find(&chat->state.mutes, CHAT_BAN_MUTE, &name, NULL, chat->now_ms);
    if (user == NULL && mute == NULL) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_NO_USER,
                                             .field = CHAT_KEY_NAME,
                                             .value = name.text});
        return;
    }
    if (mute != NULL) {
        mute->kind = CHAT_BAN_NONE;
    }
    if (user != NULL && user->muted_until_ms > chat->now_ms) {
        user->muted_until_ms = 0;
        tell_muted(chat, user, 0, chat->user, "", 0);
    }
    reply_with_name(chat, &name);
}

/* ---- bans ---- */

/* Whom a BAN or UNBAN is about: a name, or an address. */
struct target {
    enum chat_ban_kind kind;
    struct chat_name name;
    struct chat_place place;
};

static bool read_target(struct chat *chat, struct target *target)
{
    target->kind = CHAT_BAN_NAME;
    if (!throng_body_has(chat->message, CHAT_KEY_ADDRESS)) {
        return read_user_name(chat, &target->name);
    }
    struct chat_text text;
    target->kind = CHAT_BAN_PLACE;
    if (!read_text(chat, CHAT_KEY_ADDRESS, CHAT_PLACE_TEXT_SIZE, &text)) {
        return false;
    }
    if (!chat_place_read(&target->place, text.bytes, text.size)) {
        tell_refused(chat,
                     &(struct refusal){.code = CHAT_CODE_BAD_ADDRESS, .field = CHAT_KEY_ADDRESS});
        return false;
    }
    return true;
}

static void pack_target(struct chat *chat, enum chat_ban_kind kind, const struct chat_name *name,
                        const struct chat_place *place)
{
    char text[CHAT_PLACE_TEXT_SIZE];
    if (kind == CHAT_BAN_NAME) {
        tell_name(chat, CHAT_KEY_NAME, name);
    } else {
        (void)chat_place_text(place, text);
        tell_text(chat, CHAT_KEY_ADDRESS, text, strlen(text));
    }
}

static void reply_with_target(struct chat *chat, const struct target *target)
{
    tell_begin_reply(chat, 1);
    pack_target(chat, target->kind, &target->name, &target->place);
    tell_reply(chat);
}

/* Whoever is here under that name or address is put off the server. */
static void put_off(struct chat *chat, const struct target *target, const struct leaving *leaving)
{
    if (target->kind == CHAT_BAN_NAME) {
        struct chat_user *user = chat_user_find(&chat->state, &target->name);
        if (user != NULL) {
            say_goodbye(chat, user, CHAT_CODE_BANNED, leaving);
        }
        return;
    }
    for (struct chat_user *user = chat_user_next(&chat->state, NULL); user != NULL;
         user = chat_user_next(&chat->state, user)) {
        if (chat_place_same(&user->place, &target->place)) {
            say_goodbye(chat, user, CHAT_CODE_BANNED, leaving);
        }
    }
}

void handle_ban(struct chat *chat)
{
    uint32_t seconds = 0;
    struct target target = {.kind = CHAT_BAN_NONE};
    struct leaving leaving = {.why = CHAT_WHY_KICKED, .by = chat->user};
    if (!read_target(chat, &target) || !read_seconds(chat, 0, &seconds) ||
        !read_optional_text(chat, CHAT_KEY_TEXT, CHAT_REASON_BYTES_MAX, &leaving.text)) {
        return;
    }
    uint64_t until_ms = seconds == 0 ? UINT64_MAX : chat->now_ms + (uint64_t)seconds * 1000;
    struct chat_ban *ban = chat_bans_add(&chat->state.bans, target.kind, &target.name,
                                         &target.place, until_ms, chat->now_ms);
    if (ban == NULL) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_TOO_MANY_BANS,
                                             .limit = chat->settings.sizes.bans_max});
        return;
    }
    memcpy(ban->reason, leaving.text.bytes, leaving.text.size);
    ban->reason[leaving.text.size] = '\0';
    reply_with_target(chat, &target);
    put_off(chat, &target, &leaving);
}

void handle_unban(struct chat *chat)
{
    struct target target = {.kind = CHAT_BAN_NONE};
    if (!read_target(chat, &target)) {
        return;
    }
    struct chat_ban *ban =
        chat_bans_find(&chat->state.bans, target.kind, &target.name, &target.place, chat->now_ms);
    if (ban == NULL) {
        refuse(chat, CHAT_CODE_NO_BAN);
        return;
    }
    ban->kind = CHAT_BAN_NONE;
    reply_with_target(chat, &target);
}

/* The first ban that holds, from that entry on; bans.seen: there is none. */
static uint32_t next_ban(const struct chat *chat, uint64_t from)
{
    const struct chat_bans *bans = &chat->state.bans;
    uint32_t at = from < bans->seen ? (uint32_t)from : bans->seen;
    while (at < bans->seen && (bans->entries[at].kind == CHAT_BAN_NONE ||
                               bans->entries[at].until_ms <= chat->now_ms)) {
        at++;
    }
    return at;
}

static void pack_ban(struct chat *chat, const struct chat_ban *ban)
{
    uint64_t left_ms = ban->until_ms == UINT64_MAX ? 0 : ban->until_ms - chat->now_ms;
    throng_pack_map(&chat->pack, 3);
    pack_target(chat, ban->kind, &ban->name, &ban->place);
    tell_number(chat, CHAT_KEY_SECONDS, (left_ms + 999) / 1000);
    tell_text(chat, CHAT_KEY_TEXT, ban->reason, strlen(ban->reason));
}

void handle_bans(struct chat *chat)
{
    uint64_t from = 0;
    if (!read_optional_number(chat, CHAT_KEY_FROM, &from)) {
        return;
    }
    const uint32_t end = chat->state.bans.seen;
    const uint32_t first = next_ban(chat, from);
    uint32_t count = 0;
    uint32_t next = first;
    for (; next < end && count < CHAT_PAGE; count++) {
        next = next_ban(chat, (uint64_t)next + 1);
    }
    tell_begin_reply(chat, 2);
    throng_pack_field_array(&chat->pack, CHAT_KEY_BANS, count);
    for (uint32_t at = first; count > 0; count--, at = next_ban(chat, (uint64_t)at + 1)) {
        pack_ban(chat, &chat->state.bans.entries[at]);
    }
    tell_number(chat, CHAT_KEY_NEXT, next < end ? next : 0);
    tell_reply(chat);
}

/* ---- everybody, rooms, looking at someone ---- */

void handle_announce(struct chat *chat)
{
    struct chat_text text;
    if (!read_text(chat, CHAT_KEY_TEXT, CHAT_LINE_BYTES_MAX, &text)) {
        return;
    }
    if (text.size == 0) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_EMPTY, .field = CHAT_KEY_TEXT});
        return;
    }
    tell_begin(chat, CHAT_ANNOUNCED, 2);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_text(chat, CHAT_KEY_TEXT, text.bytes, text.size);
    if (!tell_everybody(chat)) {
        refuse(chat, CHAT_CODE_BUSY);
        return;
    }
    tell_begin_reply(chat, 0);
    tell_reply(chat);
}

/* The library's room is destroyed, which makes all leave at once; the record can have another. */
static void empty_room(struct chat *chat, struct chat_room *room)
{
    const struct chat_seat *seat = chat_seat_at(&chat->state, room->first_seat);
    while (seat != NULL) {
        chat_seat_leave(&chat->state, chat_seat_user(&chat->state, seat), room, chat->now_ms);
        seat = chat_seat_at(&chat->state, room->first_seat);
    }
    (void)chat->outlet.room_destroy(chat->outlet.end, room->heard);
    room->heard.id = 0;
    chat_room_remove(&chat->state, room);
}

void handle_close_room(struct chat *chat)
{
    struct chat_text text;
    struct chat_room *room = read_room(chat);
    if (room == NULL || !read_optional_text(chat, CHAT_KEY_TEXT, CHAT_REASON_BYTES_MAX, &text)) {
        return;
    }
    tell_begin(chat, CHAT_LEFT, 6);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_text(chat, CHAT_KEY_NAME, "", 0);
    tell_number(chat, CHAT_KEY_WHY, CHAT_WHY_CLOSED);
    tell_name(chat, CHAT_KEY_BY, &chat->user->name);
    tell_text(chat, CHAT_KEY_TEXT, text.bytes, text.size);
    if (!tell_room(chat, room, THRONG_NOBODY)) {
        refuse(chat, CHAT_CODE_BUSY);
        return;
    }
    const struct chat_name name = room->name;
    empty_room(chat, room);
    tell_begin_reply(chat, 1);
    tell_name(chat, CHAT_KEY_ROOM, &name);
    tell_reply(chat);
}

void handle_whois(struct chat *chat)
{
    char address[CHAT_PLACE_TEXT_SIZE];
    const struct chat_user *user = read_user(chat);
    if (user == NULL) {
        return;
    }
    bool is_muted = user->muted_until_ms > chat->now_ms;
    (void)chat_place_text(&user->place, address);
    tell_begin_reply(chat, 5);
    tell_name(chat, CHAT_KEY_NAME, &user->name);
    tell_text(chat, CHAT_KEY_ADDRESS, address, strlen(address));
    throng_pack_field_array(&chat->pack, CHAT_KEY_ROOMS, user->seat_count);
    for (const struct chat_seat *seat = chat_seat_at(&chat->state, user->first_seat); seat != NULL;
         seat = chat_seat_at(&chat->state, seat->next_of_user)) {
        const struct chat_name *room = &chat_seat_room(&chat->state, seat)->name;
        throng_pack_string(&chat->pack, room->text, room->size);
    }
    throng_pack_field_bool(&chat->pack, CHAT_KEY_OPERATOR, user->is_operator);
    tell_number(chat, CHAT_KEY_WAIT, is_muted ? user->muted_until_ms - chat->now_ms : 0);
    tell_reply(chat);
}
