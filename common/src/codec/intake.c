/* SPDX-License-Identifier: MIT
 * What a reader does with its input, and where it stands while there is no memory for it; intake.h
 * draws that. The thread that owns the pools. */
#include "codec/intake.h"

#include "base/assert.h"
#include "codec/intake_lines.h"

_Static_assert(TG_INTAKE_KEPT_MAX <= UINT16_MAX, "tg_reader.holder has 16 bits");

/* Half of the pool, in blocks for a longest message. */
static uint32_t count_kept(const struct tg_message_pool *pool, size_t block_bytes)
{
    size_t half = (size_t)pool->unit_count * TG_MESSAGE_UNIT_BYTES / 2;
    size_t count = half / block_bytes;
    return count < TG_INTAKE_KEPT_MAX ? (uint32_t)count : TG_INTAKE_KEPT_MAX;
}

void tg_intake_init(struct tg_intake *intake, struct tg_recv_pool *buffers,
                    struct tg_message_pool *messages, const struct tg_frame_rules *rules,
                    void *pieces, uint32_t readers_max)
{
    size_t block_bytes = tg_message_block_bytes(rules->message_bytes_max);
    uint32_t kept = count_kept(messages, block_bytes);
    TG_REQUIRE(kept >= 1 && buffers->count >= 4);
    *intake = (struct tg_intake){
        .buffers = buffers,
        .messages = messages,
        .rules = rules,
        .pieces = pieces,
        .piece_count = readers_max,
        .piece_free = TG_INDEX_NONE,
        .resume_max = buffers->count / 4,
        .halt_at = buffers->count / 2,
        .reserve = tg_recv_pool_take(buffers),
    };
    tg_message_pool_keep(messages, block_bytes, kept);
    tg_list_init(&intake->reading);
    tg_list_init(&intake->owed);
    tg_list_init(&intake->leaving);
    tg_list_init(&intake->lacking);
    tg_list_init(&intake->stopped);
}

void tg_reader_init(struct tg_reader *reader)
{
    *reader = (struct tg_reader){.piece = TG_INDEX_NONE};
    tg_list_init(&reader->link);
}

/* ---- pieces ---- */

/* One that was never lent. There is one for each reader, so it is asked for only if all the others
 * are out. */
TG_OUT_OF_LINE static uint32_t make_piece(struct tg_intake *intake)
{
    TG_REQUIRE(intake->piece_fresh < intake->piece_count);
    struct tg_piece *piece = &intake->pieces[intake->piece_fresh];
    tg_assembler_init(&piece->assembler);
    piece->buffer = TG_INDEX_NONE;
    piece->next = TG_INDEX_NONE;
    return intake->piece_fresh++;
}

static void take_piece(struct tg_intake *intake, struct tg_reader *reader)
{
    reader->piece = intake->piece_free;
    if (!TG_LIKELY(reader->piece != TG_INDEX_NONE)) {
        reader->piece = make_piece(intake);
    }
    intake->piece_free = tg_reader_piece(intake, reader)->next;
}

/* Unless there is something of the stream left. */
static void give_piece(struct tg_intake *intake, struct tg_reader *reader, struct tg_piece *piece)
{
    if (!tg_assembler_is_partial(&piece->assembler)) {
        piece->next = intake->piece_free;
        intake->piece_free = reader->piece;
        reader->piece = TG_INDEX_NONE;
    }
}

/* ---- kept blocks ---- */

static void begin_holding(struct tg_intake *intake, struct tg_reader *reader)
{
    TG_REQUIRE(intake->holder_count < TG_INTAKE_KEPT_MAX);
    tg_intake_set_place(intake, reader, TG_READER_HOLDING);
    reader->mark = (uint16_t)intake->holder_count;
    intake->holders[intake->holder_count++] =
        (struct tg_intake_holder){.reader = reader, .since = intake->ticks};
}

static void end_holding(struct tg_intake *intake, struct tg_reader *reader)
{
    TG_REQUIRE(intake->holders[reader->mark].reader == reader);
    struct tg_intake_holder *last = &intake->holders[--intake->holder_count];
    intake->holders[reader->mark] = *last;
    last->reader->mark = reader->mark;
}

