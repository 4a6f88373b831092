/* SPDX-License-Identifier: MIT
 * Holds the server to its word about events: each connection has OPEN once, then MESSAGEs and
 * WRITABLEs, then CLOSED once, nothing after, and neither MESSAGE nor WRITABLE once throng_close
 * was called. Looks at every event of a server_fixture; knows connections by id alone, so an id
 * that comes twice is found. TIMERs, TICKs and POSTEDs have no connection, and TICKs are numbered
 * without a gap. */
#ifndef TEST_SUPPORT_JOURNAL_H
#define TEST_SUPPORT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/server.h>

#define JOURNAL_REASONS 32

struct journal_entry {
    uint64_t id;           /* 0 = an empty place of the table */
    uint64_t messages;     /* MESSAGEs so far */
    uint64_t closing_turn; /* turn in which the test called throng_close; 0 = never */
    uint32_t reason;       /* of CLOSED; THRONG_CLOSE_NONE while it lives */
    uint32_t order;        /* 0 for the first OPEN of the journal, then 1, ... */
};

struct journal {
    struct journal_entry *entries; /* open addressing; a power of two */
    size_t capacity;
    uint64_t turn; /* calls of throng_get_events so far, from 1 */
    uint32_t opened;
    uint32_t closed;
    uint32_t closed_for[JOURNAL_REASONS]; /* by enum throng_close_reason */
    uint64_t messages;
    uint64_t bytes;
    uint64_t writables;
    uint64_t timers;
    uint64_t ticks;
    uint64_t tick; /* the number of the latest */
    uint64_t posts;
    char complaint[160]; /* the first broken promise; empty if there is none */
};

void journal_init(struct journal *journal);
void journal_destroy(struct journal *journal);

/* A new call of throng_get_events begins: what it brings was not at hand before. */
void journal_begin_turn(struct journal *journal);

/* Notes an event. What breaks the contract becomes the complaint, the first one only. */
void journal_note(struct journal *journal, const struct throng_event *event);

/* The test has called throng_close: no MESSAGE may come from the next turn on. */
void journal_note_closing(struct journal *journal, throng_conn conn);

/* What is known of a connection; NULL if it was never seen. Valid until the next note. */
const struct journal_entry *journal_find(const struct journal *journal, throng_conn conn);

/* Connections that are open now. */
uint32_t journal_live(const struct journal *journal);

#endif
