/* SPDX-License-Identifier: MIT
 * Users, rooms and seats. See state.h; their memory is in memory.c. */
#include "state.h"

/* ---- users ---- */

static uint32_t number_of(const struct chat_state *state, const struct chat_user *user)
{
    return (uint32_t)(user - state->users);
}

static void append_waiting(struct chat_state *state, uint32_t number)
{
    struct chat_user *user = &state->users[number];
    user->is_waiting = true;
    user->next_waiting = CHAT_NOBODY;
    user->previous_waiting = state->last_waiting;
    if (state->last_waiting == CHAT_NOBODY) {
        state->first_waiting = number;
    } else {
        state->users[state->last_waiting].next_waiting = number;
    }
    state->last_waiting = number;
}

static void remove_waiting(struct chat_state *state, struct chat_user *user)
{
    user->is_waiting = false;
    if (user->previous_waiting == CHAT_NOBODY) {
        state->first_waiting = user->next_waiting;
    } else {
        state->users[user->previous_waiting].next_waiting = user->next_waiting;
    }
    if (user->next_waiting == CHAT_NOBODY) {
        state->last_waiting = user->previous_waiting;
    } else {
        state->users[user->next_waiting].previous_waiting = user->previous_waiting;
    }
}

struct chat_user *chat_user_open(struct chat_state *state, throng_conn conn,
                                 const struct chat_place *place, uint64_t now_ms)
{
    uint32_t number = state->free_user;
    if (number != CHAT_NOBODY) {
        state->free_user = state->users[number].next_free;
    } else if (state->users_seen < state->sizes.users_max) {
        number = state->users_seen++;
    } else {
        return NULL;
    }
    state->users[number] = (struct chat_user){
        .conn = conn, .place = *place, .opened_ms = now_ms, .first_seat = CHAT_NOBODY};
    append_waiting(state, number);
    return &state->users[number];
}

void chat_user_forget(struct chat_state *state, struct chat_user *user)
{
    if (user->has_name) {
        chat_index_remove(&state->users_by_name, number_of(state, user));
        user->has_name = false;
        state->user_count--;
    } else if (user->is_waiting) {
        remove_waiting(state, user);
    }
}

void chat_user_close(struct chat_state *state, struct chat_user *user)
{
    chat_user_forget(state, user);
    user->conn.id = 0;
    user->next_free = state->free_user;
    state->free_user = number_of(state, user);
}

struct chat_user *chat_user_longest_waiting(const struct chat_state *state)
{
    return state->first_waiting == CHAT_NOBODY ? NULL : &state->users[state->first_waiting];
}

bool chat_user_rename(struct chat_state *state, struct chat_user *user,
                      const struct chat_name *name)
{
    uint32_t number = number_of(state, user);
    uint32_t holder = chat_index_find(&state->users_by_name, name);
    if (holder != CHAT_NOBODY && holder != number) {
        return false;
    }
    if (user->has_name) {
        chat_index_remove(&state->users_by_name, number);
    } else {
        remove_waiting(state, user);
        state->user_count++;
    }
    user->name = *name;
    user->has_name = true;
    chat_index_add(&state->users_by_name, number);
    return true;
}

struct chat_user *chat_user_find(const struct chat_state *state, const struct chat_name *name)
{
    uint32_t number = chat_index_find(&state->users_by_name, name);
    return number == CHAT_NOBODY ? NULL : &state->users[number];
}

struct chat_user *chat_user_next(const struct chat_state *state, const struct chat_user *user)
{
    for (uint32_t i = user == NULL ? 0 : number_of(state, user) + 1; i < state->users_seen; i++) {
        if (state->users[i].conn.id != 0 && state->users[i].has_name) {
            return &state->users[i];
        }
    }
    return NULL;
}

/* ---- rooms ---- */

struct chat_room *chat_room_find(const struct chat_state *state, const struct chat_name *name)
{
    uint32_t number = chat_index_find(&state->rooms_by_name, name);
    return number == CHAT_NOBODY ? NULL : &state->rooms[number];
}

struct chat_room *chat_room_next(const struct chat_state *state, const struct chat_room *room)
{
    uint32_t first = room == NULL ? 0 : (uint32_t)(room - state->rooms) + 1;
    for (uint32_t i = first; i < state->rooms_seen; i++) {
        if (state->rooms[i].is_used) {
            return &state->rooms[i];
        }
    }
    return NULL;
}

static void forget_oldest_empty(struct chat_state *state)
{
    struct chat_room *oldest = NULL;
    for (struct chat_room *room = chat_room_next(state, NULL); room != NULL;
         room = chat_room_next(state, room)) {
        if (room->members == 0 &&
            (oldest == NULL || room->empty_since_ms < oldest->empty_since_ms)) {
            oldest = room;
        }
    }
    if (oldest != NULL) {
        chat_room_remove(state, oldest);
    }
}

