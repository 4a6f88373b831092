/* SPDX-License-Identifier: MIT
 * The ledger: one record for each connection that was ever tried in the world, with what its peer
 * did and what the game saw of it. Both sides write into it, nobody else connects the two; when
 * both have done with it, it is judged.
 *
 * A raw peer's address is its life's number, so the game finds the record at OPEN. Our own clients
 * get their port from the network: their lives are found by client and port. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include <throng/types.h>

#include "plan.h"

/* Also the most that ports can name (IPv6). */
#define LEDGER_LIVES_MAX 60000u
#define LEDGER_NOBODY UINT32_MAX

/* More than enum throng_close_reason has. */
#define LEDGER_REASONS 32u

/* With so many a run has seen enough; the rest is for those that come until it has ended. */
#define LEDGER_LIVES_ENOUGH 20000u

/* With so many our own clients come no more. */
#define LEDGER_LIVES_LAST (LEDGER_LIVES_MAX - 1000u)

enum life_flags {
    /* the peer's */
    LIFE_UP = 1 << 0,     /* it came up */
    LIFE_FIN = 1 << 1,    /* ended its direction between two messages */
    LIFE_CUT = 1 << 2,    /* or inside one */
    LIFE_CLOSED = 1 << 3, /* closed: what the server still says finds nobody */
    LIFE_RESET = 1 << 4,  /* reset, or closed with unread bytes */
    LIFE_LIED = 1 << 5,   /* announced too much */
    LIFE_EOF = 1 << 6,    /* read all, and the server's end */
    LIFE_BROKEN = 1 << 7, /* met an error */
    LIFE_PEER_DONE = 1 << 8,
    LIFE_DEAF = 1 << 9,   /* does not compare what comes (any more) */
    LIFE_WHOLE = 1 << 10, /* a client of ours said that all it wrote was sent */
    /* the game's */
    LIFE_OPEN = 1 << 11,
    LIFE_GAME_CLOSE = 1 << 12,
    LIFE_GAME_ABORT = 1 << 13,
    LIFE_DRAIN = 1 << 14,
    LIFE_GONE = 1 << 15,    /* CLOSED was taken */
    LIFE_STOPPED = 1 << 16, /* the server was stopped before that */
    LIFE_GAME_DONE = 1 << 17,
    LIFE_JUDGED = 1 << 18,
    LIFE_GAME_CUT = 1 << 19,     /* a write found its queue full, and the policy is CLOSE */
    LIFE_GAME_DROP = 1 << 20,    /* the policy was DROP_OLDEST for a while */
    LIFE_GAME_MAY_CUT = 1 << 21, /* the policy was CLOSE for a while, */
    LIFE_GAME_TOLD = 1 << 22,    /* and something was broadcast to it */
};

struct life {
    uint32_t number;
    uint32_t flags;
    uint8_t kind;
    uint8_t reason; /* of CLOSED */
    uint8_t listener;
    uint16_t port;  /* of a client of ours */
    uint32_t owner; /* the raw peer's or the client's number */
    uint32_t older; /* the client's life before this one */

    /* the peer's */
    uint32_t up_sent;     /* whole messages given to the network */
    uint32_t up_begun;    /* bytes of the next one */
    uint32_t down_seen;   /* the number behind the last message that came down */
    uint32_t down_missed; /* before it, those that did not come: dropped for newer ones */

    /* the game's */
    uint32_t up_taken;
    uint32_t down_accepted;
    uint32_t down_promised; /* accepted before the last release of a message */
    uint64_t id;
};

/* What all lives together came to. */
struct ledger_sums {
    uint32_t opened;
    uint32_t judged;
    uint32_t unexplained; /* broken by nobody that we know: a fault must have been it */
    uint64_t messages_up;
    uint64_t messages_down;
    uint64_t messages_missed;
    uint64_t reasons[LEDGER_REASONS];
};

extern struct ledger_sums ledger_sums;

/* Prints the life that is being judged, if one is: for whoever reports a failure. */
void ledger_print_judged(void);

void ledger_begin(const struct plan *plan);

/* A new life; NULL if there were enough. */
struct life *ledger_add(uint32_t kind, uint32_t owner);
struct life *ledger_at(uint32_t number);
uint32_t ledger_count(void);

/* The address that a raw peer's life connects from. */
void ledger_address(const struct life *life, bool ipv6, struct throng_address *address);

/* The address that the clients connect from: the first one's, the others follow. */
void ledger_client_address(uint32_t client, struct throng_address *address);

/* The life that a peer's address names; a client's record is made by who comes first. NULL: nobody
 * of this world has that address. */
struct life *ledger_find(const struct throng_address *address);
struct life *ledger_find_client(uint32_t client, uint16_t port, uint32_t mine);

/* A whole message, or a heartbeat, came down to a client of ours. */
void ledger_take_down(struct life *life, const void *data, size_t size);

/* What came down was looked at: so far, so many gaps. */
void ledger_note_down(struct life *life, uint32_t seen, uint32_t missed);

/* The game took CLOSED: whether that reason is possible. */
void ledger_closed(struct life *life, uint32_t reason);

/* One side has done with it. */
void ledger_peer_done(struct life *life);
void ledger_game_done(struct life *life);

/* At the end: everybody was judged, and no more was broken than faults have struck. */
void ledger_end(void);

#endif
