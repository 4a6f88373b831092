/* SPDX-License-Identifier: MIT
 * The limits of a message and their defaults, and the scan as the user calls it. See scan.h. */
#include <throng/wire.h>

#include "base/failure.h"
#include "message/fault.h"
#include "message/scan.h"

#define NODES_DEFAULT 4096u
#define NODES_MOST (16u * 1024 * 1024)
#define DEPTH_DEFAULT 8u
#define KEY_BYTES_DEFAULT 64u

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

bool tg_message_limits_fill(struct throng_message_limits *limits, struct throng_error *error)
{
    if (limits->bytes_max > THRONG_MESSAGE_BYTES_LIMIT) {
        (void)tg_failure(error, THRONG_EINVAL, "limits.bytes_max is %u; at most %u",
                         limits->bytes_max, THRONG_MESSAGE_BYTES_LIMIT);
        return false;
    }
    if (limits->nodes_max > NODES_MOST) {
        (void)tg_failure(error, THRONG_EINVAL, "limits.nodes_max is %u; at most %u",
                         limits->nodes_max, NODES_MOST);
        return false;
    }
    if (limits->depth_max > TG_MESSAGE_DEPTH_MOST) {
        (void)tg_failure(error, THRONG_EINVAL, "limits.depth_max is %u; at most %u",
                         limits->depth_max, TG_MESSAGE_DEPTH_MOST);
        return false;
    }
    limits->bytes_max = or_default(limits->bytes_max, THRONG_MESSAGE_BYTES_DEFAULT);
    limits->nodes_max = or_default(limits->nodes_max, NODES_DEFAULT);
    limits->depth_max = or_default(limits->depth_max, DEPTH_DEFAULT);
    limits->string_bytes_max = or_default(limits->string_bytes_max, limits->bytes_max);
    limits->key_bytes_max = or_default(limits->key_bytes_max, KEY_BYTES_DEFAULT);
    return true;
}

int throng_message_scan(const void *data, size_t size, const struct throng_message_limits *limits,
                        struct throng_message_fault *fault)
{
    struct throng_message_limits filled = {0};
    struct throng_message_fault unread = {0};
    if (limits != NULL) {
        filled = *limits;
    }
    if (fault == NULL) {
        fault = &unread;
    }
    if (!tg_message_limits_fill(&filled, NULL) || (data == NULL && size > 0)) {
        return THRONG_EINVAL;
    }
    if (size > filled.bytes_max) {
        return tg_fault_set(fault, THRONG_FAULT_BYTES, filled.bytes_max, size, filled.bytes_max);
    }
    return tg_message_scan(data, size, 0, &filled, NULL, fault);
}
