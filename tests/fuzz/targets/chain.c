/* SPDX-License-Identifier: MIT
 * The pool of send blocks and the chains in it, held against flat arrays of bytes: three chains
 * that are filled, joined, gathered, sent in pieces and dropped, in a pool that is soon used up;
 * blocks come home late and in another order than they were sent in. In the end all of them are
 * home.
 *
 *   byte 0   the pool: bits 0-3 small blocks less one, bits 4-5 large ones
 *   1 ...    operations: bits 0-2 what, bits 3-4 which chain, bits 5-7 of what kind; then arguments */
#include <string.h>

#include "buffer/chain.h"
#include "fuzz.h"

#define CHAINS 3u
#define SMALL_MAX 16u
#define LARGE_MAX 3u
#define BYTES_MAX (SMALL_MAX * TG_BLOCK_BYTES + LARGE_MAX * TG_LARGE_BLOCK_BYTES)
#define PATTERN_BYTES (128u * 1024)
#define CONN 7u

/* The blocks and their memory. */
static struct tg_block_pool pool;
static uint64_t tables[(SMALL_MAX + LARGE_MAX) * 20 / 8 + 1];
static uint8_t small_data[SMALL_MAX * TG_BLOCK_BYTES];
static uint8_t large_data[LARGE_MAX * TG_LARGE_BLOCK_BYTES];

/* What is under test, and what it should hold. Bytes before `begin` are gone. */
struct queue {
    struct tg_chain chain;
    uint32_t begin;
    uint32_t end;
    uint8_t bytes[2 * BYTES_MAX];
};

static struct queue queues[CHAINS];
static struct tg_chain sent; /* blocks that the worker is done with */
static struct tg_block_return way_home;
static uint8_t pattern[PATTERN_BYTES]; /* bytes that tell their place */
static uint32_t position;              /* of the next message in it */

static void fill_pattern(void)
{
    static bool is_full;
    for (uint32_t i = 0; !is_full && i < PATTERN_BYTES; i++) {
        pattern[i] = (uint8_t)(i ^ i >> 8 ^ (i >> 16) * 7);
    }
    is_full = true;
}

static void open_world(uint32_t options, uint32_t salt)
{
    /* The pool reads none of its memory before it wrote it, so what an earlier run left there does
     * not matter. */
    tg_block_pool_init(&pool, tables, small_data, (options & 15) + 1, large_data,
                       options >> 4 & LARGE_MAX, 0);
    for (uint32_t i = 0; i < CHAINS; i++) {
        tg_chain_init(&queues[i].chain);
        queues[i].begin = 0;
        queues[i].end = 0;
    }
    tg_chain_init(&sent);
    tg_block_return_init(&way_home);
    position = salt;
    fill_pattern();
}

static uint32_t count_bytes(const struct queue *queue)
{
    return queue->end - queue->begin;
}

static void move_to_front(struct queue *queue)
{
    memmove(queue->bytes, queue->bytes + queue->begin, count_bytes(queue));
    queue->end -= queue->begin;
    queue->begin = 0;
}

/* The queue expects these bytes behind its own. */
static void expect_bytes(struct queue *queue, const uint8_t *bytes, uint32_t size)
{
    if (size > sizeof(queue->bytes) - queue->end) {
        move_to_front(queue);
    }
    FUZZ_CHECK(size <= sizeof(queue->bytes) - queue->end);
    memcpy(queue->bytes + queue->end, bytes, size);
    queue->end += size;
}

/* ---- the rules ---- */

static bool blocks_suffice(uint32_t size, uint32_t large, uint32_t units_most)
{
    uint32_t in_large = large * TG_LARGE_BLOCK_BYTES;
    uint32_t small = in_large < size ? (size - in_large + TG_BLOCK_BYTES - 1) / TG_BLOCK_BYTES : 0;
    return small <= tg_index_stack_count(&pool.small_free) &&
           large * TG_LARGE_BLOCK_UNITS + small <= units_most;
}

/* Whether chain.h promises that an append of `size` bytes succeeds: large blocks while much
 * remains, then small ones; or with one large block less, if that is what it takes. */
