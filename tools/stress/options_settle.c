/* SPDX-License-Identifier: MIT
 * See option_values.h: what the options say together. */
#include "option_values.h"

#include <inttypes.h>

#include "room_line.h"

#define IDLE_RATE 10u
#define ROOMS_RATE 100u
#define ROOM_SIZE 50u
#define ROOMS_CONNECTIONS 100u

/* People in a busy room say something every twenty seconds or so. */
#define BOT_PACE_SECONDS 20u

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool settle_rooms(struct options_reader *reader)
{
    struct stress_options *options = reader->options;
    bool told = options->rooms > 0 && options->room_size > 0;
    if (options->bots > 0 && options->connections > 0) {
        return options_complain(
            reader, "--bots is \"%u\" and --connections is \"%u\"; only one can be given",
            options->bots, options->connections);
    }
    if (options->bots > 0) {
        options->connections = options->bots;
    }
    uint64_t places = (uint64_t)options->rooms * options->room_size;
    if (places > THRONG_SWARM_CONNECTIONS_LIMIT * UINT64_C(4)) {
        return options_complain(reader,
                                "--rooms is \"%u\"; times --room-size it must be 1..%" PRIu64,
                                options->rooms, THRONG_SWARM_CONNECTIONS_LIMIT * UINT64_C(4));
    }
    if (options->connections == 0) {
        options->connections = told ? (uint32_t)(places < THRONG_SWARM_CONNECTIONS_LIMIT
                                                     ? places
                                                     : THRONG_SWARM_CONNECTIONS_LIMIT)
                                    : ROOMS_CONNECTIONS;
    }
    if (options->room_size > options->connections) {
        return options_complain(reader,
                                "--room-size is \"%u\"; it must be 1..%u, as --connections says",
                                options->room_size, options->connections);
    }
    if (options->rooms == 0) {
        if (options->room_size == 0) {
            options->room_size = lesser(ROOM_SIZE, options->connections);
        }
        options->rooms = (options->connections + options->room_size - 1) / options->room_size;
    }
    if (options->room_size == 0) {
        uint32_t fair = (options->connections + options->rooms - 1) / options->rooms;
        options->room_size = fair;
    }
    return true;
}

/* Rates and counts that a scenario has where none is given. */
static bool settle_scenario(struct options_reader *reader)
{
    struct stress_options *options = reader->options;
    bool by_window = options->window > 0;
    switch (options->scenario) {
    case SCENARIO_IDLE:
        options->rate = options->rate > 0 ? options->rate : IDLE_RATE;
        return true;
    case SCENARIO_CHURN:
        options->window = by_window ? options->window : 1;
        options->messages = options->messages > 0 ? options->messages : 1;
        options->talk_ns = options->talk_ns > 0 ? options->talk_ns : UINT64_C(10000000000);
        return true;
    case SCENARIO_ROOMS:
    case SCENARIO_CHAT:
        if (!settle_rooms(reader)) {
            return false;
        }
        if (options->rate == 0 && options->bots > 0) {
            options->rate = options->bots / BOT_PACE_SECONDS + 1;
        } else if (options->rate == 0 && !by_window) {
            options->rate = ROOMS_RATE;
        }
        return true;
    default:
        return true;
    }
}

static bool settle_sizes(struct options_reader *reader)
{
    struct stress_options *options = reader->options;
    bool rooms = options->scenario == SCENARIO_ROOMS;
    uint32_t longest = options->size_max + (rooms ? ROOM_LINE_BYTES : 0);
    if (rooms && options->size_min < ROOM_PAYLOAD_MIN) {
        return options_complain(
            reader, "--size begins with \"%u\"; with --scenario rooms it must be %u..%u",
            options->size_min, ROOM_PAYLOAD_MIN, THRONG_MESSAGE_BYTES_LIMIT - ROOM_LINE_BYTES);
    }
    if (longest > THRONG_MESSAGE_BYTES_LIMIT) {
        return options_complain(
            reader, "--size ends with \"%u\"; with --scenario rooms it must be %u..%u",
            options->size_max, ROOM_PAYLOAD_MIN, THRONG_MESSAGE_BYTES_LIMIT - ROOM_LINE_BYTES);
    }
    if (options->message_max == 0) {
        options->message_max =
            longest > THRONG_MESSAGE_BYTES_DEFAULT ? longest : THRONG_MESSAGE_BYTES_DEFAULT;
    }
    if (options->message_max < longest) {
        return options_complain(reader,
                                "--message-max is \"%u\"; it must be %u..%u, as --size asks",
                                options->message_max, longest, THRONG_MESSAGE_BYTES_LIMIT);
    }
    if (options->heartbeat_ms > 0 && options->size_min == 0) {
        return options_complain(reader,
                                "--size begins with \"0\"; with --heartbeat-ms it must be 1..%u",
                                THRONG_MESSAGE_BYTES_LIMIT);
    }
    return true;
}

static bool settle_pace(struct options_reader *reader)
{
    struct stress_options *options = reader->options;
    if (options->rate > 0 && options->window > 0 && options->scenario != SCENARIO_CHURN) {
        return options_complain(reader,
                                "--rate is \"%u\" and --window is \"%u\"; only one can be given",
                                options->rate, options->window);
    }
    if (options->rate == 0 && options->window == 0) {
        options->window = 1;
    }
    if (options->talk_ns == 0) {
        options->talk_ns = options->messages > 0 ? UINT64_MAX : UINT64_C(10000000000);
    }
    return true;
}

/* What the options say together. */
bool options_settle(struct options_reader *reader)
{
    struct stress_options *options = reader->options;
    if (options->target_count == 0) {
        return options_complain(reader, "--connect is missing; it must be tcp://HOST:PORT");
    }
    if (!settle_scenario(reader)) {
        return false;
    }
    if (options->connections == 0) {
        options->connections = 1;
    }
    if (options->active > options->connections) {
        return options_complain(reader,
                                "--active is \"%u\"; it must be 1..%u, as --connections says",
                                options->active, options->connections);
    }
    if (options->active == 0) {
        options->active = options->connections;
    }
    if (options->source_count > 0 && options->source.family == THRONG_ADDRESS_NONE) {
        return options_complain(reader,
                                "--sources is \"%u\"; it must come with --source, the first one",
                                options->source_count);
    }
    return settle_pace(reader) && settle_sizes(reader);
}
