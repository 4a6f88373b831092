/* SPDX-License-Identifier: MIT
 * Who goes on, in rounds: one before each wait of the port. The halt while pieces that wait have
 * most of the receive buffers, and the ticks that find those who stand still. The thread that owns
 * the pools. */
#include "codec/intake_lines.h"

/* Keeps the reserve whole, and ends a halt once few lack memory. */
static void mind_reserve(struct tg_intake *intake)
{
    if (intake->halted && intake->lacking_count >= intake->resume_max) {
        /* A wait has passed since the last one was stopped, so the port has let go of them all:
         * only who can finish is read from. */
        if (intake->halt_done && intake->reserve != TG_INDEX_NONE) {
            tg_recv_pool_release(intake->buffers, intake->reserve, 1);
            intake->reserve = TG_INDEX_NONE;
        }
        return;
    }
    if (intake->reserve == TG_INDEX_NONE) {
        intake->reserve = tg_recv_pool_take(intake->buffers);
    }
    /* Without a reserve nobody may lack memory, or there might be no way out of the next halt. */
    if (intake->reserve != TG_INDEX_NONE || intake->lacking_count == 0) {
        intake->halted = false;
    }
}

static struct tg_reader *pop(struct tg_intake *intake, struct tg_list *line,
                             enum tg_reader_place place)
{
    struct tg_list *link = tg_list_pop_front(line);
    if (link == NULL) {
        return NULL;
    }
    struct tg_reader *reader = TG_CONTAINER_OF(link, struct tg_reader, link);
    tg_intake_set_place(intake, reader, place);
    return reader;
}

/* The next one that waits for memory: those of whom one is the first, for whom there was some. */
static struct tg_reader *serve_memory(struct tg_intake *intake)
{
    if (intake->serving_lacked && !intake->in_vain) {
        intake->still_ticks = 0;
    }
    intake->serving_lacked = false;
    if (intake->in_vain) {
        return NULL;
    }
    intake->serving = pop(intake, &intake->owed, TG_READER_FINISHED);
    if (intake->serving == NULL) {
        intake->serving = pop(intake, &intake->lacking, TG_READER_ELSEWHERE);
        if (intake->serving != NULL) {
            intake->serving_lacked = true;
            intake->lacking_count--;
        }
    }
    return intake->serving;
}

static void end_round(struct tg_intake *intake)
{
    intake->serving = NULL;
    intake->in_vain = false;
    intake->resumed = 0;
    intake->rounds++;
    struct tg_list *first = intake->leaving.next;
    while (first != &intake->leaving) {
        struct tg_reader *reader = TG_CONTAINER_OF(first, struct tg_reader, link);
        if ((uint16_t)(intake->rounds - reader->mark) < TG_INTAKE_LEAVING_ROUNDS) {
            break;
        }
        tg_list_remove(first);
        tg_intake_enter(intake, &intake->stopped, reader, TG_READER_STOPPED);
        first = intake->leaving.next;
    }
}

struct tg_reader *tg_intake_next_turn(struct tg_intake *intake)
{
    struct tg_reader *reader = serve_memory(intake);
    if (reader != NULL) {
        return reader;
    }
    mind_reserve(intake);
    if (!intake->halted && intake->lacking_count + intake->resumed < intake->resume_max) {
        reader = pop(intake, &intake->stopped, TG_READER_ELSEWHERE);
    }
    if (reader != NULL) {
        intake->resumed++;
        return reader;
    }
    end_round(intake);
    return NULL;
}

struct tg_reader *tg_intake_next_to_stop(struct tg_intake *intake)
{
    if (!intake->halted) {
        return NULL;
    }
    struct tg_reader *reader = pop(intake, &intake->reading, TG_READER_ELSEWHERE);
    if (reader == NULL) {
        intake->halt_done = true;
    } else {
        tg_intake_enter(intake, &intake->stopped, reader, TG_READER_STOPPED);
    }
    return reader;
}

bool tg_intake_is_due(const struct tg_intake *intake)
{
    if (!tg_list_is_empty(&intake->leaving)) {
        return true; /* they leave after some rounds */
    }
    if (!tg_list_is_empty(&intake->lacking) && intake->messages->kept_here > intake->right_count) {
        return true; /* a right was given up after the first one's turn */
    }
    if (intake->halted) {
        return intake->reserve != TG_INDEX_NONE; /* it is given in the next round */
    }
    return !tg_list_is_empty(&intake->stopped) && intake->lacking_count < intake->resume_max;
}

/* ---- standing still ---- */

/* Those that their owner does not read from stand still by its doing, so they come into it only
 * when everybody has waited for very long. */
static struct tg_intake_holder *oldest_holder(struct tg_intake *intake)
{
    const bool all = intake->still_ticks >= TG_INTAKE_EXCUSED_TICKS;
    struct tg_intake_holder *oldest = NULL;
    for (uint32_t i = 0; i < intake->holder_count; i++) {
        struct tg_intake_holder *holder = &intake->holders[i];
        if (holder->reader->resting && !all) {
            continue;
        }
        if (oldest == NULL || intake->ticks - holder->since > intake->ticks - oldest->since) {
            oldest = holder;
        }
    }
    return oldest;
}

/* Whether more of the kept blocks lie with the owner, in messages handed up, than with readers. The
 * owner gives them back by itself, and no peer can do anything about it. */
static bool owner_has_most(const struct tg_intake *intake)
{
    return 2 * intake->holder_count + intake->messages->kept_here < intake->messages->kept_count;
}

struct tg_reader *tg_intake_tick(struct tg_intake *intake)
{
    intake->ticks++;
    if (tg_list_is_empty(&intake->lacking)) {
        intake->still_ticks = 0;
        return NULL;
    }
    intake->still_ticks++;
    if (intake->still_ticks % TG_INTAKE_STILL_TICKS != 0 || owner_has_most(intake)) {
        return NULL;
    }
    struct tg_intake_holder *oldest = oldest_holder(intake);
    if (oldest == NULL || (intake->ticks - oldest->since < TG_INTAKE_STILL_TICKS &&
                           intake->still_ticks < TG_INTAKE_PATIENCE_TICKS)) {
        return NULL;
    }
    return oldest->reader;
}
