/* SPDX-License-Identifier: MIT
 * The memory of the chat's state: planned, reserved, and looked through by tests. See state.h. */
#include <stdlib.h>

#include "state.h"

/* Parts begin at multiples of it, so that each may hold any type. */
#define ALIGNMENT 64u

size_t chat_state_budget(const struct chat_sizes *sizes, struct throng_budget_term *terms)
{
    size_t indexes = chat_index_bytes(sizes->users_max) + chat_index_bytes(sizes->rooms_max);
    size_t lines = (size_t)sizes->rooms_max * sizes->history_lines;
    const struct throng_budget_term all[CHAT_TERMS] = {
        {"users", "max_connections x user", sizes->users_max * sizeof(struct chat_user)},
        {"rooms", "rooms x room", sizes->rooms_max * sizeof(struct chat_room)},
        {"seats", "memberships x seat", sizes->seats_max * sizeof(struct chat_seat)},
        {"history", "rooms x (history_lines x 16 bytes + history_bytes)",
         lines * sizeof(struct chat_history_entry) +
             (size_t)sizes->rooms_max * sizes->history_bytes},
        {"bans", "bans_max x (ban + mute)", 2 * sizes->bans_max * sizeof(struct chat_ban)},
        {"names", "2 to 4 x (users + rooms) x 4 bytes", indexes},
    };
    for (size_t i = 0; i < CHAT_TERMS; i++) {
        terms[i] = all[i];
    }
    return CHAT_TERMS;
}

/* The next part of what was reserved. */
static void *cut(char **at, size_t bytes)
{
    char *part = *at;
    *at += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return part;
}

static size_t sum_of(const struct chat_sizes *sizes)
{
    struct throng_budget_term terms[CHAT_TERMS];
    size_t count = chat_state_budget(sizes, terms);
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += terms[i].bytes;
    }
    return sum + 10 * ALIGNMENT; /* what rounding each part up can add */
}

static void init_histories(struct chat_state *state, char **at)
{
    const struct chat_sizes *sizes = &state->sizes;
    size_t lines = (size_t)sizes->rooms_max * sizes->history_lines;
    struct chat_history_entry *entries = cut(at, lines * sizeof(*entries));
    char *bytes = cut(at, (size_t)sizes->rooms_max * sizes->history_bytes);
    for (uint32_t i = 0; i < sizes->rooms_max; i++) {
        chat_history_init(&state->rooms[i].history, entries + (size_t)i * sizes->history_lines,
                          sizes->history_lines, bytes + (size_t)i * sizes->history_bytes,
                          sizes->history_bytes);
    }
}

bool chat_state_create(struct chat_state *state, const struct chat_sizes *sizes,
                       const uint64_t seed[2])
{
    *state = (struct chat_state){
        .sizes = *sizes,
        .free_user = CHAT_NOBODY,
        .free_room = CHAT_NOBODY,
        .free_seat = CHAT_NOBODY,
        .first_waiting = CHAT_NOBODY,
        .last_waiting = CHAT_NOBODY,
    };
    state->memory = calloc(1, sum_of(sizes)); /* pages are touched as users and rooms come */
    if (state->memory == NULL) {
        return false;
    }
    char *at = state->memory;
    state->users = cut(&at, sizes->users_max * sizeof(struct chat_user));
    state->rooms = cut(&at, sizes->rooms_max * sizeof(struct chat_room));
    state->seats = cut(&at, sizes->seats_max * sizeof(struct chat_seat));
    state->bans.entries = cut(&at, sizes->bans_max * sizeof(struct chat_ban));
    state->bans.max = sizes->bans_max;
    state->mutes.entries = cut(&at, sizes->bans_max * sizeof(struct chat_ban));
    state->mutes.max = sizes->bans_max;
    uint32_t *user_slots = cut(&at, chat_index_bytes(sizes->users_max));
    uint32_t *room_slots = cut(&at, chat_index_bytes(sizes->rooms_max));
    chat_index_init(&state->users_by_name, user_slots, sizes->users_max, seed,
                    &state->users[0].name, sizeof(struct chat_user));
    chat_index_init(&state->rooms_by_name, room_slots, sizes->rooms_max, seed,
                    &state->rooms[0].name, sizeof(struct chat_room));
    init_histories(state, &at);
    return true;
}

void chat_state_destroy(struct chat_state *state)
{
    free(state->memory);
    state->memory = NULL;
}

/* ---- what must always hold ---- */

static bool user_holds(const struct chat_state *state, const struct chat_user *user)
{
    uint32_t count = 0;
    const struct chat_seat *seat = chat_seat_at(state, user->first_seat);
    for (; seat != NULL && count <= CHAT_JOINED_MAX; count++) {
        if (chat_seat_user(state, seat) != user || !chat_seat_room(state, seat)->is_used) {
            return false;
        }
        seat = chat_seat_at(state, seat->next_of_user);
    }
    bool is_found = user->has_name && chat_user_find(state, &user->name) == user;
    return count == user->seat_count && count <= CHAT_JOINED_MAX &&
           (is_found || (!user->has_name && count == 0));
}

static bool room_holds(const struct chat_state *state, const struct chat_room *room)
{
    uint32_t count = 0;
    uint64_t number = 0;
    uint32_t last = CHAT_NOBODY;
    for (uint32_t at = room->first_seat; at != CHAT_NOBODY; at = state->seats[at].next_in_room) {
        const struct chat_seat *seat = &state->seats[at];
        if (chat_seat_room(state, seat) != room || seat->previous_in_room != last ||
            seat->number <= number || chat_seat_user(state, seat)->conn.id == 0) {
            return false;
        }
        number = seat->number;
        last = at;
        count++;
    }
    return count == room->members && last == room->last_seat && number <= room->seats_given &&
           chat_room_find(state, &room->name) == room;
}

bool chat_state_holds(const struct chat_state *state)
{
    uint32_t users = 0;
    uint32_t rooms = 0;
    uint64_t seats = 0;
    for (uint32_t i = 0; i < state->users_seen; i++) {
        const struct chat_user *user = &state->users[i];
        if (user->conn.id != 0 && !user_holds(state, user)) {
            return false;
        }
        users += user->conn.id != 0 && user->has_name;
    }
    for (const struct chat_room *room = chat_room_next(state, NULL); room != NULL;
         room = chat_room_next(state, room)) {
        if (!room_holds(state, room)) {
            return false;
        }
        rooms++;
        seats += room->members;
    }
    for (uint32_t at = state->free_seat; at != CHAT_NOBODY && seats <= state->seats_seen;
         at = state->seats[at].next_of_user) {
        seats++;
    }
    return users == state->user_count && rooms == state->room_count && seats == state->seats_seen;
}
