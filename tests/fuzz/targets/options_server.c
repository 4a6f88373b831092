/* SPDX-License-Identifier: MIT
 * The server's options: any value in any field, on any system. What server/include/throng/options.h
 * allows is accepted, and nothing else; what is accepted keeps its limits; the budget is the sum of
 * what its reasons say.
 *
 *   settings until the end: bits 0-4 which field, bits 5-7 what kind of value; then the value */
#include <stdio.h>
#include <string.h>

#include "budget.h"
#include "buffer/message_pool.h"
#include "config.h"
#include "options.h"
#include "options_rules.h"

#define PAGE 4096u

/* What the input asks for. */
static struct throng_server_options options;
static struct tg_config config;

/* ---- the input ---- */

static uint64_t draw_value(struct fuzz_script *script, uint32_t kind)
{
    static const uint64_t borders[16] = {
        1,       4,        64,  256,     4 * KIB,  64 * KIB, 256 * KIB,  MIB,
        4 * MIB, 64 * MIB, GIB, 2 * GIB, 64 * GIB, 600000,   UINT32_MAX, UINT64_MAX,
    };
    uint32_t first = fuzz_byte(script);
    switch (kind) {
    case 0:
        return first;
    case 1:
        return first << 8 | fuzz_byte(script);
    case 2: { /* a border, and what lies around it */
        uint64_t around = borders[first & 15] + (first >> 4);
        return around - 8;
    }
    case 3:
        return UINT64_C(1) << (first & 63);
    default: {
        uint64_t high = fuzz_pair(script);
        return (uint64_t)first << 40 | high << 16 | fuzz_pair(script);
    }
    }
}

static const char *const endpoints[8] = {
    NULL,           "tcp://127.0.0.1:7000", "tcp://[::1]:0",    "tcp://*:1",
    "tcp://host:5", "tcp://::1:5",          "tcp://host:65536", "http://host:80",
};

static void set_listener(struct fuzz_script *script, uint32_t kind)
{
    options.listen[fuzz_byte(script) % THRONG_LISTENERS_MAX] = endpoints[kind];
}

static void set_system(struct fuzz_script *script, uint32_t kind)
{
    fuzz_system.processors = 1 + fuzz_byte(script) % 16;
    fuzz_system.descriptors_open = fuzz_byte(script);
    fuzz_system.descriptors_most = (uint32_t)draw_value(script, kind & 3);
    fuzz_system.has_uring = (kind & 4) != 0;
    fuzz_system.uring_has_table = (fuzz_system.processors & 1) != 0;
}

/* A program compiled against an older header knows the first few options only. */
static void set_struct_size(struct fuzz_script *script)
{
    static const size_t sizes[16] = {
        0,
        sizeof(size_t) - 1,
        sizeof(size_t),
        offsetof(struct throng_server_options, max_connections),
        offsetof(struct throng_server_options, send_small_bytes),
        offsetof(struct throng_server_options, linger_ms),
        sizeof(options),
        sizeof(options) + 1,
        offsetof(struct throng_server_options, reuse_sockets),
        offsetof(struct throng_server_options, first_message_timeout_ms),
        offsetof(struct throng_server_options, heartbeat_ms) + 4,
        offsetof(struct throng_server_options, keepalive_s),
        offsetof(struct throng_server_options, send_reserve_percent),
        offsetof(struct throng_server_options, messages_burst),
        offsetof(struct throng_server_options, when_over_rate),
        offsetof(struct throng_server_options, evict_silent_ms),
    };
    options.struct_size = sizes[fuzz_byte(script) & 15];
}

