/* SPDX-License-Identifier: MIT
 * See bot.h. */
#include "bot.h"

#define SECOND_NS UINT64_C(1000000000)

/* What the wire adds to a message. */
#define FRAME_HEADER_BYTES 4u

void bot_init(struct bot *bot, uint32_t seed)
{
    *bot = (struct bot){0};
    brain_init(&bot->brain, seed);
}

/* ---- what it says ---- */

size_t bot_join(uint8_t *out)
{
    (void)game_put_u8(game_put_u8(out, GAME_JOIN), GAME_VERSION);
    return GAME_JOIN_BYTES;
}

size_t bot_input(struct bot *bot, uint64_t now_ns, uint8_t *out)
{
    if (!bot->was_seen) {
        return 0;
    }
    brain_move(&bot->brain, &bot->view.state, bot->view.pellet_count, bot->player);
    bot->sequence++;
    bot->sent[bot->sequence % BOT_SENT_MAX] =
        (struct bot_input){.sent_ns = now_ns, .dx = bot->brain.dx, .dy = bot->brain.dy};
    out = game_put_u8(out, GAME_INPUT);
    out = game_put_u32(out, bot->sequence);
    out = game_put_u8(out, (uint8_t)bot->brain.dx);
    (void)game_put_u8(out, (uint8_t)bot->brain.dy);
    return GAME_INPUT_BYTES;
}

size_t bot_resync(struct bot *bot, uint64_t now_ns, uint8_t *out)
{
    if (!bot->is_waiting || now_ns - bot->asked_ns < SECOND_NS) {
        return 0;
    }
    bot->asked_ns = now_ns;
    (void)game_put_u8(out, GAME_RESYNC);
    return GAME_RESYNC_BYTES;
}

bool bot_is_settled(const struct bot *bot)
{
    return bot->ack == bot->sequence;
}

/* ---- what it hears ---- */

static bool read_welcome(struct bot *bot, const uint8_t *data, size_t size)
{
    if (bot->is_welcome || size != GAME_WELCOME_BYTES || data[1] != GAME_VERSION) {
        return false;
    }
    uint32_t side = game_get_u16(data + 6);
    uint32_t pellet_count = game_get_u16(data + 10);
    bot->player = game_get_u16(data + 2);
    bot->rate_hz = game_get_u16(data + 4);
    bot->speed = game_get_u16(data + 8);
    view_init(&bot->view, side, pellet_count);
    bot->is_welcome = true;
    return bot->player < GAME_PLAYERS_MAX && bot->rate_hz > 0 && pellet_count <= GAME_PELLETS_MAX &&
           side >= GAME_SIDE_MIN && side <= GAME_SIDE_MAX;
}

/* Its own player, in a world that is the server's: all that it said, up to the ack, and nothing
 * else, has happened to it. */
static void check_me(struct bot *bot, uint64_t now_ns, struct tally *tally,
                     struct histogram *latency)
{
    const struct game_player *me = &bot->view.state.players[bot->player];
    if (!me->is_here) {
        tally_add(&tally->vanished, bot->was_seen);
        return;
    }
    bot->was_seen = true;
    if (me->ack < bot->ack || me->ack > bot->sequence) {
        tally_add(&tally->wrong_acks, 1);
        return;
    }
    for (uint32_t sequence = bot->ack + 1; sequence <= me->ack; sequence++) {
        if (bot->sequence - sequence < BOT_SENT_MAX) {
            histogram_add(latency, now_ns - bot->sent[sequence % BOT_SENT_MAX].sent_ns);
        }
    }
    if (me->ack > bot->ack && bot->sequence - me->ack < BOT_SENT_MAX) {
        const struct bot_input *input = &bot->sent[me->ack % BOT_SENT_MAX];
        tally_add(&tally->disobeyed, input->dx != me->dx || input->dy != me->dy);
    }
    tally_add(&tally->pellets, me->score > bot->score ? (uint64_t)(me->score - bot->score) : 0);
    bot->score = me->score;
    bot->ack = me->ack;
}

/* Where a way of so many ticks ends. */
static int64_t predict(const struct bot *bot, uint16_t place, int8_t direction, uint32_t from,
                       uint32_t to)
{
    int64_t end = place + game_way(bot->speed, bot->rate_hz, direction, to) -
                  game_way(bot->speed, bot->rate_hz, direction, from);
    int64_t last = (int64_t)bot->view.side - 1;
    return end < 0 ? 0 : end > last ? last : end;
}

/* From its place in the state before, by the direction that the server has taken: what a client
 * that predicts works out before it is told. */
static void check_place(const struct bot *bot, const struct game_player *before, uint32_t tick,
                        struct tally *tally)
{
    const struct game_player *me = &bot->view.state.players[bot->player];
    uint32_t now = bot->view.state.tick;
    if (before->is_here && me->is_here) {
        tally_add(&tally->mispredicted, me->x != predict(bot, before->x, me->dx, tick, now) ||
                                            me->y != predict(bot, before->y, me->dy, tick, now));
    }
}

/* A snapshot was applied to the state of tick `before`, in which its player was `me`. */
static void check_tick(const struct bot *bot, const struct game_player *me, uint32_t before,
                       bool is_whole, struct tally *tally)
{
    uint32_t tick = bot->view.state.tick;
    if (is_whole) {
        tally_add(&tally->whole_snapshots, 1);
        tally_add(&tally->ticks_back, tick < before);
    } else {
        tally_add(&tally->ticks, tick - before);
        tally_add(&tally->skipped, tick - before - 1);
        check_place(bot, me, before, tally);
    }
}

/* From now on it wants a whole snapshot, and asks at once. */
static void start_waiting(struct bot *bot, uint64_t now_ns)
{
    bot->is_waiting = true;
    bot->asked_ns = now_ns - SECOND_NS;
}

static void hear_snapshot(struct bot *bot, const uint8_t *data, size_t size, uint64_t now_ns,
                          struct tally *tally, struct histogram *latency)
{
    uint32_t before = bot->view.state.tick;
    struct game_player me = bot->view.state.players[bot->player];
    bool is_whole = size >= GAME_SNAPSHOT_HEAD_BYTES && game_get_u32(data + 5) == 0;
    enum view_result result = view_apply(&bot->view, data, size);
    tally_add(&tally->snapshots, 1);
    tally_add(&tally->bytes, size + FRAME_HEADER_BYTES);
    if (result == VIEW_APPLIED) {
        bot->is_waiting = false;
        check_tick(bot, &me, before, is_whole, tally);
        check_me(bot, now_ns, tally, latency);
        return;
    }
    tally_add(&tally->bad_snapshots, result == VIEW_BAD);
    tally_add(&tally->wrong_sums, result == VIEW_WRONG_SUM);
    tally_add(&tally->early, result == VIEW_GAP && before == 0);
    if (!bot->is_waiting) {
        tally_add(&tally->gaps, result == VIEW_GAP);
        start_waiting(bot, now_ns);
    }
}

void bot_hear(struct bot *bot, const uint8_t *data, size_t size, uint64_t now_ns,
              struct tally *tally, struct histogram *latency)
{
    if (size > 0 && data[0] == GAME_WELCOME && read_welcome(bot, data, size)) {
        tally_add(&tally->joined, 1);
    } else if (size > 0 && data[0] == GAME_SNAPSHOT && bot->is_welcome) {
        hear_snapshot(bot, data, size, now_ns, tally, latency);
    } else if (size == GAME_REFUSED_BYTES && data[0] == GAME_REFUSED) {
        tally_add(&tally->refused, 1);
    } else {
        tally_add(&tally->bad_messages, 1);
    }
}
