/* SPDX-License-Identifier: MIT
 * The options as throng/options.h describes them, written down once more as literals: for
 * test_options.c (from text) and test_option_table.c (what is told of them, and the start). */
#ifndef TEST_OPTION_ROWS_H
#define TEST_OPTION_ROWS_H

#include <string.h>

#include "check.h"
#include "config.h"

#define OPTION_FIELD(name)                                                                         \
#name, offsetof(struct throng_server_options, name),                                           \
        sizeof(((struct throng_server_options *)0)->name)

/* The header's words once more. `word` stands for UINT32_MAX. */
static const struct option_row {
    const char *name;
    size_t offset;
    size_t size;
    uint64_t fallback;
    uint64_t least;
    uint64_t most;
    const char *word;
    const char *unit;
    const char *fallback_text;
    const char *range;
} option_numbers[] = {
    {OPTION_FIELD(max_connections), 65000, 1, 1048575, NULL, "connections", "65000", "1..1048575"},
    {OPTION_FIELD(io_threads), UINT32_MAX, 0, 64, "auto", "threads", "auto", "0..64 | auto"},
    {OPTION_FIELD(message_bytes_max), 65536, 1, 67108864, NULL, "bytes", "65536", "1..67108864"},
    {OPTION_FIELD(backlog), 4096, 1, 1048576, NULL, "connections", "4096", "1..1048576"},
    {OPTION_FIELD(send_queue_bytes_max), 0, 512, 2147483648, NULL, "bytes",
     "262144 or two longest messages", "512..2147483648"},
    {OPTION_FIELD(send_small_bytes), 0, 512, 68719476736, NULL, "bytes",
     "33554432 or two longest messages", "512..68719476736"},
    {OPTION_FIELD(send_large_bytes), 16777216, 16896, 68719476736, NULL, "bytes", "16777216",
     "16896..68719476736"},
    {OPTION_FIELD(assembly_bytes), 0, 512, 68719476736, NULL, "bytes",
     "8388608 or four longest messages", "512..68719476736"},
    {OPTION_FIELD(receive_buffers), 32, 4, 65536, NULL, "buffers", "32", "4..65536"},
    {OPTION_FIELD(receive_buffer_bytes), 65536, 4096, 4194304, NULL, "bytes", "65536",
     "4096..4194304"},
    {OPTION_FIELD(events_max), 8192, 64, 1048576, NULL, "events", "8192", "64..1048576"},
    {OPTION_FIELD(socket_send_bytes), 0, 0, 1073741824, NULL, "bytes", "0", "0..1073741824"},
    {OPTION_FIELD(socket_receive_bytes), 0, 0, 1073741824, NULL, "bytes", "0", "0..1073741824"},
    {OPTION_FIELD(linger_ms), 2000, 1, 600000, NULL, "ms", "2000", "1..600000"},
    {OPTION_FIELD(accept_pool), 256, 1, 65536, NULL, "sockets", "256", "1..65536"},
    {OPTION_FIELD(first_message_timeout_ms), 120000, 1, 86400000, "off", "ms", "120000",
     "1..86400000 | off"},
    {OPTION_FIELD(message_timeout_ms), 0, 1, 86400000, "off", "ms",
     "10000, or a longest message at 16 KiB/s", "1..86400000 | off"},
    {OPTION_FIELD(idle_timeout_ms), 0, 0, 86400000, NULL, "ms", "0", "0..86400000"},
    {OPTION_FIELD(write_timeout_ms), 10000, 1, 86400000, "off", "ms", "10000", "1..86400000 | off"},
    {OPTION_FIELD(reader_rate_min), 256, 1, 1073741824, NULL, "bytes/s", "256", "1..1073741824"},
    {OPTION_FIELD(heartbeat_ms), 0, 0, 86400000, NULL, "ms", "0", "0..86400000"},
    {OPTION_FIELD(keepalive_s), 120, 1, 32767, "off", "s", "120", "1..32767 | off"},
    {OPTION_FIELD(user_timeout_ms), 0, 1, 86400000, "off", "ms", "keepalive-s and 60 s",
     "1..86400000 | off"},
    {OPTION_FIELD(logic_stall_ms), 1000, 1, 86400000, "off", "ms", "1000", "1..86400000 | off"},
    {OPTION_FIELD(send_reserve_percent), 25, 1, 90, NULL, "%", "25", "1..90"},
    {OPTION_FIELD(turn_messages), 256, 1, 65536, NULL, "messages", "256", "1..65536"},
    {OPTION_FIELD(messages_per_s), 0, 0, 1073741824, NULL, "messages/s", "0", "0..1073741824"},
    {OPTION_FIELD(messages_burst), 0, 0, 1073741824, NULL, "messages", "0", "0..1073741824"},
    {OPTION_FIELD(bytes_per_s), 0, 0, 1073741824, NULL, "bytes/s", "0", "0..1073741824"},
    {OPTION_FIELD(bytes_burst), 0, 0, 1073741824, NULL, "bytes", "0", "0..1073741824"},
    {OPTION_FIELD(connections_per_address), 0, 0, 1048575, NULL, "connections", "0", "0..1048575"},
    {OPTION_FIELD(evict_silent_ms), 10000, 1, 86400000, "off", "ms", "10000", "1..86400000 | off"},
    {OPTION_FIELD(rooms_max), 4096, 1, 1048575, NULL, "rooms", "4096", "1..1048575"},
    {OPTION_FIELD(room_members_max), 0, 1, 16777216, NULL, "members", "two for each connection",
     "1..16777216"},
    {OPTION_FIELD(rooms_per_connection), 64, 1, 65535, NULL, "rooms", "64", "1..65535"},
    {OPTION_FIELD(room_references_max), 0, 64, 16777216, NULL, "messages",
     "65536 or four for each connection", "64..16777216"},
    {OPTION_FIELD(timers_max), 4096, 1, 1048576, NULL, "timers", "4096", "1..1048576"},
    {OPTION_FIELD(posts_max), 4096, 1, 1048576, NULL, "posts", "4096", "1..1048576"},
};

