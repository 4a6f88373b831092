/* SPDX-License-Identifier: MIT
 * What the tests of the assembler share. */
#include "cut_stream.h"

#include <string.h>

struct tg_message_pool pool;
struct tg_assembler assembler;
struct tg_frame_rules rules;
struct test_guard guard;
struct cut_stream stream;

static uint8_t pool_memory[POOL_BYTES];
static struct tg_message_unit pool_tables[POOL_BYTES / TG_MESSAGE_UNIT_BYTES];

int open_stream(void **state)
{
    (void)state;
    test_guard_open(&guard, STREAM_MAX);
    return 0;
}

int close_stream(void **state)
{
    (void)state;
    test_guard_close(&guard);
    return 0;
}

void start(size_t pool_bytes, uint32_t message_bytes_max, enum throng_byte_order order)
{
    memset(pool_tables, 0, sizeof pool_tables);
    tg_message_pool_init(&pool, pool_memory, pool_bytes, pool_tables);
    tg_assembler_init(&assembler);
    rules = (struct tg_frame_rules){message_bytes_max, order};
    stream.size = 0;
    stream.count = 0;
    stream.seen = 0;
}

void add_message(uint32_t size)
{
    assert_true(stream.count < MESSAGES_MAX && stream.size + 4 + size <= STREAM_MAX);
    tg_frame_length_write(stream.bytes + stream.size, size, rules.byte_order);
    stream.size += 4;
    stream.messages[stream.count].at = stream.size;
    stream.messages[stream.count].size = size;
    stream.count++;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t place = (uint32_t)stream.size++;
        stream.bytes[place] = (uint8_t)(place * 2654435761u >> 24);
    }
}

void check_message(const struct tg_message *message)
{
    assert_true(stream.seen < stream.count);
    assert_non_null(message->data);
    assert_int_equal(message->size, stream.messages[stream.seen].size);
    assert_memory_equal(message->data, stream.bytes + stream.messages[stream.seen].at,
                        message->size);
    stream.seen++;
}

enum tg_assembly read_input(struct tg_input *input)
{
    struct tg_message message;
    enum tg_assembly answer;
    const uint8_t *begin = input->data;
    const uint8_t *end = input->data + input->size;
    while ((answer = tg_assembler_next(&assembler, &pool, &rules, input, &message)) ==
           TG_ASSEMBLY_MESSAGE) {
        check_message(&message);
        if (message.block != TG_MESSAGE_NONE) {
            assert_ptr_equal(message.data, tg_message_pool_data(&pool, message.block));
            tg_message_pool_give(&pool, message.block);
        } else {
            assert_true(message.data >= begin && message.data + message.size <= end);
        }
    }
    return answer;
}

enum tg_assembly read_piece(const uint8_t *data, size_t size)
{
    struct tg_input input = {test_guard_copy(&guard, data, size), size};
    enum tg_assembly answer = read_input(&input);
    assert_true(answer != TG_ASSEMBLY_NEEDS_INPUT || input.size == 0);
    return answer;
}

void read_stream(const size_t *cuts, size_t count)
{
    size_t at = 0;
    stream.seen = 0;
    for (size_t i = 0; i <= count; i++) {
        size_t end = i < count ? cuts[i] : stream.size;
        assert_int_equal(read_piece(stream.bytes + at, end - at), TG_ASSEMBLY_NEEDS_INPUT);
        at = end;
    }
    assert_int_equal(stream.seen, stream.count);
    assert_false(tg_assembler_is_partial(&assembler));
    assert_int_equal(tg_message_pool_used_bytes(&pool), 0);
}
