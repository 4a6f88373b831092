/* SPDX-License-Identifier: MIT
 * What users ask for. See handlers.h; README.md has the protocol in words. */
#include "handlers.h"

#include <string.h>

/* ---- hello and names ---- */

/* Whether the user at hand may have this name. */
static bool name_is_allowed(struct chat *chat, const struct chat_name *name)
{
    struct refusal refusal = {.field = CHAT_KEY_NAME, .value = name->text};
    const struct chat_user *holder = chat_user_find(&chat->state, name);
    struct chat_bans *bans = &chat->state.bans;
    const struct chat_ban *ban = chat_bans_find(bans, CHAT_BAN_NAME, name, NULL, chat->now_ms);
    if (ban == NULL) { /* the address may have been banned since it connected */
        ban = chat_bans_find(bans, CHAT_BAN_PLACE, NULL, &chat->user->place, chat->now_ms);
    }
    if (ban != NULL) {
        refusal.code = CHAT_CODE_BANNED;
        refusal.wait_ms = ban->until_ms == UINT64_MAX ? 0 : ban->until_ms - chat->now_ms;
    } else if (chat_name_is_reserved(name)) {
        refusal.code = CHAT_CODE_RESERVED;
    } else if (holder != NULL && holder != chat->user) {
        refusal.code = CHAT_CODE_NAME_TAKEN;
    } else {
        return true;
    }
    tell_refused(chat, &refusal);
    return false;
}

/* A mute belongs to the name, so that coming again does not end it. */
static void take_mute_of_name(struct chat *chat, struct chat_user *user)
{
    const struct chat_ban *mute =
        chat_bans_find(&chat->state.mutes, CHAT_BAN_MUTE, &user->name, NULL, chat->now_ms);
    if (mute != NULL && mute->until_ms > user->muted_until_ms) {
        user->muted_until_ms = mute->until_ms;
    }
}

static void reply_to_hello(struct chat *chat)
{
    tell_begin_reply(chat, 6);
    tell_name(chat, CHAT_KEY_NAME, &chat->user->name);
    tell_number(chat, CHAT_KEY_VERSION, CHAT_VERSION);
    tell_number(chat, CHAT_KEY_NOW, chat->wall_ms);
    tell_number(chat, CHAT_KEY_USERS, chat->state.user_count);
    tell_number(chat, CHAT_KEY_ROOMS, chat->state.room_count);
    throng_pack_field_map(&chat->pack, CHAT_KEY_LIMITS, 8);
    tell_number(chat, "line_bytes", CHAT_LINE_BYTES_MAX);
    tell_number(chat, "topic_bytes", CHAT_TOPIC_BYTES_MAX);
    tell_number(chat, "name_chars", CHAT_NAME_CHARS_MAX);
    tell_number(chat, "room_chars", CHAT_ROOM_CHARS_MAX);
    tell_number(chat, "joined", CHAT_JOINED_MAX);
    tell_number(chat, "history_lines", chat->settings.sizes.history_lines);
    tell_number(chat, "flood_lines", chat->settings.lines.burst);
    tell_number(chat, "flood_per_s", chat->settings.lines.per_s);
    tell_reply(chat);
}

void handle_hello(struct chat *chat)
{
    uint32_t version = 0;
    struct chat_name name;
    if (throng_body_u32(chat->message, CHAT_KEY_VERSION, &version) != 0) {
        tell_refused(chat,
                     &(struct refusal){.code = CHAT_CODE_MALFORMED, .field = CHAT_KEY_VERSION});
        return;
    }
    if (version != CHAT_VERSION) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_VERSION,
                                             .field = CHAT_KEY_VERSION,
                                             .given = version,
                                             .limit = CHAT_VERSION});
        return;
    }
    if (!read_user_name(chat, &name) || !name_is_allowed(chat, &name)) {
        return;
    }
    if (chat->outlet.room_join(chat->outlet.end, chat->everybody, chat->user->conn) != 0) {
        refuse(chat, CHAT_CODE_BUSY);
        return;
    }
    (void)chat_user_rename(&chat->state, chat->user, &name);
    take_mute_of_name(chat, chat->user);
    reply_to_hello(chat);
}

