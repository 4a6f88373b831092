/* SPDX-License-Identifier: MIT
 * What becomes of a message that has come: its handler, the request that it answers, or the policy
 * for bad ones.
 *
 *   bytes --envelope--> request -n --> the request's `done`
 *              |------- type 0 ------> on_error
 *              |------- a row -------> scan, decode, handler
 *              +------- none --------> on_unknown
 *
 * See throng/message.h; one thread at a time. */
#include "message/decoder.h"
#include "message/fault.h"
#include "message/messages.h"

#define ERROR_BYTES_MOST 512u /* an error message: its text has at most 379 bytes */

/* A message on its way through here. */
struct arrival {
    struct throng_messages *messages;
    throng_conn conn;
    void *user;
    const void *data;
    size_t size;
    struct tg_envelope envelope;
};

/* ---- bad ones ---- */

static void send_error(const struct arrival *arrival, const struct throng_message_fault *fault)
{
    struct throng_messages *messages = arrival->messages;
    const struct tg_envelope *envelope = &arrival->envelope;
    const struct throng_message_link *link = &messages->options.link;
    const int32_t reply = envelope->is_reply ? 0 : -(int32_t)envelope->request;
    struct throng_error error = {0};
    uint8_t bytes[ERROR_BYTES_MOST];
    struct throng_pack pack;
    throng_message_fault_text(fault, &error);
    throng_pack_to_buffer(&pack, bytes, sizeof bytes);
    throng_pack_error_message(&pack, reply, error.code, error.text);
    const int64_t size = throng_pack_end(&pack);
    if (size > 0 && link->write != NULL &&
        link->write(link->end, arrival->conn, bytes, (size_t)size) == 0) {
        messages->counters.errors_sent++;
    } else {
        messages->counters.errors_unsent++;
    }
}

/* Applies a policy to a message that failed. An error message and a bad reply are never answered
 * with one: two ends would complain of each other's complaints for ever. Answers the fault's
 * code. */
static int refuse(const struct arrival *arrival, enum throng_when_bad policy,
                  const struct throng_message_fault *fault)
{
    struct throng_messages *messages = arrival->messages;
    const struct throng_message_link *link = &messages->options.link;
    messages->fault = *fault;
    if (policy != THRONG_WHEN_BAD_IGNORE && !arrival->envelope.is_reply) {
        send_error(arrival, fault);
    }
    if (policy == THRONG_WHEN_BAD_CLOSE && link->close != NULL &&
        link->close(link->end, arrival->conn) == 0) {
        messages->counters.closed++;
    }
    return fault->code;
}

/* The peer broke the protocol or a limit. */
static void count_bytes(struct throng_messages *messages, const struct throng_message_fault *fault)
{
    *(fault->code == THRONG_ETOOBIG ? &messages->counters.over_limit
                                    : &messages->counters.malformed) += 1;
}

static int refuse_bytes(const struct arrival *arrival, const struct throng_message_fault *fault)
{
    count_bytes(arrival->messages, fault);
    return refuse(arrival, arrival->messages->options.on_bad, fault);
}

/* ---- decoding ---- */

static int decode(const struct arrival *arrival, const struct throng_message_limits *limits,
                  struct throng_message *message)
{
    if (arrival->size > limits->bytes_max) {
        return tg_fault_set(&message->fault, THRONG_FAULT_BYTES, limits->bytes_max, arrival->size,
                            limits->bytes_max);
    }
    const int result = tg_decode_body(arrival->messages->decoder, &arrival->envelope, limits,
                                      arrival->data, arrival->size, message);
    message->user = arrival->user;
    return result;
}

/* ---- the four ways ---- */

