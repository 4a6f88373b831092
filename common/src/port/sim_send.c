/* SPDX-License-Identifier: MIT
 * Sending in the simulated port. The bytes of a pending send are read when it completes, as late as
 * the contract allows, and must then still be what they were. */
#include <string.h>

#include "base/yield.h"
#include "port/sim.h"
#include "sim/world.h"

static uint64_t hash_bytes(const struct tg_slice *slices, uint32_t count)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *data = slices[i].data;
        size_t left = slices[i].size;
        for (; left >= 8; data += 8, left -= 8) {
            uint64_t word;
            memcpy(&word, data, 8);
            hash = (hash ^ word) * 0xff51afd7ed558ccdu;
            hash ^= hash >> 32;
        }
        for (; left > 0; data++, left--) {
            hash = (hash ^ *data) * 0xff51afd7ed558ccdu;
        }
    }
    return hash;
}

/* Takes at most `most` bytes of the slices as far as the network has room. */
static int write_slices(struct tg_sim_stream *record, const struct tg_slice *slices, uint32_t count,
                        size_t most)
{
    size_t written = 0;
    for (uint32_t i = 0; i < count && written < most; i++) {
        size_t part = most - written < slices[i].size ? most - written : slices[i].size;
        int taken = tg_net_write(record->sock, slices[i].data, (uint32_t)part);
        if (taken < 0) {
            return written > 0 ? (int)written : taken;
        }
        tg_sim_tell(record->source.port, TG_SIM_PORT_SENT, record->stream, slices[i].data, taken);
        written += (size_t)taken;
        if ((size_t)taken < part) {
            break;
        }
    }
    return (int)written;
}

static size_t bytes_of(const struct tg_slice *slices, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += slices[i].size;
    }
    return bytes;
}

static int write_part(struct tg_sim_stream *record, const struct tg_slice *slices, uint32_t count)
{
    size_t most = bytes_of(slices, count);
    if (most > 1 && tg_sim_strikes(TG_SIM_FAULT_partial_send)) {
        most = tg_sim_strikes(TG_SIM_FAULT_tiny) ? 1 : 1 + tg_sim_below((uint32_t)most);
    }
    return write_slices(record, slices, count, most);
}

/* Perhaps the connection breaks now. 0 or its error. */
static int ask_for_error(struct tg_sim_stream *record)
{
    static const int errors[] = {THRONG_ENOBUFS, THRONG_ECONNRESET, THRONG_ETIMEDOUT,
                                 THRONG_ECONNABORTED};
    if (tg_net_error(record->sock) == 0 && tg_sim_strikes(TG_SIM_FAULT_send_error)) {
        tg_net_break(record->sock, errors[tg_sim_below(4)]);
    }
    return tg_net_error(record->sock);
}

int tg_sim_send(struct tg_port *port, struct tg_stream *stream, const struct tg_slice *slices,
                uint32_t count)
{
    struct tg_sim_stream *record = tg_sim_record_of(tg_sim_port_of(port), stream);
    TG_SIM_RULE(!record->closing, "a send after the close");
    TG_SIM_RULE(!record->connecting, "a send before the connection is up");
    TG_SIM_RULE(!record->sending, "a second send of one stream");
    TG_SIM_RULE(count >= 1 && count <= TG_GATHER_MAX, "a send of no slice, or of too many");
    for (uint32_t i = 0; i < count; i++) {
        TG_SIM_RULE(slices[i].size > 0, "an empty slice");
    }
    tg_count_one(&port->counters.sends);
    tg_yield();
    if (!tg_sim_strikes(TG_SIM_FAULT_pending_send)) {
        int error = ask_for_error(record);
        int sent = error < 0 ? error : write_part(record, slices, count);
        if (sent != THRONG_EAGAIN) {
            record->failed |= sent < 0;
            return sent;
        }
    }
    tg_sim_tell(record->source.port, TG_SIM_PORT_PENDS, stream, NULL, 0);
    record->sending = true;
    record->slice_count = count;
    memcpy(record->slices, slices, count * sizeof *slices);
    record->bytes_hash = hash_bytes(slices, count);
    if (tg_net_writable(record->sock) > 0 || tg_net_error(record->sock) != 0) {
        tg_sim_mark(&record->source);
    }
    return TG_PORT_PENDING;
}

void tg_sim_send_work(struct tg_sim_stream *record, struct tg_batch *batch)
{
    if (!record->sending) {
        return;
    }
    TG_SIM_RULE(hash_bytes(record->slices, record->slice_count) == record->bytes_hash,
                "the bytes of a send in flight have changed");
    int result = THRONG_ECANCELED;
    if (!record->closing || tg_sim_strikes(TG_SIM_FAULT_success_after_cancel)) {
        result = ask_for_error(record);
        if (result == 0 && !record->closing && tg_sim_strikes(TG_SIM_FAULT_zero_send)) {
            result = 0;
        } else if (result == 0) {
            result = write_part(record, record->slices, record->slice_count);
        }
    }
    if (result == THRONG_EAGAIN) {
        if (!record->closing) {
            return; /* there is no room: the network will tell */
        }
        result = THRONG_ECANCELED;
    }
    record->sending = false;
    record->failed |= result < 0;
    tg_sim_complete(record->source.port, batch, TG_COMPLETION_SEND, result, record);
}
