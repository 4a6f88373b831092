/* SPDX-License-Identifier: MIT
 * The blocking client. Every function runs on its caller's thread; a connection belongs to one
 * thread at a time. */
#include <throng/tcp.h>

#include <string.h>

#include "base/failure.h"
#include "codec/frame.h"
#include "deadline.h"
#include "dial.h"
#include "inbox.h"
#include "os/clock.h"
#include "os/memory.h"
#include "settings.h"

/* The header and the payload's first bytes go out together from a buffer of this size; the rest is
 * sent from where the caller has it. Without Nagle's algorithm a header sent alone would be a
 * packet of its own; 4 KiB makes a message that is larger by far cost one more call, not a copy. */
#define HEAD_BYTES 4096

/* Small messages come many at a time, also where the longest one is short. Only the pages that are
 * used cost memory. */
#define INBOX_BYTES_MIN 65536

struct throng_tcp {
    struct tg_dialed dialed;
    struct tg_frame_rules rules;
    struct tg_inbox inbox;
    size_t reserved_bytes; /* of this struct and the inbox's memory behind it */

    /* Why a direction is over; 0 while it is not. What waits in the inbox can still be read, unless
     * it was a write that timed out: that breaks both. */
    int send_error;
    int receive_error;
};

/* --- life ---------------------------------------------------------------------------------- */

void throng_tcp_options_init(struct throng_tcp_options *options)
{
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
    options->message_bytes_max = THRONG_MESSAGE_BYTES_DEFAULT;
}

static int check_options(struct throng_tcp_options *options, const struct throng_tcp_options *given,
                         struct tg_frame_rules *rules, struct throng_error *error)
{
    int result = 0;
    throng_tcp_options_init(options);
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
    return result;
}

/* One reservation: the struct, then the inbox's memory. */
static struct throng_tcp *reserve_tcp(const struct tg_frame_rules *rules)
{
    size_t inbox_bytes = THRONG_FRAME_HEADER_BYTES + (size_t)rules->message_bytes_max;
    inbox_bytes = inbox_bytes < INBOX_BYTES_MIN ? INBOX_BYTES_MIN : inbox_bytes;
    size_t reserved_bytes = sizeof(struct throng_tcp) + inbox_bytes;
    struct throng_tcp *tcp = tg_memory_reserve(reserved_bytes);
    if (tcp == NULL) {
        return NULL;
    }
    tcp->rules = *rules;
    tcp->reserved_bytes = reserved_bytes;
    tg_inbox_init(&tcp->inbox, tcp + 1, inbox_bytes, rules);
    return tcp;
}

int throng_tcp_connect(struct throng_tcp **tcp, const char *endpoint,
                       const struct throng_tcp_options *options, int timeout_ms,
                       struct throng_error *error)
{
    struct throng_tcp_options checked;
    struct tg_frame_rules rules;
    if (tcp == NULL) {
        return tg_failure(error, THRONG_EINVAL, "the place for the connection is NULL");
    }
    int result = check_options(&checked, options, &rules, error);
    if (result != 0) {
        return result;
    }
    struct throng_tcp *made = reserve_tcp(&rules);
    if (made == NULL) {
        return tg_failure(error, THRONG_ENOMEM, "no memory for messages of %u bytes",
                          rules.message_bytes_max);
    }
    result = tg_dial(&made->dialed, endpoint, &checked.source, timeout_ms, error);
    if (result < 0) {
        tg_memory_release(made, made->reserved_bytes);
        return result;
    }
    *tcp = made;
    return 0;
}

static void release_tcp(struct throng_tcp *tcp, void (*close_socket)(tg_socket))
{
    if (tcp != NULL) {
        close_socket(tcp->dialed.sock);
        tg_memory_release(tcp, tcp->reserved_bytes);
    }
}

void throng_tcp_close(struct throng_tcp *tcp)
{
    release_tcp(tcp, tg_socket_close);
}