/* A kept block for the one whose turn it is, or for one who meets nobody that waits; but none that
 * others have a right to. For each right a block is here, or with the owner in a message. */
static bool take_kept(struct tg_intake *intake, struct tg_reader *reader)
{
    bool is_first = reader == intake->serving ||
                    (tg_list_is_empty(&intake->owed) && tg_list_is_empty(&intake->lacking));
    bool own_right = tg_place_has_right((enum tg_reader_place)reader->place);
    if (!is_first || (!own_right && intake->messages->kept_here <= intake->right_count) ||
        !tg_assembler_take_kept(&tg_reader_piece(intake, reader)->assembler, intake->messages)) {
        return false;
    }
    intake->serving = NULL; /* a turn is for one message */
    begin_holding(intake, reader);
    return true;
}

/* ---- lines ---- */

/* Back to where it was: its turn came in vain. */
static void stay_first(struct tg_intake *intake, struct tg_list *line, struct tg_reader *reader,
                       enum tg_reader_place place)
{
    TG_REQUIRE(!tg_list_is_linked(&reader->link));
    tg_intake_set_place(intake, reader, place);
    tg_list_push_front(line, &reader->link);
}

/* Whether the input at hand may lie in the last buffer that could be read into: pieces that wait
 * have most of them, and beside the port's own there is none. */
static bool buffers_are_scarce(const struct tg_intake *intake)
{
    return (intake->halted || intake->lacking_count >= intake->resume_max) &&
           tg_index_stack_count(&intake->buffers->free) < 2;
}

/* The reader has input and no memory for it.
 *
 * One that has just finished a message goes behind those who lack memory, unless nobody could be
 * read from until its turn came. Then it keeps its right to a block: the one in which its message
 * was handed up comes back without anybody being read from. */
static void wait_for_memory(struct tg_intake *intake, struct tg_reader *reader)
{
    bool is_finished = reader->place == TG_READER_FINISHED;
    if (reader == intake->serving) {
        intake->in_vain = true;
        if (is_finished) {
            stay_first(intake, &intake->owed, reader, TG_READER_OWED);
            return;
        }
        stay_first(intake, &intake->lacking, reader, TG_READER_LACKING);
    } else if (is_finished && buffers_are_scarce(intake)) {
        tg_intake_enter(intake, &intake->owed, reader, TG_READER_OWED);
        return;
    } else {
        tg_intake_enter(intake, &intake->lacking, reader, TG_READER_LACKING);
    }
    intake->lacking_count++;
    if (intake->lacking_count >= intake->halt_at && !intake->halted) {
        intake->halted = true;
        intake->halt_done = false;
    }
}

/* One that has used its input up gives its right to a block back; in a halt not at once. The port
 * may have received more for it, into the reserve, and that must find memory. */
static void give_up_right(struct tg_intake *intake, struct tg_reader *reader, struct tg_list *line,
                          enum tg_reader_place place)
{
    if (intake->halted) {
        reader->mark = intake->rounds;
        tg_intake_enter(intake, &intake->leaving, reader, TG_READER_LEAVING);
    } else if (line != NULL) {
        tg_intake_enter(intake, line, reader, place);
    } else {
        tg_intake_set_place(intake, reader, place);
    }
}

void tg_intake_rest(struct tg_intake *intake, struct tg_reader *reader)
{
    TG_REQUIRE(reader->place != TG_READER_OWED && reader->place != TG_READER_LACKING);
    reader->resting = true;
    if (reader->place == TG_READER_READING || reader->place == TG_READER_STOPPED) {
        tg_list_remove(&reader->link);
        reader->place = TG_READER_ELSEWHERE;
    } else if (reader->place == TG_READER_LEAVING) {
        tg_list_remove(&reader->link);
        reader->place = TG_READER_FINISHED;
    }
    if (reader->place == TG_READER_FINISHED && tg_reader_buffer(intake, reader) == TG_INDEX_NONE) {
        give_up_right(intake, reader, NULL, TG_READER_ELSEWHERE);
    }
}

