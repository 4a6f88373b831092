/* SPDX-License-Identifier: MIT
 * A table of types: what reaches a handler, and what is answered to everything else. */
#include <throng/message.h>

#include <string.h>

#include "check.h"

/* ---- what the table says and does ---- */

static struct world {
    uint32_t handled;
    uint32_t errors;
    uint64_t number;
    int answer; /* of the handler */
    uint8_t written[600];
    size_t written_bytes;
    uint32_t writes;
    uint32_t closes;
    int write_answer;
    struct throng_messages *messages;
    struct throng_messages_counters counters;
} world;

static const throng_conn conn = {77};

static int handle(void *context, throng_conn from, struct throng_message *message)
{
    assert_ptr_equal(context, &world);
    assert_int_equal(from.id, 77);
    assert_ptr_equal(message->user, &conn);
    world.handled++;
    return throng_body_u64(message, "x", &world.number) != 0 ? THRONG_EPROTOCOL : world.answer;
}

static int note_error(void *context, throng_conn from, struct throng_message *message)
{
    (void)context;
    (void)from;
    assert_int_equal(message->type, 0);
    world.errors++;
    return 0;
}

static int write_bytes(void *end, throng_conn to, const void *data, size_t size)
{
    assert_ptr_equal(end, &world);
    assert_int_equal(to.id, 77);
    assert_true(size <= sizeof world.written);
    memcpy(world.written, data, size);
    world.written_bytes = size;
    world.writes++;
    return world.write_answer;
}

static int close_conn(void *end, throng_conn to)
{
    assert_ptr_equal(end, &world);
    assert_int_equal(to.id, 77);
    world.closes++;
    return 0;
}

static const struct throng_message_type types[] = {
    {.type = 9, .name = "nine", .handler = handle, .bytes_max = 8},
    {.type = 7,
     .name = "seven",
     .handler = handle,
     .bytes_max = 64,
     .nodes_max = 3,
     .depth_max = 2},
    {.type = 4000000000, .name = "large", .handler = handle},
};

static struct throng_messages_options sample_options(void)
{
    struct throng_messages_options options;
    throng_messages_options_init(&options);
    options.types = types;
    options.type_count = 3;
    options.context = &world;
    options.link = (struct throng_message_link){&world, write_bytes, close_conn};
    options.on_error = note_error;
    return options;
}

static void make(enum throng_when_bad on_unknown, enum throng_when_bad on_bad)
{
    struct throng_messages_options options = sample_options();
    world = (struct world){0};
    options.on_unknown = on_unknown;
    options.on_bad = on_bad;
    assert_int_equal(throng_messages_create(&world.messages, &options, NULL), 0);
}

#define DISPATCH(text) dispatch(text, sizeof(text) - 1)

static int dispatch(const void *data, size_t size)
{
    const int result =
        throng_messages_dispatch(world.messages, conn, (void *)(uintptr_t)&conn, data, size);
    throng_messages_read_counters(world.messages, &world.counters);
    return result;
}

/* The error message that was sent: its request, code and text. */
static void expect_error(uint32_t request, int64_t code, const char *text)
{
    struct throng_decoder *decoder;
    struct throng_message message = {0};
    const char *got;
    size_t size;
    int64_t number = 0;
    assert_int_equal(throng_decoder_create(&decoder, NULL, NULL), 0);
    assert_int_equal(throng_decode(decoder, world.written, world.written_bytes, &message), 0);
    assert_int_equal(message.type, 0);
    assert_int_equal(message.request, request);
    assert_int_equal(message.is_reply, request != 0);
    assert_int_equal(throng_body_i64(&message, "code", &number), 0);
    assert_int_equal(number, code);
    assert_int_equal(throng_body_utf8(&message, "text", &got, &size), 0);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(got, text, size);
    throng_decoder_destroy(decoder);
}

/* ---- tests ---- */

