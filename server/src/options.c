/* SPDX-License-Identifier: MIT
 * The check of the options at start: each against its row of the table, then what depends on
 * others. Any thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/failure.h"
#include "buffer/message_pool.h"
#include "config.h"
#include "option_table.h"
#include "os/thread.h"

#define KIB 1024u
#define MIB (1024u * 1024u)

/* Four questions of the keepalive, 15 s apart (common/src/os/socket.h). */
#define KEEPALIVE_QUESTIONS_S 60u

/* The slowest sender of a longest message that message_timeout_ms allows for, bytes a second. */
#define SENDER_RATE_MIN (16 * KIB)
#define MESSAGE_TIMEOUT_LEAST 10000u

static int refuse_value(const struct tg_option *option, uint32_t index, uint64_t value,
                        struct throng_error *error)
{
    const char *word = tg_option_word(option);
    char place[16] = "";
    if (option->count > 1) {
        (void)snprintf(place, sizeof(place), "[%u]", index);
    }
    bool is_choice = option->kind == TG_OPTION_CHOICE;
    return tg_failure(
        error, THRONG_EINVAL, "%s%s is %" PRIu64 "; it must be %" PRIu64 "..%" PRIu64 " %s%s%s%s%s",
        option->name, place, value, option->least, option->most, is_choice ? "(" : "", option->unit,
        is_choice ? ")" : "", word != NULL ? " or " : "", word != NULL ? word : "");
}

/* One number: 0 becomes the default unless it is a value itself, and the range holds. What follows
 * from other options stays 0 for now. */
static int check_number(const struct tg_option *option, struct throng_server_options *options,
                        uint32_t index, struct throng_error *error)
{
    uint64_t value = tg_option_get(option, options, index);
    if (value == 0 && option->least > 0) {
        tg_option_put(option, options, index, option->fallback);
        return 0;
    }
    bool is_word = tg_option_word(option) != NULL && value == UINT32_MAX;
    if (is_word || (value >= option->least && value <= option->most)) {
        return 0;
    }
    return refuse_value(option, index, value, error);
}

