/* SPDX-License-Identifier: MIT
 * The scenarios echo and idle: payloads go out as load_send.c says, and come back. Their hooks
 * (scenario.h), on the swarm's threads. */
#include "scenario.h"

static void publish_wrongs(struct load_thread *own)
{
    tally_set(&own->tally.lost, own->verifier.lost);
    tally_set(&own->tally.duplicated, own->verifier.duplicated);
    tally_set(&own->tally.reordered, own->verifier.reordered);
    tally_set(&own->tally.corrupted, own->verifier.corrupted);
    tally_set(&own->tally.foreign, own->verifier.foreign);
}

bool load_echo(struct load_thread *own, uint32_t place, const void *data, size_t size)
{
    struct verify_stream *stream = &own->conns[place].stream;
    uint64_t sequence = stream->next;
    bool right = verify_echo(&own->verifier, stream, load_connection_of(own, place), data, size);
    if (right) {
        const uint64_t *times = own->times + (size_t)place * own->load->ring_size;
        load_count_right(own, times[sequence & (own->load->ring_size - 1)], size);
        if (sequence == 0) {
            tally_add(&own->tally.answered, 1);
        }
    } else {
        publish_wrongs(own);
    }
    tally_add(&own->tally.settled, stream->next - sequence);
    return right;
}

static void on_message(struct load_thread *own, uint32_t place, const void *data, size_t size)
{
    (void)load_echo(own, place, data, size);
    if (own->phase == LOAD_TALK && own->load->options->window > 0) {
        load_send_window(own, place);
    }
}

static void on_down(struct load_thread *own, uint32_t place, bool came_up, int error)
{
    (void)error;
    const struct load_conn *conn = &own->conns[place];
    if (!came_up) {
        return;
    }
    tally_add(&own->tally.abandoned, conn->stream.sent - conn->stream.next);
    bool talking = own->phase == LOAD_TALK && place < own->active_count;
    if (conn->state == LOAD_CONN_UP && talking && conn->stream.sent < conn->limit) {
        tally_add(&own->tally.talkers, UINT64_MAX); /* one less */
    }
}

static void on_phase(struct load_thread *own, enum load_phase from, enum load_phase to)
{
    if (to == LOAD_TALK) {
        load_send_start(own);
    }
    if (from == LOAD_TALK) {
        load_send_end(own);
    }
}

static uint64_t on_turn(struct load_thread *own)
{
    return own->phase == LOAD_TALK ? load_send_turn(own) : UINT64_MAX;
}

const struct scenario scenario_echo = {
    .on_message = on_message,
    .on_down = on_down,
    .on_phase = on_phase,
    .on_turn = on_turn,
};