static void each_type_reaches_its_handler(void **state)
{
    (void)state;
    make(THRONG_WHEN_BAD_REPLY, THRONG_WHEN_BAD_REPLY);
    assert_int_equal(DISPATCH("\x93\x07\xc0\x81\xa1x\x05"), 0);
    assert_int_equal(world.number, 5);
    assert_int_equal(DISPATCH("\x93\x09\xc0\x81\xa1x\x06"), 0);
    assert_int_equal(DISPATCH("\x93\xce\xee\x6b\x28\0\xc0\x81\xa1x\x08"), 0);
    assert_int_equal(world.number, 8);
    assert_int_equal(world.handled, 3);
    assert_int_equal(world.counters.handled, 3);
    assert_int_equal(world.writes, 0);
    assert_string_equal(throng_messages_type_name(world.messages, 9), "nine");
    assert_null(throng_messages_type_name(world.messages, 8));
    throng_messages_destroy(world.messages);
}

static void an_unknown_type_is_answered(void **state)
{
    (void)state;
    make(THRONG_WHEN_BAD_REPLY, THRONG_WHEN_BAD_CLOSE);
    assert_int_equal(DISPATCH("\x93\x08\xc0\xc0"), THRONG_EPROTOCOL);
    expect_error(0, THRONG_EPROTOCOL, "at byte 0: no such type of message: 8");
    assert_int_equal(DISPATCH("\x93\x08\x2a\xc0"), THRONG_EPROTOCOL);
    expect_error(42, THRONG_EPROTOCOL, "at byte 0: no such type of message: 8");
    assert_int_equal(world.counters.unknown, 2);
    assert_int_equal(world.counters.errors_sent, 2);
    assert_int_equal(world.closes, 0);
    assert_int_equal(world.handled, 0);
    assert_int_equal(throng_messages_fault(world.messages)->kind, THRONG_FAULT_UNKNOWN_TYPE);
    throng_messages_destroy(world.messages);
}

static void each_limit_of_a_type_is_kept(void **state)
{
    (void)state;
    make(THRONG_WHEN_BAD_REPLY, THRONG_WHEN_BAD_REPLY);
    assert_int_equal(DISPATCH("\x93\x09\xc0\x81\xa2xy\x05"), THRONG_EPROTOCOL); /* 8: no x */
    assert_int_equal(world.counters.refused, 1);
    assert_int_equal(DISPATCH("\x93\x09\xc0\x81\xa3xyz\x05"), THRONG_ETOOBIG); /* 9 */
    expect_error(0, THRONG_ETOOBIG,
                 "at byte 8: the message is longer than its type allows: 9 bytes; at most 8");
    assert_int_equal(DISPATCH("\x93\x07\xc0\x81\xa1x\x91\xc0"), THRONG_ETOOBIG); /* 4 nodes */
    expect_error(0, THRONG_ETOOBIG, "at byte 6: the message has too many values: 4; at most 3");
    assert_int_equal(DISPATCH("\x93\x07\xc0\x91\x91\x90"), THRONG_ETOOBIG);
    expect_error(0, THRONG_ETOOBIG,
                 "at byte 5: arrays and maps are nested too deeply: 3; at most 2");
    assert_int_equal(world.counters.over_limit, 3);
    assert_int_equal(world.handled, 1);
    throng_messages_destroy(world.messages);
}

static void malformed_ones_are_answered_or_not_as_the_policy_says(void **state)
{
    (void)state;
    make(THRONG_WHEN_BAD_CLOSE, THRONG_WHEN_BAD_IGNORE);
    assert_int_equal(DISPATCH("\xc1"), THRONG_EPROTOCOL);
    assert_int_equal(dispatch(NULL, 0), THRONG_EPROTOCOL);
    assert_int_equal(DISPATCH("\x93\x07\xc0\x81\xa1x\x05\x05"), THRONG_EPROTOCOL);
    assert_int_equal(world.counters.malformed, 3);
    assert_int_equal(world.writes, 0);
    assert_int_equal(DISPATCH("\x93\x08\xc0\xc0"), THRONG_EPROTOCOL); /* unknown: CLOSE */
    assert_int_equal(world.writes, 1);
    assert_int_equal(world.closes, 1);
    assert_int_equal(world.counters.closed, 1);
    throng_messages_destroy(world.messages);
}

