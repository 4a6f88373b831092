/* SPDX-License-Identifier: MIT
 * Events in, requests to their handlers: who may ask for what, how much, and what becomes of
 * nonsense. See chat.h. */
#include "chat.h"

#include <stdlib.h>
#include <string.h>

#include "handlers.h"

/* Requests that cannot be understood, or come before hello, until the connection is closed. */
#define MISUNDERSTOOD_MAX 16

/* What a request may hold. */
#define NODES_MAX 64
#define DEPTH_MAX 4

enum cost {
    COST_NONE,
    COST_ASK,
    COST_LINE, /* it speaks, so a muted one may not */
};

enum right {
    RIGHT_NAMELESS, /* only before hello */
    RIGHT_USER,
    RIGHT_OPERATOR,
};

static const struct request {
    uint32_t type;
    const char *name;
    chat_handler *handle;
    enum right right;
    enum cost cost;
} requests[] = {
    {CHAT_HELLO, "hello", handle_hello, RIGHT_NAMELESS, COST_ASK},
    {CHAT_NAME, "name", handle_name, RIGHT_USER, COST_LINE},
    {CHAT_JOIN, "join", handle_join, RIGHT_USER, COST_ASK},
    {CHAT_LEAVE, "leave", handle_leave, RIGHT_USER, COST_ASK},
    {CHAT_ROOMS, "rooms", handle_rooms, RIGHT_USER, COST_ASK},
    {CHAT_WHO, "who", handle_who, RIGHT_USER, COST_ASK},
    {CHAT_SAY, "say", handle_say, RIGHT_USER, COST_LINE},
    {CHAT_ME, "me", handle_me, RIGHT_USER, COST_LINE},
    {CHAT_TELL, "tell", handle_tell, RIGHT_USER, COST_LINE},
    {CHAT_TOPIC, "topic", handle_topic, RIGHT_USER, COST_LINE},
    {CHAT_PING, "ping", handle_ping, RIGHT_USER, COST_ASK},
    {CHAT_OPERATOR, "operator", handle_operator, RIGHT_USER, COST_ASK},
    {CHAT_KICK, "kick", handle_kick, RIGHT_OPERATOR, COST_NONE},
    {CHAT_MUTE, "mute", handle_mute, RIGHT_OPERATOR, COST_NONE},
    {CHAT_UNMUTE, "unmute", handle_unmute, RIGHT_OPERATOR, COST_NONE},
    {CHAT_BAN, "ban", handle_ban, RIGHT_OPERATOR, COST_NONE},
    {CHAT_UNBAN, "unban", handle_unban, RIGHT_OPERATOR, COST_NONE},
    {CHAT_BANS, "bans", handle_bans, RIGHT_OPERATOR, COST_NONE},
    {CHAT_ANNOUNCE, "announce", handle_announce, RIGHT_OPERATOR, COST_NONE},
    {CHAT_CLOSE_ROOM, "close room", handle_close_room, RIGHT_OPERATOR, COST_NONE},
    {CHAT_WHOIS, "whois", handle_whois, RIGHT_OPERATOR, COST_NONE},
};

#define REQUEST_COUNT (sizeof(requests) / sizeof(requests[0]))

/* ---- may it? ---- */

static enum chat_code check_right(const struct chat_user *user, const struct request *request)
{
    if (request->right == RIGHT_NAMELESS) {
        return user->has_name ? CHAT_CODE_HELLO_AGAIN : CHAT_CODE_NONE;
    }
    if (!user->has_name) {
        return CHAT_CODE_NO_HELLO;
    }
    return request->right == RIGHT_OPERATOR && !user->is_operator ? CHAT_CODE_NOT_OPERATOR
                                                                  : CHAT_CODE_NONE;
}

static void warn(struct chat *chat, uint64_t wait_ms)
{
    static const char text[] = "not so fast: the next one will be refused";
    tell_begin(chat, CHAT_WARNING, 2);
    tell_number(chat, CHAT_KEY_WAIT, wait_ms);
    tell_text(chat, CHAT_KEY_TEXT, text, sizeof(text) - 1);
    tell_user(chat, chat->user);
}

