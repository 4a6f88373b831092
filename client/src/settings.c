/* SPDX-License-Identifier: MIT
 * The checks that the options of every client have in common. Called where a client is made; any
 * thread. */
#include "settings.h"

#include <string.h>

#include "base/failure.h"

int tg_settings_copy(void *options, size_t size, const void *given, size_t given_size,
                     struct throng_error *error)
{
    if (given_size < sizeof(size_t) || given_size > size) {
        return tg_failure(error, THRONG_EINVAL,
                          "struct_size is %zu; call the options' init function, whose options have "
                          "%zu bytes in this library",
                          given_size, size);
    }
    memcpy(options, given, given_size);
    return 0;
}

int tg_settings_frame_rules(struct tg_frame_rules *rules, uint32_t message_bytes_max,
                            enum throng_byte_order byte_order, struct throng_error *error)
{
    if (message_bytes_max > THRONG_MESSAGE_BYTES_LIMIT) {
        return tg_failure(error, THRONG_EINVAL, "message_bytes_max is %u; it must be 1..%u bytes",
                          message_bytes_max, THRONG_MESSAGE_BYTES_LIMIT);
    }
    if ((uint32_t)byte_order > THRONG_BYTE_ORDER_LITTLE) {
        return tg_failure(error, THRONG_EINVAL, "byte_order is %d; it must be 0 or 1",
                          (int)byte_order);
    }
    rules->message_bytes_max = message_bytes_max == 0 ? THRONG_MESSAGE_BYTES_DEFAULT
                                                      : message_bytes_max;
    rules->byte_order = byte_order;
    return 0;
}

int tg_settings_source(const struct throng_address *source, struct throng_error *error)
{
    switch (source->family) {
    case THRONG_ADDRESS_NONE:
    case THRONG_ADDRESS_IPV4:
    case THRONG_ADDRESS_IPV6:
        return 0;
    default:
        return tg_failure(error, THRONG_EINVAL, "source.family is %u; it must be 0, 4 or 6",
                          (unsigned)source->family);
    }
}
