/* SPDX-License-Identifier: MIT
 * See room_wire.h and room_line.h: the messages of throng-rooms. Pure; the swarm's threads. */
#include "room_wire.h"

#include <string.h>

#include "room_line.h"

/* The payload depends on the time too, so that a byte of it that was changed is found out; and on
 * the room, so that a line in the wrong one is. */
static struct payload_kind kind_of(const struct stress_options *options, uint32_t room,
                                   uint64_t time_ns)
{
    uint64_t seed = options->seed ^ time_ns ^ (uint64_t)room << 40;
    return (struct payload_kind){seed, options->size_min, options->size_max};
}

static size_t bytes_max(const struct stress_options *options)
{
    return ROOM_ASK_BYTES + ROOM_TIME_BYTES + (size_t)options->size_max;
}

static size_t ask(uint8_t letter, uint32_t room, uint8_t *bytes)
{
    bytes[0] = letter;
    room_put(bytes + 1, room, 4);
    return ROOM_ASK_BYTES;
}

static size_t write_join(const struct stress_options *options, uint32_t room, uint8_t *bytes)
{
    (void)options;
    return ask(ROOM_JOIN, room, bytes);
}

static size_t write_say(const struct stress_options *options, const struct room_words *words,
                        uint8_t *bytes)
{
    struct payload_kind kind = kind_of(options, words->room, words->time_ns);
    size_t at = ask(ROOM_SAY, words->room, bytes);
    room_put(bytes + at, words->time_ns, ROOM_TIME_BYTES);
    at += ROOM_TIME_BYTES;
    return at + payload_fill(&kind, words->connection, words->sequence, bytes + at);
}

static void read_news(void *memory, const struct stress_options *options, const void *data,
                      size_t size, struct room_news *news)
{
    (void)memory;
    (void)options;
    const uint8_t *bytes = data;
    *news = (struct room_news){.kind = ROOM_NEWS_BROKEN};
    if (size > 0 && bytes[0] == '?') {
        news->kind = ROOM_NEWS_REFUSED;
        news->text = (const char *)bytes + 1;
        news->text_len = size - 1;
        return;
    }
    if (size < ROOM_HEAD_BYTES) {
        return;
    }
    news->room = (uint32_t)room_get(bytes + 1, 4);
    news->number = room_get(bytes + ROOM_ASK_BYTES, 8);
    if (bytes[0] == ROOM_JOIN && size == ROOM_HEAD_BYTES) {
        news->kind = ROOM_NEWS_JOINED;
    } else if (bytes[0] == ROOM_SAY && size >= ROOM_LINE_BYTES) {
        news->kind = ROOM_NEWS_LINE;
        news->time_ns = room_get(bytes + ROOM_HEAD_BYTES, ROOM_TIME_BYTES);
        news->text = (const char *)bytes + ROOM_LINE_BYTES;
        news->text_len = size - ROOM_LINE_BYTES;
        if (!payload_names(news->text, news->text_len, &news->sender, &news->sequence)) {
            news->sender = ROOM_UNKNOWN;
        }
    }
}

static bool matches(const struct stress_options *options, const struct room_news *news,
                    const struct room_words *words)
{
    struct payload_kind kind = kind_of(options, words->room, news->time_ns);
    return payload_matches(&kind, words->connection, words->sequence, news->text, news->text_len);
}

const struct room_wire room_wire_raw = {
    .bytes_max = bytes_max,
    .join = write_join,
    .say = write_say,
    .read = read_news,
    .matches = matches,
};
