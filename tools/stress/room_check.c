/* SPDX-License-Identifier: MIT
 * See room_check.h. Runs in on_message, on each thread of the swarm. Everything but the first
 * branch of room_check_hear is the path of broken servers; it may be slow, but is bounded. */
#include "room_check.h"

/* ---- places ---- */

static struct room_member *member_of(const struct room_check *check, uint32_t room, uint32_t member)
{
    return &check->members[(size_t)room * check->room_size + member];
}

static struct room_said *said_of(const struct room_check *check, uint32_t room)
{
    return &check->said[(size_t)room * check->window];
}

/* Twice the window: lines that the server invented or the damaged ones take numbers too. */
static uint32_t ring_size(const struct room_check *check)
{
    return 2 * check->window;
}

/* Whether it is between said and forgotten. */
static bool is_heard(const struct room_check *check, uint32_t room, uint64_t number)
{
    return number >= check->states[room].oldest && number < check->states[room].end;
}

static struct room_heard *heard_of(const struct room_check *check, uint32_t room, uint64_t number)
{
    return &check->heard[(size_t)room * ring_size(check) + number % ring_size(check)];
}

size_t room_check_bytes(uint32_t rooms, uint32_t room_size, uint32_t window)
{
    size_t room = sizeof(struct room_state) + room_size * sizeof(struct room_member) +
                  window * (sizeof(struct room_said) + 2 * sizeof(struct room_heard));
    return rooms * room;
}

void room_check_begin(struct room_check *check, void *memory)
{
    size_t rooms = check->rooms;
    check->heard = memory;
    check->said = (void *)(check->heard + rooms * ring_size(check));
    check->members = (void *)(check->said + rooms * check->window);
    check->states = (void *)(check->members + rooms * check->room_size);
}

/* ---- what is wrong ---- */

const char *room_wrong_name(enum room_wrong_kind kind)
{
    static const char *const names[ROOM_WRONG_KINDS] = {
        [ROOM_WRONG_NONE] = "nothing",          [ROOM_WRONG_LOST] = "lost",
        [ROOM_WRONG_DUPLICATED] = "duplicated", [ROOM_WRONG_REORDERED] = "reordered",
        [ROOM_WRONG_CORRUPTED] = "corrupted",   [ROOM_WRONG_FOREIGN] = "foreign",
    };
    return names[kind];
}

void room_check_wrong(struct room_check *check, enum room_wrong_kind kind, uint32_t room,
                      uint32_t member, uint64_t number)
{
    check->wrong[kind]++;
    if (check->first.kind == ROOM_WRONG_NONE) {
        uint64_t next = member_of(check, room, member)->next;
        check->first = (struct room_wrong){kind, room, member, number, next};
    }
}

static void note_missing(struct room_check *check, uint32_t room, uint32_t member, uint64_t number)
{
    room_check_wrong(check, ROOM_WRONG_LOST, room, member, number);
    if (check->missing_count < ROOM_MISSING_MAX) {
        check->missing[check->missing_count].room = room;
        check->missing[check->missing_count].member = member;
        check->missing[check->missing_count++].number = number;
    }
}

/* A number that was passed over has come after all: it was not lost. */
static bool take_missing(struct room_check *check, uint32_t room, uint32_t member, uint64_t number)
{
    for (uint32_t i = 0; i < check->missing_count; i++) {
        if (check->missing[i].room == room && check->missing[i].member == member &&
            check->missing[i].number == number) {
            check->missing[i] = check->missing[--check->missing_count];
            check->wrong[ROOM_WRONG_LOST]--;
            return true;
        }
    }
    return false;
}

/* ---- coming, going, saying ---- */

bool room_check_join(struct room_check *check, uint32_t room, uint32_t member, uint64_t number)
{
    struct room_state *state = &check->states[room];
    struct room_member *joining = member_of(check, room, member);
    if (!state->numbered) {
        state->numbered = true;
        state->oldest = number;
        state->end = number;
    }
    /* Nobody of ours has said anything yet; people may have. */
    bool agreed = number == state->end || (check->with_others && number >= state->end);
    if (joining->joined || !agreed) {
        room_check_wrong(check, ROOM_WRONG_CORRUPTED, room, member, number);
        return false;
    }
    joining->joined = true;
    joining->next = number;
    state->joined++;
    return true;
}

