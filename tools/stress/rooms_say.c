/* SPDX-License-Identifier: MIT
 * See rooms.h: lines go out, as many on their way per room as the window says, or at the times that
 * the rate says; rooms, and in each room its members, take turns. The swarm's threads. */
#include "rooms.h"

/* Lines of one turn: the swarm gets to flush and to receive in between. */
#define TURN_LINES 1024u

/* Rooms that are tried for one line; members that are tried in one room. */
#define TRIES 64u

/* When to try again what was refused; completions come earlier as a rule. */
#define RETRY_NS 1000000u

static bool is_over(const struct load_thread *own, uint32_t room)
{
    const struct rooms *rooms = own->scenario_part;
    return rooms->said[room] >= own->load->messages_max;
}

/* Bots behave like people: they speak at odd times, in any room, whoever it is. splitmix64 of how
 * much was said. */
static uint32_t chance(const struct load_thread *own, uint32_t what)
{
    uint64_t value = own->load->options->seed + own->pace.due_count * 4 + what;
    value = (value ^ own->index) * UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(value >> 32);
}

/* When the next line is due; of bots at any time before the next one's
 * turn. */
static uint64_t due_time(const struct load_thread *own)
{
    uint64_t due_ns = pace_due(&own->pace);
    if (own->load->options->bots == 0) {
        return due_ns;
    }
    double share = chance(own, 0) / 4294967296.0;
    return due_ns + (uint64_t)(share * own->pace.interval_ns);
}

/* Whose turn it is, among those that are there. ROOM_NOT_OURS: nobody may speak now. */
static uint32_t next_speaker(struct load_thread *own, uint32_t room)
{
    struct rooms *rooms = own->scenario_part;
    uint32_t size = rooms->check.room_size;
    if (own->load->options->bots > 0) {
        rooms->speaker[room] = chance(own, 1) % size;
    }
    for (uint32_t tries = 0; tries < size && tries < TRIES; tries++) {
        uint32_t member = rooms->speaker[room];
        rooms->speaker[room] = member + 1 < size ? member + 1 : 0;
        if (room_check_may_say(&rooms->check, room, member)) {
            return member;
        }
    }
    return ROOM_NOT_OURS;
}

/* Says one line. False: nobody may now, or there is no room for it. */
static bool say(struct load_thread *own, uint32_t room, uint64_t time_ns)
{
    struct rooms *rooms = own->scenario_part;
    if (is_over(own, room) || !room_check_has_room(&rooms->check, room)) {
        return false;
    }
    uint32_t member = next_speaker(own, room);
    if (member == ROOM_NOT_OURS) {
        return false;
    }
    struct room_words words = {
        .connection = load_connection_of(own, rooms_place_of(own, room, member)),
        .room = rooms_number(own, room),
        .sequence = room_check_next_said(&rooms->check, room, member),
        .time_ns = time_ns,
    };
    size_t size = rooms->wire->say(own->load->options, &words, rooms->bytes);
    if (throng_swarm_write(own->swarm_thread, words.connection, rooms->bytes, size) < 0) {
        rooms->refill = true;
        return false;
    }
    room_check_say(&rooms->check, room, member, time_ns);
    tally_add(&own->tally.sent, 1);
    rooms_publish(own);
    if (++rooms->said[room] >= own->load->messages_max) {
        tally_add(&own->tally.talkers, UINT64_MAX); /* one room less */
    }
    return true;
}

/* ---- window ---- */

void rooms_say_window(struct load_thread *own, uint32_t room)
{
    struct rooms *rooms = own->scenario_part;
    for (uint32_t i = 0; i < rooms->check.window && say(own, room, load_now(own)); i++) {
        /* until its window is full */
    }
}

static uint64_t refill(struct load_thread *own)
{
    struct rooms *rooms = own->scenario_part;
    if (!rooms->refill) {
        return UINT64_MAX; /* what is heard opens the windows */
    }
    rooms->refill = false;
    for (uint32_t room = 0; room < rooms->check.rooms; room++) {
        rooms_say_window(own, room);
    }
    return rooms->refill ? own->now_ns + RETRY_NS : UINT64_MAX;
}

/* ---- rate ---- */

/* Says one line in the next room that takes it. False if none of many does. */
static bool say_in_next(struct load_thread *own, uint64_t due_ns)
{
    struct rooms *rooms = own->scenario_part;
    uint32_t count = rooms->check.rooms;
    if (own->load->options->bots > 0 && count > 0) {
        rooms->room = chance(own, 2) % count;
    }
    for (uint32_t tries = 0; tries < count && tries < TRIES; tries++) {
        uint32_t room = rooms->room;
        rooms->room = room + 1 < count ? room + 1 : 0;
        if (say(own, room, due_ns)) {
            return true;
        }
    }
    return false;
}

/* What cannot be said when it is due stays due: nothing is skipped, and its latency counts from the
 * intended time. */
static uint64_t say_due(struct load_thread *own)
{
    if (tally_read(&own->tally.talkers) == 0) {
        return UINT64_MAX;
    }
    for (uint32_t i = 0; i < TURN_LINES; i++) {
        uint64_t due_ns = due_time(own);
        if (due_ns > own->now_ns) {
            return due_ns;
        }
        if (!say_in_next(own, due_ns)) {
            return own->now_ns + RETRY_NS;
        }
        own->pace.due_count++;
        if (own->now_ns - due_ns > LATE_NS) {
            tally_add(&own->tally.late, 1);
        }
    }
    return own->now_ns;
}

/* ---- both ---- */

void rooms_say_start(struct load_thread *own)
{
    struct rooms *rooms = own->scenario_part;
    const struct stress_options *options = own->load->options;
    rooms->refill = true;
    double share = (double)rooms->check.rooms / options->rooms;
    uint64_t talkers = 0;
    for (uint32_t room = 0; room < rooms->check.rooms; room++) {
        talkers += rooms->check.states[room].joined > 0;
    }
    tally_set(&own->tally.talkers, talkers);
    own->pace = pace_start(tally_read(&own->load->talk_start_ns), options->rate, share, own->index,
                           own->thread_count);
}

uint64_t rooms_say_turn(struct load_thread *own)
{
    return own->load->options->rate > 0 ? say_due(own) : refill(own);
}

void rooms_say_end(struct load_thread *own)
{
    if (own->load->options->rate > 0 && tally_read(&own->tally.talkers) > 0) {
        tally_set(&own->tally.unsent, pace_missed(&own->pace, own->now_ns));
    }
}
