/* SPDX-License-Identifier: MIT
 * Broadcasts and their listeners: a list for each life, of what it has not heard yet. */
#include "room_ledger.h"

#include <string.h>

#include "base/assert.h"
#include "ledger.h"
#include "script.h"

#define OFFERS_MAX (1u << 20)

/* Indices + 1; 0: none. */
struct offer {
    uint32_t next;
    uint32_t number;
    uint32_t direct;
};

static struct offer offers[OFFERS_MAX];
static struct {
    uint32_t first;
    uint32_t last;
} unheard[LEDGER_LIVES_MAX];

static struct {
    uint32_t offers;
    uint32_t said;
    uint64_t missed;
    uint64_t heard;
} self;

void room_ledger_begin(void)
{
    if (self.offers > 0) {
        memset(unheard, 0, sizeof unheard);
    }
    memset(&self, 0, sizeof self);
}

uint32_t room_ledger_next(void)
{
    return SCRIPT_ROOM_FIRST + self.said;
}

void room_ledger_said(void)
{
    self.said++;
}

bool room_ledger_has_room(uint32_t members)
{
    return members <= OFFERS_MAX - self.offers;
}

void room_ledger_offer(uint32_t life, uint32_t number, uint32_t direct)
{
    TG_REQUIRE(life < LEDGER_LIVES_MAX && self.offers < OFFERS_MAX);
    offers[self.offers++] = (struct offer){.number = number, .direct = direct};
    *(unheard[life].first == 0 ? &unheard[life].first : &offers[unheard[life].last - 1].next) =
        self.offers;
    unheard[life].last = self.offers;
}

/* Takes the first one of its list. */
static void take_first(uint32_t life)
{
    unheard[life].first = offers[unheard[life].first - 1].next;
}

bool room_ledger_hear(uint32_t life, uint32_t number, uint32_t *direct)
{
    while (unheard[life].first != 0) {
        const struct offer *offer = &offers[unheard[life].first - 1];
        if (offer->number > number) {
            return false;
        }
        take_first(life);
        if (offer->number == number) {
            bool is_in_order = *direct <= offer->direct;
            *direct = offer->direct;
            self.heard++;
            return is_in_order;
        }
        self.missed++;
    }
    return false;
}

void room_ledger_pass(uint32_t life, uint32_t direct)
{
    while (unheard[life].first != 0 && offers[unheard[life].first - 1].direct <= direct) {
        take_first(life);
        self.missed++;
    }
}

void room_ledger_end(uint32_t life, bool all)
{
    if (all) {
        room_ledger_pass(life, UINT32_MAX);
    }
    unheard[life].first = 0;
}

uint64_t room_ledger_missed(void)
{
    return self.missed;
}

uint64_t room_ledger_heard(void)
{
    return self.heard;
}
