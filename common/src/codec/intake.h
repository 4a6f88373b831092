/* SPDX-License-Identifier: MIT
 * The intake: the connections of one thread that put messages together from one pool, and who of
 * them goes on when the pool is used up. Used by a server's worker and a swarm's thread. Pure: it
 * knows the two pools, no port and no clock; its owner pauses and resumes what it is told to.
 *
 * A connection that finds no memory for its piece waits, with the piece in its receive buffer. Two
 * things must not happen then. Pieces of messages may hold all memory while each waits for more.
 * And the receive buffers, of which there are few, may all be held by pieces that wait, so that
 * nobody can be read from, also those not whose messages would soon be whole and free memory.
 *
 *   - Half of the pool is set aside in blocks for a longest message ("kept"). Whoever has one needs
 *     no more memory, so as long as its peer sends, its message becomes whole, is handed up and
 *     frees the block. They are given out in the order in which connections came to lack memory.
 *   - When half as many connections lack memory as there are receive buffers, everybody is stopped
 *     who has no kept block, and a receive buffer that lay aside until then is given to the pool:
 *     what is read now finds memory for sure, and lets that buffer go again.
 *
 *     READING ---no memory---> LACKING ---its turn---> HOLDING ---its message is whole---> FINISHED
 *      ^   |                                              ^                                |   |
 *      |   | too many lack                      its turn  |              the next one's    |   |
 *      |   v                                              +---- OWED <--- piece: no memory +   |
 *     STOPPED <----- (LEAVING) --------- all its input is used, and others wait ---------------+
 *
 * So honest peers are only slowed. One that stops sending in the middle of a message can hold a
 * kept block for ever: tg_intake_tick finds it when nobody's turn comes any more. What nothing here
 * can do is to read just the missing bytes of a message. A peer that always has more to send, in
 * messages that lie across the ends of receives, always holds a piece of one. Such peers take turns
 * as long as there are receive buffers for the pieces that wait; then some have to wait for others
 * to pause. */
#ifndef TG_CODEC_INTAKE_H
#define TG_CODEC_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/index_stack.h"
#include "base/list.h"
#include "buffer/message_pool.h"
#include "buffer/recv_pool.h"
#include "codec/assembler.h"

/* Blocks set aside at most: enough in flight for any network, and a short list to look through. */
#define TG_INTAKE_KEPT_MAX 256u

/* Time between two calls of tg_intake_tick. */
#define TG_INTAKE_TICK_MS 250u

/* Ticks without anybody's turn after which a connection that holds a kept block, and has held it as
 * long, is named: one second. Ticks and not a deadline, so that a thread that did not run cannot
 * take its own absence for its peers'. */
#define TG_INTAKE_STILL_TICKS 4u

/* Ticks after which it need not have held its block for long: five seconds. */
#define TG_INTAKE_PATIENCE_TICKS 20u

/* Ticks after which a connection is named too that its owner does not read from: twenty seconds. */
#define TG_INTAKE_EXCUSED_TICKS 80u

/* Rounds of turns, and so waits of the port, until one that was stopped has no more input: the port
 * learns of the stop in the first wait and brings what it had received in that or the next. */
#define TG_INTAKE_LEAVING_ROUNDS 3u

enum tg_reader_place {
    TG_READER_ELSEWHERE = 0, /* its owner does not read from it, for a reason of its own */
    TG_READER_READING,
    TG_READER_HOLDING,  /* has a kept block */
    TG_READER_FINISHED, /* had one, and has a right to another: its input may go on */
    TG_READER_OWED,     /* likewise, and there is more input: waits for the block */
    TG_READER_LEAVING,  /* likewise, and there may be more input: is stopped and waits for that */
    TG_READER_LACKING,  /* has input and waits for memory */
    TG_READER_STOPPED,  /* has none and is not read from, because too many lack memory */
};

/* What a reader has while there is something of its stream here: input, or part of a message. It is
 * lent for as long as that is so, the same one again and again while nothing is left over; so an
 * idle connection needs none, and what is in use lies together. One that is not lent is as new. */
struct tg_piece {
    struct tg_assembler assembler; /* the message that arrives in pieces */
    struct tg_input input;         /* what was received and is not used yet */
    uint32_t buffer;               /* where it lies, one reference held; or TG_INDEX_NONE */
    uint32_t next;                 /* not lent: the one that came back before it */
};

/* What a connection has for its input; embedded in its record. */
struct tg_reader {
    /* In one of the intake's lists while READING or waiting; at all other times the owner may use
     * it. */
    struct tg_list link;
    uint32_t piece; /* what it has of its stream, or TG_INDEX_NONE: nothing */
    uint16_t mark;  /* HOLDING: place among the holders; LEAVING: round of that */
    uint8_t place;
    bool
        resting; /* its owner does not read from it: if it stands still, that is not its peer's doing */
};

_Static_assert(sizeof(struct tg_reader) <= 24, "one for each connection, idle or not");

struct tg_intake_holder {
    struct tg_reader *reader;
    uint32_t since; /* the tick in which it got its block */
};

struct tg_intake {
    struct tg_recv_pool *buffers;
    struct tg_message_pool *messages;
    const struct tg_frame_rules *rules;
    struct tg_piece *pieces;
    uint32_t piece_count; /* pieces */
    uint32_t piece_fresh; /* the first that was never lent */
    uint32_t piece_free;  /* the one that came back last, or TG_INDEX_NONE */