static const struct option_choice {
    const char *name;
    size_t offset;
    size_t size;
    const char *words[4];
    const char *unit;
} option_choices[] = {
    {OPTION_FIELD(byte_order), {"big", "little"}, "big | little"},
    {OPTION_FIELD(when_full), {"refuse", "backlog"}, "refuse | backlog"},
    {OPTION_FIELD(reuse_sockets), {"no", "yes"}, "no | yes"},
    {OPTION_FIELD(when_send_full),
     {"refuse", "close", "drop_oldest"},
     "refuse | close | drop_oldest"},
    {OPTION_FIELD(when_over_rate), {"slow", "close"}, "slow | close"},
};

#define OPTION_NUMBERS (sizeof(option_numbers) / sizeof(option_numbers[0]))
#define OPTION_CHOICES (sizeof(option_choices) / sizeof(option_choices[0]))

/* Sets a field, or every 32-bit value of one that is an array. */
static inline void put_option(struct throng_server_options *options, size_t offset, size_t size,
                              uint64_t value)
{
    uint8_t narrow = (uint8_t)value;
    uint32_t number = (uint32_t)value;
    char *place = (char *)options + offset;
    if (size == sizeof(narrow)) {
        memcpy(place, &narrow, sizeof(narrow));
    } else if (size == sizeof(value)) {
        memcpy(place, &value, sizeof(value));
    } else {
        for (size_t at = 0; at < size; at += sizeof(number)) {
            memcpy(place + at, &number, sizeof(number));
        }
    }
}

static inline void expect_part(const struct throng_error *error, const char *part)
{
    if (strstr(error->text, part) == NULL) {
        fail_msg("\"%s\" does not name \"%s\"", error->text, part);
    }
}

#endif
