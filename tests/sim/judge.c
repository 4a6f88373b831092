/* SPDX-License-Identifier: MIT
 * The judge's rules.
 *
 * A connection that breaks for no reason that its peer or the game gave must have met a fault.
 * Which one a fault has met is the simulator's secret; but there cannot be more of them than faults
 * have struck. */
#include "judge.h"

#include <throng/server.h>

static const struct plan *plan;

void judge_begin(const struct plan *of_world)
{
    plan = of_world;
}

static bool has(const struct life *life, uint32_t flags)
{
    return (life->flags & flags) != 0;
}

static bool is_raw(const struct life *life)
{
    return life->kind < PLAN_KIND_COUNT;
}

/* Reads all that comes until the end, and does nothing that is not allowed. */
static bool is_polite(const struct life *life)
{
    return life->kind <= PLAN_KIND_pauser ||
           (life->kind >= PLAN_KIND_LIMITED && life->kind < PLAN_KIND_COUNT);
}

/* How many connections faults may have broken. */
static uint64_t strikes(void)
{
    const uint64_t *faults = tg_sim_counts()->faults;
    return faults[TG_SIM_FAULT_doom] + faults[TG_SIM_FAULT_send_error] +
           faults[TG_SIM_FAULT_receive_error] + faults[TG_SIM_FAULT_accept_dead];
}

static void need_fault(void)
{
    ledger_sums.unexplained++;
    TG_SIM_RULE(ledger_sums.unexplained <= strikes(),
                "a connection broke, and neither peer, game nor fault has done it");
}

/* All messages that the peer has sent whole are at the game, unless the game did not want them. */
static void need_all_messages(const struct life *life)
{
    bool was_sent = is_raw(life) || has(life, LIFE_WHOLE);
    bool was_wanted = !has(life, LIFE_GAME_CLOSE | LIFE_GAME_ABORT | LIFE_GAME_CUT | LIFE_DRAIN);
    TG_SIM_RULE(!was_sent || !was_wanted || life->up_taken == life->up_sent,
                "the peer ended, and messages that came before are missing");
}

static bool has_beats(const struct life *life)
{
    return plan->server.heartbeat_ms[life->listener] != 0;
}

/* What each reason needs. Whether a deadline had passed is watch.c's to say. */
static bool is_possible(const struct life *life)
{
    const struct throng_server_options *options = &plan->server;
    switch ((enum throng_close_reason)life->reason) {
    case THRONG_CLOSE_PEER:
        return has(life, LIFE_FIN);
    case THRONG_CLOSE_TRUNCATED:
        return has(life, LIFE_CUT);
    case THRONG_CLOSE_TOO_LARGE:
        return has(life, LIFE_LIED);
    case THRONG_CLOSE_NO_MEMORY:
        return life->up_sent > life->up_taken || life->up_begun > 0;
    case THRONG_CLOSE_LOCAL:
        return has(life, LIFE_GAME_CLOSE);
    case THRONG_CLOSE_ABORTED:
        return has(life, LIFE_GAME_ABORT);
    case THRONG_CLOSE_LINGER:
        return has(life, LIFE_GAME_CLOSE | LIFE_DRAIN | LIFE_FIN | LIFE_CUT);
    case THRONG_CLOSE_DRAINED:
        return has(life, LIFE_DRAIN);
    case THRONG_CLOSE_FIRST_MESSAGE:
        return options->first_message_timeout_ms != THRONG_OFF && life->up_taken == 0;
    case THRONG_CLOSE_SLOW_SENDER:
        return options->message_timeout_ms != THRONG_OFF &&
               (life->up_sent > life->up_taken || life->up_begun > 0 || has_beats(life));
    case THRONG_CLOSE_IDLE:
        return options->idle_timeout_ms != 0 || has_beats(life);
    case THRONG_CLOSE_SLOW_READER:
        return true; /* watch.c: also with write_timeout_ms off, if send memory is short */
    case THRONG_CLOSE_OVER_RATE:
        return options->when_over_rate == THRONG_WHEN_OVER_RATE_CLOSE &&
               (options->messages_per_s != 0 || options->bytes_per_s != 0);
    case THRONG_CLOSE_EVICTED:
        return options->evict_silent_ms != THRONG_OFF && life->up_taken == 0;
    case THRONG_CLOSE_RESET:
    case THRONG_CLOSE_TIMEOUT:
    case THRONG_CLOSE_ERROR:
        return true; /* a fault, or what follows */
    case THRONG_CLOSE_NONE:
        break;
    }
    return false;
}

