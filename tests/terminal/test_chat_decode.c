/* SPDX-License-Identifier: MIT
 * Messages of the server become events that are safe to print, whatever is in them. */
#include <string.h>

#include <throng/message.h>

#include "check.h"

#include "../../tools/chat/decode.h"
#include "../../tools/chat/request.h"

static struct throng_decoder *decoder;
static struct throng_pack pack;
static uint8_t bytes[4096];
static char log_text[EVENT_TEXT_SIZE * 2]; /* "KIND room name text;" for each event */
static struct event last;

static const char *const kinds[] = {
    [EVENT_ENTERED] = "entered",
    [EVENT_PAST] = "past",
    [EVENT_LINE] = "line",
    [EVENT_ENTERED_END] = "entered_end",
    [EVENT_MEMBER] = "member",
    [EVENT_MEMBERS] = "members",
    [EVENT_MEMBERS_END] = "members_end",
    [EVENT_DONE] = "done",
    [EVENT_REFUSED] = "refused",
    [EVENT_ODD] = NULL,
};

static int open_decoder(void **state)
{
    (void)state;
    return throng_decoder_create(&decoder, NULL, NULL);
}

static int close_decoder(void **state)
{
    (void)state;
    throng_decoder_destroy(decoder);
    return 0;
}

static void hear(void *context, const struct event *event)
{
    size_t used = strlen(log_text);
    (void)context;
    last = *event;
    (void)snprintf(log_text + used, sizeof(log_text) - used, "%s %s %s %.1024s;",
                   kinds[event->kind] != NULL ? kinds[event->kind] : "other", event->room,
                   event->name, event->text);
}

static void begin(uint32_t type, int32_t request)
{
    throng_pack_to_buffer(&pack, bytes, sizeof(bytes));
    throng_pack_envelope(&pack, type, request);
}

static void decode(const struct asked *asked)
{
    static struct event room;
    struct throng_message message = {0};
    int64_t size = throng_pack_end(&pack);
    assert_true(size > 0);
    assert_int_equal(throng_decode(decoder, bytes, (size_t)size, &message), 0);
    log_text[0] = '\0';
    memset(&last, 0, sizeof(last));
    decode_message(&message, asked, &room, hear, NULL);
}

static void a_line_becomes_an_event_without_control_bytes(void **state)
{
    static const char hostile[] = {'a', '\0', '\x07', '\xe2', '\x80', '\xae'}; /* U+202E */
    (void)state;
    begin(CHAT_LINE, 0);
    throng_pack_map(&pack, 6);
    throng_pack_field_text(&pack, "room", "lobby");
    throng_pack_field_u64(&pack, "seq", 7);
    throng_pack_field_u64(&pack, "at", 1800000000000);
    throng_pack_field_text(&pack, "from", "b\x1b[2Jen");
    throng_pack_field_string(&pack, "text", hostile, sizeof(hostile));
    throng_pack_field_bool(&pack, "me", true);
    decode(NULL);
    assert_string_equal(log_text, "line lobby b\\x1b[2Jen a\\x00\\x07\\u{202e};");
    assert_int_equal(last.seq, 7);
    assert_int_equal(last.at_ms, 1800000000000);
    assert_true(last.is_action);
}

static void an_answer_to_join_is_the_room_and_its_history(void **state)
{
    struct asked asked = {.type = CHAT_JOIN, .room = "Lobby"};
    (void)state;
    begin(CHAT_JOIN, -1);
    throng_pack_map(&pack, 4);
    throng_pack_field_text(&pack, "room", "lobby");
    throng_pack_field_text(&pack, "topic", "t");
    throng_pack_field_u64(&pack, "seq", 1);
    throng_pack_field_array(&pack, "lines", 1);
    throng_pack_map(&pack, 3);
    throng_pack_field_text(&pack, "room", "lobby");
    throng_pack_field_text(&pack, "from", "ben");
    throng_pack_field_text(&pack, "text", "hi");
    decode(&asked);
    assert_string_equal(log_text, "entered lobby  t;past lobby ben hi;entered_end lobby  ;");
}