/* What a peer may do, and for how long. */
static void set_limit(struct fuzz_script *script, uint32_t kind)
{
    static const uint32_t borders[8] = {0, 1, 90, 32767, 65540, DAY_MS, 1048575, 1073741824};
    uint32_t *const places[26] = {
        &options.first_message_timeout_ms,
        &options.message_timeout_ms,
        &options.idle_timeout_ms,
        &options.write_timeout_ms,
        &options.reader_rate_min,
        &options.heartbeat_ms[0],
        &options.heartbeat_ms[15],
        &options.keepalive_s,
        &options.user_timeout_ms,
        &options.logic_stall_ms,
        (uint32_t *)&options.when_send_full,
        &options.send_reserve_percent,
        &options.turn_messages,
        &options.messages_per_s,
        &options.messages_burst,
        &options.bytes_per_s,
        &options.bytes_burst,
        (uint32_t *)&options.when_over_rate,
        &options.connections_per_address,
        &options.evict_silent_ms,
        &options.rooms_max,
        &options.room_members_max,
        &options.rooms_per_connection,
        &options.room_references_max,
        &options.timers_max,
        &options.posts_max,
    };
    uint32_t *place = places[fuzz_byte(script) % 26];
    if (kind < 4) {
        *place = (uint32_t)draw_value(script, kind);
    } else { /* a border, and its neighbours */
        uint32_t choice = fuzz_byte(script);
        *place = borders[choice & 7] + (choice >> 3) % 4 - 1;
    }
}

static void set_text_field(struct fuzz_script *script, uint32_t field, uint32_t kind)
{
    static const char *const backends[8] = {NULL,    "auto", "epoll", "io_uring",
                                            "EPOLL", "",     "iocp",  "auto"};
    switch (field) {
    case 16:
        options.backend = backends[kind];
        break;
    case 17:
        set_system(script, kind);
        break;
    case 18:
        set_struct_size(script);
        break;
    case 19:
        set_limit(script, kind);
        break;
    case 20:
        options.accept_pool = (uint32_t)draw_value(script, kind);
        break;
    case 21:
        options.admin = endpoints[kind];
        break;
    default:
        set_listener(script, kind);
        break;
    }
}

static void set_field(struct fuzz_script *script)
{
    uint32_t choice = fuzz_byte(script);
    uint32_t kind = choice >> 5;
    uint32_t field = choice & 31;
    uint32_t *const places[16] = {
        &options.max_connections,
        &options.io_threads,
        &options.message_bytes_max,
        (uint32_t *)&options.byte_order,
        (uint32_t *)&options.when_full,
        &options.backlog,
        &options.send_queue_bytes_max,
        &options.receive_buffers,
        &options.receive_buffer_bytes,
        &options.events_max,
        &options.socket_send_bytes,
        &options.socket_receive_bytes,
        &options.linger_ms,
        NULL,
        NULL,
        NULL,
    };
    size_t *const sizes[3] = {&options.send_small_bytes, &options.send_large_bytes,
                              &options.assembly_bytes};
    if (field >= 16) {
        set_text_field(script, field, kind);
    } else if (field >= 13) {
        *sizes[field - 13] = (size_t)draw_value(script, kind);
    } else {
        *places[field] = (uint32_t)draw_value(script, kind);
    }
}

/* ---- what was accepted ---- */

static void check_descriptors(const struct throng_server_options *final)
{
    FUZZ_CHECK(fuzz_is_in(config.worker_count, 1, WORKERS_MOST));
    FUZZ_CHECK(!config.inline_mode || config.worker_count == 1);
    FUZZ_CHECK(config.inline_mode == (final->io_threads == 0 && !config.connections_divided));
    FUZZ_CHECK(config.worker_count >= final->io_threads);
    FUZZ_CHECK(config.io_threads_raised ==
               (config.connections_divided && config.worker_count > final->io_threads));
    if (config.connections_divided) {
        FUZZ_CHECK((uint64_t)config.worker_count * config.connections_per_worker >
                   final->max_connections);
        FUZZ_CHECK(config.connections_per_worker <= config.descriptor_limit);
    } else {
        FUZZ_CHECK(config.connections_per_worker == final->max_connections);
    }
}