static void announce_rename(struct chat *chat, const struct chat_name *old)
{
    const struct chat_user *user = chat->user;
    for (const struct chat_seat *seat = chat_seat_at(&chat->state, user->first_seat); seat != NULL;
         seat = chat_seat_at(&chat->state, seat->next_of_user)) {
        struct chat_room *room = chat_seat_room(&chat->state, seat);
        tell_begin(chat, CHAT_RENAMED, 4);
        tell_name(chat, CHAT_KEY_ROOM, &room->name);
        tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
        tell_name(chat, CHAT_KEY_OLD, old);
        tell_name(chat, CHAT_KEY_NAME, &user->name);
        tell_members(chat, room, THRONG_NOBODY);
    }
}

void handle_name(struct chat *chat)
{
    struct chat_name name;
    if (!read_user_name(chat, &name) || !name_is_allowed(chat, &name)) {
        return;
    }
    const struct chat_name old = chat->user->name;
    (void)chat_user_rename(&chat->state, chat->user, &name);
    take_mute_of_name(chat, chat->user);
    announce_rename(chat, &old);
    tell_begin_reply(chat, 1);
    tell_name(chat, CHAT_KEY_NAME, &chat->user->name);
    tell_reply(chat);
}

/* ---- rooms ---- */

static void reply_to_join(struct chat *chat, const struct chat_room *room, uint64_t after)
{
    const struct chat_history *history = &room->history;
    /* Who has seen a later line than there is knew an earlier room of this name. */
    uint32_t first = 0;
    while (after <= room->seq && first < history->count &&
           chat_history_at(history, first)->seq <= after) {
        first++;
    }
    tell_begin_reply(chat, 6);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_text(chat, CHAT_KEY_TOPIC, room->topic, room->topic_size);
    tell_text(chat, CHAT_KEY_BY, room->topic_by, strlen(room->topic_by));
    tell_number(chat, CHAT_KEY_SEQ, room->seq);
    tell_number(chat, CHAT_KEY_MEMBERS, room->members);
    throng_pack_field_array(&chat->pack, CHAT_KEY_LINES, history->count - first);
    for (uint32_t i = first; i < history->count; i++) {
        const struct chat_history_entry *entry = chat_history_at(history, i);
        throng_pack_encoded(&chat->pack, history->bytes + entry->offset, entry->size);
    }
    tell_reply(chat);
}

static bool open_room(struct chat *chat, struct chat_room *room)
{
    return room->heard.id != 0 || chat->outlet.room_create(chat->outlet.end, &room->heard) == 0;
}

/* A room of that name. NULL: it was refused. */
static struct chat_room *make_room(struct chat *chat, const struct chat_name *name)
{
    struct chat_room *room = chat_room_create(&chat->state, name, chat->now_ms);
    if (room == NULL) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_TOO_MANY_ROOMS,
                                             .field = CHAT_KEY_ROOM,
                                             .value = name->text,
                                             .limit = chat->settings.sizes.rooms_max});
    } else if (!open_room(chat, room)) {
        chat_room_remove(&chat->state, room);
        room = NULL;
        refuse(chat, CHAT_CODE_BUSY); /* one that was closed still counts in the library */
    }
    return room;
}

/* Whether the user at hand may have a seat there. */
static bool seat_is_allowed(struct chat *chat, const struct chat_room *room)
{
    struct refusal refusal = {.field = CHAT_KEY_ROOM, .value = room->name.text};
    if (chat_seat_find(&chat->state, chat->user, room) != NULL) {
        refusal.code = CHAT_CODE_MEMBER_ALREADY;
    } else if (room->members >= chat->settings.room_users_max) {
        refusal.code = CHAT_CODE_ROOM_FULL;
        refusal.limit = chat->settings.room_users_max;
    } else {
        return true;
    }
    tell_refused(chat, &refusal);
    return false;
}

static bool take_seat(struct chat *chat, struct chat_room *room)
{
    if (chat_seat_take(&chat->state, chat->user, room) == NULL) {
        return false;
    }
    if (chat->outlet.room_join(chat->outlet.end, room->heard, chat->user->conn) != 0) {
        chat_seat_leave(&chat->state, chat->user, room, chat->now_ms);
        return false;
    }
    return true;
}