void judge_reason(struct life *life)
{
    uint32_t reason = life->reason;
    bool is_break = reason == THRONG_CLOSE_RESET || reason == THRONG_CLOSE_TIMEOUT ||
                    reason == THRONG_CLOSE_ERROR;
    if (!is_raw(life)) {
        return; /* what our own client has done is known later */
    }
    TG_SIM_RULE(is_possible(life), "CLOSED has a reason that neither peer nor game has given");
    if (is_break && !(reason == THRONG_CLOSE_RESET && has(life, LIFE_RESET | LIFE_CLOSED))) {
        need_fault();
    }
    if (reason == THRONG_CLOSE_PEER || reason == THRONG_CLOSE_TRUNCATED) {
        need_all_messages(life);
    }
    bool was_left_alone =
        !has(life, LIFE_GAME_CLOSE | LIFE_GAME_ABORT | LIFE_GAME_CUT | LIFE_DRAIN);
    if (plan->is_calm && is_polite(life) && was_left_alone) {
        /* Memory may be short, the way too thin for linger_ms, and a deadline or a rate too strict
         * for it (is_possible and watch.c know more of that); nothing else can have happened. */
        TG_SIM_RULE(reason == THRONG_CLOSE_PEER || reason == THRONG_CLOSE_NO_MEMORY ||
                        reason == THRONG_CLOSE_LINGER || reason > THRONG_CLOSE_DRAINED,
                    "a polite peer on a calm network was not left in peace");
    }
}

/* The server's end came, so what it promised before must have come, too. */
static void judge_end_of_stream(const struct life *life)
{
    switch ((enum throng_close_reason)life->reason) {
    case THRONG_CLOSE_LOCAL:
        TG_SIM_RULE(life->down_seen == life->down_accepted,
                    "the graceful close did not deliver all that was written");
        break;
    case THRONG_CLOSE_PEER:
    case THRONG_CLOSE_TRUNCATED:
    case THRONG_CLOSE_DRAINED:
        TG_SIM_RULE(life->down_seen >= life->down_promised,
                    "the peer read to the end, and answers are missing");
        break;
    case THRONG_CLOSE_ABORTED:
        TG_SIM_RULE(has(life, LIFE_GAME_CLOSE), "an abort has ended the stream");
        break;
    default:
        TG_SIM_RULE(is_raw(life) ? false : !plan->is_calm,
                    "a connection that broke has ended its stream");
        break;
    }
}

void judge_both(const struct life *life)
{
    TG_SIM_RULE(life->down_seen <= life->down_accepted, "more came down than was written");
    TG_SIM_RULE(life->up_taken <= life->up_sent, "more came up than was sent");
    if (has(life, LIFE_STOPPED)) {
        return;
    }
    if (has(life, LIFE_EOF) && !has(life, LIFE_DEAF)) {
        judge_end_of_stream(life);
    }
    if (!is_raw(life) && life->reason == THRONG_CLOSE_PEER) {
        need_all_messages(life);
    }
    /* A heartbeat that it did not take is no reason to wait for ever. */
    if (plan->is_sound && is_raw(life) && is_polite(life) && !has_beats(life) &&
        life->reason == THRONG_CLOSE_PEER) {
        TG_SIM_RULE(has(life, LIFE_EOF), "a polite peer was reset behind its end");
    }
}

void judge_end(const struct life *life)
{
    /* A server that is stopped in the middle may have taken it, and nobody has heard of that. */
    bool was_stopped = plan->rounds > 1 || plan->ends[0] == PLAN_END_STOP;
    bool must_open = plan->is_calm && plan->server.connections_per_address == 0 &&
                     plan->server.when_full == THRONG_WHEN_FULL_BACKLOG && !was_stopped &&
                     is_raw(life) && is_polite(life) && has(life, LIFE_EOF | LIFE_FIN) &&
                     !has(life, LIFE_BROKEN);
    TG_SIM_RULE(!must_open || has(life, LIFE_OPEN), "a polite peer waited and was never opened");
}

void judge_sums(void)
{
    TG_SIM_RULE(ledger_sums.unexplained <= strikes(), "more has broken than faults have struck");
}
