/* SPDX-License-Identifier: MIT
 * The bytes of the network's connections, their ends and resets, and the time that they take. */
#include <string.h>

#include "sim/net_socket.h"
#include "sim/world.h"

static void on_arrival(struct tg_sim_action *action);

static void set_arrival(struct tg_net_pipe *pipe)
{
    if (!tg_sim_is_set(&pipe->arrival)) {
        tg_sim_act(&pipe->arrival, on_arrival, tg_net_delay_ns());
    }
}

static void on_arrival(struct tg_sim_action *action)
{
    struct tg_net_pipe *pipe = TG_CONTAINER_OF(action, struct tg_net_pipe, arrival);
    struct tg_net_socket *sock = TG_CONTAINER_OF(pipe, struct tg_net_socket, in);
    uint64_t on_way = pipe->written - pipe->arrived;
    if (on_way > 1 && tg_sim_strikes(TG_SIM_FAULT_fragment)) {
        on_way = tg_sim_strikes(TG_SIM_FAULT_tiny) ? 1 : 1 + tg_sim_below((uint32_t)on_way);
    }
    pipe->arrived += on_way;
    if (pipe->arrived < pipe->written) {
        set_arrival(pipe);
    } else if (pipe->end_written && !pipe->end_arrived) {
        pipe->end_arrived = true;
        tg_sim_note(TG_SIM_NOTE_end, tg_net_number(sock), 0);
    }
    tg_sim_note(TG_SIM_NOTE_arrive, tg_net_number(sock), (int64_t)on_way);
    tg_net_tell(sock);
}

/* ---- breaking ---- */

void tg_net_break_end(struct tg_net_socket *sock, int error)
{
    if (sock->error != 0 || sock->state != TG_NET_UP) {
        return;
    }
    sock->error = error;
    sock->in.written = sock->in.arrived; /* what was on its way is lost */
    tg_sim_act_not(&sock->in.arrival);
    if (tg_sim_strikes(TG_SIM_FAULT_reset_discards)) {
        sock->in.read = sock->in.arrived;
        sock->in.end_arrived = false; /* an end behind lost bytes would be a lie */
    }
    tg_sim_note(TG_SIM_NOTE_reset, tg_net_number(sock), error);
    tg_net_tell(sock);
}

static void on_reset(struct tg_sim_action *action)
{
    struct tg_net_socket *sock = TG_CONTAINER_OF(action, struct tg_net_socket, fate);
    /* A reset comes behind the bytes that were sent before it, unless the network loses them. */
    sock->in.arrived = sock->in.written;
    tg_net_break_end(sock, sock->error_on_way);
}

void tg_net_send_reset(uint32_t to, int error)
{
    if (to == TG_NET_NONE) {
        return;
    }
    struct tg_net_socket *sock = tg_net_at(to);
    sock->error_on_way = error;
    if (sock->state == TG_NET_UP && sock->error == 0) {
        tg_sim_act(&sock->fate, on_reset, tg_net_delay_ns());
    } /* else it is brought up first: on_established goes on with it */
}

void tg_net_break(uint32_t number, int error)
{
    struct tg_net_socket *sock = tg_net_at(number);
    if (sock->state != TG_NET_UP || sock->error != 0) {
        return;
    }
    tg_net_send_reset(sock->peer, tg_sim_below(2) == 0 ? THRONG_ECONNRESET : THRONG_ETIMEDOUT);
    tg_net_break_end(sock, error);
}

static void on_doom(struct tg_sim_action *action)
{
    static const int errors[] = {THRONG_ECONNRESET, THRONG_ETIMEDOUT, THRONG_EUNREACHABLE,
                                 THRONG_ECONNABORTED};
    struct tg_net_socket *sock = TG_CONTAINER_OF(action, struct tg_net_socket, doom);
    tg_net_break(tg_net_number(sock), errors[tg_sim_below(4)]);
}

void tg_net_ask_fate(uint32_t number)
{
    struct tg_net_socket *sock = tg_net_at(number);
    if (sock->peer == TG_NET_NONE || !tg_sim_strikes(TG_SIM_FAULT_doom)) {
        return;
    }
    if (tg_sim_below(2) == 0) {
        sock = tg_net_at(sock->peer);
    }
    uint64_t longest = UINT64_C(1) << (10 + tg_sim_below(20)); /* a microsecond to a second */
    tg_sim_act(&sock->doom, on_doom, tg_sim_random() % longest);
}

