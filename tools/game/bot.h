/* SPDX-License-Identifier: MIT
 * One bot: what it knows, what it says, and what it holds against the server. Pure: messages go in,
 * messages come out in a buffer, the time is an argument. play.c gives it a connection. */
#ifndef GAME_BOT_H
#define GAME_BOT_H

#include <stddef.h>

#include "../stress/histogram.h"
#include "brain.h"
#include "tally.h"
#include "view.h"

/* Inputs that are remembered until they are acknowledged. */
#define BOT_SENT_MAX 256u

/* The longest message of a bot. */
#define BOT_MESSAGE_BYTES GAME_INPUT_BYTES

struct bot_input {
    uint64_t sent_ns;
    int8_t dx;
    int8_t dy;
};

struct bot {
    struct view view;
    struct brain brain;
    bool is_welcome;
    bool was_seen;     /* in the world; from then on it has to be there */
    bool is_waiting;   /* for a whole snapshot that it has asked for */
    uint64_t asked_ns; /* when */
    uint32_t player;   /* its slot in the world */
    uint32_t rate_hz;  /* as WELCOME says; so is `speed` */
    uint32_t speed;
    uint32_t sequence; /* of its last input */
    uint32_t ack;      /* the highest that came back */
    uint16_t score;
    struct bot_input sent[BOT_SENT_MAX]; /* number s is at s % BOT_SENT_MAX */
};

void bot_init(struct bot *bot, uint32_t seed);

/* Takes a message; counts what it tells and what is wrong with it. */
void bot_hear(struct bot *bot, const uint8_t *data, size_t size, uint64_t now_ns,
              struct tally *tally, struct histogram *latency);

/* What it says when it comes up; when its turn has come (0 bytes: nothing). `out` has
 * BOT_MESSAGE_BYTES. */
size_t bot_join(uint8_t *out);
size_t bot_input(struct bot *bot, uint64_t now_ns, uint8_t *out);

/* Asks for a whole snapshot, if one is missing and was not asked for within a second; else 0
 * bytes. */
size_t bot_resync(struct bot *bot, uint64_t now_ns, uint8_t *out);

/* Whether everything that it said was acknowledged. */
bool bot_is_settled(const struct bot *bot);

#endif
