/* SPDX-License-Identifier: MIT
 * The chat's options. See settings.h. */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rooms that one connection can be in are its user's and the one of everybody. */
#define ROOMS_OF_CONNECTION "17"
_Static_assert(CHAT_JOINED_MAX + 1 == 17, "ROOMS_OF_CONNECTION says so as a text");

/* Memberships for each connection, unless room_members_max is given: everybody's room and four
 * others. */
#define MEMBERSHIPS_PER_CONNECTION 5u
#define MEMBERSHIPS_MAX 16777216u

/* Other requests than lines may come so many times as often. */
#define ASKS_PER_LINE 8u
#define STRIKES 5u

#define TOKEN_VARIABLE "THRONG_CHAT_TOKEN"
#define TOKEN_BYTES_MIN 8

static uint32_t history_lines;
static uint32_t history_bytes;
static uint32_t flood_lines;
static uint32_t flood_per_s;
static uint32_t flood_mute_s;
static uint32_t room_users_max;
static uint32_t room_keep_s;
static uint32_t hello_timeout_s;
static uint32_t bans_max;
static const char *token_file;

static const struct program_option own_options[] = {
    {.name = "operator-token-file",
     .unit = "FILE",
     .help = "its first line is the operators' token; or set " TOKEN_VARIABLE,
     .text = &token_file},
    {.name = "history-lines",
     .unit = "lines",
     .help = "lines of each room that whoever joins is shown",
     .number = &history_lines,
     .fallback = 50,
     .most = 1000},
    {.name = "history-bytes",
     .unit = "bytes",
     .help = "memory for them, of each room",
     .number = &history_bytes,
     .fallback = 16384,
     .least = CHAT_LINE_BODY_MAX,
     .most = 1048576},
    {.name = "flood-lines",
     .unit = "lines",
     .help = "that a user may say at once",
     .number = &flood_lines,
     .fallback = 10,
     .least = 1,
     .most = 100000},
    {.name = "flood-per-s",
     .unit = "lines",
     .help = "a second that a user may say all the time, 0: no limit",
     .number = &flood_per_s,
     .fallback = 2,
     .most = 10000},
    {.name = "flood-mute-s",
     .unit = "s",
     .help = "how long whoever goes on nevertheless is muted",
     .number = &flood_mute_s,
     .fallback = 30,
     .least = 1,
     .most = CHAT_SECONDS_MAX},
    {.name = "room-users-max",
     .unit = "users",
     .help = "in one room",
     .number = &room_users_max,
     .fallback = 10000,
     .least = 1,
     .most = THRONG_CONNECTIONS_LIMIT},
    {.name = "room-keep-s",
     .unit = "s",
     .help = "how long an empty room's topic and history are remembered",
     .number = &room_keep_s,
     .fallback = 300,
     .most = CHAT_SECONDS_MAX},
    {.name = "hello-timeout-s",
     .unit = "s",
     .help = "from connect to hello, 0: no limit",
     .number = &hello_timeout_s,
     .fallback = 20,
     .most = 86400},
    {.name = "bans-max",
     .unit = "bans",
     .help = "bans at once, and as many mutes",
     .number = &bans_max,
     .fallback = 1024,
     .least = 1,
     .most = 65536},
};

/* A chat resets whoever does not read: they come again, and get the history. To leave lines out
 * would be worse, and to wait for them worst. */
static const struct program_preset presets[] = {
    {"when_send_full", "close"},
    {"rooms_per_connection", ROOMS_OF_CONNECTION},
};

static void settle(struct throng_server_options *options)
{
    if (options->room_members_max == 0) {
        uint64_t wanted = (uint64_t)options->max_connections * MEMBERSHIPS_PER_CONNECTION;
        options->room_members_max = wanted < MEMBERSHIPS_MAX ? (uint32_t)wanted : MEMBERSHIPS_MAX;
    }
}

/* Everybody's room takes one room, and one membership of each connection. */
static struct chat_sizes sizes_of(const struct throng_server_options *options)
{
    uint32_t users = options->max_connections;
    uint32_t members = options->room_members_max;
    return (struct chat_sizes){
        .users_max = users,
        .rooms_max = options->rooms_max > 0 ? options->rooms_max - 1 : 0,
        .seats_max = members > users ? members - users : 0,
        .history_lines = history_lines,
        .history_bytes = history_bytes,
        .bans_max = bans_max,
    };
}

