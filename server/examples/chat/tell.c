/* SPDX-License-Identifier: MIT
 * Saying things. See tell.h. */
#include "tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Room for a sentence about a refusal. */
#define SENTENCE_SIZE 384

/* Two numbers of 20 digits, and words. */
#define BOUNDS_SIZE 64

void tell_begin(struct chat *chat, enum chat_type type, uint32_t fields)
{
    throng_pack_to_buffer(&chat->pack, chat->out, chat->room_for);
    throng_pack_envelope(&chat->pack, type, 0);
    throng_pack_map(&chat->pack, fields);
}

static void begin_answer(struct chat *chat, uint32_t type, uint32_t fields)
{
    throng_pack_to_buffer(&chat->pack, chat->out, chat->room_for);
    throng_pack_envelope(&chat->pack, type, throng_message_reply_id(chat->message));
    throng_pack_map(&chat->pack, fields);
}

void tell_begin_reply(struct chat *chat, uint32_t fields)
{
    begin_answer(chat, chat->message->type, fields);
}

void tell_name(struct chat *chat, const char *key, const struct chat_name *name)
{
    throng_pack_field_string(&chat->pack, key, name->text, name->size);
}

void tell_text(struct chat *chat, const char *key, const char *text, size_t size)
{
    throng_pack_field_string(&chat->pack, key, text, size);
}

void tell_number(struct chat *chat, const char *key, uint64_t number)
{
    throng_pack_field_u64(&chat->pack, key, number);
}

void tell_user(struct chat *chat, const struct chat_user *user)
{
    int64_t size = throng_pack_end(&chat->pack);
    int result = size < 0
                     ? (int)size
                     : chat->outlet.write(chat->outlet.end, user->conn, chat->out, (size_t)size);
    /* One that is gone or going needs nothing more. */
    if (result != 0 && result != THRONG_ESTALE && result != THRONG_ECLOSING) {
        (void)chat->outlet.abort(chat->outlet.end, user->conn);
    }
}

void tell_reply(struct chat *chat)
{
    if (throng_message_reply_id(chat->message) != 0) {
        tell_user(chat, chat->user);
    }
}

static bool broadcast(struct chat *chat, throng_room heard, throng_conn except)
{
    int64_t size = throng_pack_end(&chat->pack);
    return size >= 0 && chat->outlet.room_broadcast(chat->outlet.end, heard, chat->out,
                                                    (size_t)size, except) == 0;
}

bool tell_room(struct chat *chat, const struct chat_room *room, throng_conn except)
{
    return broadcast(chat, room->heard, except);
}

bool tell_everybody(struct chat *chat)
{
    return broadcast(chat, chat->everybody, THRONG_NOBODY);
}

void tell_members(struct chat *chat, struct chat_room *room, throng_conn except)
{
    if (room->members > 0 && !tell_room(chat, room, except)) {
        room->is_stale = true;
    }
}

static const char *text_of_code(enum chat_code code)
{
    switch (code) {
#define CODE_CASE(name, number, text)                                                              \
    case CHAT_CODE_##name:                                                                         \
        return text;
        CHAT_CODE_MAP(CODE_CASE)
#undef CODE_CASE
    case CHAT_CODE_NONE:
        break;
    }
    return "";
}

/* "name \"bob\": " or "text: " */
static void write_subject(char subject[SENTENCE_SIZE], const struct refusal *refusal)
{
    subject[0] = '\0';
    if (refusal->field != NULL && refusal->value != NULL) {
        (void)snprintf(subject, SENTENCE_SIZE, "%s \"%s\": ", refusal->field, refusal->value);
    } else if (refusal->field != NULL) {
        (void)snprintf(subject, SENTENCE_SIZE, "%s: ", refusal->field);
    }
}

/* " (1500, at most 1024)" */
static void write_bounds(char bounds[BOUNDS_SIZE], const struct refusal *refusal)
{
    bounds[0] = '\0';
    if (refusal->limit > 0 && refusal->given > 0) {
        (void)snprintf(bounds, BOUNDS_SIZE, " (%" PRIu64 ", at most %" PRIu64 ")", refusal->given,
                       refusal->limit);
    } else if (refusal->limit > 0) {
        (void)snprintf(bounds, BOUNDS_SIZE, " (at most %" PRIu64 ")", refusal->limit);
    }
}

/* The longest subject, a room with its key, and the longest text of a code fit. */
static size_t write_sentence(char sentence[SENTENCE_SIZE], const struct chat *chat,
                             const struct refusal *refusal)
{
    char subject[SENTENCE_SIZE];
    char bounds[BOUNDS_SIZE];
    int length = 0;
    if (refusal->code == CHAT_CODE_MALFORMED) {
        struct throng_error error = {0};
        throng_message_fault_text(&chat->message->fault, &error);
        length = snprintf(sentence, SENTENCE_SIZE, "%s", error.text);
    } else {
        write_subject(subject, refusal);
        write_bounds(bounds, refusal);
        length = snprintf(sentence, SENTENCE_SIZE, "%s%s%s", subject, text_of_code(refusal->code),
                          bounds);
    }
    size_t written = length > 0 ? (size_t)length : 0;
    return written < SENTENCE_SIZE ? written : SENTENCE_SIZE - 1;
}

void tell_refused(struct chat *chat, const struct refusal *refusal)
{
    char sentence[SENTENCE_SIZE];
    size_t length = write_sentence(sentence, chat, refusal);
    const char *field = refusal->field != NULL ? refusal->field : "";
    begin_answer(chat, CHAT_REFUSED, 6);
    tell_number(chat, CHAT_KEY_CODE, refusal->code);
    tell_number(chat, CHAT_KEY_OF, chat->message->type);
    tell_text(chat, CHAT_KEY_TEXT, sentence, length);
    tell_text(chat, CHAT_KEY_FIELD, field, strlen(field));
    tell_number(chat, CHAT_KEY_LIMIT, refusal->limit);
    tell_number(chat, CHAT_KEY_WAIT, refusal->wait_ms);
    tell_user(chat, chat->user);
}

void tell_muted(struct chat *chat, const struct chat_user *user, uint64_t wait_ms,
                const struct chat_user *by, const char *text, size_t size)
{
    tell_begin(chat, CHAT_MUTED, 3);
    tell_number(chat, CHAT_KEY_WAIT, wait_ms);
    tell_text(chat, CHAT_KEY_BY, by != NULL ? by->name.text : "", by != NULL ? by->name.size : 0);
    tell_text(chat, CHAT_KEY_TEXT, text, size);
    tell_user(chat, user);
}