    struct tg_list reading;
    struct tg_list owed;
    struct tg_list leaving;
    struct tg_list lacking;
    struct tg_list stopped;
    uint32_t lacking_count;
    uint32_t right_count; /* readers with a right to a kept block: FINISHED, OWED, LEAVING */
    uint32_t resume_max;  /* stopped ones go on while fewer lack memory */
    uint32_t halt_at;     /* everybody is stopped when so many lack memory */

    uint32_t reserve; /* the receive buffer that lies aside, or TG_INDEX_NONE */
    bool halted;      /* who has no kept block is stopped */
    bool halt_done;   /* and none of them is left */

    /* The round of turns: from one NULL of tg_intake_next_turn to the next. */
    struct tg_reader *serving; /* whose turn it is, only to compare */
    bool serving_lacked;
    bool in_vain; /* there was no memory for it: for nobody, in this round */
    uint32_t resumed;
    uint16_t rounds;

    uint32_t ticks;
    uint32_t still_ticks; /* since the last one that lacked memory had its turn */
    uint32_t holder_count;
    struct tg_intake_holder holders[TG_INTAKE_KEPT_MAX];
};

static inline size_t tg_intake_pieces_bytes(uint32_t readers_max)
{
    return readers_max * sizeof(struct tg_piece);
}

/* All four are the owner's, and kept. Nothing of the pools is in use yet. `messages` has room for
 * two longest messages at least. `pieces`: tg_intake_pieces_bytes(), of which what was never used
 * stays untouched; for at most that many readers at once. */
void tg_intake_init(struct tg_intake *intake, struct tg_recv_pool *buffers,
                    struct tg_message_pool *messages, const struct tg_frame_rules *rules,
                    void *pieces, uint32_t readers_max);

void tg_reader_init(struct tg_reader *reader);

/* The reader's piece; it must have one. */
static inline struct tg_piece *tg_reader_piece(const struct tg_intake *intake,
                                               const struct tg_reader *reader)
{
    return &intake->pieces[reader->piece];
}

/* The receive buffer in which input lies that is not used yet, or TG_INDEX_NONE: there is none. */
static inline uint32_t tg_reader_buffer(const struct tg_intake *intake,
                                        const struct tg_reader *reader)
{
    return reader->piece == TG_INDEX_NONE ? TG_INDEX_NONE : tg_reader_piece(intake, reader)->buffer;
}

/* Whether its stream stands inside a message. */
static inline bool tg_reader_is_partial(const struct tg_intake *intake,
                                        const struct tg_reader *reader)
{
    return reader->piece != TG_INDEX_NONE &&
           tg_assembler_is_partial(&tg_reader_piece(intake, reader)->assembler);
}

/* The input that a receive has brought, whose reference is the reader's from now on. There must be
 * none left of the one before. */
void tg_intake_put_input(struct tg_intake *intake, struct tg_reader *reader, const uint8_t *data,
                         size_t size, uint32_t buffer);

/* Lets the input go. */
void tg_intake_drop_input(struct tg_intake *intake, struct tg_reader *reader);

/* The next message of the reader's input, which it has, as tg_assembler_next. After
 * TG_ASSEMBLY_NO_MEMORY the reader waits: pause it, so that no input comes on top, and leave its
 * input alone until tg_intake_next_turn answers it. */
enum tg_assembly tg_intake_next(struct tg_intake *intake, struct tg_reader *reader,
                                struct tg_message *message);

/* The owner wants to read (on): true, or false if the reader is to be stopped; it is resumed by a
 * turn. Its input is used up. */
bool tg_intake_read(struct tg_intake *intake, struct tg_reader *reader);

/* The owner does not want to read for now. It may use the link. One that has a kept block keeps it,
 * and is not named by tg_intake_tick until it is read from again, or everybody has waited for
 * twenty seconds. Not for one that waits for memory. */
void tg_intake_rest(struct tg_intake *intake, struct tg_reader *reader);

/* The owner will not read any more: gives all memory back. The reader is as new. */
void tg_intake_leave(struct tg_intake *intake, struct tg_reader *reader);

/* Whether the reader goes on by a turn only. */
static inline bool tg_reader_is_waiting(const struct tg_reader *reader)
{
    return reader->place >= TG_READER_OWED;
}

/* Before each wait, until NULL: a reader whose turn it is, taken out of its list. If it has input,
 * call tg_intake_next, else tg_intake_read. Then, again until NULL, a reader that is to be stopped.
 */
struct tg_reader *tg_intake_next_turn(struct tg_intake *intake);
struct tg_reader *tg_intake_next_to_stop(struct tg_intake *intake);

/* Whether there are more turns to give: the wait must not sleep. */
bool tg_intake_is_due(const struct tg_intake *intake);

/* Whether tg_intake_tick is to be called in TG_INTAKE_TICK_MS. */
static inline bool tg_intake_needs_ticks(const struct tg_intake *intake)
{
    return intake->lacking_count > 0;
}

/* Counts a tick. Answers a reader whose connection must be closed, so that the others can go on;
 * mostly NULL. At most one in TG_INTAKE_STILL_TICKS. */
struct tg_reader *tg_intake_tick(struct tg_intake *intake);

#endif