void throng_tcp_abort(struct throng_tcp *tcp)
{
    release_tcp(tcp, tg_socket_abort);
}

/* --- sending ------------------------------------------------------------------------------- */

static struct tg_deadline begin_deadline(int timeout_ms)
{
    return tg_deadline_after(tg_clock_ns(), timeout_ms);
}

/* Sends all bytes. 0, THRONG_ETIMEDOUT or an error. */
static int send_all(const struct throng_tcp *tcp, const uint8_t *data, size_t size,
                    struct tg_deadline deadline)
{
    while (size > 0) {
        int sent = tg_socket_send(tcp->dialed.sock, data, size);
        if (sent < 0 && sent != THRONG_EAGAIN) {
            return sent;
        }
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        }
        if (size > 0) {
            int ready = tg_deadline_wait(deadline, tcp->dialed.sock, true);
            if (ready <= 0) {
                return ready == 0 ? THRONG_ETIMEDOUT : ready;
            }
        }
    }
    return 0;
}

/* What a send leaves behind. After a time-out nobody knows how much of the message went out, so
 * nothing may follow it, and an answer to it cannot be trusted to be one. */
static int end_send(struct throng_tcp *tcp, int result)
{
    if (result < 0) {
        tcp->send_error = result;
    }
    if (result == THRONG_ETIMEDOUT) {
        tcp->receive_error = result;
        tg_inbox_clear(&tcp->inbox);
    }
    return result;
}

int throng_tcp_write(struct throng_tcp *tcp, const void *data, size_t size, int timeout_ms)
{
    if (tcp == NULL || (data == NULL && size > 0)) {
        return THRONG_EINVAL;
    }
    if (tcp->send_error != 0) {
        return tcp->send_error;
    }
    if (size > tcp->rules.message_bytes_max) {
        return THRONG_ETOOBIG;
    }
    uint8_t head[HEAD_BYTES];
    size_t in_head = HEAD_BYTES - THRONG_FRAME_HEADER_BYTES;
    in_head = size < in_head ? size : in_head;
    tg_frame_length_write(head, (uint32_t)size, tcp->rules.byte_order);
    if (in_head > 0) {
        memcpy(head + THRONG_FRAME_HEADER_BYTES, data, in_head);
    }
    struct tg_deadline deadline = begin_deadline(timeout_ms);
    int result = send_all(tcp, head, THRONG_FRAME_HEADER_BYTES + in_head, deadline);
    if (result == 0 && size > in_head) {
        result = send_all(tcp, (const uint8_t *)data + in_head, size - in_head, deadline);
    }
    return end_send(tcp, result);
}

int throng_tcp_send_raw(struct throng_tcp *tcp, const void *data, size_t size, int timeout_ms)
{
    if (tcp == NULL || (data == NULL && size > 0)) {
        return THRONG_EINVAL;
    }
    if (tcp->send_error != 0) {
        return tcp->send_error;
    }
    return end_send(tcp, send_all(tcp, data, size, begin_deadline(timeout_ms)));
}

int throng_tcp_shutdown(struct throng_tcp *tcp)
{
    if (tcp == NULL) {
        return THRONG_EINVAL;
    }
    if (tcp->send_error != 0) {
        return tcp->send_error == THRONG_ECLOSING ? 0 : tcp->send_error;
    }
    int result = tg_socket_shutdown_send(tcp->dialed.sock);
    tcp->send_error = result < 0 ? result : THRONG_ECLOSING;
    return result;
}

/* --- receiving ----------------------------------------------------------------------------- */

/* Why the stream ended. A reset that a send was told of is the end's true reason: the system names
 * it once and shows a plain end of stream afterwards. */
static int end_receive(struct throng_tcp *tcp, int error)
{
    bool send_was_cut = tcp->send_error != 0 && tcp->send_error != THRONG_ECLOSING;
    tcp->receive_error = error == THRONG_EEOF && send_was_cut ? tcp->send_error : error;
    return tcp->receive_error;
}