struct chat_room *chat_room_create(struct chat_state *state, const struct chat_name *name,
                                   uint64_t now_ms)
{
    if (state->free_room == CHAT_NOBODY && state->rooms_seen == state->sizes.rooms_max) {
        forget_oldest_empty(state);
    }
    uint32_t number = state->free_room;
    if (number != CHAT_NOBODY) {
        state->free_room = state->rooms[number].next_free;
    } else if (state->rooms_seen < state->sizes.rooms_max) {
        number = state->rooms_seen++;
    } else {
        return NULL;
    }
    struct chat_room *room = &state->rooms[number];
    room->is_used = true;
    room->is_stale = false;
    room->name = *name;
    room->first_seat = CHAT_NOBODY;
    room->last_seat = CHAT_NOBODY;
    room->members = 0;
    room->seats_given = 0;
    room->seq = 0;
    room->empty_since_ms = now_ms;
    room->topic_size = 0;
    room->topic_by[0] = '\0';
    chat_history_clear(&room->history);
    chat_index_add(&state->rooms_by_name, number);
    state->room_count++;
    return room;
}

void chat_room_remove(struct chat_state *state, struct chat_room *room)
{
    uint32_t number = (uint32_t)(room - state->rooms);
    chat_index_remove(&state->rooms_by_name, number);
    room->is_used = false;
    room->next_free = state->free_room;
    state->free_room = number;
    state->room_count--;
}

/* ---- seats ---- */

struct chat_seat *chat_seat_at(const struct chat_state *state, uint32_t index)
{
    return index == CHAT_NOBODY ? NULL : &state->seats[index];
}

struct chat_user *chat_seat_user(const struct chat_state *state, const struct chat_seat *seat)
{
    return &state->users[seat->user];
}

struct chat_room *chat_seat_room(const struct chat_state *state, const struct chat_seat *seat)
{
    return &state->rooms[seat->room];
}

struct chat_seat *chat_seat_find(const struct chat_state *state, const struct chat_user *user,
                                 const struct chat_room *room)
{
    struct chat_seat *seat = chat_seat_at(state, user->first_seat);
    while (seat != NULL && chat_seat_room(state, seat) != room) {
        seat = chat_seat_at(state, seat->next_of_user);
    }
    return seat;
}

struct chat_seat *chat_seat_take(struct chat_state *state, struct chat_user *user,
                                 struct chat_room *room)
{
    uint32_t number = state->free_seat;
    if (number != CHAT_NOBODY) {
        state->free_seat = state->seats[number].next_of_user;
    } else if (state->seats_seen < state->sizes.seats_max) {
        number = state->seats_seen++;
    } else {
        return NULL;
    }
    struct chat_seat *seat = &state->seats[number];
    *seat = (struct chat_seat){
        .user = number_of(state, user),
        .room = (uint32_t)(room - state->rooms),
        .next_of_user = user->first_seat,
        .next_in_room = CHAT_NOBODY,
        .previous_in_room = room->last_seat,
        .number = ++room->seats_given,
    };
    user->first_seat = number;
    user->seat_count++;
    if (room->last_seat == CHAT_NOBODY) {
        room->first_seat = number;
    } else {
        state->seats[room->last_seat].next_in_room = number;
    }
    room->last_seat = number;
    room->members++;
    return seat;
}

static void unlink_from_room(struct chat_state *state, struct chat_room *room,
                             const struct chat_seat *seat)
{
    if (seat->previous_in_room == CHAT_NOBODY) {
        room->first_seat = seat->next_in_room;
    } else {
        state->seats[seat->previous_in_room].next_in_room = seat->next_in_room;
    }
    if (seat->next_in_room == CHAT_NOBODY) {
        room->last_seat = seat->previous_in_room;
    } else {
        state->seats[seat->next_in_room].previous_in_room = seat->previous_in_room;
    }
    room->members--;
}

void chat_seat_leave(struct chat_state *state, struct chat_user *user, struct chat_room *room,
                     uint64_t now_ms)
{
    struct chat_seat *seat = chat_seat_find(state, user, room);
    if (seat == NULL) {
        return;
    }
    uint32_t number = (uint32_t)(seat - state->seats);
    uint32_t *link = &user->first_seat;
    while (*link != number) {
        link = &state->seats[*link].next_of_user;
    }
    *link = seat->next_of_user;
    user->seat_count--;
    unlink_from_room(state, room, seat);
    room->empty_since_ms = now_ms;
    seat->next_of_user = state->free_seat;
    state->free_seat = number;
}