bool tg_intake_read(struct tg_intake *intake, struct tg_reader *reader)
{
    bool others_wait = !tg_list_is_empty(&intake->lacking) || !tg_list_is_empty(&intake->stopped);
    reader->resting = false;
    switch ((enum tg_reader_place)reader->place) {
    case TG_READER_READING:
    case TG_READER_HOLDING:
        return true;
    case TG_READER_FINISHED: /* its turn is over */
        if (others_wait || intake->halted) {
            give_up_right(intake, reader, &intake->stopped, TG_READER_STOPPED);
            return false;
        }
        tg_intake_enter(intake, &intake->reading, reader, TG_READER_READING);
        return true;
    case TG_READER_ELSEWHERE:
        if (intake->halted) {
            tg_intake_enter(intake, &intake->stopped, reader, TG_READER_STOPPED);
            return false;
        }
        tg_intake_enter(intake, &intake->reading, reader, TG_READER_READING);
        return true;
    case TG_READER_LEAVING:
        tg_list_remove(&reader->link); /* there was more, so there may be still more */
        reader->mark = intake->rounds;
        tg_list_push_back(&intake->leaving, &reader->link);
        return false;
    case TG_READER_STOPPED:
        return false;
    case TG_READER_OWED:
    case TG_READER_LACKING:
        break;
    }
    TG_UNREACHABLE("a reader that waits for memory has input");
}

void tg_intake_leave(struct tg_intake *intake, struct tg_reader *reader)
{
    if (reader->place == TG_READER_HOLDING) {
        end_holding(intake, reader);
    } else if (reader->place == TG_READER_LACKING) {
        intake->lacking_count--;
    }
    if (reader->place == TG_READER_READING || tg_reader_is_waiting(reader)) {
        tg_list_remove(&reader->link); /* else the link is the owner's */
    }
    if (reader == intake->serving) {
        intake->serving = NULL;
    }
    tg_intake_set_place(intake, reader, TG_READER_ELSEWHERE);
    if (reader->piece != TG_INDEX_NONE) {
        tg_assembler_reset(&tg_reader_piece(intake, reader)->assembler, intake->messages);
        tg_intake_drop_input(intake, reader);
    }
}

/* ---- input ---- */

void tg_intake_put_input(struct tg_intake *intake, struct tg_reader *reader, const uint8_t *data,
                         size_t size, uint32_t buffer)
{
    if (reader->piece == TG_INDEX_NONE) {
        take_piece(intake, reader);
    }
    struct tg_piece *piece = tg_reader_piece(intake, reader);
    TG_REQUIRE(piece->buffer == TG_INDEX_NONE);
    piece->input = (struct tg_input){data, size};
    piece->buffer = buffer;
}

void tg_intake_drop_input(struct tg_intake *intake, struct tg_reader *reader)
{
    if (reader->piece == TG_INDEX_NONE) {
        return;
    }
    struct tg_piece *piece = tg_reader_piece(intake, reader);
    if (piece->buffer != TG_INDEX_NONE) {
        tg_recv_pool_release(intake->buffers, piece->buffer, 1);
        piece->buffer = TG_INDEX_NONE;
        piece->input.size = 0;
    }
    give_piece(intake, reader, piece);
}

enum tg_assembly tg_intake_next(struct tg_intake *intake, struct tg_reader *reader,
                                struct tg_message *message)
{
    struct tg_piece *piece = tg_reader_piece(intake, reader);
    enum tg_assembly result = tg_assembler_next(&piece->assembler, intake->messages, intake->rules,
                                                &piece->input, message);
    if (!TG_LIKELY(result != TG_ASSEMBLY_NO_MEMORY)) {
        TG_ENSURE(reader->place != TG_READER_HOLDING);
        tg_intake_rest(intake, reader);
        if (!take_kept(intake, reader)) {
            wait_for_memory(intake, reader);
            return TG_ASSEMBLY_NO_MEMORY;
        }
        result = tg_assembler_next(&piece->assembler, intake->messages, intake->rules,
                                   &piece->input, message);
    }
    if (reader->place == TG_READER_HOLDING && result == TG_ASSEMBLY_MESSAGE) {
        end_holding(intake, reader);
        tg_intake_set_place(intake, reader, TG_READER_FINISHED);
    }
    return result;
}
