/* SPDX-License-Identifier: MIT
 * The hash table of names: open addressing, at most half full. See index.h. */
#include "index.h"

#include <string.h>

/* ---- SipHash-1-3 ---- */

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t hash(const uint64_t seed[2], const char *key, size_t size)
{
    uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
                     seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573};
    for (size_t at = 0; at <= size; at += 8) {
        uint64_t word = 0;
        size_t left = size - at;
        memcpy(&word, key + at, left < 8 ? left : 8);
        word |= left < 8 ? (uint64_t)size << 56 : 0;
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++) {
        mix(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the table ---- */

static uint32_t slots_for(uint32_t records_max)
{
    uint32_t slots = 16;
    while (slots / 2 < records_max) {
        slots *= 2;
    }
    return slots;
}

size_t chat_index_bytes(uint32_t records_max)
{
    return slots_for(records_max) * sizeof(uint32_t);
}

void chat_index_init(struct chat_index *index, uint32_t *slots, uint32_t records_max,
                     const uint64_t seed[2], const struct chat_name *names, size_t stride)
{
    *index = (struct chat_index){
        .mask = slots_for(records_max) - 1,
        .seed = {seed[0], seed[1]},
        .names = (const char *)names,
        .stride = stride,
    };
    index->slots = slots;
}

static const struct chat_name *name_of(const struct chat_index *index, uint32_t record)
{
    return (const struct chat_name *)(const void *)(index->names + index->stride * record);
}

static uint32_t home_of(const struct chat_index *index, const struct chat_name *name)
{
    return (uint32_t)hash(index->seed, name->key, name->key_size) & index->mask;
}

uint32_t chat_index_find(const struct chat_index *index, const struct chat_name *name)
{
    uint32_t at = home_of(index, name);
    while (index->slots[at] != 0) {
        if (chat_name_same(name_of(index, index->slots[at] - 1), name)) {
            return index->slots[at] - 1;
        }
        at = (at + 1) & index->mask;
    }
    return CHAT_NOBODY;
}

void chat_index_add(struct chat_index *index, uint32_t record)
{
    uint32_t at = home_of(index, name_of(index, record));
    while (index->slots[at] != 0) {
        at = (at + 1) & index->mask;
    }
    index->slots[at] = record + 1;
}

void chat_index_remove(struct chat_index *index, uint32_t record)
{
    uint32_t at = home_of(index, name_of(index, record));
    while (index->slots[at] != record + 1) {
        at = (at + 1) & index->mask;
    }
    /* Those behind it move up, unless that would put them before their home. */
    uint32_t next = at;
    for (;;) {
        index->slots[at] = 0;
        do {
            next = (next + 1) & index->mask;
            if (index->slots[next] == 0) {
                return;
            }
        } while (((next - home_of(index, name_of(index, index->slots[next] - 1))) & index->mask) <
                 ((next - at) & index->mask));
        index->slots[at] = index->slots[next];
        at = next;
    }
}