static void a_handlers_error_is_answered_with_the_field(void **state)
{
    (void)state;
    make(THRONG_WHEN_BAD_REPLY, THRONG_WHEN_BAD_REPLY);
    assert_int_equal(DISPATCH("\x93\x07\x03\x81\xa1y\x05"), THRONG_EPROTOCOL);
    expect_error(3, THRONG_EPROTOCOL, "field \"x\": the field is missing");
    world.answer = THRONG_EACCES;
    assert_int_equal(DISPATCH("\x93\x07\x03\x81\xa1x\x05"), THRONG_EACCES);
    expect_error(3, THRONG_EACCES, "at byte 0: the message was refused");
    assert_int_equal(world.counters.refused, 2);
    world.write_answer = THRONG_EAGAIN;
    assert_int_equal(DISPATCH("\x93\x07\x03\x81\xa1x\x05"), THRONG_EACCES);
    assert_int_equal(world.counters.errors_sent, 2);
    assert_int_equal(world.counters.errors_unsent, 1);
    throng_messages_destroy(world.messages);
}

/* Two ends that complain of each other's complaints would do so for ever. */
static void complaints_are_never_answered(void **state)
{
    (void)state;
    make(THRONG_WHEN_BAD_REPLY, THRONG_WHEN_BAD_REPLY);
    assert_int_equal(DISPATCH("\x93\x00\xc0\x80"), 0);
    assert_int_equal(world.errors, 1);
    assert_int_equal(DISPATCH("\x93\x00\xc0\xc1"), THRONG_EPROTOCOL); /* a malformed one */
    assert_int_equal(DISPATCH("\x93\x00\xff\x80"), THRONG_EPROTOCOL); /* a reply to nothing */
    assert_int_equal(DISPATCH("\x93\x07\xff\xc1"), THRONG_EPROTOCOL);
    assert_int_equal(world.writes, 0);
    assert_int_equal(world.counters.errors_received, 1);
    assert_int_equal(world.counters.malformed, 1);
    assert_int_equal(world.counters.replies_refused, 2);
    throng_messages_destroy(world.messages);
}

/* An error message names values and limits, so it may be longer than what the peer takes. */
static void a_complaint_that_is_too_long_is_not_answered_either(void **state)
{
    struct throng_messages_options options = sample_options();
    (void)state;
    world = (struct world){0};
    options.limits.bytes_max = 64;
    assert_int_equal(throng_messages_create(&world.messages, &options, NULL), 0);
    assert_int_equal(DISPATCH("\x93\x07\xc0\x91\x91\x90"), THRONG_ETOOBIG);
    assert_int_equal(world.writes, 1);
    assert_true(world.written_bytes > 64);
    assert_int_equal(dispatch(world.written, world.written_bytes), THRONG_ETOOBIG);
    assert_int_equal(world.writes, 1);
    assert_int_equal(world.errors, 0);
    assert_int_equal(world.counters.over_limit, 2);
    assert_int_equal(throng_messages_fault(world.messages)->kind, THRONG_FAULT_BYTES);
    throng_messages_destroy(world.messages);
}

static void count_done(void *context, throng_conn from, int result, struct throng_message *reply)
{
    (void)from;
    assert_null(reply);
    assert_int_equal(result, *(const int *)context);
    world.handled++;
}

static void a_reply_that_cannot_be_read_is_not_complained_of(void **state)
{
    static const int results[] = {THRONG_EPROTOCOL, THRONG_ETOOBIG};
    static const uint8_t replies[2][65] = {{0x93, 7, 0xff, 0xc1}, {0x93, 7, 0xfe, 0xd9, 60}};
    static const size_t sizes[] = {4, 65}; /* the second one is a byte too long */
    struct throng_messages_options options = sample_options();
    int32_t id = 0;
    (void)state;
    world = (struct world){0};
    options.requests_max = 1;
    options.limits.bytes_max = 64;
    assert_int_equal(throng_messages_create(&world.messages, &options, NULL), 0);
    for (int i = 0; i < 2; i++) {
        void *expected = (void *)(uintptr_t)&results[i];
        assert_int_equal(
            throng_request_begin(world.messages, conn, 0, 100, count_done, expected, &id), 0);
        assert_int_equal(id, i + 1);
        assert_int_equal(dispatch(replies[i], sizes[i]), results[i]);
        assert_int_equal(world.handled, i + 1);
    }
    assert_int_equal(world.counters.malformed, 1);
    assert_int_equal(world.counters.over_limit, 1);
    assert_int_equal(world.counters.requests_now, 0);
    assert_int_equal(world.writes, 0);
    throng_messages_destroy(world.messages);
}