/* Who floods with lines is muted, who floods with other requests is disconnected. */
static void punish(struct chat *chat, enum cost cost)
{
    static const char text[] = "for flooding";
    const struct chat_text reason = {text, sizeof(text) - 1};
    if (cost == COST_LINE) {
        mute_user(chat, chat->user, (uint64_t)chat->settings.mute_s * 1000, NULL, reason);
    } else {
        say_goodbye(chat, chat->user, CHAT_CODE_FLOOD,
                    &(struct leaving){.why = CHAT_WHY_QUIT, .text = reason});
    }
}

/* Whether the user may still ask for so much. If not, it was refused. */
static bool pay(struct chat *chat, enum cost cost)
{
    struct chat_user *user = chat->user;
    if (cost == COST_NONE || user->is_operator) {
        return true;
    }
    const struct chat_flood_rule *rule = cost == COST_LINE ? &chat->settings.lines
                                                           : &chat->settings.asks;
    uint64_t wait_ms = 0;
    enum chat_flood_answer answer = chat_flood_take(cost == COST_LINE ? &user->lines : &user->asks,
                                                    rule, chat->now_ms, &wait_ms);
    if (answer == CHAT_FLOOD_WARNED) {
        warn(chat, wait_ms);
    } else if (answer != CHAT_FLOOD_ALLOWED) {
        tell_refused(chat, &(struct refusal){
                               .code = CHAT_CODE_FLOOD, .limit = rule->burst, .wait_ms = wait_ms});
        if (answer == CHAT_FLOOD_MUTE) {
            punish(chat, cost);
        }
        return false;
    }
    return true;
}

static bool may_speak(struct chat *chat)
{
    if (chat->user->muted_until_ms <= chat->now_ms) {
        return true;
    }
    tell_refused(chat, &(struct refusal){.code = CHAT_CODE_IS_MUTED,
                                         .wait_ms = chat->user->muted_until_ms - chat->now_ms});
    return false;
}

static void count_misunderstood(struct chat *chat, struct chat_user *user)
{
    if (++user->misunderstood >= MISUNDERSTOOD_MAX) {
        say_goodbye(chat, user, CHAT_CODE_HOPELESS,
                    &(struct leaving){.why = CHAT_WHY_QUIT, .text.bytes = ""});
    }
}

/* ---- a request ---- */

static const struct request *find_request(uint32_t type)
{
    size_t at = 0;
    while (at < REQUEST_COUNT - 1 && requests[at].type != type) {
        at++;
    }
    return &requests[at];
}

static int on_request(void *context, throng_conn conn, struct throng_message *message)
{
    struct chat *chat = context;
    (void)conn;
    chat->message = message;
    chat->user = message->user;
    const struct request *request = find_request(message->type);
    enum chat_code code = check_right(chat->user, request);
    if (code != CHAT_CODE_NONE) {
        refuse(chat, code);
        count_misunderstood(chat, chat->user);
    } else if (pay(chat, request->cost) && (request->cost != COST_LINE || may_speak(chat))) {
        request->handle(chat);
        if (message->fault.kind != THRONG_FAULT_NONE) {
            count_misunderstood(chat, chat->user);
        }
    }
    return 0;
}

void chat_received(struct chat *chat, struct chat_user *user, const void *data, size_t size)
{
    if (!user->is_leaving &&
        throng_messages_dispatch(chat->messages, user->conn, user, data, size) != 0) {
        count_misunderstood(chat, user); /* the library has answered it */
    }
}

/* ---- connections ---- */

struct chat_user *chat_opened(struct chat *chat, throng_conn conn,
                              const struct throng_address *address)
{
    const struct chat_place place = chat_place_of(address);
    struct chat_user *user = chat_user_open(&chat->state, conn, &place, chat->now_ms);
    if (user == NULL) {
        (void)chat->outlet.abort(chat->outlet.end, conn);
        return NULL;
    }
    chat_flood_init(&user->lines, &chat->settings.lines, chat->now_ms);
    chat_flood_init(&user->asks, &chat->settings.asks, chat->now_ms);
    const struct chat_ban *ban =
        chat_bans_find(&chat->state.bans, CHAT_BAN_PLACE, NULL, &place, chat->now_ms);
    if (ban != NULL) {
        say_goodbye(chat, user, CHAT_CODE_BANNED,
                    &(struct leaving){.text = {ban->reason, strlen(ban->reason)}});
    }
    return user;
}

