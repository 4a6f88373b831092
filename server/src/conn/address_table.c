/* SPDX-License-Identifier: MIT
 * The table of addresses: two buckets for each, a word of one of them. Any worker.
 *
 * Every access of a word is sequentially consistent: enter raises one word and then reads others,
 * which another worker may be raising before it reads this one. */
#include "conn/address_table.h"

#include <string.h>

#include "base/assert.h"
#include "base/siphash.h"
#include "base/yield.h"
#include "os/random.h"

#define BUCKET_WORDS 8u
#define COUNT_BITS 24u
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)
#define NO_WORD UINT32_MAX

/* A page. Few buckets would be full by chance. */
#define BUCKETS_MIN 64u

/* What an address is in the table. */
struct place_of_address {
    uint64_t fingerprint; /* in the place that it has in a word */
    uint32_t buckets[2];
};

/* The words of two buckets at one look, or nearly. */
struct look {
    uint64_t counted; /* connections of the address */
    uint32_t own;     /* its word, or NO_WORD */
    uint64_t own_value;
    uint32_t spare; /* a free word of the emptier bucket, or NO_WORD */
    uint64_t spare_value;
};

static uint32_t bucket_count_for(uint32_t connections)
{
    uint32_t buckets = (connections + 1) / 2;
    return buckets < BUCKETS_MIN ? BUCKETS_MIN : buckets;
}

size_t tg_address_table_bytes(uint32_t connections, uint32_t limit)
{
    return limit == 0 ? 0 : bucket_count_for(connections) * BUCKET_WORDS * sizeof(uint64_t);
}

int tg_address_table_init(struct tg_address_table *table, void *memory, uint32_t connections,
                          uint32_t limit)
{
    TG_REQUIRE(limit <= TG_ADDRESS_LIMIT_MAX);
    memset(table, 0, sizeof(*table));
    if (limit == 0) {
        return 0;
    }
    TG_REQUIRE(memory != NULL && (uintptr_t)memory % (BUCKET_WORDS * sizeof(uint64_t)) == 0);
    table->words = memory;
    table->bucket_count = bucket_count_for(connections);
    table->limit = limit;
    return tg_random_fill(table->key, sizeof(table->key));
}

/* ---- where an address is ---- */

static bool is_mapped_ipv4(const struct throng_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return address->family == THRONG_ADDRESS_IPV6 && memcmp(address->bytes, mapped, 12) == 0;
}

static bool is_link_local(const struct throng_address *address)
{
    return address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

static uint64_t hash_address(const struct tg_address_table *table,
                             const struct throng_address *address)
{
    uint64_t prefix = 0;
    bool mapped = is_mapped_ipv4(address);
    if (mapped || address->family == THRONG_ADDRESS_IPV4) {
        memcpy(&prefix, address->bytes + (mapped ? 12 : 0), 4);
        return tg_siphash(table->key, prefix, THRONG_ADDRESS_IPV4);
    }
    /* Whoever has one IPv6 address has 2^64 of them. Only of a link-local one does the interface
     * say which network it is in. */
    memcpy(&prefix, address->bytes, 8);
    uint64_t scope = is_link_local(address) ? address->scope_id : 0;
    return tg_siphash(table->key, prefix, scope << 8 | address->family);
}

static struct place_of_address place_address(const struct tg_address_table *table,
                                             const struct throng_address *address)
{
    uint64_t hash = hash_address(table, address);
    struct place_of_address place = {.fingerprint = hash & ~COUNT_MASK};
    /* The low 24 bits say the one bucket. For the other the fingerprint serves once more. */
    uint64_t count = table->bucket_count;
    uint64_t distance = 1 + (((hash >> 32) * (count - 1)) >> 32);
    place.buckets[0] = (uint32_t)(((hash & COUNT_MASK) * count) >> COUNT_BITS);
    place.buckets[1] = (uint32_t)((place.buckets[0] + distance) % count);
    return place;
}

/* ---- entering and leaving ---- */

/* Adds what a bucket has of the address; answers how many of its words are in use. */
static uint32_t look_at_bucket(const struct tg_address_table *table, uint32_t bucket,
                               uint64_t fingerprint, struct look *look)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < BUCKET_WORDS; i++) {
        uint32_t word = bucket * BUCKET_WORDS + i;
        uint64_t value = atomic_load_explicit(&table->words[word], memory_order_seq_cst);
        tg_yield();
        if ((value & COUNT_MASK) == 0) {
            look->spare = word; /* the last one stands */
            look->spare_value = value;
            continue;
        }
        used++;
        if ((value & ~COUNT_MASK) == fingerprint) {
            look->counted += value & COUNT_MASK;
            look->own = word;
            look->own_value = value;
        }
    }
    return used;
}

static struct look look_around(const struct tg_address_table *table,
                               const struct place_of_address *place)
{
    struct look look = {.own = NO_WORD, .spare = NO_WORD};
    uint32_t used = look_at_bucket(table, place->buckets[0], place->fingerprint, &look);
    uint32_t first_spare = look.spare;
    uint64_t first_value = look.spare_value;
    uint32_t used_there = look_at_bucket(table, place->buckets[1], place->fingerprint, &look);
    if (first_spare != NO_WORD && used <= used_there) {
        look.spare = first_spare;
        look.spare_value = first_value;
    }
    return look;
}

enum tg_address_answer tg_address_table_enter(struct tg_address_table *table,
                                              const struct throng_address *address, uint32_t *place)
{
    *place = TG_ADDRESS_UNCOUNTED;
    if (table->limit == 0) {
        return TG_ADDRESS_NO_ROOM;
    }
    const struct place_of_address where = place_address(table, address);
    for (;;) {
        struct look look = look_around(table, &where);
        if (look.counted >= table->limit) {
            return TG_ADDRESS_REFUSED;
        }
        bool known = look.own != NO_WORD;
        uint32_t word = known ? look.own : look.spare;
        uint64_t expected = known ? look.own_value : look.spare_value;
        if (word == NO_WORD) {
            return TG_ADDRESS_NO_ROOM;
        }
        /* A failed exchange means that another connection has come or gone: somebody gets on. */
        uint64_t raised = known ? expected + 1 : where.fingerprint | 1;
        tg_yield();
        if (!atomic_compare_exchange_strong_explicit(&table->words[word], &expected, raised,
                                                     memory_order_seq_cst, memory_order_seq_cst)) {
            continue;
        }
        tg_yield();
        if (look_around(table, &where).counted > table->limit) { /* a twin, see the header */
            tg_address_table_leave(table, word + 1);
            return TG_ADDRESS_REFUSED;
        }
        *place = word + 1;
        return TG_ADDRESS_COUNTED;
    }
}

void tg_address_table_leave(struct tg_address_table *table, uint32_t place)
{
    if (place == TG_ADDRESS_UNCOUNTED) {
        return;
    }
    tg_yield();
    TG_REQUIRE(table->limit > 0 && place <= table->bucket_count * BUCKET_WORDS);
    uint64_t before = atomic_fetch_sub_explicit(&table->words[place - 1], 1, memory_order_seq_cst);
    TG_ENSURE((before & COUNT_MASK) > 0);
}
