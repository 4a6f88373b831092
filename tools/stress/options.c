/* SPDX-License-Identifier: MIT
 * See options.h. One table holds name, range, help and place of each option. */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "option_values.h"
#include "system.h"

#define WINDOW_MAX 1024
#define RATE_MAX 100000000
#define MS_MAX 3600000
#define DAY_MS 86400000
#define ROOMS_MAX 1000000

/* --help: where the explanations begin, and where lines end. */
#define HELP_COLUMN 30
#define HELP_WIDTH 100
#define BOTS_MAX 100000

#define NAME_OF(NAME, name, help) #name,
static const char *const scenario_names[] = {SCENARIO_MAP(NAME_OF)};
#undef NAME_OF

const char *stress_scenario_name(enum scenario_kind scenario)
{
    return scenario_names[scenario];
}

/* ---- values ---- */

typedef bool read_function(struct options_reader *reader, const char *name, const char *value);

static bool read_scenario(struct options_reader *reader, const char *name, const char *value)
{
    for (unsigned kind = 0; kind < SCENARIO_COUNT; kind++) {
        if (strcmp(value, scenario_names[kind]) == 0) {
            reader->options->scenario = (enum scenario_kind)kind;
            return true;
        }
    }
    return options_complain(
        reader, "--%s is \"%.40s\"; it must be echo, idle, churn, rooms or chat", name, value);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    return len > strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static bool read_report(struct options_reader *reader, const char *name, const char *value)
{
    if (!ends_with(value, ".html") && !ends_with(value, ".svg")) {
        return options_complain(reader, "--%s is \"%.80s\"; it must end in .html or .svg", name,
                                value);
    }
    reader->options->report_file = value;
    return true;
}

static bool read_hgrm(struct options_reader *reader, const char *name, const char *value)
{
    if (value[0] == '\0') {
        return options_complain(reader, "--%s is \"\"; it must be the name of a file", name);
    }
    reader->options->hgrm_file = value;
    return true;
}

static bool read_talk(struct options_reader *reader, const char *name, const char *value)
{
    return options_read_seconds(reader, name, value, 1000000, &reader->options->talk_ns);
}

static bool read_idle(struct options_reader *reader, const char *name, const char *value)
{
    return options_read_seconds(reader, name, value, 0, &reader->options->idle_ns);
}

static bool read_connect(struct options_reader *reader, const char *name, const char *value)
{
    struct stress_options *options = reader->options;
    if (strncmp(value, "tcp://", 6) != 0 || value[6] == '\0') {
        return options_complain(
            reader, "--%s is \"%.80s\"; it must be tcp://HOST:PORT, ports 1..65535", name, value);
    }
    if (options->target_count == THRONG_SWARM_TARGETS_MAX) {
        return options_complain(reader, "--%s is \"%.80s\"; it can be given 1..%d times", name,
                                value, THRONG_SWARM_TARGETS_MAX);
    }
    options->targets[options->target_count++] = value;
    return true;
}

static bool read_size(struct options_reader *reader, const char *name, const char *value)
{
    const char *end;
    uint64_t least;
    bool good = options_parse_whole(value, &end, THRONG_MESSAGE_BYTES_LIMIT, &least);
    uint64_t most = least;
    if (good && *end == '-') {
        good = options_parse_whole(end + 1, &end, THRONG_MESSAGE_BYTES_LIMIT, &most);
    }
    if (!good || *end != '\0' || least > most) {
        return options_complain(
            reader,
            "--%s is \"%.40s\"; it must be BYTES or BYTES-BYTES, the smaller first, "
            "0..%u",
            name, value, THRONG_MESSAGE_BYTES_LIMIT);
    }
    reader->options->size_min = (uint32_t)least;
    reader->options->size_max = (uint32_t)most;
    return true;
}

static bool read_source(struct options_reader *reader, const char *name, const char *value)
{
    return system_read_address(value, &reader->options->source) ||
           options_complain(reader,
                            "--%s is \"%.80s\"; it must be an IPv4 or IPv6 address of this machine",
                            name, value);
}

static bool read_backend(struct options_reader *reader, const char *name, const char *value)
{
    (void)name; /* which ones there are, the library knows */
    reader->options->backend = value;
    return true;
}

static bool read_byte_order(struct options_reader *reader, const char *name, const char *value)
{
    bool little = strcmp(value, "little") == 0;
    if (!little && strcmp(value, "big") != 0) {
        return options_complain(reader, "--%s is \"%.40s\"; it must be big or little", name, value);
    }
    reader->options->byte_order = little ? THRONG_BYTE_ORDER_LITTLE : THRONG_BYTE_ORDER_BIG;
    return true;
}

static bool read_seed(struct options_reader *reader, const char *name, const char *value)
{
    return options_read_whole(reader, name, value, 0, UINT64_MAX, &reader->options->seed);
}

/* ---- the table ---- */

#define PLACE(field) offsetof(struct stress_options, field)
#define NO_PLACE SIZE_MAX

/* Which scenarios take an option. */
#define ECHO (1u << SCENARIO_ECHO)
#define IDLE (1u << SCENARIO_IDLE)
#define CHURN (1u << SCENARIO_CHURN)
#define ROOMS (1u << SCENARIO_ROOMS)
#define CHAT (1u << SCENARIO_CHAT)
#define ALL (ECHO | IDLE | CHURN | ROOMS | CHAT)

struct option {
    const char *name;
    const char *value; /* what --help calls it; NULL: a flag, whose place is a bool */
    read_function *read;
    size_t place; /* without a function: of a uint32_t, with its range */
    uint64_t least;
    uint64_t most;
    unsigned scenarios;
    const char *help;
};

static const struct option table[] = {
    {"connect", "tcp://HOST:PORT", read_connect, NO_PLACE, 0, 0, ALL,
     "the server; repeatable: connections take turns"},
    {"scenario", "NAME", read_scenario, NO_PLACE, 0, 0, ALL,
     "echo, idle, churn, rooms, chat: see below (echo)"},
    {"connections", "N", NULL, PLACE(connections), 1, THRONG_SWARM_CONNECTIONS_LIMIT, ALL,
     "connections at once (1; rooms, chat: a place in each room, or 100)"},
    {"size", "BYTES[-BYTES]", read_size, NO_PLACE, 0, 0, ECHO | IDLE | CHURN | ROOMS,
     "payload, or the range that payloads are spread over (64)"},
    {"window", "W", NULL, PLACE(window), 1, WINDOW_MAX, ECHO | CHURN | ROOMS | CHAT,
     "messages on their way per connection (1); rooms, chat: lines per room"},
    {"rate", "PER_S", NULL, PLACE(rate), 1, RATE_MAX, ALL,
     "instead of a window: messages a second, all connections together; idle: echoes (10); churn: "
     "connects; rooms, chat: lines (100)"},
    {"seconds", "S", read_talk, NO_PLACE, 0, 0, ALL,
     "how long to talk (10; with --messages, but for churn: no limit)"},
    {"messages", "N", NULL, PLACE(messages), 1, UINT32_MAX, ECHO | CHURN | ROOMS | CHAT,
     "stop after N on each connection; churn: in each life of one (1); rooms, chat: in each room"},
    {"rooms", "N", NULL, PLACE(rooms), 1, ROOMS_MAX, ROOMS | CHAT,
     "rooms (as many as --connections fill)"},
    {"room-size", "N", NULL, PLACE(room_size), 1, THRONG_SWARM_CONNECTIONS_LIMIT, ROOMS | CHAT,
     "members of each room (50, or as many as there are)"},
    {"bots", "N", NULL, PLACE(bots), 1, BOTS_MAX, CHAT,
     "N connections that chat at the pace of people, beside people: their lines are no errors"},
    {"idle", "SECONDS", read_idle, NO_PLACE, 0, 0, ECHO | CHURN | ROOMS | CHAT,
     "then hold the connections in silence, and count those alive (0)"},
    {"active", "N", NULL, PLACE(active), 1, THRONG_SWARM_CONNECTIONS_LIMIT, ECHO,
     "connections that talk; the others are only held (all)"},
    {"threads", "N", NULL, PLACE(threads), 1, THRONG_SWARM_THREADS_LIMIT, ALL,
     "threads (as many as the descriptor limit makes necessary)"},
    {"connect-rate", "N", NULL, PLACE(connect_rate), 1, RATE_MAX, ALL,
     "connects a second (no limit)"},
    {"connect-timeout", "MS", NULL, PLACE(connect_timeout_ms), 1, MS_MAX, ALL,
     "patience of a connect (30000)"},
    {"drain-timeout", "MS", NULL, PLACE(drain_timeout_ms), 1, MS_MAX, ALL,
     "give up on outstanding echoes when none came for so long (10000)"},
    {"source", "ADDRESS", read_source, NO_PLACE, 0, 0, ALL,
     "source address (the system's choice; spread on 127.0.0.0/8)"},
    {"sources", "COUNT", NULL, PLACE(source_count), 1, 65536, ALL,
     "use so many addresses, from --source on (1)"},
    {"message-max", "BYTES", NULL, PLACE(message_max), 1, THRONG_MESSAGE_BYTES_LIMIT, ALL,
     "longest payload to accept (65536, or the largest --size)"},
    {"byte-order", "ORDER", read_byte_order, NO_PLACE, 0, 0, ALL,
     "of the frame length: big, little"},
    {"heartbeat-ms", "MS", NULL, PLACE(heartbeat_ms), 0, DAY_MS, ALL,
     "heartbeats, for a server that has them on: the same interval (0: none)"},
    {"backend", "NAME", read_backend, NO_PLACE, 0, 0, ALL, system_backends},
    {"seed", "N", read_seed, NO_PLACE, 0, 0, ALL, "the payloads' seed (1)"},
    {"server-pid", "PID", NULL, PLACE(server_pid), 1, INT32_MAX, ALL,
     "the server's process, on this machine: report its memory and CPU time"},
    {"report", "FILE", read_report, NO_PLACE, 0, 0, ALL,
     "a page of charts: FILE.html, or one picture: FILE.svg"},
    {"hgrm", "FILE", read_hgrm, NO_PLACE, 0, 0, ALL,
     "latency percentiles, in ms, as HdrHistogram's plotters read them"},
    {"json", NULL, NULL, PLACE(json), 0, 0, ALL, "the report as one JSON object"},
    {"quiet", NULL, NULL, PLACE(quiet), 0, 0, ALL, "no progress on standard error"},
};

#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))
_Static_assert(OPTION_COUNT <= 64, "options_reader.given has a bit for each");

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

static bool read_value(struct options_reader *reader, const struct option *option,
                       const char *value)
{
    uint64_t number = 0;
    if (option->read != NULL) {
        return option->read(reader, option->name, value);
    }
    if (!options_read_whole(reader, option->name, value, option->least, option->most, &number)) {
        return false;
    }
    uint32_t *place = place_of(reader->options, option);
    *place = (uint32_t)number;
    return true;
}

/* ---- the whole ---- */

static void fill_defaults(struct stress_options *options)
{
    memset(options, 0, sizeof(*options));
    options->size_min = 64;
    options->size_max = 64;
    options->connect_timeout_ms = 30000;
    options->drain_timeout_ms = 10000;
    options->seed = 1;
}

/* Each option that was given must be one that the scenario takes. */
static bool fit_scenario(struct options_reader *reader)
{
    unsigned scenario = reader->options->scenario;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        bool given = (reader->given >> i & 1) != 0;
        if (given && (table[i].scenarios >> scenario & 1) == 0) {
            char takers[48] = "";
            for (unsigned kind = 0; kind < SCENARIO_COUNT; kind++) {
                if ((table[i].scenarios >> kind & 1) != 0) {
                    size_t len = strlen(takers);
                    (void)snprintf(takers + len, sizeof(takers) - len, "%s%s", len > 0 ? ", " : "",
                                   scenario_names[kind]);
                }
            }
            return options_complain(
                reader, "--%s cannot be given with --scenario %s; it must be one of: %s",
                table[i].name, scenario_names[scenario], takers);
        }
    }
    return true;
}

