/* SPDX-License-Identifier: MIT
 * The non-blocking client: options, life, connecting. client_state.h draws its states,
 * client_stream.c is the connected one. Every function runs on the thread that owns the client. */
#include <string.h>

#include "base/assert.h"
#include "base/failure.h"
#include "client_state.h"
#include "dial.h"
#include "os/clock.h"
#include "os/memory.h"
#include "settings.h"

#define BOX_BYTES_DEFAULT (128u * 1024u)
#define CONNECT_TIMEOUT_MS_DEFAULT 10000u

/* --- options ------------------------------------------------------------------------------- */

void throng_client_options_init(struct throng_client_options *options)
{
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
    options->message_bytes_max = THRONG_MESSAGE_BYTES_DEFAULT;
    options->connect_timeout_ms = CONNECT_TIMEOUT_MS_DEFAULT;
}

static int check_box(const char *name, uint32_t *bytes, uint32_t frame_bytes_max,
                     struct throng_error *error)
{
    if (*bytes == 0) {
        *bytes = frame_bytes_max > BOX_BYTES_DEFAULT ? frame_bytes_max : BOX_BYTES_DEFAULT;
    }
    if (*bytes < frame_bytes_max) {
        return tg_failure(error, THRONG_EINVAL,
                          "%s is %u; it must be at least %u bytes, one longest message and its "
                          "header",
                          name, *bytes, frame_bytes_max);
    }
    return 0;
}

static int check_options(struct throng_client_options *options,
                         const struct throng_client_options *given, struct tg_frame_rules *rules,
                         struct throng_error *error)
{
    int result = 0;
    throng_client_options_init(options);
    if (given != NULL) {
        result = tg_settings_copy(options, sizeof(*options), given, given->struct_size, error);
    }
    if (result == 0) {
        result =
            tg_settings_frame_rules(rules, options->message_bytes_max, options->byte_order, error);
    }
    if (result == 0) {
        result = tg_settings_source(&options->source, error);
    }
    if (result != 0) {
        return result;
    }
    if (options->connect_timeout_ms == 0) {
        options->connect_timeout_ms = CONNECT_TIMEOUT_MS_DEFAULT;
    }
    if (options->heartbeat_ms > TG_HEARTBEAT_MS_MAX) {
        return tg_failure(error, THRONG_EINVAL, "heartbeat_ms is %u; it must be 0..%u",
                          options->heartbeat_ms, TG_HEARTBEAT_MS_MAX);
    }
    uint32_t frame_bytes_max = THRONG_FRAME_HEADER_BYTES + rules->message_bytes_max;
    result = check_box("inbox_bytes", &options->inbox_bytes, frame_bytes_max, error);
    if (result == 0) {
        result = check_box("outbox_bytes", &options->outbox_bytes, frame_bytes_max, error);
    }
    return result;
}

/* --- life ---------------------------------------------------------------------------------- */

/* One reservation: the struct, the inbox's memory, the outbox's. */
int throng_client_create(struct throng_client **client, const struct throng_client_options *options,
                         struct throng_error *error)
{
    struct throng_client_options checked;
    struct tg_frame_rules rules;
    if (client == NULL) {
        return tg_failure(error, THRONG_EINVAL, "the place for the client is NULL");
    }
    int result = check_options(&checked, options, &rules, error);
    if (result != 0) {
        return result;
    }
    size_t box_bytes = (size_t)checked.inbox_bytes + checked.outbox_bytes;
    struct throng_client *made = tg_memory_reserve(sizeof(*made) + box_bytes);
    if (made == NULL) {
        return tg_failure(error, THRONG_ENOMEM, "no memory for inbox_bytes %u and outbox_bytes %u",
                          checked.inbox_bytes, checked.outbox_bytes);
    }
    uint8_t *boxes = (uint8_t *)(made + 1);
    made->rules = rules;
    made->source = checked.source;
    made->connect_timeout_ms = checked.connect_timeout_ms;
    made->heartbeat_ns = (uint64_t)checked.heartbeat_ms * TG_NS_PER_MS;
    made->reserved_bytes = sizeof(*made) + box_bytes;
    made->sock = TG_SOCKET_NONE;
    tg_inbox_init(&made->inbox, boxes, checked.inbox_bytes, &rules);
    made->inbox.drops_empty = made->heartbeat_ns > 0;
    tg_outbox_init(&made->outbox, boxes + checked.inbox_bytes, checked.outbox_bytes);
    *client = made;
    return 0;
}

static void close_socket(struct throng_client *client)
{
    if (client->sock != TG_SOCKET_NONE) {
        tg_socket_close(client->sock);
        client->sock = TG_SOCKET_NONE;
    }
}

void throng_client_destroy(struct throng_client *client)
{
    if (client != NULL) {
        close_socket(client);
        tg_memory_release(client, client->reserved_bytes);
    }
}

void throng_client_close(struct throng_client *client)
{
    if (client == NULL) {
        return;
    }
    close_socket(client);
    client->state = THRONG_CLIENT_IDLE;
    client->error = 0;
    client->send_error = 0;
    client->peer_is_done = false;
    client->wants_end = false;
    client->end_was_sent = false;
    client->has_more = false;
    tg_inbox_clear(&client->inbox);
    tg_outbox_clear(&client->outbox);
}

