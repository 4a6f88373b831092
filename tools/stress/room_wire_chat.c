/* SPDX-License-Identifier: MIT
 * See room_wire.h: the messages of throng-chat-server (server/examples/chat/protocol.h), in builds
 * that have MessagePack. A line names its speaker but no sequence, which room_check knows. The
 * swarm's threads. */
#include "room_wire.h"

#include <string.h>

#include <throng/message.h>

#include "../../server/examples/chat/protocol.h"
#include "sentence.h"

/* Ids of the two requests that a connection has to ask, one after the other. */
#define REQUEST_HELLO 1
#define REQUEST_JOIN 2

/* No history: only lines after this one. */
#define AFTER_ALL UINT64_C(0x7fffffffffffffff)

/* Names, keys, a sentence and their heads. */
#define BYTES_MAX 512u

static size_t bytes_max(const struct stress_options *options)
{
    (void)options;
    return BYTES_MAX;
}

static void *create(const struct stress_options *options)
{
    struct throng_decoder *decoder = NULL;
    const struct throng_message_limits limits = {.bytes_max = options->message_max};
    return throng_decoder_create(&decoder, &limits, NULL) == 0 ? decoder : NULL;
}

static void destroy(void *memory)
{
    throng_decoder_destroy(memory);
}

/* ---- saying ---- */

static size_t end(struct throng_pack *pack)
{
    int64_t size = throng_pack_end(pack);
    return size > 0 ? (size_t)size : 0;
}

static void begin(struct throng_pack *pack, uint8_t *bytes, uint32_t type, int32_t request,
                  uint32_t fields)
{
    throng_pack_to_buffer(pack, bytes, BYTES_MAX);
    throng_pack_envelope(pack, type, request);
    throng_pack_map(pack, fields);
}

static size_t write_hello(const struct stress_options *options, uint32_t connection, uint8_t *bytes)
{
    struct throng_pack pack;
    char name[SENTENCE_NAME_SIZE];
    size_t len = sentence_user(name, connection, options->bots > 0);
    begin(&pack, bytes, CHAT_HELLO, REQUEST_HELLO, 2);
    throng_pack_field_string(&pack, CHAT_KEY_NAME, name, len);
    throng_pack_field_u64(&pack, CHAT_KEY_VERSION, CHAT_VERSION);
    return end(&pack);
}

static size_t write_join(const struct stress_options *options, uint32_t room, uint8_t *bytes)
{
    struct throng_pack pack;
    char name[SENTENCE_NAME_SIZE];
    size_t len = sentence_room(name, room, options->bots > 0);
    begin(&pack, bytes, CHAT_JOIN, REQUEST_JOIN, 2);
    throng_pack_field_string(&pack, CHAT_KEY_ROOM, name, len);
    throng_pack_field_u64(&pack, CHAT_KEY_AFTER, AFTER_ALL);
    return end(&pack);
}

static size_t write_say(const struct stress_options *options, const struct room_words *words,
                        uint8_t *bytes)
{
    struct throng_pack pack;
    char name[SENTENCE_NAME_SIZE];
    char text[SENTENCE_SIZE];
    size_t name_len = sentence_room(name, words->room, options->bots > 0);
    size_t text_len =
        sentence_write(text, options->seed, words->connection, words->room, words->sequence);
    begin(&pack, bytes, CHAT_SAY, 0, 2);
    throng_pack_field_string(&pack, CHAT_KEY_ROOM, name, name_len);
    throng_pack_field_string(&pack, CHAT_KEY_TEXT, text, text_len);
    return end(&pack);
}

/* ---- hearing ---- */

static bool read_room(struct throng_message *message, bool like_people, struct room_news *news)
{
    const char *name;
    size_t len;
    return throng_body_string(message, CHAT_KEY_ROOM, &name, &len) == 0 &&
           sentence_read_room(name, len, like_people, &news->room) &&
           throng_body_u64(message, CHAT_KEY_SEQ, &news->number) == 0;
}

static void read_line(struct throng_message *message, bool like_people, struct room_news *news)
{
    const char *from;
    size_t from_len;
    if (!read_room(message, like_people, news) ||
        throng_body_string(message, CHAT_KEY_FROM, &from, &from_len) != 0 ||
        throng_body_string(message, CHAT_KEY_TEXT, &news->text, &news->text_len) != 0) {
        return;
    }
    news->kind = ROOM_NEWS_LINE;
    news->sequence = UINT64_MAX;
    if (!sentence_read_user(from, from_len, like_people, &news->sender)) {
        news->sender = ROOM_NOT_OURS;
    }
}

static const char *text_of(uint32_t code)
{
    switch (code) {
#define TEXT_OF(name, number, text)                                                                \
    case number:                                                                                   \
        return text;
        CHAT_CODE_MAP(TEXT_OF)
#undef TEXT_OF
    default:
        return "no, without a reason";
    }
}

static void read_refusal(struct throng_message *message, struct room_news *news)
{
    news->kind = ROOM_NEWS_REFUSED;
    if (throng_body_string(message, CHAT_KEY_TEXT, &news->text, &news->text_len) == 0 &&
        news->text_len > 0) {
        return;
    }
    uint32_t code = 0;
    (void)throng_body_u32(message, CHAT_KEY_CODE, &code);
    news->text = text_of(code);
    news->text_len = strlen(news->text);
}

static void read_news(void *memory, const struct stress_options *options, const void *data,
                      size_t size, struct room_news *news)
{
    bool like_people = options->bots > 0;
    struct throng_message message;
    *news = (struct room_news){.kind = ROOM_NEWS_BROKEN};
    if (throng_decode(memory, data, size, &message) != 0) {
        return;
    }
    switch (message.type) {
    case CHAT_LINE:
        read_line(&message, like_people, news);
        return;
    case CHAT_HELLO:
        news->kind = message.is_reply ? ROOM_NEWS_GREETED : ROOM_NEWS_BROKEN;
        return;
    case CHAT_JOIN:
        if (message.is_reply && read_room(&message, like_people, news)) {
            news->kind = ROOM_NEWS_JOINED;
            news->number++; /* it is the room's last one */
        }
        return;
    case THRONG_MESSAGE_TYPE_ERROR:
    case CHAT_REFUSED:
    case CHAT_GOODBYE:
    case CHAT_KICKED:
    case CHAT_MUTED:
        read_refusal(&message, news);
        return;
    default:
        news->kind = ROOM_NEWS_NONE; /* who comes and goes, topics, announcements, warnings */
        return;
    }
}

static bool matches(const struct stress_options *options, const struct room_news *news,
                    const struct room_words *words)
{
    char text[SENTENCE_SIZE];
    size_t len =
        sentence_write(text, options->seed, words->connection, words->room, words->sequence);
    return len == news->text_len && memcmp(text, news->text, len) == 0;
}

const struct room_wire room_wire_chat = {
    .bytes_max = bytes_max,
    .create = create,
    .destroy = destroy,
    .hello = write_hello,
    .join = write_join,
    .say = write_say,
    .read = read_news,
    .matches = matches,
};
