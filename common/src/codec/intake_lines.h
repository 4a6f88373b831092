/* SPDX-License-Identifier: MIT
 * How a reader moves from line to line, for the two files of the intake: intake.c (what a reader
 * does with its input) and intake_turns.c (who goes on). Nobody else includes this. */
#ifndef TG_CODEC_INTAKE_LINES_H
#define TG_CODEC_INTAKE_LINES_H

#include "base/assert.h"
#include "codec/intake.h"

static inline bool tg_place_has_right(enum tg_reader_place place)
{
    return place == TG_READER_FINISHED || place == TG_READER_OWED || place == TG_READER_LEAVING;
}

static inline void tg_intake_set_place(struct tg_intake *intake, struct tg_reader *reader,
                                       enum tg_reader_place place)
{
    intake->right_count -= tg_place_has_right((enum tg_reader_place)reader->place);
    intake->right_count += tg_place_has_right(place);
    reader->place = (uint8_t)place;
}

/* To the end of a line. */
static inline void tg_intake_enter(struct tg_intake *intake, struct tg_list *line,
                                   struct tg_reader *reader, enum tg_reader_place place)
{
    TG_REQUIRE(!tg_list_is_linked(&reader->link));
    tg_intake_set_place(intake, reader, place);
    tg_list_push_back(line, &reader->link);
}

#endif
