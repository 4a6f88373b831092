/* SPDX-License-Identifier: MIT
 * See session.h.
 *
 *            time to try                    connected               hello answered
 *   WAITING ------------> CONNECTING ----------------> GREETING ----------------> READY
 *      ^                      |                           |                         |
 *      +----------------------+---------------------------+-------------------------+   lost
 *                                                         +--> ENDED   refused for good */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <throng/client.h>

#include "backoff.h"

/* A room's history may be 1,000 lines of 1 KiB. */
#define MESSAGE_BYTES_MAX (2u * 1024u * 1024u)
#define NODES_MAX 65536
#define ASKED_MAX 256 /* a power of two: ids count on over it */
#define CONNECT_MS 10000
#define GREETING_MS 10000
#define PING_MS 30000    /* of silence, then the server is asked whether it is there */
#define SILENCE_MS 75000 /* then it is not */

enum state {
    WAITING = 0,
    CONNECTING,
    GREETING,
    READY,
    ENDED,
};

struct session {
    struct session_options options;
    char name[EVENT_NAME_SIZE];
    struct throng_client *client;
    struct throng_decoder *decoder;
    enum state state;
    struct backoff backoff;
    size_t address;        /* the one to try next */
    uint64_t now_ms;       /* of the update that runs */
    uint64_t next_ms;      /* WAITING: when to try; GREETING: when to give up */
    uint64_t connected_ms; /* 0: this try has not got so far */
    uint64_t heard_ms;     /* when something came last */
    bool pinged;           /* since then */

    int32_t next_id; /* of a request */
    uint32_t outstanding;
    struct asked asked[ASKED_MAX]; /* by id; type 0: free */
    struct event event;            /* room to decode in */
    uint8_t
        *bytes; /* of the message that is decoded: whoever hears of it may write, and those of the
                       client are gone then */
};

/* ---- life ---- */

struct session *session_create(const struct session_options *options, struct throng_error *error)
{
    struct throng_client_options client;
    struct throng_message_limits limits = {.bytes_max = MESSAGE_BYTES_MAX, .nodes_max = NODES_MAX};
    struct session *session = calloc(1, sizeof(*session));
    error->code = THRONG_ENOMEM;
    (void)snprintf(error->text, sizeof(error->text), "out of memory");
    if (session == NULL) {
        return NULL;
    }
    session->options = *options;
    session->bytes = malloc(MESSAGE_BYTES_MAX);
    session_set_name(session, options->name);
    throng_client_options_init(&client);
    client.message_bytes_max = MESSAGE_BYTES_MAX;
    client.connect_timeout_ms = CONNECT_MS;
    if (session->bytes == NULL || throng_client_create(&session->client, &client, error) != 0 ||
        throng_decoder_create(&session->decoder, &limits, error) != 0) {
        session_destroy(session);
        return NULL;
    }
    return session;
}

void session_destroy(struct session *session)
{
    if (session != NULL) {
        throng_client_destroy(session->client);
        throng_decoder_destroy(session->decoder);
        free(session->bytes);
        free(session);
    }
}

void session_set_name(struct session *session, const char *name)
{
    (void)snprintf(session->name, sizeof(session->name), "%s", name);
}

static void tell(const struct session *session, enum session_change change, const char *text)
{
    session->options.change(session->options.context, change, text);
}

/* ---- the end of a connection ---- */

static void forget_connection(struct session *session)
{
    throng_client_close(session->client);
    memset(session->asked, 0, sizeof(session->asked));
    session->outstanding = 0;
    session->pinged = false;
}