static int dispatch_again(void *context, throng_conn from, struct throng_message *message)
{
    (void)context;
    world.handled++;
    return throng_messages_dispatch(world.messages, from, message->user, message->data,
                                    message->size);
}

static void a_handler_does_not_dispatch(void **state)
{
    static const struct throng_message_type again = {.type = 1, .handler = dispatch_again};
    struct throng_messages_options options = sample_options();
    (void)state;
    world = (struct world){0};
    options.types = &again;
    options.type_count = 1;
    assert_int_equal(throng_messages_create(&world.messages, &options, NULL), 0);
    assert_int_equal(DISPATCH("\x93\x01\xc0\xc0"), THRONG_EINVAL);
    assert_int_equal(world.handled, 1);
    assert_int_equal(throng_messages_dispatch(NULL, conn, NULL, "x", 1), THRONG_EINVAL);
    assert_int_equal(throng_messages_dispatch(world.messages, conn, NULL, NULL, 1), THRONG_EINVAL);
    throng_messages_destroy(world.messages);
}

static void expect_refused(const struct throng_messages_options *options, const char *text)
{
    struct throng_messages *none = NULL;
    struct throng_error error = {0};
    assert_int_equal(throng_messages_create(&none, options, &error), THRONG_EINVAL);
    assert_string_equal(error.text, text);
    assert_null(none);
}

static void bad_options_are_refused_by_name(void **state)
{
    struct throng_message_type bad[] = {{.type = 1, .handler = handle},
                                        {.type = 1, .handler = handle}};
    struct throng_messages_options options = sample_options();
    (void)state;
    options.types = bad;
    options.type_count = 2;
    expect_refused(&options, "type 1 is there twice");
    bad[1].type = 0;
    expect_refused(&options, "types[1] is 0, which is throng's own");
    bad[1].type = 2;
    bad[1].handler = NULL;
    expect_refused(&options, "types[1] (2) has no handler");
    bad[1].handler = handle;
    bad[1].bytes_max = 65537;
    expect_refused(&options, "types[1].bytes_max is 65537; limits.bytes_max is 65536");
    bad[1].bytes_max = 65536;
    bad[1].nodes_max = 4097;
    expect_refused(&options, "types[1].nodes_max is 4097; limits.nodes_max is 4096");
    bad[1].nodes_max = 0;
    bad[1].depth_max = 9;
    expect_refused(&options, "types[1].depth_max is 9; limits.depth_max is 8");
    bad[1].depth_max = 8;
    options.requests_max = 1048577;
    expect_refused(&options, "requests_max is 1048577; at most 1048576");
    options.requests_max = 0;
    options.on_bad = (enum throng_when_bad)3;
    expect_refused(&options, "on_bad is 3; it must be 0..2");
    options.on_bad = THRONG_WHEN_BAD_REPLY;
    options.struct_size = 0;
    expect_refused(&options, "no place for the answer, or options without "
                             "throng_messages_options_init of this library");
    throng_messages_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_reaches_its_handler),
        cmocka_unit_test(an_unknown_type_is_answered),
        cmocka_unit_test(each_limit_of_a_type_is_kept),
        cmocka_unit_test(malformed_ones_are_answered_or_not_as_the_policy_says),
        cmocka_unit_test(a_handlers_error_is_answered_with_the_field),
        cmocka_unit_test(complaints_are_never_answered),
        cmocka_unit_test(a_complaint_that_is_too_long_is_not_answered_either),
        cmocka_unit_test(a_reply_that_cannot_be_read_is_not_complained_of),
        cmocka_unit_test(a_handler_does_not_dispatch),
        cmocka_unit_test(bad_options_are_refused_by_name),
    };
    return cmocka_run_group_tests_name("message_dispatch", tests, NULL, NULL);
}