void handle_join(struct chat *chat)
{
    struct chat_name name;
    uint64_t after = 0;
    if (!read_room_name(chat, &name) || !read_optional_number(chat, CHAT_KEY_AFTER, &after)) {
        return;
    }
    struct chat_room *room = chat_room_find(&chat->state, &name);
    /* Before a room is made that would stay empty. */
    if (chat->user->seat_count == CHAT_JOINED_MAX &&
        (room == NULL || chat_seat_find(&chat->state, chat->user, room) == NULL)) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_TOO_MANY_JOINED,
                                             .field = CHAT_KEY_ROOM,
                                             .value = name.text,
                                             .limit = CHAT_JOINED_MAX});
        return;
    }
    room = room != NULL ? room : make_room(chat, &name);
    if (room == NULL || !seat_is_allowed(chat, room)) {
        return;
    }
    if (!take_seat(chat, room)) {
        refuse(chat, CHAT_CODE_BUSY);
        return;
    }
    tell_begin(chat, CHAT_JOINED, 3);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_name(chat, CHAT_KEY_NAME, &chat->user->name);
    tell_members(chat, room, chat->user->conn);
    reply_to_join(chat, room, after);
}

void handle_leave(struct chat *chat)
{
    struct chat_room *room = read_own_room(chat);
    if (room == NULL) {
        return;
    }
    leave_room(chat, chat->user, room, &(struct leaving){.why = CHAT_WHY_LEFT, .text.bytes = ""});
    tell_begin_reply(chat, 1);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_reply(chat);
}

/* Rooms from record `from` on, one page: how many, and where the next page begins (0: nowhere). */
static uint32_t count_page(const struct chat *chat, const struct chat_room *room, uint64_t *next)
{
    uint32_t count = 0;
    while (room != NULL && count < CHAT_PAGE) {
        count++;
        room = chat_room_next(&chat->state, room);
    }
    *next = room == NULL ? 0 : (uint64_t)(room - chat->state.rooms);
    return count;
}

void handle_rooms(struct chat *chat)
{
    uint64_t from = 0;
    uint64_t next = 0;
    if (!read_optional_number(chat, CHAT_KEY_FROM, &from)) {
        return;
    }
    const struct chat_room *room = NULL;
    if (from < chat->settings.sizes.rooms_max) {
        room = chat_room_next(&chat->state, from == 0 ? NULL : &chat->state.rooms[from - 1]);
    }
    uint32_t count = count_page(chat, room, &next);
    tell_begin_reply(chat, 2);
    throng_pack_field_array(&chat->pack, CHAT_KEY_ROOMS, count);
    for (; count > 0; count--, room = chat_room_next(&chat->state, room)) {
        throng_pack_map(&chat->pack, 3);
        tell_name(chat, CHAT_KEY_ROOM, &room->name);
        tell_number(chat, CHAT_KEY_MEMBERS, room->members);
        tell_text(chat, CHAT_KEY_TEXT, room->topic, room->topic_size);
    }
    tell_number(chat, CHAT_KEY_NEXT, next);
    tell_reply(chat);
}

void handle_who(struct chat *chat)
{
    uint64_t from = 0;
    const struct chat_room *room = read_own_room(chat);
    if (room == NULL || !read_optional_number(chat, CHAT_KEY_FROM, &from)) {
        return;
    }
    const struct chat_seat *first = chat_seat_at(&chat->state, room->first_seat);
    while (first != NULL && first->number < from) {
        first = chat_seat_at(&chat->state, first->next_in_room);
    }
    uint32_t count = 0;
    const struct chat_seat *end = first;
    for (; end != NULL && count < CHAT_PAGE; count++) {
        end = chat_seat_at(&chat->state, end->next_in_room);
    }
    tell_begin_reply(chat, 3);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    throng_pack_field_array(&chat->pack, CHAT_KEY_NAMES, count);
    for (const struct chat_seat *seat = first; seat != end;
         seat = chat_seat_at(&chat->state, seat->next_in_room)) {
        const struct chat_name *name = &chat_seat_user(&chat->state, seat)->name;
        throng_pack_string(&chat->pack, name->text, name->size);
    }
    tell_number(chat, CHAT_KEY_NEXT, end == NULL ? 0 : end->number);
    tell_reply(chat);
}

