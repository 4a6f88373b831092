/* SPDX-License-Identifier: MIT
 * See options.h. One table holds name, range, help and place of each option. */
#include "options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

#define WINDOW_MAX 1024
#define RATE_MAX 100000000
#define SECONDS_MAX 86400
#define MS_MAX 3600000
#define DAY_MS 86400000

/* gcc takes "printf" for the system's own; a C library that brings one of C11 beside it names that. */
#if defined(__MINGW_PRINTF_FORMAT)
#define CHECKED_FORMAT(text, first) __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))
#else
#define CHECKED_FORMAT(text, first) __attribute__((format(printf, text, first)))
#endif

struct reader {
    struct stress_options *options;
    char *complaint;
};

typedef bool read_function(struct reader *reader, const char *name, const char *value);

CHECKED_FORMAT(2, 3) static bool complain(struct reader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reader->complaint, OPTIONS_COMPLAINT_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- values ---- */

/* Decimal digits up to `*end`, nothing above `most`. */
static bool parse_whole(const char *text, const char **end, uint64_t most, uint64_t *number)
{
    uint64_t sum = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (digit > most || sum > (most - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *end = at;
    *number = sum;
    return at != text;
}

static bool read_whole(struct reader *reader, const char *name, const char *value, uint64_t least,
                       uint64_t most, uint64_t *number)
{
    const char *end;
    if (!parse_whole(value, &end, most, number) || *end != '\0' || *number < least) {
        return complain(reader,
                        "--%s is \"%.40s\"; it must be a whole number, %" PRIu64 "..%" PRIu64, name,
                        value, least, most);
    }
    return true;
}

/* Seconds with up to 9 decimals, as nanoseconds. */
static bool parse_seconds(const char *text, uint64_t *ns)
{
    const char *at;
    uint64_t whole;
    if (!parse_whole(text, &at, SECONDS_MAX, &whole)) {
        return false;
    }
    *ns = whole * UINT64_C(1000000000);
    if (*at == '.') {
        uint64_t unit = 100000000;
        for (at++; *at >= '0' && *at <= '9' && unit > 0; at++, unit /= 10) {
            *ns += (uint64_t)(*at - '0') * unit;
        }
    }
    return *at == '\0' && *ns <= SECONDS_MAX * UINT64_C(1000000000);
}

static bool read_seconds(struct reader *reader, const char *name, const char *value,
                         uint64_t least_ns, uint64_t *ns)
{
    if (!parse_seconds(value, ns) || *ns < least_ns) {
        return complain(reader, "--%s is \"%.40s\"; it must be seconds, %s..%d", name, value,
                        least_ns == 0 ? "0" : "0.001", SECONDS_MAX);
    }
    return true;
}

static bool read_talk(struct reader *reader, const char *name, const char *value)
{
    return read_seconds(reader, name, value, 1000000, &reader->options->talk_ns);
}

static bool read_idle(struct reader *reader, const char *name, const char *value)
{
    return read_seconds(reader, name, value, 0, &reader->options->idle_ns);
}

static bool read_connect(struct reader *reader, const char *name, const char *value)
{
    struct stress_options *options = reader->options;
    if (strncmp(value, "tcp://", 6) != 0 || value[6] == '\0') {
        return complain(reader, "--%s is \"%.80s\"; it must be tcp://HOST:PORT, ports 1..65535",
                        name, value);
    }
    if (options->target_count == THRONG_SWARM_TARGETS_MAX) {
        return complain(reader, "--%s is \"%.80s\"; it can be given 1..%d times", name, value,
                        THRONG_SWARM_TARGETS_MAX);
    }
    options->targets[options->target_count++] = value;
    return true;
}

static bool read_size(struct reader *reader, const char *name, const char *value)
{
    const char *end;
    uint64_t least;
    bool good = parse_whole(value, &end, THRONG_MESSAGE_BYTES_LIMIT, &least);
    uint64_t most = least;
    if (good && *end == '-') {
        good = parse_whole(end + 1, &end, THRONG_MESSAGE_BYTES_LIMIT, &most);
    }
    if (!good || *end != '\0' || least > most) {
        return complain(reader,
                        "--%s is \"%.40s\"; it must be BYTES or BYTES-BYTES, the smaller first, "
                        "0..%u",
                        name, value, THRONG_MESSAGE_BYTES_LIMIT);
    }
    reader->options->size_min = (uint32_t)least;
    reader->options->size_max = (uint32_t)most;
    return true;
}

static bool read_source(struct reader *reader, const char *name, const char *value)
{
    return system_read_address(value, &reader->options->source) ||
           complain(reader, "--%s is \"%.80s\"; it must be an IPv4 or IPv6 address of this machine",
                    name, value);
}

static bool read_backend(struct reader *reader, const char *name, const char *value)
{
    (void)name; /* which ones there are, the library knows */
    reader->options->backend = value;
    return true;
}

static bool read_byte_order(struct reader *reader, const char *name, const char *value)
{
    bool little = strcmp(value, "little") == 0;
    if (!little && strcmp(value, "big") != 0) {
        return complain(reader, "--%s is \"%.40s\"; it must be big or little", name, value);
    }
    reader->options->byte_order = little ? THRONG_BYTE_ORDER_LITTLE : THRONG_BYTE_ORDER_BIG;
    return true;
}

static bool read_seed(struct reader *reader, const char *name, const char *value)
{
    return read_whole(reader, name, value, 0, UINT64_MAX, &reader->options->seed);
}

/* ---- the table ---- */

#define PLACE(field) offsetof(struct stress_options, field)
#define NO_PLACE SIZE_MAX

struct option {
    const char *name;
    const char *value; /* what --help calls it; NULL: a flag, whose place is a bool */
    read_function *read;
    size_t place; /* without a function: of a uint32_t, with its range */
    uint64_t least;
    uint64_t most;
    const char *help;
};

static const struct option table[] = {
    {"connect", "tcp://HOST:PORT", read_connect, NO_PLACE, 0, 0,
     "the server; repeatable: connections take turns"},
    {"connections", "N", NULL, PLACE(connections), 1, THRONG_SWARM_CONNECTIONS_LIMIT,
     "connections at once (1)"},
    {"size", "BYTES[-BYTES]", read_size, NO_PLACE, 0, 0,
     "payload, or the range that payloads are spread over (64)"},
    {"window", "W", NULL, PLACE(window), 1, WINDOW_MAX, "messages on their way per connection (1)"},
    {"rate", "MSGS_PER_S", NULL, PLACE(rate), 1, RATE_MAX,
     "instead of a window: messages a second, all connections together"},
    {"seconds", "S", read_talk, NO_PLACE, 0, 0, "how long to talk (10; with --messages: no limit)"},
    {"messages", "N", NULL, PLACE(messages), 1, UINT32_MAX, "stop after N on each connection"},
    {"idle", "SECONDS", read_idle, NO_PLACE, 0, 0,
     "then hold the connections in silence, and count those alive (0)"},
    {"active", "N", NULL, PLACE(active), 1, THRONG_SWARM_CONNECTIONS_LIMIT,
     "connections that talk; the others are only held (all)"},
    {"threads", "N", NULL, PLACE(threads), 1, THRONG_SWARM_THREADS_LIMIT,
     "threads (as many as the descriptor limit makes necessary)"},
    {"connect-rate", "N", NULL, PLACE(connect_rate), 1, RATE_MAX, "connects a second (no limit)"},
    {"connect-timeout", "MS", NULL, PLACE(connect_timeout_ms), 1, MS_MAX,
     "patience of a connect (30000)"},
    {"drain-timeout", "MS", NULL, PLACE(drain_timeout_ms), 1, MS_MAX,
     "give up on outstanding echoes when none came for so long (10000)"},
    {"source", "ADDRESS", read_source, NO_PLACE, 0, 0,
     "source address (the system's choice; spread on 127.0.0.0/8)"},
    {"sources", "COUNT", NULL, PLACE(source_count), 1, 65536,
     "use so many addresses, from --source on (1)"},
    {"message-max", "BYTES", NULL, PLACE(message_max), 1, THRONG_MESSAGE_BYTES_LIMIT,
     "longest payload to accept (65536, or the largest --size)"},
    {"byte-order", "ORDER", read_byte_order, NO_PLACE, 0, 0, "of the frame length: big, little"},
    {"heartbeat-ms", "MS", NULL, PLACE(heartbeat_ms), 0, DAY_MS,
     "heartbeats, for a server that has them on: the same interval (0: none)"},
    {"backend", "NAME", read_backend, NO_PLACE, 0, 0, system_backends},
    {"seed", "N", read_seed, NO_PLACE, 0, 0, "the payloads' seed (1)"},
    {"json", NULL, NULL, PLACE(json), 0, 0, "the report as one JSON object"},
    {"quiet", NULL, NULL, PLACE(quiet), 0, 0, "no progress on standard error"},
};

#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

static const struct option *find_option(const char *argument)
{
    for (size_t i = 0; strncmp(argument, "--", 2) == 0 && i < OPTION_COUNT; i++) {
        if (strcmp(argument + 2, table[i].name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static void *place_of(struct stress_options *options, const struct option *option)
{
    return (char *)options + option->place;
}

static bool read_value(struct reader *reader, const struct option *option, const char *value)
{
    uint64_t number = 0;
    if (option->read != NULL) {
        return option->read(reader, option->name, value);
    }
    if (!read_whole(reader, option->name, value, option->least, option->most, &number)) {
        return false;
    }
    uint32_t *place = place_of(reader->options, option);
    *place = (uint32_t)number;
    return true;
}

/* ---- the whole ---- */

static bool settle_messages(struct reader *reader)
{
    struct stress_options *options = reader->options;
    if (options->rate > 0 && options->window > 0) {
        return complain(reader, "--rate is \"%u\" and --window is \"%u\"; only one can be given",
                        options->rate, options->window);
    }
    if (options->rate == 0 && options->window == 0) {
        options->window = 1;
    }
    if (options->talk_ns == 0) {
        options->talk_ns = options->messages > 0 ? UINT64_MAX : UINT64_C(10000000000);
    }
    if (options->message_max == 0) {
        options->message_max = options->size_max > THRONG_MESSAGE_BYTES_DEFAULT
                                   ? options->size_max
                                   : THRONG_MESSAGE_BYTES_DEFAULT;
    }
    if (options->message_max < options->size_max) {
        return complain(reader, "--message-max is \"%u\"; it must be %u..%u, as --size asks",
                        options->message_max, options->size_max, THRONG_MESSAGE_BYTES_LIMIT);
    }
    if (options->heartbeat_ms > 0 && options->size_min == 0) {
        return complain(reader, "--size begins with \"0\"; with --heartbeat-ms it must be 1..%u",
                        THRONG_MESSAGE_BYTES_LIMIT);
    }
    return true;
}

/* What the options say together. */
static bool settle(struct reader *reader)
{
    struct stress_options *options = reader->options;
    if (options->target_count == 0) {
        return complain(reader, "--connect is missing; it must be tcp://HOST:PORT");
    }
    if (options->active > options->connections) {
        return complain(reader, "--active is \"%u\"; it must be 1..%u, as --connections says",
                        options->active, options->connections);
    }
    if (options->active == 0) {
        options->active = options->connections;
    }
    if (options->source_count > 0 && options->source.family == THRONG_ADDRESS_NONE) {
        return complain(reader, "--sources is \"%u\"; it must come with --source, the first one",
                        options->source_count);
    }
    return settle_messages(reader);
}

static void fill_defaults(struct stress_options *options)
{
    memset(options, 0, sizeof(*options));
    options->connections = 1;
    options->size_min = 64;
    options->size_max = 64;
    options->connect_timeout_ms = 30000;
    options->drain_timeout_ms = 10000;
    options->seed = 1;
}

enum options_result stress_options_read(struct stress_options *options, int argc, char *const *argv,
                                        char *complaint)
{
    struct reader reader = {.options = options};
    reader.complaint =
        complaint; /* assigned, for clang-tidy 14 misses a pointer in an initialiser */
    fill_defaults(options);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return OPTIONS_HELP;
        }
        if (strcmp(argv[i], "--version") == 0) {
            return OPTIONS_VERSION;
        }
        const struct option *option = find_option(argv[i]);
        if (option == NULL) {
            (void)complain(&reader, "unknown option \"%.80s\"; --help lists them", argv[i]);
            return OPTIONS_BAD;
        }
        if (option->value == NULL) {
            *(bool *)place_of(options, option) = true;
            continue;
        }
        if (i + 1 == argc) {
            (void)complain(&reader, "--%s needs a value: %s", option->name, option->value);
            return OPTIONS_BAD;
        }
        if (!read_value(&reader, option, argv[++i])) {
            return OPTIONS_BAD;
        }
    }
    return settle(&reader) ? OPTIONS_GO : OPTIONS_BAD;
}

void stress_options_help(FILE *file)
{
    fputs("usage: throng-stress --connect tcp://HOST:PORT [options]\n\n"
          "Opens connections, sends messages, and verifies every byte of every echo.\n\n",
          file);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char name[48];
        (void)snprintf(name, sizeof(name), "--%s %s", table[i].name,
                       table[i].value != NULL ? table[i].value : "");
        fprintf(file, "  %-27s %s\n", name, table[i].help);
    }
    fprintf(file, "  %-27s %s\n", "--help, --version", "");
    fputs("\nExit status: 0 if every message came back whole, once and in order, and every "
          "connection\nstayed until it was closed here; 1 if not; 2 for a command line that makes "
          "no sense.\n",
          file);
}
