/* SPDX-License-Identifier: MIT
 * See rooms.h: lines that come: whose are they, are the words right, and what does room_check say?
 * The swarm's threads. */
#include "rooms.h"

#include <inttypes.h>
#include <stdio.h>

bool rooms_find_member(const struct load_thread *own, uint32_t number, uint32_t place,
                       uint32_t *room, uint32_t *member)
{
    const struct rooms *rooms = own->scenario_part;
    *room = number / own->thread_count;
    if (number % own->thread_count != own->index || *room >= rooms->check.rooms) {
        return false;
    }
    uint32_t first = rooms_place_of(own, *room, 0);
    *member = place >= first ? place - first : place + own->conn_count - first;
    return *member < rooms->check.room_size;
}

static bool find_sender(const struct load_thread *own, const struct room_news *news,
                        uint32_t *sender)
{
    uint32_t room;
    return news->sender < own->load->options->connections &&
           news->sender % own->thread_count == own->index &&
           rooms_find_member(own, news->room, news->sender / own->thread_count, &room, sender);
}

/* Who said it, by the line's own words: ROOM_UNKNOWN if they are not what that sender said. */
static uint32_t judge_words(struct load_thread *own, const struct room_news *news, uint32_t room,
                            uint64_t *sequence)
{
    const struct rooms *rooms = own->scenario_part;
    uint32_t sender = news->sender;
    *sequence = news->sequence;
    if (sender == ROOM_NOT_OURS || sender == ROOM_UNKNOWN) {
        return sender;
    }
    if (!find_sender(own, news, &sender)) {
        sender = ROOM_NOT_OURS; /* one of ours, but of another room */
    } else if (*sequence == UINT64_MAX &&
               !room_check_sequence(&rooms->check, room, news->number, sender, sequence)) {
        return ROOM_UNKNOWN;
    }
    struct room_words words = {news->sender, news->room, *sequence, news->time_ns};
    return rooms->wire->matches(own->load->options, news, &words) ? sender : ROOM_UNKNOWN;
}

/* A line of a room in which this connection is not. */
static void note_stray(struct load_thread *own, uint32_t place, const struct room_news *news)
{
    struct rooms *rooms = own->scenario_part;
    rooms->check.wrong[ROOM_WRONG_FOREIGN]++;
    if (rooms->remark[0] == '\0') {
        (void)snprintf(rooms->remark, sizeof(rooms->remark),
                       "foreign: line %" PRIu64 " of room %u at connection %u, which is not in it",
                       news->number, news->room, load_connection_of(own, place));
    }
}

void rooms_hear(struct load_thread *own, uint32_t place, const struct room_news *news, size_t size)
{
    struct rooms *rooms = own->scenario_part;
    uint32_t room;
    uint32_t member;
    if (!rooms_find_member(own, news->room, place, &room, &member)) {
        note_stray(own, place, news);
        return;
    }
    uint64_t since_ns;
    uint64_t sequence;
    uint32_t sender = judge_words(own, news, room, &sequence);
    if (room_check_hear(&rooms->check, room, member, news->number, sender, sequence, &since_ns)) {
        load_count_right(own, since_ns, size);
        if (!rooms->places[place].heard) {
            rooms->places[place].heard = true;
            tally_add(&own->tally.answered, 1);
        }
    }
    if (own->phase == LOAD_TALK && own->load->options->rate == 0) {
        rooms_say_window(own, room);
    }
}

void rooms_note_refusal(struct load_thread *own, uint32_t place, const struct room_news *news)
{
    struct rooms *rooms = own->scenario_part;
    rooms->check.wrong[ROOM_WRONG_CORRUPTED]++;
    if (rooms->remark[0] != '\0') {
        return;
    }
    char text[96];
    size_t len = news->text_len < sizeof(text) ? news->text_len : sizeof(text) - 1;
    for (size_t i = 0; i < len; i++) {
        char c = news->text[i];
        text[i] = (char)(c >= ' ' && c <= '~' ? c : '.');
    }
    text[len] = '\0';
    (void)snprintf(rooms->remark, sizeof(rooms->remark), "the server said to connection %u: %s",
                   load_connection_of(own, place), text);
}