/* What was received stays readable; what was not sent never will be. */
static void fail(struct throng_client *client, int error)
{
    TG_REQUIRE(error < 0);
    close_socket(client);
    client->state = THRONG_CLIENT_FAILED;
    client->error = error;
    tg_outbox_clear(&client->outbox);
}

/* --- connecting ---------------------------------------------------------------------------- */

int throng_client_resolve(const char *endpoint, struct throng_address *addresses, int capacity)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    if (addresses == NULL || capacity < 1) {
        return THRONG_EINVAL;
    }
    int result = tg_dial_parse(endpoint, host, &port, NULL);
    return result < 0 ? result : tg_address_resolve(host, port, addresses, capacity);
}

int throng_client_connect(struct throng_client *client, const char *endpoint)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    struct throng_address address;
    int result = tg_dial_parse(endpoint, host, &port, NULL);
    if (result == 0) {
        result = tg_address_parse_numeric(host, port, &address);
    }
    return result != 0 ? result : throng_client_connect_address(client, &address);
}

static bool can_connect(const struct throng_client *client, const struct throng_address *address)
{
    uint8_t source = client->source.family;
    return client->state == THRONG_CLIENT_IDLE && address->port != 0 &&
           (address->family == THRONG_ADDRESS_IPV4 || address->family == THRONG_ADDRESS_IPV6) &&
           (source == THRONG_ADDRESS_NONE || source == address->family);
}

int throng_client_connect_address(struct throng_client *client,
                                  const struct throng_address *address)
{
    if (client == NULL || address == NULL || !can_connect(client, address)) {
        return THRONG_EINVAL;
    }
    /* Failed at once or a moment later: the user finds out in one place, the state. */
    int result = tg_dial_begin(&client->sock, &client->source, address);
    if (result < 0) {
        fail(client, result);
        return 0;
    }
    client->state = THRONG_CLIENT_CONNECTING;
    client->connect_deadline = tg_deadline_after(tg_clock_ns(), client->connect_timeout_ms);
    return 0;
}

static void update_connecting(struct throng_client *client)
{
    struct tg_dialed dialed;
    int result = tg_socket_wait(client->sock, true, 0);
    if (result == 0) {
        if (tg_deadline_is_over(client->connect_deadline, tg_clock_ns())) {
            fail(client, THRONG_ETIMEDOUT);
        }
        return;
    }
    if (result > 0) {
        result = tg_dial_finish(client->sock, &dialed);
        client->sock = result < 0 ? TG_SOCKET_NONE : dialed.sock;
    }
    if (result < 0) {
        fail(client, result);
        return;
    }
    client->state = THRONG_CLIENT_CONNECTED;
    tg_heartbeat_begin(&client->heartbeat, client->heartbeat_ns, tg_clock_ns());
}

enum throng_client_state throng_client_update(struct throng_client *client)
{
    if (client == NULL) {
        return THRONG_CLIENT_IDLE;
    }
    if (client->state == THRONG_CLIENT_CONNECTING) {
        update_connecting(client);
    }
    if (client->state == THRONG_CLIENT_CONNECTED) {
        int end = tg_client_move(client);
        if (end != 0) {
            fail(client, end);
        }
    }
    return client->state;
}

/* --- questions ----------------------------------------------------------------------------- */

enum throng_client_state throng_client_state(const struct throng_client *client)
{
    return client == NULL ? THRONG_CLIENT_IDLE : client->state;
}

int throng_client_error(const struct throng_client *client)
{
    return client == NULL ? THRONG_EINVAL : client->error;
}

intptr_t throng_client_descriptor(const struct throng_client *client)
{
    return client == NULL ? TG_SOCKET_NONE : client->sock;
}

bool throng_client_wants_read(const struct throng_client *client)
{
    return client != NULL && client->state == THRONG_CLIENT_CONNECTED && !client->peer_is_done &&
           tg_inbox_has_room(&client->inbox);
}

bool throng_client_wants_write(const struct throng_client *client)
{
    return client != NULL &&
           (client->state == THRONG_CLIENT_CONNECTING ||
            (client->state == THRONG_CLIENT_CONNECTED && client->outbox.size > 0));
}

int throng_client_wait_ms(const struct throng_client *client)
{
    if (client != NULL && client->state == THRONG_CLIENT_CONNECTING) {
        return tg_deadline_left_ms(client->connect_deadline, tg_clock_ns());
    }
    if (client == NULL || client->state != THRONG_CLIENT_CONNECTED) {
        return -1;
    }
    /* A write found the peer gone: update has the news, the descriptor may have none. */
    bool has_news = throng_client_wants_read(client) && client->send_error != 0;
    if (has_news || client->has_more) {
        return 0;
    }
    return tg_deadline_left_ms(tg_client_heartbeat_deadline(client), tg_clock_ns());
}

size_t throng_client_inbox_bytes(const struct throng_client *client)
{
    return client == NULL ? 0 : tg_inbox_bytes(&client->inbox);
}

size_t throng_client_outbox_bytes(const struct throng_client *client)
{
    return client == NULL ? 0 : client->outbox.size;
}