static bool should_fit(const struct tg_chain *chain, uint32_t size, uint32_t units_max)
{
    uint32_t room = 0;
    if (chain->tail != TG_BLOCK_NONE) {
        room = tg_block_capacity(&pool, chain->tail) - pool.blocks[chain->tail].end;
    }
    if (size <= room) {
        return true;
    }
    if (chain->units >= units_max) {
        return false;
    }
    uint32_t rest = size - room;
    uint32_t large = 0;
    while (rest > TG_CHAIN_LARGE_MIN + large * TG_LARGE_BLOCK_BYTES &&
           large < tg_index_stack_count(&pool.large_free)) {
        large++;
    }
    uint32_t most = units_max - chain->units;
    return blocks_suffice(rest, large, most) ||
           (large > 0 && blocks_suffice(rest, large - 1, most));
}

/* ---- operations ---- */

static uint32_t draw_size(struct fuzz_script *script, uint32_t kind)
{
    uint32_t value = fuzz_byte(script);
    switch (kind & 3) {
    case 0:
        return value;
    case 1: /* around some small blocks */
        return (value >> 4) * TG_BLOCK_BYTES + (value & 15) + 1;
    case 2: /* around a large block, and around what is left for small ones */
        return (value & 3) * TG_LARGE_BLOCK_BYTES + (value >> 2 & 1) * TG_CHAIN_LARGE_MIN +
               (value >> 3);
    default:
        return value << 8 | fuzz_byte(script);
    }
}

static void append(struct fuzz_script *script, struct queue *queue, uint32_t kind)
{
    struct tg_chain before = queue->chain;
    uint32_t free_before = tg_block_pool_free_units(&pool);
    uint32_t size = draw_size(script, kind) + 1;
    uint32_t prefix_size = (kind & 4) != 0 ? size % 9 : 4;
    uint32_t units_max = (size & 1) != 0 ? UINT32_MAX : 1 + size / 2 % 60;
    prefix_size = prefix_size < size ? prefix_size : size;
    const uint8_t *bytes = pattern + position % (PATTERN_BYTES / 2);
    bool fits = should_fit(&queue->chain, size, units_max);
    bool done = tg_chain_append(
        &queue->chain, &pool, CONN, units_max, prefix_size > 0 ? bytes : NULL, prefix_size,
        size > prefix_size ? bytes + prefix_size : NULL, size - prefix_size);
    FUZZ_CHECK(done == fits);
    if (done) {
        expect_bytes(queue, bytes, size);
        position += size;
        FUZZ_CHECK(queue->chain.units <= units_max || queue->chain.units == before.units);
        return;
    }
    FUZZ_CHECK(memcmp(&before, &queue->chain, sizeof(before)) == 0);
    FUZZ_CHECK(tg_block_pool_free_units(&pool) == free_before);
}

static void append_in_room(struct fuzz_script *script, struct queue *queue)
{
    uint32_t size = fuzz_byte(script) << (fuzz_left(script) & 3);
    uint32_t room = 0;
    if (queue->chain.tail < pool.small_count) {
        room = TG_BLOCK_BYTES - pool.blocks[queue->chain.tail].end;
    }
    const uint8_t *bytes = pattern + position % (PATTERN_BYTES / 2);
    bool done = tg_chain_append_in_room(&queue->chain, &pool, bytes, bytes + 4, size);
    FUZZ_CHECK(done == (size + 4 <= room));
    if (done) {
        expect_bytes(queue, bytes, size + 4);
        position += size + 4;
    }
}

/* Checks what a gather shows; answers how many bytes that is. */
static uint32_t gather(const struct queue *queue, uint32_t capacity)
{
    struct tg_slice slices[TG_GATHER_MAX];
    size_t bytes;
    uint32_t at = queue->begin;
    uint32_t count = tg_chain_gather(&queue->chain, &pool, slices, capacity, &bytes);
    FUZZ_CHECK(count <= capacity);
    for (uint32_t i = 0; i < count; i++) {
        FUZZ_CHECK(slices[i].size >= 1 && slices[i].size <= queue->end - at);
        FUZZ_CHECK(memcmp(slices[i].data, queue->bytes + at, slices[i].size) == 0);
        /* What adjoins is one slice. */
        FUZZ_CHECK(i == 0 || slices[i].data != slices[i - 1].data + slices[i - 1].size);
        at += (uint32_t)slices[i].size;
    }
    FUZZ_CHECK(bytes == at - queue->begin);
    FUZZ_CHECK(at == queue->end || count == capacity);
    return (uint32_t)bytes;
}

static void send_some(struct fuzz_script *script, struct queue *queue, uint32_t kind)
{
    uint32_t shown = gather(queue, kind == 7 ? TG_GATHER_MAX : kind + 1);
    uint32_t taken = kind == 0 ? shown : draw_size(script, kind);
    taken = taken < shown ? taken : shown;
    tg_chain_advance(&queue->chain, &pool, taken, &sent);
    queue->begin += taken;
}

