/* SPDX-License-Identifier: MIT
 * The scenarios rooms and chat: members of rooms say lines (rooms_say.c), and all members verify
 * all of them (rooms_hear.c), in the words of a server (room_wire.h). Their hooks (scenario.h), on
 * the swarm's threads; rooms.h says who is where. */
#include "rooms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Connections of a thread that are on their way into their rooms at once. */
#define JOINING_MAX 1024u

/* Lines of a room on their way when there is a rate, and where people talk between them. */
#define RATE_WINDOW 64u

/* ---- life ---- */

static const struct room_wire *wire_of(const struct load *load)
{
#ifdef STRESS_WITH_CHAT
    if (load->options->scenario == SCENARIO_CHAT) {
        return &room_wire_chat;
    }
#endif
    (void)load;
    return &room_wire_raw;
}

static uint32_t window_of(const struct stress_options *options)
{
    uint32_t window = options->rate > 0 ? RATE_WINDOW : options->window;
    return options->bots > 0 && window < RATE_WINDOW ? RATE_WINDOW : window;
}

static uint32_t share_of(uint32_t count, uint32_t threads, uint32_t index)
{
    return (count + threads - 1 - index) / threads;
}

/* One piece of memory: the threads' parts, then rooms' states, places, two numbers a room, and a
 * message for each thread. */
struct layout {
    size_t checks;
    size_t places;
    size_t numbers;
    size_t bytes;
    size_t total;
};

static size_t round_up(size_t size)
{
    return (size + 15) / 16 * 16;
}

static struct layout layout_of(const struct load *load)
{
    const struct stress_options *options = load->options;
    size_t message = wire_of(load)->bytes_max(options);
    struct layout layout;
    layout.checks = round_up(THRONG_SWARM_THREADS_LIMIT * sizeof(struct rooms));
    layout.places = layout.checks +
                    round_up(options->rooms *
                             round_up(room_check_bytes(1, options->room_size, window_of(options))));
    layout.numbers = layout.places + round_up(options->connections * sizeof(struct rooms_place));
    layout.bytes = layout.numbers + round_up((size_t)options->rooms * 2 * sizeof(uint32_t));
    layout.total = layout.bytes + THRONG_SWARM_THREADS_LIMIT * round_up(message);
    return layout;
}

static int create(struct load *load)
{
    load->scenario_memory = calloc(1, layout_of(load).total);
    return load->scenario_memory != NULL ? 0 : THRONG_ENOMEM;
}

static void destroy(struct load *load)
{
    const struct room_wire *wire = wire_of(load);
    struct rooms *rooms = load->scenario_memory;
    for (uint32_t i = 0; rooms != NULL && wire->destroy != NULL && i < THRONG_SWARM_THREADS_LIMIT;
         i++) {
        wire->destroy(rooms[i].wire_memory);
    }
}

/* The threads find theirs when they are told to join. */
static int create_wires(const struct load *load, uint32_t threads, struct throng_error *error)
{
    const struct room_wire *wire = wire_of(load);
    struct rooms *rooms = load->scenario_memory;
    for (uint32_t i = 0; wire->create != NULL && i < threads; i++) {
        rooms[i].wire_memory = wire->create(load->options);
        if (rooms[i].wire_memory == NULL) {
            (void)snprintf(error->text, sizeof(error->text),
                           "the system has no memory for messages");
            return THRONG_ENOMEM;
        }
    }
    return 0;
}

static int fits(const struct load *load, uint32_t threads, struct throng_error *error)
{
    const struct stress_options *options = load->options;
    uint32_t least = options->connections / threads;
    if (options->room_size > least) {
        (void)snprintf(
            error->text, sizeof(error->text),
            "--room-size is \"%u\"; a room lives on one thread, and %u threads for %u "
            "connections have %u each: it must be 1..%u (or a higher limit of descriptors)",
            options->room_size, threads, options->connections, least, least);
        return THRONG_EINVAL;
    }
    return create_wires(load, threads, error);
}