static const struct option *next_option(struct options_reader *reader, const char *argument)
{
    const struct option *option = find_option(argument);
    if (option == NULL) {
        (void)options_complain(reader, "unknown option \"%.80s\"; --help lists them", argument);
    } else {
        reader->given |= UINT64_C(1) << (option - table);
    }
    return option;
}

enum options_result stress_options_read(struct stress_options *options, int argc, char *const *argv,
                                        char *complaint)
{
    struct options_reader reader = {.options = options};
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
        const struct option *option = next_option(&reader, argv[i]);
        if (option == NULL) {
            return OPTIONS_BAD;
        }
        if (option->value == NULL) {
            *(bool *)place_of(options, option) = true;
            continue;
        }
        if (i + 1 == argc) {
            (void)options_complain(&reader, "--%s needs a value: %s", option->name, option->value);
            return OPTIONS_BAD;
        }
        if (!read_value(&reader, option, argv[++i])) {
            return OPTIONS_BAD;
        }
    }
    return fit_scenario(&reader) && options_settle(&reader) ? OPTIONS_GO : OPTIONS_BAD;
}

/* `help` in lines that fit beside the names. */
static void print_wrapped(FILE *file, const char *help)
{
    int column = HELP_COLUMN;
    while (*help != '\0') {
        int word = (int)strcspn(help, " ");
        if (column > HELP_COLUMN && column + 1 + word > HELP_WIDTH) {
            fprintf(file, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        bool first = column == HELP_COLUMN;
        fprintf(file, "%s%.*s", first ? "" : " ", word, help);
        column += word + (first ? 0 : 1);
        help += word;
        help += strspn(help, " ");
    }
    fputc('\n', file);
}

void stress_options_help(FILE *file)
{
    static const char *const helps[] = {
#define HELP_OF(NAME, name, help) help,
        SCENARIO_MAP(HELP_OF)
#undef HELP_OF
    };
    fputs("usage: throng-stress --connect tcp://HOST:PORT [options]\n\n"
          "Opens connections, sends messages, and verifies every byte of what comes.\n\n",
          file);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char name[48];
        (void)snprintf(name, sizeof(name), "--%s %s", table[i].name,
                       table[i].value != NULL ? table[i].value : "");
        fprintf(file, "  %-27s ", name);
        print_wrapped(file, table[i].help);
    }
    fprintf(file, "  %-27s %s\n\nscenarios:\n", "--help, --version", "");
    for (size_t i = 0; i < SCENARIO_COUNT; i++) {
        fprintf(file, "  %-27s ", scenario_names[i]);
        print_wrapped(file, helps[i]);
    }
    fputs("\nA few hundred bots for a chat with people in it:\n"
          "  throng-stress --scenario chat --bots 300 --seconds 3600 --connect tcp://HOST:PORT\n",
          file);
    fputs("\nExit status: 0 if every message came back whole, once and in order, and every "
          "connection\nstayed until it was closed here; 1 if not; 2 for a command line that makes "
          "no sense.\n",
          file);
}