static void check_config(void)
{
    const struct throng_server_options *final = &config.options;
    uint64_t frame = ((uint64_t) final->message_bytes_max + 4 + 511) / 512 * 512;
    fuzz_check_numbers(&options, final);
    FUZZ_CHECK(fuzz_is_in(final->send_queue_bytes_max, frame, 2 * GIB));
    FUZZ_CHECK(fuzz_is_in(config.send_units_max, frame / 512, 2 * GIB / 512));
    FUZZ_CHECK((uint64_t)config.send_units_max * 512 >= final->send_queue_bytes_max);
    FUZZ_CHECK(fuzz_is_in(config.send_small_blocks, frame / 512, 64 * GIB / 512));
    FUZZ_CHECK(config.send_small_blocks == final->send_small_bytes / 512);
    FUZZ_CHECK(config.send_large_blocks == final->send_large_bytes / 16896);
    FUZZ_CHECK(config.send_large_blocks >= 1);
    FUZZ_CHECK(final->assembly_bytes % TG_MESSAGE_UNIT_BYTES == 0);
    FUZZ_CHECK(final->assembly_bytes / 2 >= fuzz_power_of_two(final->message_bytes_max, 256));
    FUZZ_CHECK(fuzz_is_in(config.listener_count, 1, THRONG_LISTENERS_MAX));
    FUZZ_CHECK(final->io_threads <= WORKERS_MOST && final->struct_size == sizeof(*final));
    FUZZ_CHECK(config.backend != NULL);
    check_descriptors(final);
}

/* ---- the budget ---- */

/* A region of which each worker has a part on pages of its own. */
static uint64_t divided(uint64_t part)
{
    return (part + PAGE - 1) / PAGE * PAGE * config.worker_count;
}

