/* SPDX-License-Identifier: MIT
 * See room.h. */
#include "room.h"

#include <stdlib.h>
#include <string.h>

/* ---- lines ---- */

static struct line *place(struct room *room, size_t index)
{
    return &room->lines[(room->line_first + index) % ROOM_LINES_MAX];
}

struct line *room_add_line(struct room *room, const struct line *line, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, text, size);
    if (room->line_count == ROOM_LINES_MAX) {
        free(place(room, 0)->text);
        room->line_first = (room->line_first + 1) % ROOM_LINES_MAX;
        room->line_count--;
    }
    struct line *added = place(room, room->line_count++);
    *added = *line;
    added->text = copy;
    return added;
}

const struct line *room_line(const struct room *room, size_t index)
{
    return &room->lines[(room->line_first + index) % ROOM_LINES_MAX];
}

const struct line *room_find_line(const struct room *room, uint64_t seq)
{
    for (size_t i = room->line_count; seq != 0 && i-- > 0;) {
        const struct line *line = room_line(room, i);
        if (line->seq == seq) {
            return line;
        }
    }
    return NULL;
}

/* ---- members ---- */

/* Where a name is, or belongs. */
static size_t find_member(const struct room *room, const char *name, bool *found)
{
    size_t low = 0, high = room->member_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(room->members[middle], name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool make_room(struct room *room)
{
    if (room->member_count < room->member_capacity) {
        return true;
    }
    size_t capacity = room->member_capacity == 0 ? 64 : room->member_capacity * 2;
    char(*grown)[EVENT_NAME_SIZE] = realloc(room->members, capacity * sizeof(*grown));
    if (grown == NULL) {
        return false;
    }
    room->members = grown;
    room->member_capacity = capacity;
    return true;
}

void room_add_member(struct room *room, const char *name)
{
    bool found;
    size_t at = find_member(room, name, &found);
    if (found || strlen(name) >= EVENT_NAME_SIZE || !make_room(room)) {
        return;
    }
    memmove(&room->members[at + 1], &room->members[at],
            (room->member_count - at) * sizeof(room->members[0]));
    memcpy(room->members[at], name, strlen(name) + 1);
    room->member_count++;
}

void room_remove_member(struct room *room, const char *name)
{
    bool found;
    size_t at = find_member(room, name, &found);
    if (found) {
        room->member_count--;
        memmove(&room->members[at], &room->members[at + 1],
                (room->member_count - at) * sizeof(room->members[0]));
    }
}

void room_clear_members(struct room *room)
{
    room->member_count = 0;
    room->members_known = false;
}

void room_clear(struct room *room)
{
    for (size_t i = 0; i < room->line_count; i++) {
        free(place(room, i)->text);
    }
    free(room->members);
    memset(room, 0, sizeof(*room));
}