static void lose(struct session *session, const char *why)
{
    char text[256];
    uint64_t lived_ms = session->connected_ms != 0 ? session->now_ms - session->connected_ms : 0;
    uint32_t wait_ms = backoff_wait_ms(&session->backoff, lived_ms, session->options.random());
    bool was_there = session->connected_ms != 0;
    forget_connection(session);
    session->state = WAITING;
    session->connected_ms = 0;
    session->next_ms = session->now_ms + wait_ms;
    (void)snprintf(text, sizeof(text), "%s: %s; trying again in %u.%u s",
                   was_there ? "the connection is lost" : "cannot connect", why, wait_ms / 1000,
                   wait_ms % 1000 / 100);
    tell(session, SESSION_WAITING, text);
}

static void end(struct session *session, const char *why)
{
    forget_connection(session);
    session->state = ENDED;
    tell(session, SESSION_ENDED, why);
}

/* ---- asking ---- */

static int ask_now(struct session *session, uint32_t type, const struct ask *ask)
{
    uint8_t buffer[CHAT_REQUEST_BYTES_MAX];
    int32_t id = session->next_id % THRONG_REQUEST_ID_MAX + 1;
    struct asked *asked = &session->asked[(uint32_t)id % ASKED_MAX];
    if (asked->type != 0) {
        return THRONG_EAGAIN;
    }
    int size = request_pack(buffer, sizeof(buffer), type, id, ask);
    int result = size < 0 ? size : throng_client_write(session->client, buffer, (size_t)size);
    if (result == 0) {
        session->next_id = id;
        session->outstanding++;
        asked->type = type;
        asked->from = ask->from;
        (void)snprintf(asked->room, sizeof(asked->room), "%s", ask->room != NULL ? ask->room : "");
    }
    return result;
}

int session_ask(struct session *session, uint32_t type, const struct ask *ask)
{
    return session->state == READY ? ask_now(session, type, ask) : THRONG_EINVAL;
}

/* ---- hello ---- */

static void greet(struct session *session)
{
    struct ask hello = {.name = session->name};
    session->state = GREETING;
    session->next_ms = session->now_ms + GREETING_MS;
    if (ask_now(session, CHAT_HELLO, &hello) != 0) {
        lose(session, "hello could not be sent");
    }
}

/* Somebody has the name, perhaps our own lost connection: another one, as people know it from other
 * chats. */
static bool take_other_name(struct session *session)
{
    size_t size = strlen(session->name);
    if (size + 1 >= CHAT_NAME_SIZE) {
        return false;
    }
    session->name[size] = '_';
    session->name[size + 1] = '\0';
    tell(session, SESSION_RENAMED, session->name);
    greet(session);
    return true;
}

static bool is_for_good(uint32_t code)
{
    return code == CHAT_CODE_BANNED || code == CHAT_CODE_KICKED || code == CHAT_CODE_VERSION;
}

/* ---- what comes ---- */

/* What the session itself has to know of an event, before it is handed on. */
static void take_event(void *context, const struct event *event)
{
    struct session *session = context;
    enum state before = session->state;
    if (event->kind == EVENT_WELCOME && before == GREETING) {
        session->state = READY;
    }
    if (event->kind == EVENT_DONE && event->of == CHAT_PING) {
        return;
    }
    bool refused_hello = event->kind == EVENT_REFUSED && before == GREETING;
    if (refused_hello && event->code == CHAT_CODE_NAME_TAKEN && take_other_name(session)) {
        return;
    }
    if ((event->kind == EVENT_GOODBYE && is_for_good(event->code)) ||
        (refused_hello && event->code != CHAT_CODE_BUSY)) {
        end(session, event->text);
        return;
    }
    session->options.take(session->options.context, event);
    if (session->state == READY && before != READY) {
        tell(session, SESSION_READY, "");
    }
}

