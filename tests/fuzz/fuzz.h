/* SPDX-License-Identifier: MIT
 * What the fuzz targets share. Each file in targets/ has one entry function, under the name that
 * libFuzzer and AFL++ call; replay.c calls it for the files of a corpus, without a fuzzer.
 *
 * A target reads its input as a script: options first, then operations, each with its arguments. It
 * holds our code against a naive reference, and aborts at the first difference. Nothing outlives a
 * run but memory that the run leaves as it found it, so a finding can be repeated from its file. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

/* The target: 0 in any case, as libFuzzer wants it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds for every input. A failing one is a finding. */
#define FUZZ_CHECK(condition)                                                                      \
    (TG_LIKELY(condition) ? (void)0                                                                \
                          : tg_assert_failed("expectation", #condition, __FILE__, __LINE__))

/* The input that was not read yet. */
struct fuzz_script {
    const uint8_t *at;
    const uint8_t *end;
};

static inline struct fuzz_script fuzz_script_open(const uint8_t *data, size_t size)
{
    return (struct fuzz_script){data, data + size};
}

static inline size_t fuzz_left(const struct fuzz_script *script)
{
    return (size_t)(script->end - script->at);
}

static inline bool fuzz_is_over(const struct fuzz_script *script)
{
    return script->at == script->end;
}

/* The next byte; 0 when the script is over. */
static inline uint32_t fuzz_byte(struct fuzz_script *script)
{
    return fuzz_is_over(script) ? 0 : *script->at++;
}

/* The next two bytes, the higher first. */
static inline uint32_t fuzz_pair(struct fuzz_script *script)
{
    uint32_t high = fuzz_byte(script);
    return high << 8 | fuzz_byte(script);
}

/* At most `size` bytes as they are; *data is never NULL. */
static inline size_t fuzz_bytes(struct fuzz_script *script, size_t size, const uint8_t **data)
{
    size_t taken = size < fuzz_left(script) ? size : fuzz_left(script);
    *data = script->at;
    script->at += taken;
    return taken;
}

/* A number that depends on the whole input: where a target makes bytes up, it makes other ones in
 * each run, so that memory of an earlier run does not hold the right ones by chance. */
static inline uint32_t fuzz_salt(const uint8_t *data, size_t size)
{
    uint32_t sum = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ data[i]) * 16777619u;
    }
    return sum >> 8;
}

#endif