/* Forgets what all have heard. */
static void forget(struct room_check *check, uint32_t room)
{
    struct room_state *state = &check->states[room];
    while (state->oldest < state->end && heard_of(check, room, state->oldest)->left == 0) {
        state->oldest++;
    }
}

void room_check_leave(struct room_check *check, uint32_t room, uint32_t member)
{
    struct room_state *state = &check->states[room];
    struct room_member *leaving = member_of(check, room, member);
    if (!leaving->joined) {
        return;
    }
    leaving->joined = false;
    state->joined--;
    check->abandoned += state->said;
    for (uint64_t number = leaving->next; number < state->end; number++) {
        struct room_heard *heard = heard_of(check, room, number);
        if (is_heard(check, room, number) && heard->left > 0) {
            heard->left--;
            check->abandoned += heard->member != ROOM_NOT_OURS;
        }
    }
    forget(check, room);
}

bool room_check_may_say(const struct room_check *check, uint32_t room, uint32_t member)
{
    return member_of(check, room, member)->joined && room_check_has_room(check, room);
}

uint64_t room_check_next_said(const struct room_check *check, uint32_t room, uint32_t member)
{
    return member_of(check, room, member)->said;
}

void room_check_say(struct room_check *check, uint32_t room, uint32_t member, uint64_t time_ns)
{
    struct room_state *state = &check->states[room];
    uint64_t sequence = member_of(check, room, member)->said++;
    said_of(check, room)[state->said++] = (struct room_said){member, sequence, time_ns};
    check->expected += state->joined;
}

/* ---- hearing ---- */

static void drop_said(struct room_check *check, uint32_t room, uint32_t index)
{
    struct room_said *said = said_of(check, room);
    uint32_t count = --check->states[room].said;
    for (uint32_t i = index; i < count; i++) {
        said[i] = said[i + 1];
    }
}

/* Members that have line `number` before them. All, where nobody talks while we join. */
static uint32_t listeners(const struct room_check *check, uint32_t room, uint64_t number)
{
    if (!check->with_others) {
        return check->states[room].joined;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < check->room_size; i++) {
        const struct room_member *member = member_of(check, room, i);
        count += member->joined && member->next <= number;
    }
    return count;
}

/* Somebody hears a number: it may be the first that is heard of it. False: the server gives out far
 * more numbers than lines were said, or none that this member has to hear. */
static bool begin_number(struct room_check *check, uint32_t room, uint64_t number)
{
    struct room_state *state = &check->states[room];
    if (is_heard(check, room, number)) {
        return heard_of(check, room, number)->left > 0;
    }
    if (number != state->end || state->end - state->oldest >= ring_size(check)) {
        return false;
    }
    uint32_t left = listeners(check, room, number);
    *heard_of(check, room, number) = (struct room_heard){.member = ROOM_UNKNOWN, .left = left};
    state->end++;
    return true;
}

/* One member is through with a number. */
static void settle(struct room_check *check, uint32_t room, struct room_heard *heard)
{
    if (heard->member != ROOM_NOT_OURS) {
        check->settled++;
    }
    if (--heard->left == 0) {
        /* Nobody could read it: it stood for one of those that were said, the eldest as far as we
         * know. */
        if (heard->member == ROOM_UNKNOWN && check->states[room].said > 0) {
            drop_said(check, room, 0);
        }
        forget(check, room);
    }
}

/* Whether some number below is still without a name: it may be the line that seems to be
 * missing. */
static bool may_be_below(const struct room_check *check, uint32_t room, uint64_t number)
{
    for (uint64_t below = check->states[room].oldest; below < number; below++) {
        if (heard_of(check, room, below)->member == ROOM_UNKNOWN) {
            return true;
        }
    }
    return false;
}

/* The first member that can read line `heard` says whose it is. */
static enum room_wrong_kind name_line(struct room_check *check, uint32_t room, uint64_t number,
                                      uint32_t sender, uint64_t sequence)
{
    struct room_heard *heard = heard_of(check, room, number);
    const struct room_said *said = said_of(check, room);
    bool in_turn = true;
    for (uint32_t i = 0; i < check->states[room].said; i++) {
        if (said[i].member == sender && said[i].sequence == sequence) {
            heard->member = sender;
            heard->sequence = sequence;
            heard->time_ns = said[i].time_ns;
            drop_said(check, room, i);
            return in_turn || may_be_below(check, room, number) ? ROOM_WRONG_NONE
                                                                : ROOM_WRONG_REORDERED;
        }
        in_turn = in_turn && said[i].member != sender;
    }
    heard->member = ROOM_NOT_OURS;
    return sequence < member_of(check, room, sender)->said ? ROOM_WRONG_DUPLICATED
                                                           : ROOM_WRONG_CORRUPTED;
}

