/* SPDX-License-Identifier: MIT
 * The options' defaults and limits, as one table, and their check. Any thread. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "buffer/message_pool.h"
#include "config.h"
#include "os/thread.h"

#define KIB 1024u
#define MIB (1024u * 1024u)

/* Numbers whose default and limits stand alone. 0 means the default. X(field, default, least, most,
 * unit) */
#define TG_OPTION_MAP(X)                                                                           \
    X(max_connections, 65000, 1, THRONG_CONNECTIONS_LIMIT, "connections")                          \
    X(message_bytes_max, THRONG_MESSAGE_BYTES_DEFAULT, 1, THRONG_MESSAGE_BYTES_LIMIT, "bytes")     \
    X(backlog, 4096, 1, 1048576, "connections")                                                    \
    X(receive_buffers, 32, 4, 65536, "buffers")                                                    \
    X(receive_buffer_bytes, 64 * KIB, 4 * KIB, 4 * MIB, "bytes")                                   \
    X(events_max, 8192, 64, 1048576, "events")                                                     \
    X(linger_ms, 2000, 1, 600000, "ms")                                                            \
    X(accept_pool, 256, 1, 65536, "sockets")

/* Most of any memory option; keeps every index of a pool in 31 bits. */
#define MEMORY_MOST ((size_t)64 * 1024 * MIB)

/* Keeps the bytes of a full queue in 32 bits. */
#define SEND_QUEUE_MOST (2048u * MIB)

void throng_server_options_init(struct throng_server_options *options)
{
    memset(options, 0, sizeof(*options));
    options->struct_size = sizeof(*options);
    options->io_threads = THRONG_IO_THREADS_AUTO;
#define SET_DEFAULT(field, fallback, least, most, unit) options->field = (fallback);
    TG_OPTION_MAP(SET_DEFAULT)
#undef SET_DEFAULT
}

int tg_config_fail(struct throng_error *error, int code, const char *format, ...)
{
    if (error != NULL) {
        error->code = code;
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
        va_end(arguments);
    }
    return code;
}

static int check_number(const char *name, uint32_t value, uint32_t least, uint32_t most,
                        const char *unit, struct throng_error *error)
{
    if (value < least || value > most) {
        return tg_config_fail(error, THRONG_EINVAL, "%s is %u; it must be %u..%u %s", name, value,
                              least, most, unit);
    }
    return 0;
}

