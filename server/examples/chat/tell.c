/* SPDX-License-Identifier: MIT
 * Saying things. See tell.h. */
#include "tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Room for a sentence about a refusal. */
#define SENTENCE_SIZE 320

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

/* Adds to a sentence, as far as it has room. */
static size_t append(char sentence[SENTENCE_SIZE], size_t length, const char *format,
                     const char *first, const char *second)
{
    int more = snprintf(sentence + length, SENTENCE_SIZE - length, format, first, second);
    size_t sum = length + (size_t)(more > 0 ? more : 0);
    return sum < SENTENCE_SIZE ? sum : SENTENCE_SIZE - 1;
}

/* "name \"bob\": somebody has this name"; "text: a text is longer than its limit (1500, at most 1024)" */
static size_t write_sentence(char sentence[SENTENCE_SIZE], const struct chat *chat,
                             const struct refusal *refusal)
{
    size_t length = 0;
    sentence[0] = '\0';
    if (refusal->code == CHAT_CODE_MALFORMED) {
        struct throng_error error = {0};
        throng_message_fault_text(&chat->message->fault, &error);
        return append(sentence, 0, "%s%s", error.text, "");
    }
    if (refusal->field != NULL && refusal->value != NULL) {
        length = append(sentence, length, "%s \"%s\": ", refusal->field, refusal->value);
    } else if (refusal->field != NULL) {
        length = append(sentence, length, "%s: %s", refusal->field, "");
    }
    length = append(sentence, length, "%s%s", text_of_code(refusal->code), "");
    if (refusal->limit > 0) {
        char given[24] = "";
        char limit[24];
        (void)snprintf(limit, sizeof(limit), "%" PRIu64, refusal->limit);
        if (refusal->given > 0) {
            (void)snprintf(given, sizeof(given), "%" PRIu64 ", ", refusal->given);
        }
        length = append(sentence, length, " (%sat most %s)", given, limit);
    }
    return length;
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
