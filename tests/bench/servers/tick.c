/* SPDX-License-Identifier: MIT
 * See tick.h. The frames are those of the load, which compares them. */
#include "tick.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../load/frames.h"
#include "echo_server.h"

static struct frames frames;

void tick_create(struct tick *tick, const char *connections, const char *messages, const char *size)
{
    *tick = (struct tick){.connections = (uint32_t)strtoul(connections, NULL, 10),
                          .messages = (uint32_t)strtoul(messages, NULL, 10),
                          .frame = TICK_HEADER_BYTES + strtoul(size, NULL, 10)};
    if (tick->connections == 0 || tick->messages == 0 || tick->messages > TICK_MESSAGES_MAX ||
        tick->frame > TICK_FRAME_BYTES_MAX) {
        (void)fprintf(
            stderr,
            "CONNECTIONS, MESSAGES and SIZE are whole numbers, MESSAGES up to %u, SIZE up to "
            "%u\n",
            TICK_MESSAGES_MAX, TICK_FRAME_BYTES_MAX - TICK_HEADER_BYTES);
        exit(2);
    }
    if (!frames_create(&frames, (uint32_t)(tick->frame - TICK_HEADER_BYTES), tick->messages,
                       false)) {
        echo_give_up("frames");
    }
    tick->bytes = frames.bytes;
}

void tick_next(struct tick *tick)
{
    frames_stamp(&frames, 0, tick->ticks * tick->messages, tick->messages);
    tick->ticks++;
}

void tick_print_counts(const struct tick *tick, uint64_t accepted, uint64_t sent)
{
    (void)fprintf(
        stderr, "served: accepted %" PRIu64 ", messages in %" PRIu64 ", messages out %" PRIu64 "\n",
        accepted, tick->ticks, sent);
}