static int check_numbers(struct throng_server_options *options, struct throng_error *error)
{
    int result;
#define CHECK(field, fallback, least, most, unit)                                                  \
    options->field = options->field == 0 ? (fallback) : options->field;                            \
    result = check_number(#field, options->field, least, most, unit, error);                       \
    if (result < 0) {                                                                              \
        return result;                                                                             \
    }
    TG_OPTION_MAP(CHECK)
#undef CHECK
    if ((uint32_t)options->byte_order > THRONG_BYTE_ORDER_LITTLE) {
        return tg_config_fail(error, THRONG_EINVAL, "byte_order is %d; it must be 0 or 1",
                              (int)options->byte_order);
    }
    if ((uint32_t)options->when_full > THRONG_WHEN_FULL_BACKLOG) {
        return tg_config_fail(error, THRONG_EINVAL, "when_full is %d; it must be 0 or 1",
                              (int)options->when_full);
    }
    if (options->socket_send_bytes > 1024 * MIB || options->socket_receive_bytes > 1024 * MIB) {
        return tg_config_fail(error, THRONG_EINVAL,
                              "socket_send_bytes is %u and socket_receive_bytes %u; each must be "
                              "0 (the system's choice)..%u bytes",
                              options->socket_send_bytes, options->socket_receive_bytes,
                              1024 * MIB);
    }
    return 0;
}

static size_t size_or(size_t value, size_t fallback)
{
    return value == 0 ? fallback : value;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int check_size(const char *name, size_t value, size_t least, const char *why,
                      struct throng_error *error)
{
    if (value < least || value > MEMORY_MOST) {
        return tg_config_fail(error, THRONG_EINVAL, "%s is %zu; it must be %zu (%s)..%zu bytes",
                              name, value, least, why, MEMORY_MOST);
    }
    return 0;
}

static uint32_t units_of(size_t bytes)
{
    return (uint32_t)((bytes + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES);
}

/* The memory options, whose limits follow from the longest message. */
static int check_sizes(struct tg_config *config, struct throng_error *error)
{
    struct throng_server_options *options = &config->options;
    size_t frame = (size_t)options->message_bytes_max + THRONG_FRAME_HEADER_BYTES;
    size_t assembly_block = tg_message_block_bytes(options->message_bytes_max);
    size_t frame_blocks = (size_t)units_of(frame) * TG_BLOCK_BYTES;

    if (options->send_queue_bytes_max == 0) {
        options->send_queue_bytes_max = (uint32_t)larger(256 * KIB, 2 * frame_blocks);
    }
    options->send_small_bytes =
        size_or(options->send_small_bytes, larger(32 * (size_t)MIB, 2 * frame_blocks));
    options->send_large_bytes = size_or(options->send_large_bytes, 16 * (size_t)MIB);
    options->assembly_bytes =
        size_or(options->assembly_bytes, larger(8 * (size_t)MIB, 4 * assembly_block));

    if (options->send_queue_bytes_max > SEND_QUEUE_MOST) {
        return tg_config_fail(error, THRONG_EINVAL,
                              "send_queue_bytes_max is %u; it must be %zu..%u bytes",
                              options->send_queue_bytes_max, frame_blocks, SEND_QUEUE_MOST);
    }
    int result = check_size("send_queue_bytes_max", options->send_queue_bytes_max, frame_blocks,
                            "one longest message in blocks", error);
    if (result == 0) {
        result = check_size("send_small_bytes", options->send_small_bytes, frame_blocks,
                            "one longest message in blocks", error);
    }
    if (result == 0) {
        result = check_size("send_large_bytes", options->send_large_bytes, TG_LARGE_BLOCK_BYTES,
                            "one large block", error);
    }
    if (result == 0) {
        result = check_size("assembly_bytes", options->assembly_bytes, 2 * assembly_block,
                            "two longest messages in powers of two", error);
    }
    options->assembly_bytes -= options->assembly_bytes % TG_MESSAGE_UNIT_BYTES;
    config->send_units_max = units_of(options->send_queue_bytes_max);
    config->send_small_blocks = (uint32_t)(options->send_small_bytes / TG_BLOCK_BYTES);
    config->send_large_blocks = (uint32_t)(options->send_large_bytes / TG_LARGE_BLOCK_BYTES);
    return result;
}

static int check_listeners(struct tg_config *config, struct throng_error *error)
{
    struct throng_server_options *options = &config->options;
    uint32_t count = 0;
    while (count < THRONG_LISTENERS_MAX && options->listen[count] != NULL) {
        char host[TG_ENDPOINT_TEXT_SIZE];
        uint16_t port;
        int result = tg_endpoint_parse(options->listen[count], host, &port, error);
        if (result < 0) {
            return result;
        }
        count++;
    }
    for (uint32_t i = count; i < THRONG_LISTENERS_MAX; i++) {
        if (options->listen[i] != NULL) {
            return tg_config_fail(error, THRONG_EINVAL,
                                  "listen[%u] is NULL, but listen[%u] is \"%s\"; leave no gap",
                                  count, i, options->listen[i]);
        }
    }
    if (count == 0) {
        return tg_config_fail(error, THRONG_EINVAL,
                              "listen[0] is NULL; at least one address to listen on is needed, "
                              "such as tcp://127.0.0.1:7000");
    }
    config->listener_count = count;
    return 0;
}

static int check_backend(struct tg_config *config, struct throng_error *error)
{
    const char *name = config->options.backend != NULL ? config->options.backend : "auto";
    config->backend = tg_port_backend_find(name);
    if (config->backend == NULL) {
        return tg_config_fail(error, THRONG_EINVAL, "backend is \"%s\"; this build has auto, %s",
                              name, tg_port_backend_names());
    }
    char reason[TG_PORT_REASON_BYTES];
    config->backend_refused[0] = '\0';
    if (strcmp(name, "auto") == 0) {
        (void)tg_port_backend_check(tg_port_backend_best, config->backend_refused);
        return 0;
    }
    int result = tg_port_backend_check(config->backend, reason);
    return result == 0
               ? 0
               : tg_config_fail(error, result, "backend %s cannot be used here (%s)", name, reason);
}

static int check_threads(struct tg_config *config, struct throng_error *error)
{
    uint32_t *threads = &config->options.io_threads;
    if (*threads == THRONG_IO_THREADS_AUTO) {
        uint32_t processors = tg_processor_count();
        *threads = processors <= 2 ? 1 : processors - 1;
        *threads = *threads > 4 ? 4 : *threads;
    }
    if (*threads > THRONG_IO_THREADS_LIMIT) {
        return tg_config_fail(error, THRONG_EINVAL,
                              "io_threads is %u; it must be 0 (inline)..%u, or "
                              "THRONG_IO_THREADS_AUTO",
                              *threads, THRONG_IO_THREADS_LIMIT);
    }
    return 0;
}

int tg_config_check(struct tg_config *config, const struct throng_server_options *options,
                    struct throng_error *error)
{
    memset(config, 0, sizeof(*config));
    if (options == NULL || options->struct_size < sizeof(size_t) ||
        options->struct_size > sizeof(*options)) {
        return tg_config_fail(error, THRONG_EINVAL,
                              "struct_size is %zu; call throng_server_options_init, whose options "
                              "have %zu bytes in this library",
                              options == NULL ? (size_t)0 : options->struct_size, sizeof(*options));
    }
    /* A program compiled against an older header knows fewer options: the rest has its defaults. */
    throng_server_options_init(&config->options);
    memcpy(&config->options, options, options->struct_size);
    config->options.struct_size = sizeof(config->options);

    int result = check_numbers(&config->options, error);
    if (result == 0) {
        result = check_sizes(config, error);
    }
    if (result == 0) {
        result = check_listeners(config, error);
    }
    if (result == 0) {
        result = check_backend(config, error);
    }
    if (result == 0) {
        result = check_threads(config, error);
    }
    if (result == 0) {
        result = tg_config_plan_descriptors(config, error);
    }
    return result;
}