static void prepare(struct load_thread *own)
{
    const struct load *load = own->load;
    const struct stress_options *options = load->options;
    struct layout layout = layout_of(load);
    char *memory = load->scenario_memory;
    struct rooms *rooms = (struct rooms *)(void *)memory + own->index;
    uint32_t first = 0;
    for (uint32_t i = 0; i < own->index; i++) {
        first += share_of(options->rooms, own->thread_count, i);
    }
    uint32_t count = share_of(options->rooms, own->thread_count, own->index);
    size_t check_bytes = round_up(room_check_bytes(1, options->room_size, window_of(options)));
    rooms->check.rooms = count;
    rooms->check.room_size = options->room_size;
    rooms->check.window = window_of(options);
    rooms->check.with_others = options->bots > 0;
    room_check_begin(&rooms->check, memory + layout.checks + first * check_bytes);
    rooms->places = (struct rooms_place *)(void *)(memory + layout.places) +
                    (own->conns - load->conns);
    rooms->said = (uint32_t *)(void *)(memory + layout.numbers) + 2 * (size_t)first;
    rooms->speaker = rooms->said + count;
    rooms->wire = wire_of(load);
    rooms->bytes = (uint8_t *)memory + layout.bytes +
                   own->index * round_up(rooms->wire->bytes_max(options));
    own->scenario_part = rooms;
}

void rooms_publish(struct load_thread *own)
{
    const struct room_check *check = &((struct rooms *)own->scenario_part)->check;
    tally_set(&own->tally.expected, check->expected);
    tally_set(&own->tally.settled, check->settled);
    tally_set(&own->tally.abandoned, check->abandoned);
    tally_set(&own->tally.lost, check->wrong[ROOM_WRONG_LOST]);
    tally_set(&own->tally.duplicated, check->wrong[ROOM_WRONG_DUPLICATED]);
    tally_set(&own->tally.reordered, check->wrong[ROOM_WRONG_REORDERED]);
    tally_set(&own->tally.corrupted, check->wrong[ROOM_WRONG_CORRUPTED]);
    tally_set(&own->tally.foreign, check->wrong[ROOM_WRONG_FOREIGN]);
}

/* ---- joining: one seat after the other ---- */

/* What cannot be sent leaves the connection without its rooms, which is counted at the end: there
 * is nothing else on its way yet that could fill a queue. */
static void send(struct load_thread *own, uint32_t place, size_t size)
{
    const struct rooms *rooms = own->scenario_part;
    (void)throng_swarm_write(own->swarm_thread, load_connection_of(own, place), rooms->bytes, size);
}

static void ask_for_next_seat(struct load_thread *own, uint32_t place)
{
    struct rooms *rooms = own->scenario_part;
    struct rooms_place *own_place = &rooms->places[place];
    uint64_t seat = place + (uint64_t)own_place->asked * own->conn_count;
    if (seat < rooms_seats(own)) {
        uint32_t room = rooms_number(own, (uint32_t)(seat / rooms->check.room_size));
        own_place->asked++;
        send(own, place, rooms->wire->join(own->load->options, room, rooms->bytes));
    } else if (!own_place->ready) {
        own_place->ready = true;
        rooms->done++;
        tally_add(&own->tally.ready, 1);
    }
}

/* Hello at once, for a server waits for it only so long. */
static void on_up(struct load_thread *own, uint32_t place)
{
    const struct rooms *rooms = own->scenario_part;
    rooms->places[place].greeted = rooms->wire->hello == NULL;
    if (rooms->wire->hello != NULL) {
        uint32_t connection = load_connection_of(own, place);
        send(own, place, rooms->wire->hello(own->load->options, connection, rooms->bytes));
    }
}

static void on_greeted(struct load_thread *own, uint32_t place)
{
    const struct rooms *rooms = own->scenario_part;
    rooms->places[place].greeted = true;
    if (place < rooms->begun) {
        ask_for_next_seat(own, place);
    }
}