/* ---- reading and writing ---- */

uint32_t tg_net_readable(uint32_t number)
{
    const struct tg_net_pipe *pipe = &tg_net_at(number)->in;
    return (uint32_t)(pipe->arrived - pipe->read);
}

bool tg_net_at_end(uint32_t number)
{
    const struct tg_net_pipe *pipe = &tg_net_at(number)->in;
    return pipe->end_arrived && pipe->read == pipe->arrived;
}

static uint32_t room_of(const struct tg_net_pipe *pipe)
{
    return tg_net.pipe_bytes - (uint32_t)(pipe->written - pipe->read);
}

uint32_t tg_net_writable(uint32_t number)
{
    const struct tg_net_socket *sock = tg_net_at(number);
    if (sock->state != TG_NET_UP || sock->error != 0) {
        return 0;
    }
    /* A peer that has closed takes what comes, and answers with a reset. */
    return sock->peer == TG_NET_NONE ? tg_net.pipe_bytes : room_of(&tg_net_at(sock->peer)->in);
}

int tg_net_read(uint32_t number, void *data, uint32_t size)
{
    struct tg_net_socket *sock = tg_net_at(number);
    struct tg_net_pipe *pipe = &sock->in;
    uint32_t readable = (uint32_t)(pipe->arrived - pipe->read);
    if (readable == 0) {
        return pipe->end_arrived ? THRONG_EEOF : sock->error != 0 ? sock->error : THRONG_EAGAIN;
    }
    bool was_full = room_of(pipe) == 0;
    uint32_t taken = size < readable ? size : readable;
    uint32_t at = (uint32_t)(pipe->read % tg_net.pipe_bytes);
    uint32_t to_end = tg_net.pipe_bytes - at;
    uint32_t first = taken < to_end ? taken : to_end;
    memcpy(data, pipe->bytes + at, first);
    memcpy((uint8_t *)data + first, pipe->bytes, taken - first);
    pipe->read += taken;
    if (was_full && sock->peer != TG_NET_NONE) {
        tg_net_tell(tg_net_at(sock->peer));
    }
    return (int)taken;
}

static void put_bytes(struct tg_net_pipe *pipe, const uint8_t *data, uint32_t size)
{
    uint32_t at = (uint32_t)(pipe->written % tg_net.pipe_bytes);
    uint32_t to_end = tg_net.pipe_bytes - at;
    uint32_t first = size < to_end ? size : to_end;
    memcpy(pipe->bytes + at, data, first);
    memcpy(pipe->bytes, data + first, size - first);
    pipe->written += size;
}

int tg_net_write(uint32_t number, const void *data, uint32_t size)
{
    struct tg_net_socket *sock = tg_net_at(number);
    if (sock->error != 0) {
        return sock->error;
    }
    if (sock->shut || sock->state != TG_NET_UP) {
        return THRONG_ECONNRESET; /* what EPIPE is told as */
    }
    if (sock->peer == TG_NET_NONE) {
        /* It has closed: the bytes find nobody, and a reset comes back. */
        tg_net_send_reset(number, THRONG_ECONNRESET);
        return (int)size;
    }
    struct tg_net_pipe *pipe = &tg_net_at(sock->peer)->in;
    uint32_t room = room_of(pipe);
    uint32_t taken = size < room ? size : room;
    if (taken == 0) {
        return THRONG_EAGAIN;
    }
    if (tg_net_at(sock->peer)->error == 0) { /* a broken end hears nothing more */
        put_bytes(pipe, data, taken);
        set_arrival(pipe);
    }
    return (int)taken;
}

void tg_net_shutdown(uint32_t number)
{
    struct tg_net_socket *sock = tg_net_at(number);
    if (sock->shut || sock->state != TG_NET_UP) {
        return;
    }
    sock->shut = true;
    if (sock->peer != TG_NET_NONE && tg_net_at(sock->peer)->error == 0) {
        struct tg_net_pipe *pipe = &tg_net_at(sock->peer)->in;
        pipe->end_written = true;
        set_arrival(pipe);
    }
}