static uint64_t shared(uint64_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

static void check_terms(const struct throng_budget *budget)
{
    const struct throng_server_options *final = &config.options;
    uint64_t blocks = (uint64_t)config.send_small_blocks + config.send_large_blocks;
    uint64_t events = fuzz_power_of_two(final->events_max, 64);
    const struct throng_budget_term *terms = budget->terms;
    uint64_t references = (uint64_t) final->room_references_max * config.worker_count;
    FUZZ_CHECK(terms[TG_REGION_SEND_TABLES].bytes == shared(blocks * 20 + references * 16));
    FUZZ_CHECK(terms[TG_REGION_BROADCASTS].bytes == shared(blocks * 4));
    FUZZ_CHECK(terms[TG_REGION_REFERENCES].bytes == divided(blocks * 4));
    FUZZ_CHECK(terms[TG_REGION_ROOM_LINKS].bytes == shared(final->room_members_max * 24ull));
    FUZZ_CHECK(terms[TG_REGION_ROOM_PARTS].bytes == divided(final->rooms_max * 16ull));
    FUZZ_CHECK(terms[TG_REGION_SEND_LIMITS].bytes == shared(final->max_connections * 4ull));
    FUZZ_CHECK(terms[TG_REGION_SEND_SMALL].bytes == shared(config.send_small_blocks * 512ull));
    FUZZ_CHECK(terms[TG_REGION_SEND_LARGE].bytes == shared(config.send_large_blocks * 16896ull));
    FUZZ_CHECK(terms[TG_REGION_SLOT_TIMERS].bytes == shared(final->max_connections * 24ull));
    FUZZ_CHECK(terms[TG_REGION_ADDRESSES].bytes == shared(final->max_connections * 12ull));
    FUZZ_CHECK(terms[TG_REGION_WIDE_ADDRESSES].bytes == shared(final->max_connections * 48ull));
    FUZZ_CHECK(terms[TG_REGION_LINKS].bytes == shared(final->max_connections * 4ull));
    bool has_rates = final->messages_per_s > 0 || final->bytes_per_s > 0;
    bool has_counts = final->connections_per_address > 0;
    uint64_t pairs = ((uint64_t) final->max_connections + 1) / 2;
    uint64_t buckets = pairs < 64 ? 64 : pairs;
    FUZZ_CHECK(terms[TG_REGION_RATES].bytes ==
               (has_rates ? shared(final->max_connections * 24ull) : 0));
    FUZZ_CHECK((terms[TG_REGION_ADMIN].bytes > 0) == config.admin);
    FUZZ_CHECK(config.admin == (final->admin != NULL));
    FUZZ_CHECK(terms[TG_REGION_ADDRESS_COUNTS].bytes ==
               (has_counts ? shared(buckets * 64 + final->max_connections * 4ull) : 0));
    FUZZ_CHECK(terms[TG_REGION_ASSEMBLY].bytes == divided(final->assembly_bytes));
    FUZZ_CHECK(terms[TG_REGION_ASSEMBLY_TABLES].bytes == divided(final->assembly_bytes / 256 * 12));
    FUZZ_CHECK(terms[TG_REGION_RECEIVE].bytes ==
               divided((uint64_t) final->receive_buffers * final->receive_buffer_bytes));
    FUZZ_CHECK(terms[TG_REGION_RECEIVE_TABLES].bytes == divided(final->receive_buffers * 8ull));
    FUZZ_CHECK(terms[TG_REGION_EVENTS].bytes == divided(events * 32));
    FUZZ_CHECK(terms[TG_REGION_RELEASES].bytes == divided(events * 16));
    FUZZ_CHECK(terms[TG_REGION_COMMANDS].bytes == divided(UINT64_C(16384) * 32));
    FUZZ_CHECK(terms[TG_REGION_OWNED].bytes == divided((final->max_connections + 63) / 64 * 8));
    FUZZ_CHECK(terms[TG_REGION_PORTS].bytes ==
               divided(fuzz_port_bytes(config.connections_per_worker, final->receive_buffers)));
}

static void check_budget(void)
{
    struct throng_budget budget;
    char text[64];
    uint64_t sum = 0;
    FUZZ_CHECK(throng_server_budget(&options, &budget, NULL) == 0);
    FUZZ_CHECK(budget.term_count == TG_REGION_COUNT);
    FUZZ_CHECK(budget.io_threads == (config.inline_mode ? 0 : config.worker_count));
    for (uint32_t i = 0; i < budget.term_count; i++) {
        bool is_optional = i == TG_REGION_ADDRESS_COUNTS || i == TG_REGION_RATES ||
                           i == TG_REGION_ADMIN;
        FUZZ_CHECK(budget.terms[i].bytes % PAGE == 0);
        FUZZ_CHECK(budget.terms[i].bytes > 0 || is_optional);
        sum += budget.terms[i].bytes;
        FUZZ_CHECK(sum >= budget.terms[i].bytes && sum < UINT64_C(1) << 48);
    }
    FUZZ_CHECK(budget.total_bytes == sum);
    check_terms(&budget);
    if ((config.options.linger_ms & 15) == 5) { /* rarely: it takes longer than all the rest */
        size_t size = options.backlog % sizeof(text);
        text[size] = '?';
        FUZZ_CHECK(throng_budget_text(&budget, text, size) > sizeof(text));
        FUZZ_CHECK(text[size] == '?' && (size == 0 || text[size - 1] == '\0'));
    }
}

void fuzz_server_options(struct fuzz_script *script)
{
    struct throng_error error;
    throng_server_options_init(&options);
    options.listen[0] = "tcp://127.0.0.1:7000";
    fuzz_system = (struct fuzz_system){4, 10, 1048576, true, true};
    while (!fuzz_is_over(script)) {
        set_field(script);
    }
    struct throng_server_options seen; /* what a library of today sees of it */
    bool is_sized = fuzz_is_in(options.struct_size, sizeof(size_t), sizeof(options));
    throng_server_options_init(&seen);
    if (is_sized) {
        memcpy(&seen, &options, options.struct_size);
    }
    error.text[sizeof(error.text) - 1] = '?';
    int result = tg_config_check(&config, &options, &error);
    if (result == 0) {
        FUZZ_CHECK(is_sized && fuzz_options_are_allowed(&seen));
        check_config();
        check_budget();
        return;
    }
    FUZZ_CHECK(error.code == result && error.text[0] != '\0');
    FUZZ_CHECK(memchr(error.text, '\0', sizeof(error.text)) != NULL);
    struct throng_budget budget;
    FUZZ_CHECK(throng_server_budget(&options, &budget, NULL) == result);
    FUZZ_CHECK(result == THRONG_EINVAL || result == THRONG_ENOTSUP ||
               result == THRONG_EDESCRIPTORLIMIT);
    FUZZ_CHECK(result == THRONG_EDESCRIPTORLIMIT || !is_sized || !fuzz_options_are_allowed(&seen));
}
