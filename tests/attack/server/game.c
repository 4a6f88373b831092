/* SPDX-License-Identifier: MIT
 * See game.h. A message that begins with the four bytes ff 'A' 'T' 'K' and a blank is a command, a
 * line of text; any other is sent back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report.h"
#include "room.h"

/* A message that waits for room to be sent back. It is not released, and throng reads from nobody
 * while events_max are not: so a peer who does not read may make us hold a few, all of them
 * together an eighth of what throng lends, and who needs more is thrown out. */
#define HELD_MAX 1024u
#define HELD_BY_ONE_MAX 32u

struct held {
    struct throng_event event;
    struct held *next;
};

struct game {
    struct throng_server *server;
    struct player *players;
    struct player *free_players;
    struct held *held;
    struct held *free_held;
    struct room room;
    struct game_numbers numbers;
};

static const char command_mark[] = "\xff"
                                   "ATK ";
#define COMMAND_MARK_BYTES (sizeof(command_mark) - 1)
#define COMMAND_BYTES_MAX 128
#define WRITE_BYTES_MAX 65536u

static bool reserve(struct game *game, const struct throng_server_options *options)
{
    size_t players = options->max_connections;
    game->players = calloc(players, sizeof(*game->players));
    game->held = calloc(HELD_MAX, sizeof(*game->held));
    if (game->players == NULL || game->held == NULL) {
        return false;
    }
    for (size_t i = players; i-- > 0;) {
        game->players[i].next_free = game->free_players;
        game->free_players = &game->players[i];
    }
    for (size_t i = HELD_MAX; i-- > 0;) {
        game->held[i].next = game->free_held;
        game->free_held = &game->held[i];
    }
    return room_open(&game->room, game->server, &game->numbers, options);
}

struct game *game_create(struct throng_server *server, const struct throng_server_options *options)
{
    struct game *game = calloc(1, sizeof(*game));
    if (game != NULL) {
        game->server = server;
        if (!reserve(game, options)) {
            game_destroy(game);
            game = NULL;
        }
    }
    return game;
}

void game_destroy(struct game *game)
{
    room_close(&game->room);
    free(game->players);
    free(game->held);
    free(game);
}

const struct game_numbers *game_numbers(const struct game *game)
{
    return &game->numbers;
}

/* ---- echo ---- */

static void kick(struct game *game, struct player *player)
{
    if (!player->kicked) {
        player->kicked = true;
        (void)throng_abort(game->server, player->conn);
        atomic_fetch_add_explicit(&game->numbers.kicked, 1, memory_order_relaxed);
    }
}

static void hold(struct game *game, struct player *player, struct throng_event *event)
{
    struct held *held = game->free_held;
    if (held == NULL || player->held == HELD_BY_ONE_MAX) {
        kick(game, player);
        throng_release_event(game->server, event);
        return;
    }
    game->free_held = held->next;
    *held = (struct held){.event = *event};
    if (player->first == NULL) {
        player->first = held;
    } else {
        player->last->next = held;
    }
    player->last = held;
    player->held++;
    atomic_fetch_add_explicit(&game->numbers.held, 1, memory_order_relaxed);
}

static void drop_first(struct game *game, struct player *player)
{
    struct held *held = player->first;
    player->first = held->next;
    player->held--;
    throng_release_event(game->server, &held->event);
    held->next = game->free_held;
    game->free_held = held;
    atomic_fetch_sub_explicit(&game->numbers.held, 1, memory_order_relaxed);
}

static void echo(struct game *game, struct player *player, struct throng_event *event)
{
    if (player->first != NULL ||
        throng_write_data(game->server, event->conn, event->data, event->size) == THRONG_EAGAIN) {
        hold(game, player, event);
    } else {
        throng_release_event(game->server, event);
    }
}

static void on_writable(struct game *game, struct player *player)
{
    atomic_fetch_add_explicit(&game->numbers.writable, 1, memory_order_relaxed);
    while (player->first != NULL) {
        const struct throng_event *event = &player->first->event;
        if (throng_write_data(game->server, player->conn, event->data, event->size) ==
            THRONG_EAGAIN) {
            return; /* there will be another one */
        }
        drop_first(game, player);
    }
    room_serve(&game->room, player);
}

/* ---- commands ---- */

static void write_unasked(struct game *game, throng_conn conn, uint32_t size, uint32_t count)
{
    static const uint8_t bytes[WRITE_BYTES_MAX];
    for (uint32_t i = 0; i < count && size <= WRITE_BYTES_MAX; i++) {
        if (throng_write_data(game->server, conn, bytes, size) != 0) {
            return;
        }
    }
}

static void answer_counters(struct game *game, throng_conn conn)
{
    char text[REPORT_BYTES];
    size_t size = report_write(text, game->server, &game->numbers);
    (void)throng_write_data(game->server, conn, text, size);
}

