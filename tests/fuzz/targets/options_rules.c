/* SPDX-License-Identifier: MIT
 * The rules of the server's options, for options_server.c: from the words of the public header, not
 * from the code that checks them. */
#include "options_rules.h"

#include <string.h>

#include "buffer/block_pool.h"
#include "options.h"
#include "os/socket.h"

/* X(field, default, least, most): numbers as the public header has them. 0 means the default. */
#define NUMBERS(X)                                                                                 \
    X(max_connections, 65000, 1, 1048575)                                                          \
    X(message_bytes_max, 65536, 1, 67108864)                                                       \
    X(backlog, 4096, 1, 1048576)                                                                   \
    X(receive_buffers, 32, 4, 65536)                                                               \
    X(receive_buffer_bytes, 64 * KIB, 4 * KIB, 4 * MIB)                                            \
    X(events_max, 8192, 64, 1048576)                                                               \
    X(linger_ms, 2000, 1, 600000)                                                                  \
    X(accept_pool, 256, 1, 65536)

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value == 0 ? fallback : value;
}

static bool numbers_are_allowed(const struct throng_server_options *asked)
{
#define IS_IN(field, fallback, least, most)                                                        \
    if (!fuzz_is_in(or_default(asked->field, fallback), least, most)) {                            \
        return false;                                                                              \
    }
    NUMBERS(IS_IN)
#undef IS_IN
    return (unsigned)asked->byte_order <= 1 && (unsigned)asked->when_full <= 1 &&
           asked->socket_send_bytes <= GIB && asked->socket_receive_bytes <= GIB &&
           (asked->io_threads == UINT32_MAX || asked->io_threads <= WORKERS_MOST);
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

static bool backend_is_allowed(const char *name)
{
    return name == NULL || strcmp(name, "auto") == 0 || strcmp(name, "epoll") == 0 ||
           (strcmp(name, "io_uring") == 0 && fuzz_system.has_uring);
}

bool fuzz_options_are_allowed(const struct throng_server_options *asked)
{
    return numbers_are_allowed(asked) && sizes_are_allowed(asked) && listeners_are_allowed(asked) &&
           backend_is_allowed(asked->backend);
}

void fuzz_check_numbers(const struct throng_server_options *asked,
                        const struct throng_server_options *final)
{
    bool is_whole = asked->struct_size == sizeof(*asked);
#define IS_FINAL(field, fallback, least, most)                                                     \
    FUZZ_CHECK(!is_whole || final->field == or_default(asked->field, fallback));                   \
    FUZZ_CHECK(fuzz_is_in(final->field, least, most));
    NUMBERS(IS_FINAL)
#undef IS_FINAL
}
