/* SPDX-License-Identifier: MIT
 * SipHash-2-4 for the one length that is asked for. Any thread. */
#include "base/siphash.h"

struct sip_state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void mix_rounds(struct sip_state *s, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v2 = rotate(s->v2, 32);
    }
}

static void take_word(struct sip_state *s, uint64_t word)
{
    s->v3 ^= word;
    mix_rounds(s, 2);
    s->v0 ^= word;
}

uint64_t tg_siphash(const uint64_t key[2], uint64_t low, uint64_t high)
{
    /* "somepseudorandomlygeneratedbytes", as the paper has it. */
    struct sip_state s = {
        .v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key[1] ^ UINT64_C(0x7465646279746573),
    };
    take_word(&s, low);
    take_word(&s, high);
    take_word(&s, UINT64_C(16) << 56); /* what ends every input: its length, in the highest byte */
    s.v2 ^= 0xff;
    mix_rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