static int check_numbers(struct throng_server_options *options, struct throng_error *error)
{
    for (uint32_t i = 0; i < TG_OPTION_COUNT; i++) {
        const struct tg_option *option = &tg_options[i];
        if (!tg_option_is_number(option) || option->kind == TG_OPTION_MEMORY) {
            continue; /* check_memory, check_listeners, check_backend */
        }
        for (uint32_t index = 0; index < option->count; index++) {
            int result = check_number(option, options, index, error);
            if (result < 0) {
                return result;
            }
        }
    }
    return 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static uint32_t units_of(size_t bytes)
{
    return (uint32_t)((bytes + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES);
}

/* A memory option: `fallback` for 0, and at least `least`, which is `why`. */
static int check_memory(struct throng_server_options *options, enum tg_option_index row,
                        size_t fallback, size_t least, const char *why, struct throng_error *error)
{
    const struct tg_option *option = &tg_options[row];
    uint64_t value = tg_option_get(option, options, 0);
    if (value == 0) {
        value = fallback;
        tg_option_put(option, options, 0, value);
    }
    if (value < least || value > option->most) {
        return tg_failure(error, THRONG_EINVAL,
                          "%s is %" PRIu64 "; it must be %zu (%s)..%" PRIu64 " bytes", option->name,
                          value, least, why, option->most);
    }
    return 0;
}

/* The memory options, whose limits follow from the longest message. */
static int check_sizes(struct tg_config *config, struct throng_error *error)
{
    struct throng_server_options *options = &config->options;
    size_t frame = (size_t)options->message_bytes_max + THRONG_FRAME_HEADER_BYTES;
    size_t assembly_block = tg_message_block_bytes(options->message_bytes_max);
    size_t frame_blocks = (size_t)units_of(frame) * TG_BLOCK_BYTES;
    static const char one[] = "one longest message in blocks";

    int result = check_memory(options, TG_OPTION_INDEX_send_queue_bytes_max,
                              larger(256 * KIB, 2 * frame_blocks), frame_blocks, one, error);
    if (result == 0) {
        result = check_memory(options, TG_OPTION_INDEX_send_small_bytes,
                              larger(32 * (size_t)MIB, 2 * frame_blocks), frame_blocks, one, error);
    }
    if (result == 0) {
        const struct tg_option *large = &tg_options[TG_OPTION_INDEX_send_large_bytes];
        result = check_memory(options, TG_OPTION_INDEX_send_large_bytes, (size_t)large->fallback,
                              TG_LARGE_BLOCK_BYTES, "one large block", error);
    }
    if (result == 0) {
        result = check_memory(options, TG_OPTION_INDEX_assembly_bytes,
                              larger(8 * (size_t)MIB, 4 * assembly_block), 2 * assembly_block,
                              "two longest messages in powers of two", error);
    }
    options->assembly_bytes -= options->assembly_bytes % TG_MESSAGE_UNIT_BYTES;
    config->send_units_max = units_of(options->send_queue_bytes_max);
    config->send_small_blocks = (uint32_t)(options->send_small_bytes / TG_BLOCK_BYTES);
    config->send_large_blocks = (uint32_t)(options->send_large_bytes / TG_LARGE_BLOCK_BYTES);
    return result;
}

/* Rooms for everybody: two each, and a few broadcasts to all of them at once. A longest message in
 * small blocks must have a member that can hear it, or it could never be broadcast. */
static int check_rooms(struct throng_server_options *options, struct throng_error *error)
{
    const uint32_t blocks =
        units_of((size_t)options->message_bytes_max + THRONG_FRAME_HEADER_BYTES);
    if (options->room_members_max == 0) {
        options->room_members_max = 2 * options->max_connections;
    }
    if (options->room_references_max == 0) {
        options->room_references_max = (uint32_t)larger(larger(65536, 2 * (size_t)blocks),
                                                        4 * (size_t)options->max_connections);
    }
    if (options->room_references_max < blocks) {
        return tg_failure(
            error, THRONG_EINVAL,
            "room_references_max is %u; it must be %u (one longest message in blocks)..%" PRIu64
            " messages",
            options->room_references_max, blocks,
            tg_options[TG_OPTION_INDEX_room_references_max].most);
    }
    return 0;
}

/* The deadlines that follow from other options, and the bursts. */
static int check_pace(struct throng_server_options *options, struct throng_error *error)
{
    uint64_t bytes = options->message_bytes_max;
    uint32_t frame = options->message_bytes_max + THRONG_FRAME_HEADER_BYTES;
    if (options->message_timeout_ms == 0) {
        uint64_t longest_ms = (bytes * 1000 + SENDER_RATE_MIN - 1) / SENDER_RATE_MIN;
        options->message_timeout_ms = (uint32_t)larger(MESSAGE_TIMEOUT_LEAST, longest_ms);
    }
    if (options->user_timeout_ms ==
        0) { /* it ends the keepalive as well: not before its last question */
        options->user_timeout_ms = options->keepalive_s == THRONG_OFF
                                       ? THRONG_OFF
                                       : (options->keepalive_s + KEEPALIVE_QUESTIONS_S) * 1000;
    }
    if (options->messages_burst == 0) {
        options->messages_burst = options->messages_per_s;
    }
    if (options->bytes_per_s == 0) {
        return 0; /* no rate: the burst means nothing */
    }
    if (options->bytes_burst == 0) {
        options->bytes_burst = (uint32_t)larger(options->bytes_per_s, frame);
    }
    if (options->bytes_burst < frame) {
        return tg_failure(
            error, THRONG_EINVAL,
            "bytes_burst is %u; it must be %u (one longest message with its header)..%" PRIu64
            " bytes",
            options->bytes_burst, frame, tg_options[TG_OPTION_INDEX_bytes_burst].most);
    }
    return 0;
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
            return tg_failure(error, THRONG_EINVAL,
                              "listen[%u] is NULL, but listen[%u] is \"%s\"; leave no gap", count,
                              i, options->listen[i]);
        }
    }
    if (count == 0) {
        return tg_failure(error, THRONG_EINVAL,
                          "listen[0] is NULL; at least one address to listen on is needed, "
                          "such as tcp://127.0.0.1:7000");
    }
    config->listener_count = count;
    return 0;
}

static int check_admin(struct tg_config *config, struct throng_error *error)
{
    char host[TG_ENDPOINT_TEXT_SIZE];
    uint16_t port;
    struct throng_error why;
    if (config->options.admin == NULL) {
        return 0;
    }
    int result = tg_endpoint_parse(config->options.admin, host, &port, &why);
    config->admin = result == 0;
    return result == 0 ? 0 : tg_failure(error, result, "admin: %s", why.text);
}

static int check_backend(struct tg_config *config, struct throng_error *error)
{
    const char *name = config->options.backend != NULL ? config->options.backend : "auto";
    config->backend = tg_port_backend_find(name);
    if (config->backend == NULL) {
        return tg_failure(error, THRONG_EINVAL, "backend is \"%s\"; this build has auto, %s", name,
                          tg_port_backend_names());
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
               : tg_failure(error, result, "backend %s cannot be used here (%s)", name, reason);
}

static void choose_threads(struct throng_server_options *options)
{
    if (options->io_threads == THRONG_IO_THREADS_AUTO) {
        uint32_t processors = tg_processor_count();
        uint32_t threads = processors <= 2 ? 1 : processors - 1;
        options->io_threads = threads > 4 ? 4 : threads;
    }
}

int tg_config_check(struct tg_config *config, const struct throng_server_options *options,
                    struct throng_error *error)
{
    memset(config, 0, sizeof(*config));
    if (options == NULL || options->struct_size < sizeof(size_t) ||
        options->struct_size > sizeof(*options)) {
        return tg_failure(error, THRONG_EINVAL,
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
        result = check_pace(&config->options, error);
    }
    if (result == 0) {
        result = check_rooms(&config->options, error);
    }
    if (result == 0) {
        result = check_listeners(config, error);
    }
    if (result == 0) {
        result = check_admin(config, error);
    }
    if (result == 0) {
        result = check_backend(config, error);
    }
    if (result == 0) {
        choose_threads(&config->options);
        result = tg_config_plan_descriptors(config, error);
    }
    return result;
}