static void join(struct queue *target, struct queue *source)
{
    if (target != source) {
        expect_bytes(target, source->bytes + source->begin, count_bytes(source));
        source->begin = source->end;
        tg_chain_join(&target->chain, &source->chain, &pool);
        FUZZ_CHECK(tg_chain_is_empty(&source->chain) && source->chain.bytes == 0);
    }
}

/* A connection that dies gives up what it did not send. */
static void drop(struct queue *queue)
{
    tg_chain_join(&sent, &queue->chain, &pool);
    queue->begin = queue->end;
}

static void push_home(void)
{
    if (!tg_chain_is_empty(&sent)) {
        tg_block_return_push(&way_home, &pool, sent.head, sent.tail);
        tg_chain_init(&sent);
    }
}

/* The pool's owner takes what came home; it gives it back front to back, or with every other one
 * put off. */
static void take_home(uint32_t kind)
{
    uint32_t later[SMALL_MAX + LARGE_MAX];
    uint32_t later_count = 0;
    uint32_t block = tg_block_return_take(&way_home);
    for (uint32_t i = 0; block != TG_BLOCK_NONE; i++) {
        uint32_t next = pool.blocks[block].next;
        if ((kind >> (i % 3) & 1) != 0) {
            later[later_count++] = block;
        } else {
            tg_block_pool_give(&pool, block);
        }
        block = next;
    }
    while (later_count > 0) {
        tg_block_pool_give(&pool, later[--later_count]);
    }
}

/* ---- the whole ---- */

static uint32_t check_chain(const struct queue *queue)
{
    const struct tg_chain *chain = &queue->chain;
    uint32_t units = 0;
    uint32_t bytes = 0;
    uint32_t last = TG_BLOCK_NONE;
    for (uint32_t i = chain->head; i != TG_BLOCK_NONE; i = pool.blocks[i].next) {
        const struct tg_block *block = &pool.blocks[i];
        FUZZ_CHECK(block->begin < block->end && block->end <= tg_block_capacity(&pool, i));
        FUZZ_CHECK(block->conn == CONN);
        bytes += (uint32_t)(block->end - block->begin);
        units += tg_block_units(&pool, i);
        last = i;
    }
    FUZZ_CHECK(chain->tail == last);
    FUZZ_CHECK(chain->bytes == bytes && chain->units == units);
    FUZZ_CHECK(bytes == count_bytes(queue));
    return units;
}

/* Every unit is in one place. */
static void check_units(void)
{
    uint32_t units = tg_block_pool_free_units(&pool) + sent.units;
    for (uint32_t i = 0; i < CHAINS; i++) {
        units += check_chain(&queues[i]);
    }
    uint32_t home = atomic_load_explicit(&way_home.head, memory_order_relaxed);
    for (; home != TG_BLOCK_NONE; home = pool.blocks[home].next) {
        units += tg_block_units(&pool, home);
    }
    FUZZ_CHECK(units == tg_block_pool_total_units(&pool));
}

/* Looks at the whole where blocks change hands, and else at the one queue that was touched. */
static void step(struct fuzz_script *script)
{
    uint32_t operation = fuzz_byte(script);
    uint32_t kind = operation >> 5;
    struct queue *queue = &queues[(operation >> 3 & 3) % CHAINS];
    switch (operation & 7) {
    case 0:
    case 1:
        append(script, queue, kind);
        break;
    case 2:
        append_in_room(script, queue);
        break;
    case 3:
        send_some(script, queue, kind);
        break;
    case 4:
        join(queue, &queues[kind % CHAINS]);
        check_units();
        break;
    case 5:
        push_home();
        break;
    case 6:
        take_home(kind);
        check_units();
        break;
    default:
        drop(queue);
        break;
    }
    (void)check_chain(queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = fuzz_script_open(data, size);
    open_world(fuzz_byte(&script), fuzz_salt(data, size));
    while (!fuzz_is_over(&script)) {
        step(&script);
    }
    check_units();
    for (uint32_t i = 0; i < CHAINS; i++) {
        (void)gather(&queues[i], TG_GATHER_MAX);
        drop(&queues[i]);
    }
    push_home();
    take_home(0);
    FUZZ_CHECK(tg_block_pool_free_units(&pool) == tg_block_pool_total_units(&pool));
    return 0;
}