/* Receives 1..size bytes. Answers how many; THRONG_EAGAIN: none before the deadline; or the error
 * that ends the stream, which stays. */
static int receive(struct throng_tcp *tcp, void *data, size_t size, struct tg_deadline deadline)
{
    int result;
    while ((result = tg_socket_receive(tcp->dialed.sock, data, size)) == THRONG_EAGAIN) {
        result = tg_deadline_wait(deadline, tcp->dialed.sock, false);
        if (result == 0) {
            return THRONG_EAGAIN;
        }
        if (result < 0) {
            break;
        }
    }
    return result > 0 ? result : end_receive(tcp, result);
}

/* What the inbox answers to a read by itself; THRONG_EAGAIN if it needs more bytes. */
static int64_t take_message(struct throng_tcp *tcp, void *buffer, size_t capacity)
{
    struct tg_frame frame;
    enum tg_frame_status status = tg_inbox_peek(&tcp->inbox, &frame);
    if (status == TG_FRAME_TOO_LARGE) {
        return THRONG_EPROTOCOL;
    }
    /* The header alone tells, so the caller need not wait for the payload to hear of it. */
    if (frame.size > capacity) {
        return THRONG_ETOOBIG;
    }
    if (status == TG_FRAME_PARTIAL) {
        return THRONG_EAGAIN;
    }
    if (frame.size > 0) {
        memcpy(buffer, frame.payload, frame.size);
    }
    tg_inbox_take(&tcp->inbox, &frame);
    return frame.size;
}

int64_t throng_tcp_read(struct throng_tcp *tcp, void *buffer, size_t capacity, int timeout_ms)
{
    if (tcp == NULL || (buffer == NULL && capacity > 0)) {
        return THRONG_EINVAL;
    }
    struct tg_deadline deadline = begin_deadline(timeout_ms);
    /* Past the deadline it goes on only with bytes that are there already; the longest frame bounds
     * them. */
    for (;;) {
        int64_t result = take_message(tcp, buffer, capacity);
        if (result != THRONG_EAGAIN) {
            return result;
        }
        if (tcp->receive_error != 0) {
            bool is_cut = tcp->receive_error == THRONG_EEOF && tg_inbox_is_partial(&tcp->inbox);
            return is_cut ? THRONG_EPROTOCOL : tcp->receive_error;
        }
        size_t room_bytes;
        uint8_t *room = tg_inbox_room(&tcp->inbox, &room_bytes);
        int got = receive(tcp, room, room_bytes, deadline);
        if (got == THRONG_EAGAIN) {
            return got;
        }
        if (got > 0) {
            (void)tg_inbox_fill(&tcp->inbox, (size_t)got);
        }
    }
}

int64_t throng_tcp_receive_raw(struct throng_tcp *tcp, void *buffer, size_t capacity,
                               int timeout_ms)
{
    if (tcp == NULL || buffer == NULL || capacity == 0) {
        return THRONG_EINVAL;
    }
    if (tg_inbox_bytes(&tcp->inbox) > 0) {
        return (int64_t)tg_inbox_take_raw(&tcp->inbox, buffer, capacity);
    }
    if (tcp->receive_error != 0) {
        return tcp->receive_error;
    }
    return receive(tcp, buffer, capacity, begin_deadline(timeout_ms));
}

/* --- addresses ----------------------------------------------------------------------------- */

int throng_tcp_local_address(const struct throng_tcp *tcp, struct throng_address *address)
{
    if (tcp == NULL || address == NULL) {
        return THRONG_EINVAL;
    }
    *address = tcp->dialed.local;
    return 0;
}

int throng_tcp_peer_address(const struct throng_tcp *tcp, struct throng_address *address)
{
    if (tcp == NULL || address == NULL) {
        return THRONG_EINVAL;
    }
    *address = tcp->dialed.peer;
    return 0;
}