static size_t plan_memory(const struct throng_server_options *options,
                          struct throng_budget_term *terms, size_t capacity)
{
    const struct chat_sizes sizes = sizes_of(options);
    return capacity < CHAT_TERMS ? 0 : chat_state_budget(&sizes, terms);
}

const struct program chat_program = {
    .purpose = "a chat: rooms, private messages, moderation",
    .presets = presets,
    .preset_count = sizeof(presets) / sizeof(presets[0]),
    .options = own_options,
    .option_count = sizeof(own_options) / sizeof(own_options[0]),
    .settle = settle,
    .budget = plan_memory,
};

/* ---- the token ---- */

/* The file's first line without its end. */
static bool read_token_file(char *token, size_t size)
{
    FILE *file = fopen(token_file, "rb");
    if (file == NULL) {
        fprintf(stderr, "cannot read operator-token-file \"%s\"\n", token_file);
        return false;
    }
    bool is_read = fgets(token, (int)size, file) != NULL;
    (void)fclose(file);
    if (!is_read) {
        fprintf(stderr, "operator-token-file \"%s\" is empty\n", token_file);
        return false;
    }
    token[strcspn(token, "\r\n")] = '\0';
    return true;
}

/* The token never stands on the command line, where every user of the machine could read it. */
static int take_token(struct chat_settings *settings)
{
    char token[CHAT_TOKEN_BYTES_MAX + 3] = ""; /* and the end of the line */
    const char *given = getenv(TOKEN_VARIABLE);
    if (token_file != NULL) {
        if (!read_token_file(token, sizeof(token))) {
            return 2;
        }
        given = token;
    }
    if (given == NULL) {
        return 0; /* a chat without operators */
    }
    size_t size = strlen(given);
    if (size < TOKEN_BYTES_MIN || size > CHAT_TOKEN_BYTES_MAX) {
        fprintf(stderr, "the operators' token has %zu bytes; it must have %d..%d\n", size,
                TOKEN_BYTES_MIN, CHAT_TOKEN_BYTES_MAX);
        return 2;
    }
    memcpy(settings->token, given, size);
    settings->token_size = size;
    return 0;
}

/* ---- all of them ---- */

static int check_sizes(const struct chat_settings *settings)
{
    const struct chat_sizes *sizes = &settings->sizes;
    uint32_t least = sizes->history_bytes + CHAT_LINE_BODY_MAX;
    least = least > CHAT_ANSWER_BYTES_MAX ? least : CHAT_ANSWER_BYTES_MAX;
    if (settings->message_bytes_max < least) {
        fprintf(
            stderr,
            "message_bytes_max is %u; it must be at least %u: history_bytes (%u) and %d more, or a "
            "page of rooms (%d)\n",
            settings->message_bytes_max, least, sizes->history_bytes, CHAT_LINE_BODY_MAX,
            CHAT_ANSWER_BYTES_MAX);
        return 2;
    }
    if (sizes->rooms_max == 0 || sizes->seats_max == 0) {
        fputs("rooms_max must be at least 2, and room_members_max more than max_connections: one "
              "room "
              "is everybody's\n",
              stderr);
        return 2;
    }
    return 0;
}

int chat_settings_take(struct chat_settings *settings, const struct throng_server_options *options)
{
    *settings = (struct chat_settings){
        .sizes = sizes_of(options),
        .lines = {flood_lines, flood_per_s, STRIKES},
        .asks = {flood_lines * ASKS_PER_LINE, flood_per_s * ASKS_PER_LINE, STRIKES},
        .mute_s = flood_mute_s,
        .room_users_max = room_users_max,
        .room_keep_s = room_keep_s,
        .hello_timeout_s = hello_timeout_s,
        .message_bytes_max = options->message_bytes_max,
    };
    int status = check_sizes(settings);
    if (status == 0) {
        status = take_token(settings);
    }
    if (status == 0 && !program_random(settings->seed, sizeof(settings->seed))) {
        fputs("the system gives no random numbers\n", stderr);
        status = 1;
    }
    return status;
}