static void lists_say_where_their_rest_begins(void **state)
{
    struct asked asked = {.type = CHAT_WHO, .room = "lobby"};
    (void)state;
    for (int page = 0; page < 2; page++) {
        begin(CHAT_WHO, -1);
        throng_pack_map(&pack, 3);
        throng_pack_field_text(&pack, "room", "lobby");
        throng_pack_field_array(&pack, "names", 1);
        throng_pack_text(&pack, "ben");
        throng_pack_field_u64(&pack, "next", page == 0 ? 100 : 0);
        decode(&asked);
        if (page == 0) {
            assert_string_equal(log_text, "members lobby  ;member lobby ben ;members_end lobby  ;");
            assert_int_equal(last.number, 100);
        } else { /* the rest: the list goes on */
            assert_string_equal(log_text, "member lobby ben ;members_end lobby  ;");
        }
        asked.from = 100;
    }
}

static void a_refusal_names_the_room_that_was_asked_for(void **state)
{
    struct asked asked = {.type = CHAT_JOIN, .room = "lobby"};
    (void)state;
    begin(CHAT_REFUSED, -1);
    throng_pack_map(&pack, 2);
    throng_pack_field_u64(&pack, "code", CHAT_CODE_ROOM_FULL);
    throng_pack_field_text(&pack, "text", "full");
    decode(&asked);
    assert_string_equal(log_text, "refused lobby  full;");
    assert_int_equal(last.code, CHAT_CODE_ROOM_FULL);
    assert_int_equal(last.of, CHAT_JOIN);
}

static void bodies_of_other_kinds_are_empty_events(void **state)
{
    static const uint32_t types[] = {CHAT_LINE, CHAT_PRIVATE, CHAT_JOINED, CHAT_LEFT, CHAT_REFUSED};
    struct asked join = {.type = CHAT_JOIN}, who = {.type = CHAT_WHO, .from = 1};
    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        begin(types[i], 0);
        throng_pack_u64(&pack, 5); /* no map */
        decode(NULL);
        assert_int_equal(last.at_ms, 0);
        assert_string_equal(last.text, "");
    }
    begin(CHAT_JOIN, -1);
    throng_pack_map(&pack, 2);
    throng_pack_field_u64(&pack, "room", 5); /* no text */
    throng_pack_field_array(&pack, "lines", 2);
    throng_pack_nil(&pack);
    throng_pack_array(&pack, 0);
    decode(&join);
    assert_int_equal(last.kind, EVENT_ENTERED_END);
    begin(CHAT_WHO, -1);
    throng_pack_nil(&pack);
    decode(&who);
    assert_string_equal(log_text, "members_end   ;");
}

static void answers_to_nothing_and_unknown_types_are_passed_over(void **state)
{
    struct asked ping = {.type = CHAT_PING};
    (void)state;
    begin(CHAT_JOIN, -9);
    throng_pack_map(&pack, 0);
    decode(NULL);
    assert_string_equal(log_text, "");
    begin(4242, 0);
    throng_pack_map(&pack, 0);
    decode(NULL);
    assert_string_equal(log_text, "");
    begin(CHAT_PING, -1);
    throng_pack_map(&pack, 0);
    decode(&ping);
    assert_int_equal(last.kind, EVENT_DONE);
}

static void a_request_has_the_bytes_of_the_documentation(void **state)
{
    /* README.md of throng-chat-server, "Bytes". */
    static const uint8_t hello[] = {0x93, 0x01, 0x01, 0x82, 0xa4, 'n', 'a', 'm', 'e', 0xa3, 'a',
                                    'n',  'a',  0xa7, 'v',  'e',  'r', 's', 'i', 'o', 'n',  0x01};
    struct ask ask = {.name = "ana"};
    (void)state;
    assert_int_equal(request_pack(bytes, sizeof(bytes), CHAT_HELLO, 1, &ask), sizeof(hello));
    assert_memory_equal(bytes, hello, sizeof(hello));
    assert_int_equal(request_pack(bytes, 5, CHAT_HELLO, 1, &ask), THRONG_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_an_event_without_control_bytes),
        cmocka_unit_test(an_answer_to_join_is_the_room_and_its_history),
        cmocka_unit_test(lists_say_where_their_rest_begins),
        cmocka_unit_test(a_refusal_names_the_room_that_was_asked_for),
        cmocka_unit_test(bodies_of_other_kinds_are_empty_events),
        cmocka_unit_test(answers_to_nothing_and_unknown_types_are_passed_over),
        cmocka_unit_test(a_request_has_the_bytes_of_the_documentation),
    };
    return cmocka_run_group_tests(tests, open_decoder, close_decoder);
}
