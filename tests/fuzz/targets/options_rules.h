/* SPDX-License-Identifier: MIT
 * What server/include/throng/options.h says of the server's options, written down a second time. */
#ifndef FUZZ_OPTIONS_RULES_H
#define FUZZ_OPTIONS_RULES_H

#include <throng/options.h>

#include "fuzz.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define WORKERS_MOST 64u
#define DAY_MS 86400000u

/* X(field, default, least, most, word): numbers as the public header has them. 0 means the default
 * where it is not in the range; the word is UINT32_MAX. */
#define FUZZ_NUMBERS(X)                                                                            \
    X(max_connections, 65000, 1, 1048575, NULL)                                                    \
    X(message_bytes_max, 65536, 1, 67108864, NULL)                                                 \
    X(backlog, 4096, 1, 1048576, NULL)                                                             \
    X(receive_buffers, 32, 4, 65536, NULL)                                                         \
    X(receive_buffer_bytes, 64 * KIB, 4 * KIB, 4 * MIB, NULL)                                      \
    X(events_max, 8192, 64, 1048576, NULL)                                                         \
    X(socket_send_bytes, 0, 0, GIB, NULL)                                                          \
    X(socket_receive_bytes, 0, 0, GIB, NULL)                                                       \
    X(linger_ms, 2000, 1, 600000, NULL)                                                            \
    X(accept_pool, 256, 1, 65536, NULL)                                                            \
    X(first_message_timeout_ms, 120000, 1, DAY_MS, "off")                                          \
    X(idle_timeout_ms, 0, 0, DAY_MS, NULL)                                                         \
    X(write_timeout_ms, 10000, 1, DAY_MS, "off")                                                   \
    X(reader_rate_min, 256, 1, GIB, NULL)                                                          \
    X(heartbeat_ms[0], 0, 0, DAY_MS, NULL)                                                         \
    X(heartbeat_ms[15], 0, 0, DAY_MS, NULL)                                                        \
    X(keepalive_s, 120, 1, 32767, "off")                                                           \
    X(logic_stall_ms, 1000, 1, DAY_MS, "off")                                                      \
    X(send_reserve_percent, 25, 1, 90, NULL)                                                       \
    X(turn_messages, 256, 1, 65536, NULL)                                                          \
    X(messages_per_s, 0, 0, GIB, NULL)                                                             \
    X(bytes_per_s, 0, 0, GIB, NULL)                                                                \
    X(connections_per_address, 0, 0, 1048575, NULL)                                                \
    X(evict_silent_ms, 10000, 1, DAY_MS, "off")                                                    \
    X(rooms_max, 4096, 1, 1048575, NULL)                                                           \
    X(rooms_per_connection, 64, 1, 65535, NULL)                                                    \
    X(timers_max, 4096, 1, 1048576, NULL)                                                          \
    X(posts_max, 4096, 1, 1048576, NULL)

/* The same for those whose default or use depends on other options. */
#define FUZZ_OPEN_NUMBERS(X)                                                                       \
    X(io_threads, 0, 0, 64, "auto")                                                                \
    X(send_queue_bytes_max, 0, 512, 2 * GIB, NULL)                                                 \
    X(send_small_bytes, 0, 512, 64 * GIB, NULL)                                                    \
    X(send_large_bytes, 0, 16896, 64 * GIB, NULL)                                                  \
    X(assembly_bytes, 0, 512, 64 * GIB, NULL)                                                      \
    X(message_timeout_ms, 0, 1, DAY_MS, "off")                                                     \
    X(user_timeout_ms, 0, 1, DAY_MS, "off")                                                        \
    X(messages_burst, 0, 0, GIB, NULL)                                                             \
    X(bytes_burst, 0, 0, GIB, NULL)                                                                \
    X(room_members_max, 0, 1, 16777216, NULL)                                                      \
    X(room_references_max, 0, 64, 16777216, NULL)

/* X(field, words): of two, the second stands twice */
#define FUZZ_CHOICES(X)                                                                            \
    X(byte_order, "big", "little", "little")                                                       \
    X(when_full, "refuse", "backlog", "backlog")                                                   \
    X(reuse_sockets, "no", "yes", "yes")                                                           \
    X(when_send_full, "refuse", "close", "drop_oldest")                                            \
    X(when_over_rate, "slow", "close", "close")

static inline bool fuzz_is_in(uint64_t value, uint64_t least, uint64_t most)
{
    return value >= least && value <= most;
}

/* `least` doubled until it is at least `value`. */
static inline uint64_t fuzz_power_of_two(uint64_t value, uint64_t least)
{
    uint64_t power = least;
    while (power < value) {
        power *= 2;
    }
    return power;
}

/* Whether these options, on the fuzzer's system, are to be accepted; but for the descriptors. */
bool fuzz_options_are_allowed(const struct throng_server_options *asked);

/* What was accepted has the numbers that were asked for, or the defaults, in their ranges. */
void fuzz_check_numbers(const struct throng_server_options *asked,
                        const struct throng_server_options *final);

#endif