static void set_policy(struct game *game, throng_conn conn, const char *name)
{
    enum throng_when_send_full policy = strcmp(name, "drop") == 0
                                            ? THRONG_WHEN_SEND_FULL_DROP_OLDEST
                                        : strcmp(name, "close") == 0 ? THRONG_WHEN_SEND_FULL_CLOSE
                                                                     : THRONG_WHEN_SEND_FULL_REFUSE;
    (void)throng_set_send_policy(game->server, conn, policy);
}

/* False: no such command. */
static bool obey(struct game *game, struct player *player, const char *line)
{
    unsigned first = 0;
    unsigned second = 0;
    char word[16] = "";
    if (strcmp(line, "join") == 0) {
        room_join(&game->room, player);
    } else if (strcmp(line, "leave") == 0) {
        room_leave(&game->room, player);
    } else if (strcmp(line, "close") == 0) {
        (void)throng_close(game->server, player->conn);
    } else if (strcmp(line, "abort") == 0) {
        (void)throng_abort(game->server, player->conn);
    } else if (strcmp(line, "counters") == 0) {
        answer_counters(game, player->conn);
    } else if (sscanf(line, "stall %u", &first) == 1) {
        game_stall(first);
    } else if (sscanf(line, "write %u %u", &first, &second) == 2) {
        write_unasked(game, player->conn, first, second);
    } else if (sscanf(line, "limit %u", &first) == 1) {
        (void)throng_set_send_limit(game->server, player->conn, first);
    } else if (sscanf(line, "policy %15s", word) == 1) {
        set_policy(game, player->conn, word);
    } else {
        return false;
    }
    return true;
}

static bool is_command(const struct throng_event *event)
{
    return event->size > COMMAND_MARK_BYTES &&
           event->size < COMMAND_MARK_BYTES + COMMAND_BYTES_MAX &&
           memcmp(event->data, command_mark, COMMAND_MARK_BYTES) == 0;
}

static void on_message(struct game *game, struct player *player, struct throng_event *event)
{
    if (is_command(event)) {
        char line[COMMAND_BYTES_MAX] = "";
        memcpy(line, (const char *)event->data + COMMAND_MARK_BYTES,
               event->size - COMMAND_MARK_BYTES);
        if (!obey(game, player, line)) {
            (void)throng_abort(game->server, player->conn);
        }
        throng_release_event(game->server, event);
    } else {
        echo(game, player, event);
    }
}

/* ---- life of a player ---- */

static void on_open(struct game *game, throng_conn conn)
{
    /* Never none: throng has no more connections than players were made. */
    struct player *player = game->free_players;
    game->free_players = player->next_free;
    *player = (struct player){.conn = conn};
    (void)throng_set_user(game->server, conn, player);
    atomic_fetch_add_explicit(&game->numbers.opened, 1, memory_order_relaxed);
}

static void on_closed(struct game *game, struct player *player)
{
    while (player->first != NULL) {
        drop_first(game, player);
    }
    room_leave(&game->room, player);
    *player = (struct player){.next_free = game->free_players};
    game->free_players = player;
    atomic_fetch_add_explicit(&game->numbers.ended, 1, memory_order_relaxed);
}

/* An event that the same batch brought with its OPEN carries no pointer yet. */
static struct player *player_of(struct game *game, const struct throng_event *event)
{
    void *user = event->user;
    if (user == NULL) {
        (void)throng_get_user(game->server, event->conn, &user);
    }
    return user;
}

/* An event of a connection that is not open, or of another one than its pointer's: there must be
 * none. */
static bool is_strange(const struct player *player, const struct throng_event *event)
{
    return event->type != THRONG_EVENT_OPEN &&
           (player == NULL || player->conn.id != event->conn.id);
}

void game_on_event(struct game *game, struct throng_event *event)
{
    struct player *player = event->type == THRONG_EVENT_OPEN ? NULL : player_of(game, event);
    if (is_strange(player, event)) {
        atomic_fetch_add_explicit(&game->numbers.strange, 1, memory_order_relaxed);
    } else if (event->type == THRONG_EVENT_MESSAGE) {
        on_message(game, player, event);
        return;
    } else if (event->type == THRONG_EVENT_OPEN) {
        on_open(game, event->conn);
    } else if (event->type == THRONG_EVENT_CLOSED) {
        on_closed(game, player);
    } else if (event->type == THRONG_EVENT_WRITABLE) {
        on_writable(game, player);
    }
    throng_release_event(game->server, event);
}

/* ---- what the operator orders ---- */

bool game_broadcast(struct game *game, uint32_t size, uint32_t count, uint32_t per_s)
{
    return room_order(&game->room, size, count, per_s);
}

int game_tick(struct game *game)
{
    return room_tick(&game->room);
}

void game_stall(uint32_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0) {
        /* A signal does not shorten it. */
    }
}
