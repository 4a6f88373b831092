/* SPDX-License-Identifier: MIT
 * Sending: one gathered send of a connection at a time, as much as there is. Worker thread.
 *
 * A heartbeat is four bytes that lie in no block. It goes between two messages only: when the queue
 * is empty, and then before whatever joins it. */
#include "worker/worker.h"

#include "base/assert.h"

static const uint8_t beat[THRONG_FRAME_HEADER_BYTES]; /* an empty message in either byte order */

static void count_sent(struct tg_worker *worker, struct tg_slot *slot, size_t bytes)
{
    if (bytes == 0) {
        return;
    }
    if (slot->beat_bytes > 0) {
        TG_REQUIRE(bytes <= slot->beat_bytes);
        slot->beat_bytes = (uint8_t)(slot->beat_bytes - bytes);
    } else {
        tg_chain_advance(&slot->queue, worker->shared->blocks, bytes, &worker->done);
    }
    slot->taken_bytes =
        bytes > UINT32_MAX - slot->taken_bytes ? UINT32_MAX : slot->taken_bytes + (uint32_t)bytes;
    tg_count(&worker->counters.bytes_sent, bytes);
}

/* What goes next: what is left of a heartbeat, or the queue's front. 0: nothing. */
static uint32_t gather(struct tg_worker *worker, struct tg_slot *slot, struct tg_slice *slices)
{
    if (slot->beat_bytes > 0) {
        slices[0].data = beat + sizeof(beat) - slot->beat_bytes;
        slices[0].size = slot->beat_bytes;
        return 1;
    }
    size_t bytes;
    return tg_chain_is_empty(&slot->queue) ? 0
                                           : tg_chain_gather(&slot->queue, worker->shared->blocks,
                                                             slices, TG_GATHER_MAX, &bytes);
}

void tg_slot_send(struct tg_worker *worker, struct tg_slot *slot)
{
    /* Each round sends something, or brings what may be sent, or ends the loop, and the queue is
     * bounded by send_queue_bytes_max. */
    while ((slot->flags & TG_SLOT_SENDING) == 0) {
        struct tg_slice slices[TG_GATHER_MAX];
        uint32_t count = gather(worker, slot, slices);
        if (count == 0 && slot->in_rooms && tg_fanout_take_later(worker, slot)) {
            continue;
        }
        if (count == 0) {
            slot->flags &= (uint16_t)~TG_SLOT_UNSENT;
            slot->unsent_ms = worker->served_ms;
            if (slot->beat_due && slot->state == TG_SLOT_OPEN) {
                tg_slot_answer_beat(worker, slot); /* in a moment */
            }
            return;
        }
        int result = tg_port_send(worker->port, &slot->stream, slices, count);
        if (result > 0) {
            count_sent(worker, slot, (size_t)result);
        } else if (result == TG_PORT_PENDING) {
            slot->flags |= TG_SLOT_SENDING;
        } else {
            tg_slot_fail(worker, slot, result);
            return;
        }
    }
    if ((slot->flags & TG_SLOT_UNSENT) == 0) {
        tg_slot_watch_unsent(worker, slot);
    }
}

void tg_worker_on_send(struct tg_worker *worker, const struct tg_completion *completion)
{
    struct tg_slot *slot = TG_CONTAINER_OF(completion->stream, struct tg_slot, stream);
    TG_REQUIRE((slot->flags & TG_SLOT_SENDING) != 0);
    slot->flags &= (uint16_t)~TG_SLOT_SENDING;
    if (completion->result >= 0) {
        count_sent(worker, slot, (size_t)completion->result);
    }
    if (slot->state == TG_SLOT_CLOSING) {
        return; /* what is left of the queue goes home with the CLOSE completion */
    }
    if (completion->result < 0) {
        tg_slot_fail(worker, slot, completion->result);
        return;
    }
    tg_slot_send(worker, slot);
    tg_slot_settle(worker, slot);
    tg_slot_check_flow(worker, slot);
}
