/* SPDX-License-Identifier: MIT
 * The rules of the server's options, for options_server.c: from the words of the public header, not
 * from the code that checks them. */
#include "options_rules.h"

#include <string.h>

#include "buffer/block_pool.h"
#include "options.h"
#include "os/socket.h"

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value == 0 ? fallback : value;
}

static bool is_allowed(uint64_t value, uint64_t fallback, uint64_t least, uint64_t most,
                       const char *word)
{
    return fuzz_is_in(least == 0 ? value : or_default(value, fallback), least, most) ||
           (word != NULL && value == UINT32_MAX);
}

static bool heartbeats_are_allowed(const struct throng_server_options *asked)
{
    for (uint32_t i = 0; i < THRONG_LISTENERS_MAX; i++) {
        if (asked->heartbeat_ms[i] > DAY_MS) {
            return false;
        }
    }
    return true;
}

static bool numbers_are_allowed(const struct throng_server_options *asked)
{
#define IS_IN(field, fallback, least, most, word)                                                  \
    if (!is_allowed(asked->field, fallback, least, most, word)) {                                  \
        return false;                                                                              \
    }
    FUZZ_NUMBERS(IS_IN)
#undef IS_IN
    return (unsigned)asked->byte_order <= 1 && (unsigned)asked->when_full <= 1 &&
           (unsigned)asked->when_send_full <= 2 && (unsigned)asked->when_over_rate <= 1 &&
           (asked->io_threads == UINT32_MAX || asked->io_threads <= WORKERS_MOST) &&
           heartbeats_are_allowed(asked);
}

static bool pace_is_allowed(const struct throng_server_options *asked)
{
    uint64_t frame = or_default(asked->message_bytes_max, 65536) + 4;
    return (asked->message_timeout_ms <= DAY_MS || asked->message_timeout_ms == UINT32_MAX) &&
           (asked->user_timeout_ms <= DAY_MS || asked->user_timeout_ms == UINT32_MAX) &&
           asked->messages_burst <= GIB && asked->bytes_burst <= GIB &&
           (asked->bytes_per_s == 0 || asked->bytes_burst == 0 || asked->bytes_burst >= frame);
}

static bool rooms_are_allowed(const struct throng_server_options *asked)
{
    uint64_t longest = (or_default(asked->message_bytes_max, 65536) + 4 + 511) / 512;
    uint64_t least = longest > 64 ? longest : 64;
    return fuzz_is_in(or_default(asked->room_members_max, 1), 1, 16777216) &&
           fuzz_is_in(or_default(asked->room_references_max, least), least, 16777216);
}

static bool sizes_are_allowed(const struct throng_server_options *asked)
{
    uint64_t message = or_default(asked->message_bytes_max, 65536);
    uint64_t frame = (message + 4 + 511) / 512 * 512;
    uint64_t assembly = 2 * fuzz_power_of_two(message, 256);
    return fuzz_is_in(or_default(asked->send_queue_bytes_max, frame), frame, 2 * GIB) &&
           fuzz_is_in(or_default(asked->send_small_bytes, frame), frame, 64 * GIB) &&
           fuzz_is_in(or_default(asked->send_large_bytes, 16 * MIB), TG_LARGE_BLOCK_BYTES,
                      64 * GIB) &&
           fuzz_is_in(or_default(asked->assembly_bytes, assembly), assembly, 64 * GIB);
}

static bool listeners_are_allowed(const struct throng_server_options *asked)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    bool is_over = false;
    for (uint32_t i = 0; i < THRONG_LISTENERS_MAX; i++) {
        if (asked->listen[i] == NULL) {
            is_over = true;
        } else if (is_over || tg_endpoint_parse(asked->listen[i], host, &port, NULL) < 0) {
            return false;
        }
    }
    return asked->listen[0] != NULL;
}

static bool admin_is_allowed(const char *endpoint)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    return endpoint == NULL || tg_endpoint_parse(endpoint, host, &port, NULL) == 0;
}

static bool backend_is_allowed(const char *name)
{
    return name == NULL || strcmp(name, "auto") == 0 || strcmp(name, "epoll") == 0 ||
           (strcmp(name, "io_uring") == 0 && fuzz_system.has_uring);
}

bool fuzz_options_are_allowed(const struct throng_server_options *asked)
{
    return numbers_are_allowed(asked) && sizes_are_allowed(asked) && rooms_are_allowed(asked) &&
           pace_is_allowed(asked) && listeners_are_allowed(asked) &&
           admin_is_allowed(asked->admin) && backend_is_allowed(asked->backend);
}

static void check_pace(const struct throng_server_options *asked,
                       const struct throng_server_options *final)
{
    uint64_t bytes = final->message_bytes_max;
    uint64_t longest_ms = bytes * 1000 / 16384 + (bytes * 1000 % 16384 != 0);
    uint64_t burst = asked->bytes_per_s > bytes + 4 ? asked->bytes_per_s : bytes + 4;
    FUZZ_CHECK(final->message_timeout_ms ==
               or_default(asked->message_timeout_ms, longest_ms > 10000 ? longest_ms : 10000));
    uint32_t keepalive_s = final->keepalive_s;
    FUZZ_CHECK(final->user_timeout_ms ==
               or_default(asked->user_timeout_ms,
                          keepalive_s == UINT32_MAX ? UINT32_MAX : keepalive_s * 1000 + 60000));
    FUZZ_CHECK(final->messages_burst == or_default(asked->messages_burst, asked->messages_per_s));
    FUZZ_CHECK(asked->bytes_per_s == 0 ||
               final->bytes_burst == or_default(asked->bytes_burst, burst));
}

void fuzz_check_numbers(const struct throng_server_options *asked,
                        const struct throng_server_options *final)
{
    bool is_whole = asked->struct_size == sizeof(*asked);
#define IS_FINAL(field, fallback, least, most, word)                                               \
    FUZZ_CHECK(!is_whole || final->field == or_default(asked->field, fallback));                   \
    FUZZ_CHECK(is_allowed(final->field, 0, least, most, word));
    FUZZ_NUMBERS(IS_FINAL)
#undef IS_FINAL
    if (is_whole) {
        check_pace(asked, final);
    }
}