/* `size` is at most MESSAGE_BYTES_MAX, which the client knows. */
static void take_message(struct session *session, const void *data, size_t size)
{
    struct throng_message message = {0};
    struct asked asked = {0}, *place = NULL;
    memcpy(session->bytes, data, size);
    if (throng_decode(session->decoder, session->bytes, size, &message) != 0) {
        struct throng_error error = {0};
        throng_message_fault_text(&message.fault, &error);
        memset(&session->event, 0, sizeof(session->event));
        session->event.kind = EVENT_ODD;
        (void)snprintf(session->event.text, sizeof(session->event.text),
                       "something that this program does not understand (%s)", error.text);
        session->options.take(session->options.context, &session->event);
        return;
    }
    if (message.is_reply) {
        place = &session->asked[message.request % ASKED_MAX];
        asked = *place;
        session->outstanding -= asked.type != 0;
        place->type = 0; /* before its event asks again */
    }
    decode_message(&message, asked.type != 0 ? &asked : NULL, &session->event, take_event, session);
}

static void read_messages(struct session *session)
{
    const void *data;
    size_t size;
    while (session->state != ENDED && session->state != WAITING &&
           throng_client_read(session->client, &data, &size) == 1) {
        session->heard_ms = session->now_ms;
        session->pinged = false;
        take_message(session, data, size);
    }
}

/* ---- the loop's side ---- */

static void try_to_connect(struct session *session)
{
    size_t count = session->options.address_count;
    const struct throng_address *address = &session->options.addresses[session->address % count];
    session->address++;
    session->state = CONNECTING;
    tell(session, SESSION_CONNECTING, session->options.endpoint);
    if (throng_client_connect_address(session->client, address) != 0) {
        lose(session, "the address cannot be used");
    }
}

static void watch_silence(struct session *session)
{
    uint64_t silent_ms = session->now_ms - session->heard_ms;
    if (session->state == GREETING && session->now_ms >= session->next_ms) {
        lose(session, "the server does not answer");
    } else if (session->state == READY && silent_ms >= SILENCE_MS) {
        lose(session, "the server is silent");
    } else if (session->state == READY && silent_ms >= PING_MS && !session->pinged) {
        struct ask nothing = {0};
        session->pinged = true; /* also if there is no room for it: then it is not needed */
        (void)ask_now(session, CHAT_PING, &nothing);
    }
}

void session_update(struct session *session, uint64_t now_ms)
{
    session->now_ms = now_ms;
    if (session->state == ENDED) {
        return;
    }
    if (session->state == WAITING) {
        if (now_ms < session->next_ms) {
            return;
        }
        try_to_connect(session);
    }
    enum throng_client_state state = throng_client_update(session->client);
    if (session->state == CONNECTING && state == THRONG_CLIENT_CONNECTED) {
        session->connected_ms = now_ms > 0 ? now_ms : 1;
        session->heard_ms = now_ms;
        greet(session);
    }
    read_messages(session);
    if (session->state != WAITING && session->state != ENDED && state == THRONG_CLIENT_FAILED) {
        lose(session, throng_error_text(throng_client_error(session->client)));
    }
    watch_silence(session);
}

int session_wait_ms(const struct session *session, uint64_t now_ms)
{
    uint64_t due_ms = session->next_ms;
    if (session->state == ENDED) {
        return -1;
    }
    if (session->state == READY) {
        due_ms = session->heard_ms + (session->pinged ? SILENCE_MS : PING_MS);
    }
    int wait_ms = session->state == CONNECTING   ? -1
                  : due_ms <= now_ms             ? 0
                  : due_ms - now_ms > SILENCE_MS ? SILENCE_MS
                                                 : (int)(due_ms - now_ms);
    int client_ms = throng_client_wait_ms(session->client);
    return client_ms >= 0 && (wait_ms < 0 || client_ms < wait_ms) ? client_ms : wait_ms;
}

intptr_t session_descriptor(const struct session *session, bool *read, bool *write)
{
    *read = throng_client_wants_read(session->client);
    *write = throng_client_wants_write(session->client);
    return throng_client_descriptor(session->client);
}

bool session_is_ready(const struct session *session)
{
    return session->state == READY;
}

uint32_t session_outstanding(const struct session *session)
{
    return session->outstanding;
}
