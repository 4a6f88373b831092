/* SPDX-License-Identifier: MIT
 * The journal of events: a hash table by connection id. */
#include "journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define FIRST_CAPACITY 256u

void journal_init(struct journal *journal)
{
    memset(journal, 0, sizeof(*journal));
    journal->capacity = FIRST_CAPACITY;
    journal->entries = calloc(journal->capacity, sizeof(*journal->entries));
    assert_non_null(journal->entries);
}

void journal_destroy(struct journal *journal)
{
    free(journal->entries);
    memset(journal, 0, sizeof(*journal));
}

void journal_begin_turn(struct journal *journal)
{
    journal->turn++;
}

/* The place of an id, or the empty one where it belongs. There is always an empty one. */
static struct journal_entry *place_of(const struct journal *journal, uint64_t id)
{
    size_t mask = journal->capacity - 1;
    size_t place = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
    while (journal->entries[place].id != 0 && journal->entries[place].id != id) {
        place = (place + 1) & mask;
    }
    return &journal->entries[place];
}

static void grow(struct journal *journal)
{
    struct journal old = *journal;
    journal->capacity *= 2;
    journal->entries = calloc(journal->capacity, sizeof(*journal->entries));
    assert_non_null(journal->entries);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].id != 0) {
            *place_of(journal, old.entries[i].id) = old.entries[i];
        }
    }
    free(old.entries);
}

static void complain(struct journal *journal, const struct throng_event *event, const char *what)
{
    if (journal->complaint[0] == '\0') {
        (void)snprintf(journal->complaint, sizeof(journal->complaint),
                       "connection %016" PRIx64 ", event type %" PRIu32 ": %s", event->conn.id,
                       event->type, what);
    }
}

static void note_open(struct journal *journal, const struct throng_event *event)
{
    struct journal_entry *entry = place_of(journal, event->conn.id);
    if (entry->id != 0) {
        complain(journal, event, "OPEN for an id that was used before");
        return;
    }
    if (event->user != NULL || event->data != NULL || event->reason != THRONG_CLOSE_NONE) {
        complain(journal, event, "OPEN with a user pointer, data or a reason");
    }
    *entry = (struct journal_entry){.id = event->conn.id, .order = journal->opened};
    journal->opened++;
    if ((size_t)journal->opened * 2 > journal->capacity) {
        grow(journal);
    }
}

static void note_message(struct journal *journal, const struct throng_event *event,
                         struct journal_entry *entry)
{
    entry->messages++;
    journal->messages++;
    journal->bytes += event->size;
    if (event->data == NULL && event->size > 0) {
        complain(journal, event, "MESSAGE without data");
    }
    if (entry->closing_turn != 0 && entry->closing_turn < journal->turn) {
        complain(journal, event, "MESSAGE after throng_close");
    }
}

static void note_writable(struct journal *journal, const struct throng_event *event,
                          const struct journal_entry *entry)
{
    journal->writables++;
    if (event->data != NULL || event->size != 0 || event->reason != THRONG_CLOSE_NONE) {
        complain(journal, event, "WRITABLE with data or a reason");
    }
    if (entry->closing_turn != 0 && entry->closing_turn < journal->turn) {
        complain(journal, event, "WRITABLE after throng_close");
    }
}

static void note_closed(struct journal *journal, const struct throng_event *event,
                        struct journal_entry *entry)
{
    if (event->reason == THRONG_CLOSE_NONE || event->reason >= JOURNAL_REASONS) {
        complain(journal, event, "CLOSED without a reason");
        return;
    }
    entry->reason = event->reason;
    journal->closed_for[event->reason]++;
    journal->closed++;
}

/* TIMER, TICK, POSTED. */
static void note_unconnected(struct journal *journal, const struct throng_event *event)
{
    if (event->conn.id != 0 || event->data != NULL || event->size != 0 || event->reason != 0) {
        complain(journal, event, "an event of no connection that has what belongs to one");
    }
    if (event->missed != 0 && event->type != THRONG_EVENT_TICK) {
        complain(journal, event, "it is no TICK and has missed some");
    }
    if (event->type == THRONG_EVENT_TICK) {
        if (event->number != journal->tick + event->missed + 1 &&
            event->number != 1 + event->missed) {
            complain(journal, event, "a TICK has a number that does not follow");
        }
        journal->tick = event->number;
        journal->ticks++;
    }
    journal->timers += event->type == THRONG_EVENT_TIMER;
    journal->posts += event->type == THRONG_EVENT_POSTED;
}

void journal_note(struct journal *journal, const struct throng_event *event)
{
    if (event->type >= THRONG_EVENT_TIMER && event->type <= THRONG_EVENT_POSTED) {
        note_unconnected(journal, event);
    } else if (event->conn.id == 0) {
        complain(journal, event, "the id is 0");
    } else if (event->type == THRONG_EVENT_OPEN) {
        note_open(journal, event);
    } else {
        struct journal_entry *entry = place_of(journal, event->conn.id);
        if (entry->id == 0) {
            complain(journal, event, "no OPEN before it");
        } else if (entry->reason != THRONG_CLOSE_NONE) {
            complain(journal, event, "something after CLOSED");
        } else if (event->type == THRONG_EVENT_MESSAGE) {
            note_message(journal, event, entry);
        } else if (event->type == THRONG_EVENT_WRITABLE) {
            note_writable(journal, event, entry);
        } else if (event->type == THRONG_EVENT_CLOSED) {
            note_closed(journal, event, entry);
        } else {
            complain(journal, event, "an event type that does not exist");
        }
    }
}

void journal_note_closing(struct journal *journal, throng_conn conn)
{
    struct journal_entry *entry = place_of(journal, conn.id);
    if (entry->id != 0 && entry->closing_turn == 0) {
        entry->closing_turn = journal->turn;
    }
}

const struct journal_entry *journal_find(const struct journal *journal, throng_conn conn)
{
    const struct journal_entry *entry = place_of(journal, conn.id);
    return entry->id != 0 ? entry : NULL;
}

uint32_t journal_live(const struct journal *journal)
{
    return journal->opened - journal->closed;
}
