/* SPDX-License-Identifier: MIT
 * Who may not come or speak: bans by name and by address, mutes that outlast a connection, and how
 * often an address tried the operator's token. Fixed tables, looked through from end to end. Pure,
 * the time is an argument; called by handlers.c. */
#ifndef CHAT_BANS_H
#define CHAT_BANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/types.h>

#include "names.h"

/* An address as bans see it: IPv4 in IPv6's form; of IPv6 the first 64 bits, for a household has as
 * many. */
struct chat_place {
    uint8_t bytes[16];
};

struct chat_place chat_place_of(const struct throng_address *address);

/* Reads "192.0.2.1" or "2001:db8::1". False if it is neither. */
bool chat_place_read(struct chat_place *place, const char *text, size_t size);

#define CHAT_PLACE_TEXT_SIZE 48

/* "192.0.2.1", or "2001:db8:0:0::/64". Answers `text`. */
char *chat_place_text(const struct chat_place *place, char *text);

bool chat_place_same(const struct chat_place *left, const struct chat_place *right);

enum chat_ban_kind {
    CHAT_BAN_NONE = 0, /* a free entry */
    CHAT_BAN_NAME,
    CHAT_BAN_PLACE,
    CHAT_BAN_MUTE, /* by name */
};

struct chat_ban {
    enum chat_ban_kind kind;
    uint64_t until_ms; /* UINT64_MAX: for good */
    struct chat_name name;
    struct chat_place place;
    char reason[CHAT_REASON_BYTES_MAX + 1];
};

#define CHAT_ATTEMPT_PLACES 256

/* Wrong tokens of one address, and since when they count. */
struct chat_attempts {
    struct chat_place place;
    uint64_t since_ms;
    uint32_t count;
};

struct chat_bans {
    struct chat_ban *entries;
    uint32_t max;
    uint32_t seen; /* entries beyond were never used */
};

/* The entry that holds now, or NULL. */
struct chat_ban *chat_bans_find(struct chat_bans *bans, enum chat_ban_kind kind,
                                const struct chat_name *name, const struct chat_place *place,
                                uint64_t now_ms);

/* Adds one, or renews the one that is there. NULL: the table is full. */
struct chat_ban *chat_bans_add(struct chat_bans *bans, enum chat_ban_kind kind,
                               const struct chat_name *name, const struct chat_place *place,
                               uint64_t until_ms, uint64_t now_ms);

/* Whether this address has tried too many wrong tokens of late; `wait_ms`: for how long yet. */
bool chat_attempts_spent(const struct chat_attempts *table, const struct chat_place *place,
                         uint64_t now_ms, uint64_t *wait_ms);

/* One more wrong token. The tables have CHAT_ATTEMPT_PLACES entries. */
void chat_attempts_add(struct chat_attempts *table, const struct chat_place *place,
                       uint64_t now_ms);

#endif
