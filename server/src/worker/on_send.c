/* SPDX-License-Identifier: MIT
 * Sending: one gathered send of a connection at a time, as much as there is. Worker thread. */
#include "worker/worker.h"

#include "base/assert.h"

static void count_sent(struct tg_worker *worker, struct tg_slot *slot, size_t bytes)
{
    if (bytes > 0) {
        tg_chain_advance(&slot->queue, worker->shared->blocks, bytes, &worker->done);
        tg_count(&worker->counters.bytes_sent, bytes);
    }
}

void tg_slot_send(struct tg_worker *worker, struct tg_slot *slot)
{
    /* Each round sends something or ends the loop, and the queue is bounded by
     * send_queue_bytes_max. */
    while (!tg_chain_is_empty(&slot->queue) && (slot->flags & TG_SLOT_SENDING) == 0) {
        struct tg_slice slices[TG_GATHER_MAX];
        size_t bytes;
        uint32_t count =
            tg_chain_gather(&slot->queue, worker->shared->blocks, slices, TG_GATHER_MAX, &bytes);
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