static int handle(const struct arrival *arrival, const struct tg_message_type *row)
{
    struct throng_messages *messages = arrival->messages;
    struct throng_message message = {0};
    int result = decode(arrival, &row->limits, &message);
    if (result < 0) {
        return refuse_bytes(arrival, &message.fault);
    }
    result = row->handler(messages->options.context, arrival->conn, &message);
    if (result >= 0) {
        messages->counters.handled++;
        return 0;
    }
    if (message.fault.kind == THRONG_FAULT_NONE || result != THRONG_EPROTOCOL) {
        (void)tg_fault_set(&message.fault, THRONG_FAULT_HANDLER, 0, 0, 0);
        message.fault.code = result;
    }
    messages->counters.refused++;
    return refuse(arrival, messages->options.on_bad, &message.fault);
}

static int refuse_unknown(const struct arrival *arrival)
{
    struct throng_message_fault fault = {0};
    (void)tg_fault_set(&fault, THRONG_FAULT_UNKNOWN_TYPE, 0, arrival->envelope.type, 0);
    arrival->messages->counters.unknown++;
    return refuse(arrival, arrival->messages->options.on_unknown, &fault);
}

/* The peer complains of something that was no request of ours. */
static int take_error(const struct arrival *arrival)
{
    struct throng_messages *messages = arrival->messages;
    struct throng_message message = {0};
    const int result = decode(arrival, &messages->options.limits, &message);
    if (result < 0) {
        count_bytes(messages, &message.fault);
        messages->fault = message.fault;
        return result;
    }
    messages->counters.errors_received++;
    if (messages->options.on_error != NULL) {
        (void)messages->options.on_error(messages->options.context, arrival->conn, &message);
    }
    return 0;
}

/* A reply that cannot be read ends its request as well: there will be no other. */
static int take_reply(const struct arrival *arrival)
{
    struct throng_messages *messages = arrival->messages;
    const int32_t id = (int32_t)arrival->envelope.request;
    struct tg_request *request = tg_requests_find(&messages->requests, arrival->conn, id);
    if (request == NULL) {
        messages->counters.replies_refused++;
        return THRONG_EPROTOCOL;
    }
    const struct tg_message_type *row = tg_messages_find(messages, arrival->envelope.type);
    struct throng_message message = {0};
    int result = decode(arrival, row == NULL ? &messages->options.limits : &row->limits, &message);
    if (result < 0) {
        tg_messages_end_request(messages, request, result, NULL);
        return refuse_bytes(arrival, &message.fault);
    }
    messages->counters.replies++;
    const bool is_error = message.type == THRONG_MESSAGE_TYPE_ERROR;
    tg_messages_end_request(messages, request, is_error ? THRONG_EREMOTE : 0, &message);
    return 0;
}

static int take(struct arrival *arrival)
{
    struct throng_messages *messages = arrival->messages;
    const uint32_t bytes_max = messages->options.limits.bytes_max;
    struct throng_message_fault fault = {0};
    if (tg_envelope_read(arrival->data, arrival->size, &arrival->envelope, &fault) < 0) {
        arrival->envelope = (struct tg_envelope){0}; /* whose reply it would be is not known */
        return refuse_bytes(arrival, &fault);
    }
    /* These two look at the size themselves: one ends its request, the other answers nothing. */
    if (arrival->envelope.is_reply) {
        return take_reply(arrival);
    }
    if (arrival->envelope.type == THRONG_MESSAGE_TYPE_ERROR) {
        return take_error(arrival);
    }
    if (arrival->size > bytes_max) {
        (void)tg_fault_set(&fault, THRONG_FAULT_BYTES, bytes_max, arrival->size, bytes_max);
        return refuse_bytes(arrival, &fault);
    }
    const struct tg_message_type *row = tg_messages_find(messages, arrival->envelope.type);
    return row == NULL ? refuse_unknown(arrival) : handle(arrival, row);
}

int throng_messages_dispatch(struct throng_messages *messages, throng_conn conn, void *user,
                             const void *data, size_t size)
{
    if (messages == NULL || messages->is_dispatching || (data == NULL && size > 0)) {
        return THRONG_EINVAL;
    }
    struct arrival arrival = {
        .messages = messages, .conn = conn, .user = user, .data = data, .size = size};
    messages->is_dispatching = true;
    const int result = take(&arrival);
    messages->is_dispatching = false;
    return result;
}