/* What is wrong with the words of a number that is in order. */
static enum room_wrong_kind judge(struct room_check *check, uint32_t room, uint64_t number,
                                  uint32_t sender, uint64_t sequence)
{
    struct room_heard *heard = heard_of(check, room, number);
    if (sender == ROOM_UNKNOWN) {
        return ROOM_WRONG_CORRUPTED;
    }
    if (sender == ROOM_NOT_OURS) {
        bool fits = heard->member == ROOM_UNKNOWN || heard->member == ROOM_NOT_OURS;
        heard->member = fits ? ROOM_NOT_OURS : heard->member;
        check->others += fits;
        return !check->with_others ? ROOM_WRONG_FOREIGN
               : fits              ? ROOM_WRONG_NONE
                                   : ROOM_WRONG_REORDERED;
    }
    if (heard->member == ROOM_UNKNOWN) {
        return name_line(check, room, number, sender, sequence);
    }
    if (heard->member == sender && heard->sequence == sequence) {
        return ROOM_WRONG_NONE;
    }
    if (heard->member == ROOM_NOT_OURS && sequence < member_of(check, room, sender)->said) {
        return ROOM_WRONG_DUPLICATED; /* as the member was told that heard it first */
    }
    return ROOM_WRONG_REORDERED; /* the others have another line in this place */
}

/* Numbers below `number` that this member never heard. */
static bool pass_over(struct room_check *check, uint32_t room, uint32_t member, uint64_t number)
{
    struct room_member *hearing = member_of(check, room, member);
    if (number - hearing->next >= ring_size(check)) {
        return false;
    }
    for (; hearing->next < number; hearing->next++) {
        if (!begin_number(check, room, hearing->next)) {
            return false;
        }
        note_missing(check, room, member, hearing->next);
        settle(check, room, heard_of(check, room, hearing->next));
    }
    return true;
}

/* A number below the next one. */
static void hear_again(struct room_check *check, uint32_t room, uint32_t member, uint64_t number)
{
    bool late = take_missing(check, room, member, number);
    room_check_wrong(check, late ? ROOM_WRONG_REORDERED : ROOM_WRONG_DUPLICATED, room, member,
                     number);
}

bool room_check_hear(struct room_check *check, uint32_t room, uint32_t member, uint64_t number,
                     uint32_t sender, uint64_t sequence, uint64_t *time_ns)
{
    struct room_member *hearing = member_of(check, room, member);
    if (!hearing->joined) {
        room_check_wrong(check, ROOM_WRONG_FOREIGN, room, member, number);
        return false;
    }
    if (number < hearing->next) {
        hear_again(check, room, member, number);
        return false;
    }
    if ((number > hearing->next && !pass_over(check, room, member, number)) ||
        !begin_number(check, room, number)) {
        room_check_wrong(check, ROOM_WRONG_CORRUPTED, room, member, number); /* no such number */
        return false;
    }
    struct room_heard *heard = heard_of(check, room, number);
    enum room_wrong_kind wrong = judge(check, room, number, sender, sequence);
    if (wrong != ROOM_WRONG_NONE) {
        room_check_wrong(check, wrong, room, member, number);
    }
    *time_ns = heard->time_ns;
    hearing->next = number + 1;
    bool right = wrong == ROOM_WRONG_NONE && heard->member != ROOM_NOT_OURS;
    settle(check, room, heard);
    return right;
}

bool room_check_sequence(const struct room_check *check, uint32_t room, uint64_t number,
                         uint32_t sender, uint64_t *sequence)
{
    const struct room_heard *heard = heard_of(check, room, number);
    if (is_heard(check, room, number) && heard->member == sender) {
        *sequence = heard->sequence;
        return true;
    }
    const struct room_said *said = said_of(check, room);
    for (uint32_t i = 0; i < check->states[room].said; i++) {
        if (said[i].member == sender) {
            *sequence = said[i].sequence;
            return true;
        }
    }
    return false;
}