void handle_topic(struct chat *chat)
{
    struct chat_text text;
    struct chat_room *room = read_own_room(chat);
    if (room == NULL || !read_text(chat, CHAT_KEY_TEXT, CHAT_TOPIC_BYTES_MAX, &text)) {
        return;
    }
    tell_begin(chat, CHAT_TOPIC_IS, 4);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_name(chat, CHAT_KEY_BY, &chat->user->name);
    tell_text(chat, CHAT_KEY_TEXT, text.bytes, text.size);
    if (!tell_room(chat, room, THRONG_NOBODY)) {
        refuse(chat, CHAT_CODE_BUSY);
        return;
    }
    memcpy(room->topic, text.bytes, text.size);
    room->topic_size = text.size;
    memcpy(room->topic_by, chat->user->name.text, (size_t)chat->user->name.size + 1);
    tell_begin_reply(chat, 1);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_reply(chat);
}

/* ---- speaking ---- */

/* The body of LINE goes out and into the history as the same bytes. Answers its size. */
static size_t pack_line(struct chat *chat, const struct chat_room *room,
                        const struct chat_text *text, bool me)
{
    throng_pack_to_buffer(&chat->pack, chat->line, sizeof(chat->line));
    throng_pack_map(&chat->pack, 6);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_number(chat, CHAT_KEY_SEQ, room->seq + 1);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_name(chat, CHAT_KEY_FROM, &chat->user->name);
    tell_text(chat, CHAT_KEY_TEXT, text->bytes, text->size);
    throng_pack_field_bool(&chat->pack, CHAT_KEY_ME, me);
    int64_t size = throng_pack_end(&chat->pack);
    return size < 0 ? 0 : (size_t)size;
}

static bool read_words(struct chat *chat, struct chat_text *text)
{
    if (!read_text(chat, CHAT_KEY_TEXT, CHAT_LINE_BYTES_MAX, text)) {
        return false;
    }
    if (text->size == 0) {
        tell_refused(chat, &(struct refusal){.code = CHAT_CODE_EMPTY, .field = CHAT_KEY_TEXT});
    }
    return text->size > 0;
}

static void speak(struct chat *chat, bool me)
{
    struct chat_text text;
    struct chat_room *room = read_own_room(chat);
    if (room == NULL || !read_words(chat, &text)) {
        return;
    }
    size_t size = pack_line(chat, room, &text, me);
    throng_pack_to_buffer(&chat->pack, chat->out, chat->room_for);
    throng_pack_envelope(&chat->pack, CHAT_LINE, 0);
    throng_pack_encoded(&chat->pack, chat->line, size);
    if (!tell_room(chat, room, THRONG_NOBODY)) {
        refuse(chat, CHAT_CODE_BUSY); /* nobody has it, and its number is still free */
        return;
    }
    room->seq++;
    chat_history_add(&room->history, room->seq, chat->line, size);
    tell_begin_reply(chat, 3);
    tell_name(chat, CHAT_KEY_ROOM, &room->name);
    tell_number(chat, CHAT_KEY_SEQ, room->seq);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_reply(chat);
}

void handle_say(struct chat *chat)
{
    speak(chat, false);
}

void handle_me(struct chat *chat)
{
    speak(chat, true);
}

void handle_tell(struct chat *chat)
{
    struct chat_text text;
    const struct chat_user *to = read_user(chat);
    if (to == NULL || !read_words(chat, &text)) {
        return;
    }
    tell_begin(chat, CHAT_PRIVATE, 3);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_name(chat, CHAT_KEY_FROM, &chat->user->name);
    tell_text(chat, CHAT_KEY_TEXT, text.bytes, text.size);
    int64_t size = throng_pack_end(&chat->pack);
    if (size < 0 || chat->outlet.write(chat->outlet.end, to->conn, chat->out, (size_t)size) != 0) {
        refuse(chat, CHAT_CODE_BUSY); /* there is no memory, or the other is just going */
        return;
    }
    tell_begin_reply(chat, 2);
    tell_name(chat, CHAT_KEY_NAME, &to->name);
    tell_number(chat, CHAT_KEY_AT, chat->wall_ms);
    tell_reply(chat);
}

void handle_ping(struct chat *chat)
{
    tell_begin_reply(chat, 1);
    tell_number(chat, CHAT_KEY_NOW, chat->wall_ms);
    tell_reply(chat);
}
