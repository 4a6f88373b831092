/* SPDX-License-Identifier: MIT
 * The bounded look at a message before anybody reads it: MessagePack-C would reserve 8.6 GB of
 * address space for the five bytes dd 10 00 00 00. No allocation, no recursion; no byte is looked
 * at more than twice, those of a string not at all. It leaves behind where each value begins, for
 * nobody to look again. Pure.
 *
 *   what a container announces is owed:   93         01     c0     82 ...
 *                                 owed    1 -> 3     2      1      0 + 4
 *
 * Each value that is owed takes a byte at least, so more owed than bytes left is refused at the
 * announcement, and so is more than nodes_max. */
#ifndef TG_MESSAGE_SCAN_H
#define TG_MESSAGE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/message.h>

#include "message/node.h"

/* MessagePack-C's own stack has 32 places. */
#define TG_MESSAGE_DEPTH_MOST 30u

/* What MessagePack calls the envelope's start, before the body. */
struct tg_envelope {
    uint32_t type;
    uint32_t request;
    bool is_reply;
    size_t body; /* offset of its first byte */
};

/* Replaces zeros by the defaults. False, with the reason, if a limit is out of range. */
bool tg_message_limits_fill(struct throng_message_limits *limits, struct throng_error *error);

/* Reads the envelope up to its body; `size` may be 0. 0 or the fault's code. */
int tg_envelope_read(const uint8_t *data, size_t size, struct tg_envelope *envelope,
                     struct throng_message_fault *fault);

/* Looks at the one value that begins at `offset` and must end at `size`. Limits without zeros;
 * bytes_max is the caller's business. `nodes` has room for nodes_max, and the value is the first of
 * them; NULL: only the answer is wanted. 0 or the fault's code. */
int tg_message_scan(const uint8_t *data, size_t size, size_t offset,
                    const struct throng_message_limits *limits, struct tg_node *nodes,
                    struct throng_message_fault *fault);

#endif