static uint64_t begin_joins(struct load_thread *own)
{
    struct rooms *rooms = own->scenario_part;
    for (; rooms->begun < own->conn_count && rooms->begun - rooms->done < JOINING_MAX;
         rooms->begun++) {
        uint32_t place = rooms->begun;
        if (own->conns[place].state != LOAD_CONN_UP) {
            rooms->done++;
        } else if (rooms->places[place].greeted) {
            ask_for_next_seat(own, place);
        }
    }
    return UINT64_MAX; /* each answer makes a turn */
}

/* ---- hooks ---- */

static void on_message(struct load_thread *own, uint32_t place, const void *data, size_t size)
{
    struct rooms *rooms = own->scenario_part;
    struct room_news news;
    uint32_t room;
    uint32_t member;
    rooms->wire->read(rooms->wire_memory, own->load->options, data, size, &news);
    switch (news.kind) {
    case ROOM_NEWS_NONE:
        return;
    case ROOM_NEWS_GREETED:
        on_greeted(own, place);
        return;
    case ROOM_NEWS_JOINED:
        if (rooms_find_member(own, news.room, place, &room, &member) &&
            room_check_join(&rooms->check, room, member, news.number)) {
            ask_for_next_seat(own, place);
        }
        break;
    case ROOM_NEWS_LINE:
        rooms_hear(own, place, &news, size);
        break;
    case ROOM_NEWS_REFUSED:
        rooms_note_refusal(own, place, &news);
        break;
    case ROOM_NEWS_BROKEN:
        rooms->check.wrong[ROOM_WRONG_CORRUPTED]++;
        break;
    }
    rooms_publish(own);
}

static void on_down(struct load_thread *own, uint32_t place, bool came_up, int error)
{
    (void)error;
    struct rooms *rooms = own->scenario_part;
    if (!came_up) {
        return;
    }
    if (place < rooms->begun && !rooms->places[place].ready) {
        rooms->places[place].ready = true;
        rooms->done++;
    }
    for (uint64_t seat = place; seat < rooms_seats(own); seat += own->conn_count) {
        room_check_leave(&rooms->check, (uint32_t)(seat / rooms->check.room_size),
                         (uint32_t)(seat % rooms->check.room_size));
    }
    rooms_publish(own);
}

static void on_phase(struct load_thread *own, enum load_phase from, enum load_phase to)
{
    if (to == LOAD_TALK) {
        rooms_say_start(own);
    }
    if (from == LOAD_TALK) {
        rooms_say_end(own);
    }
}

static uint64_t on_turn(struct load_thread *own)
{
    switch (own->phase) {
    case LOAD_READY:
        return begin_joins(own);
    case LOAD_TALK:
        return rooms_say_turn(own);
    default:
        return UINT64_MAX;
    }
}

/* The first thing that was wrong, of the first thread that has any. */
static void gather(const struct load *load, struct outcome *outcome)
{
    size_t size = sizeof(outcome->first_wrong);
    for (uint32_t i = 0; i < THRONG_SWARM_THREADS_LIMIT; i++) {
        const struct load_thread *thread = &load->threads[i];
        const struct rooms *rooms = thread->scenario_part;
        if (thread->thread_count == 0 || rooms == NULL) {
            continue;
        }
        const struct room_wrong *first = &rooms->check.first;
        outcome->others += rooms->check.others;
        if (outcome->first_wrong[0] != '\0') {
            continue;
        }
        if (rooms->remark[0] != '\0') {
            (void)snprintf(outcome->first_wrong, size, "%s", rooms->remark);
        } else if (first->kind != ROOM_WRONG_NONE) {
            uint32_t place = rooms_place_of(thread, first->room, first->member);
            (void)snprintf(
                outcome->first_wrong, size,
                "%s: line %" PRIu64 " of room %u at connection %u, whose next was %" PRIu64,
                room_wrong_name(first->kind), first->number, rooms_number(thread, first->room),
                load_connection_of(thread, place), first->next);
        }
    }
}

const struct scenario scenario_rooms = {
    .ready = "joining",
    .create = create,
    .destroy = destroy,
    .fits = fits,
    .prepare = prepare,
    .on_up = on_up,
    .on_message = on_message,
    .on_down = on_down,
    .on_phase = on_phase,
    .on_turn = on_turn,
    .gather = gather,
};