void chat_closed(struct chat *chat, struct chat_user *user)
{
    leave_all(chat, user, &(struct leaving){.why = CHAT_WHY_QUIT, .text.bytes = ""});
    (void)throng_messages_closed(chat->messages, user->conn);
    chat_user_close(&chat->state, user);
}

/* ---- time ---- */

void chat_set_time(struct chat *chat, uint64_t now_ms, uint64_t wall_ms)
{
    chat->now_ms = now_ms;
    chat->wall_ms = wall_ms;
}

static void dismiss_silent(struct chat *chat)
{
    uint64_t limit_ms = (uint64_t)chat->settings.hello_timeout_s * 1000;
    struct chat_user *user = chat_user_longest_waiting(&chat->state);
    while (limit_ms > 0 && user != NULL && chat->now_ms - user->opened_ms >= limit_ms) {
        say_goodbye(chat, user, CHAT_CODE_SILENT, &(struct leaving){.text.bytes = ""});
        user = chat_user_longest_waiting(&chat->state);
    }
}

static void sweep_room(struct chat *chat, struct chat_room *room)
{
    if (room->members == 0) {
        if (chat->now_ms - room->empty_since_ms >= (uint64_t)chat->settings.room_keep_s * 1000) {
            chat_room_remove(&chat->state, room);
        }
    } else if (room->is_stale) {
        tell_begin(chat, CHAT_STALE, 1);
        tell_name(chat, CHAT_KEY_ROOM, &room->name);
        room->is_stale = !tell_room(chat, room, THRONG_NOBODY);
    }
}

void chat_swept(struct chat *chat)
{
    dismiss_silent(chat);
    for (struct chat_room *room = chat_room_next(&chat->state, NULL); room != NULL;
         room = chat_room_next(&chat->state, room)) {
        sweep_room(chat, room);
    }
}

void chat_stopping(struct chat *chat)
{
    static const char text[] = "the server stops";
    tell_begin(chat, CHAT_GOODBYE, 2);
    tell_number(chat, CHAT_KEY_CODE, CHAT_CODE_STOPPING);
    tell_text(chat, CHAT_KEY_TEXT, text, sizeof(text) - 1);
    (void)tell_everybody(chat); /* who does not get it sees the connection end */
}

/* ---- life ---- */

static int link_write(void *end, throng_conn conn, const void *data, size_t size)
{
    struct chat *chat = end;
    return chat->outlet.write(chat->outlet.end, conn, data, size);
}

static int link_close(void *end, throng_conn conn)
{
    struct chat *chat = end;
    return chat->outlet.close(chat->outlet.end, conn);
}

static bool create_messages(struct chat *chat, struct throng_error *error)
{
    struct throng_message_type types[REQUEST_COUNT];
    struct throng_messages_options options;
    memset(types, 0, sizeof(types));
    for (size_t i = 0; i < REQUEST_COUNT; i++) {
        types[i].type = requests[i].type;
        types[i].name = requests[i].name;
        types[i].handler = on_request;
    }
    throng_messages_options_init(&options);
    options.types = types;
    options.type_count = REQUEST_COUNT;
    options.context = chat;
    options.limits.bytes_max = CHAT_REQUEST_BYTES_MAX;
    options.limits.nodes_max = NODES_MAX;
    options.limits.depth_max = DEPTH_MAX;
    options.link = (struct throng_message_link){chat, link_write, link_close};
    return throng_messages_create(&chat->messages, &options, error) == 0;
}

bool chat_create(struct chat *chat, const struct chat_settings *settings,
                 const struct chat_outlet *outlet, struct throng_error *error)
{
    memset(chat, 0, sizeof(*chat));
    chat->settings = *settings;
    chat->outlet = *outlet;
    chat->room_for = settings->message_bytes_max;
    strcpy(error->text, "no memory for the chat");
    chat->out = malloc(chat->room_for);
    if (chat->out == NULL || !chat_state_create(&chat->state, &settings->sizes, settings->seed) ||
        !create_messages(chat, error)) {
        chat_destroy(chat);
        return false;
    }
    if (outlet->room_create(outlet->end, &chat->everybody) != 0) {
        strcpy(error->text, "rooms_max leaves no room for everybody");
        chat_destroy(chat);
        return false;
    }
    return true;
}

void chat_destroy(struct chat *chat)
{
    throng_messages_destroy(chat->messages);
    chat_state_destroy(&chat->state);
    free(chat->out);
    chat->messages = NULL;
    chat->out = NULL;
}
