/* SPDX-License-Identifier: MIT
 * See room.h. */
#include "room.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool room_open(struct room *room, struct throng_server *server, struct game_numbers *numbers,
               const struct throng_server_options *options)
{
    *room = (struct room){.server = server,
                          .numbers = numbers,
                          .members = calloc(options->max_connections, sizeof(struct player *)),
                          .rounds = calloc(GAME_ROUNDS_MAX, sizeof(struct round)),
                          .message = malloc(options->message_bytes_max),
                          .composed = UINT64_MAX,
                          .bytes_max = options->message_bytes_max};
    return room->members != NULL && room->rounds != NULL && room->message != NULL;
}

void room_close(struct room *room)
{
    free(room->members);
    free(room->rounds);
    free(room->message);
}

void room_join(struct room *room, struct player *player)
{
    if (!player->member) {
        player->member = true;
        player->place = room->count;
        player->next_round = room->made;
        room->members[room->count++] = player;
        atomic_store_explicit(&room->numbers->members, room->count, memory_order_relaxed);
    }
}

void room_leave(struct room *room, struct player *player)
{
    if (player->member) {
        player->member = false;
        struct player *last = room->members[--room->count];
        last->place = player->place;
        room->members[last->place] = last;
        atomic_store_explicit(&room->numbers->members, room->count, memory_order_relaxed);
    }
}

static void put_number(uint8_t *to, uint64_t number)
{
    for (int i = 7; i >= 0; i--, number >>= 8) {
        to[i] = (uint8_t)number;
    }
}

/* Most members are owed the same one, so it is composed once. */
static void compose(struct room *room, uint64_t number)
{
    if (room->composed != number) {
        const struct round *round = &room->rounds[number];
        put_number(room->message, number);
        put_number(room->message + 8, round->made_at);
        for (uint32_t i = GAME_ROUND_BYTES_MIN; i < round->size; i++) {
            room->message[i] = (uint8_t)(number + i);
        }
        room->composed = number;
    }
}

void room_serve(struct room *room, struct player *player)
{
    while (player->member && player->next_round < room->made) {
        uint64_t number = player->next_round;
        compose(room, number);
        int result =
            throng_write_data(room->server, player->conn, room->message, room->rounds[number].size);
        if (result != 0) {
            if (result == THRONG_EAGAIN) {
                atomic_fetch_add_explicit(&room->numbers->refused, 1, memory_order_relaxed);
            }
            return; /* WRITABLE brings us back, or CLOSED is on its way */
        }
        player->next_round++;
        atomic_fetch_add_explicit(&room->numbers->delivered, 1, memory_order_relaxed);
    }
}

bool room_order(struct room *room, uint32_t size, uint32_t count, uint32_t per_s)
{
    if (size < GAME_ROUND_BYTES_MIN || size > room->bytes_max ||
        count > GAME_ROUNDS_MAX - room->made || room->owed > 0) {
        return false;
    }
    room->size = size;
    room->owed = count;
    room->interval_ns = per_s == 0 ? 0 : 1000000000u / per_s;
    room->due_at = now_ns();
    atomic_store_explicit(&room->numbers->owed, count, memory_order_relaxed);
    return true;
}

/* One broadcast. Whoever lags behind was refused before and waits for WRITABLE: asking again for
 * each broadcast would only be refused again. */
static void publish(struct room *room)
{
    uint64_t number = room->made++;
    room->rounds[number] = (struct round){.made_at = now_ns(), .size = room->size};
    for (uint32_t i = 0; i < room->count; i++) {
        if (room->members[i]->next_round == number) {
            room_serve(room, room->members[i]);
        }
    }
    room->owed--;
    atomic_store_explicit(&room->numbers->rounds, room->made, memory_order_relaxed);
    atomic_store_explicit(&room->numbers->owed, room->owed, memory_order_relaxed);
    atomic_fetch_add_explicit(&room->numbers->publish_us,
                              (now_ns() - room->rounds[number].made_at) / 1000,
                              memory_order_relaxed);
}

/* One at a time: between two the game listens, however late it is. */
int room_tick(struct room *room)
{
    if (room->owed == 0) {
        return -1;
    }
    uint64_t now = now_ns();
    if (now >= room->due_at) {
        publish(room);
        room->due_at += room->interval_ns;
        now = now_ns();
    }
    return room->owed == 0       ? -1
           : now >= room->due_at ? 0
                                 : (int)((room->due_at - now) / 1000000) + 1;
}
