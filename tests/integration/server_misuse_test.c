/* SPDX-License-Identifier: MIT
 * Calls that a game should not make and will: NULL where a server or a result belongs, a release
 * too many, a connection that is none. Each is answered or ignored, as the header says, and the
 * server serves on. */
#include <stdint.h>
#include <string.h>

#include "server_fixture.h"

#define NOBODY ((throng_conn){.id = 0})
#define OUT_OF_TABLE ((throng_conn){.id = UINT64_MAX})

static void no_call_needs_a_server_to_refuse(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_event event = {.type = THRONG_EVENT_OPEN};
    struct throng_address address;
    struct throng_error error = {0};
    void *user;
    size_t bytes;
    assert_int_equal(throng_server_start(NULL, &fixture->options, &error), THRONG_EINVAL);
    assert_non_null(strstr(error.text, "server is NULL"));
    assert_int_equal(throng_get_event(NULL, &event, 0), THRONG_EINVAL);
    assert_int_equal(throng_get_events(NULL, &event, 1, 0), THRONG_EINVAL);
    assert_int_equal(throng_write_data(NULL, NOBODY, "x", 1), THRONG_EINVAL);
    assert_int_equal(throng_close(NULL, NOBODY), THRONG_EINVAL);
    assert_int_equal(throng_abort(NULL, NOBODY), THRONG_EINVAL);
    assert_int_equal(throng_set_user(NULL, NOBODY, NULL), THRONG_EINVAL);
    assert_int_equal(throng_get_user(NULL, NOBODY, &user), THRONG_EINVAL);
    assert_int_equal(throng_peer_address(NULL, NOBODY, &address), THRONG_EINVAL);
    assert_int_equal(throng_local_address(NULL, NOBODY, &address), THRONG_EINVAL);
    assert_int_equal(throng_queued_bytes(NULL, NOBODY, &bytes), THRONG_EINVAL);
    assert_int_equal(throng_server_listen_address(NULL, 0, &address), THRONG_EINVAL);
    throng_server_stop(NULL);
    throng_server_drain(NULL, 1);
    throng_server_wake(NULL);
    throng_flush(NULL);
    throng_release_event(NULL, &event);
    assert_int_equal(event.type, THRONG_EVENT_OPEN); /* nobody took it back */

    struct throng_counters counters;
    memset(&counters, 0xFF, sizeof(counters));
    throng_server_counters(NULL, &counters);
    assert_int_equal(counters.messages_written, 0);
    assert_int_equal(counters.log_lines_dropped, 0);
}

static void a_place_for_the_answer_is_demanded(void **state)
{
    struct server_fixture *fixture = *state;
    struct throng_event event;
    struct throng_address address;
    struct throng_error error = {0};
    struct peer peer;
    assert_int_equal(throng_server_budget(&fixture->options, NULL, &error), THRONG_EINVAL);
    assert_non_null(strstr(error.text, "budget is NULL"));
    fixture_start(fixture);
    throng_conn conn = fixture_open(fixture, &peer);
    assert_int_equal(throng_get_event(fixture->server, NULL, 0), THRONG_EINVAL);
    assert_int_equal(throng_get_events(fixture->server, &event, 0, 0), THRONG_EINVAL);
    assert_int_equal(throng_get_user(fixture->server, conn, NULL), THRONG_EINVAL);
    assert_int_equal(throng_peer_address(fixture->server, conn, NULL), THRONG_EINVAL);
    assert_int_equal(throng_local_address(fixture->server, conn, NULL), THRONG_EINVAL);
    assert_int_equal(throng_queued_bytes(fixture->server, conn, NULL), THRONG_EINVAL);
    assert_int_equal(throng_server_listen_address(fixture->server, 0, NULL), THRONG_EINVAL);
    assert_int_equal(throng_server_listen_address(fixture->server, 1, &address), THRONG_EINVAL);
    throng_release_event(fixture->server, NULL);
    fixture_expect_echo(fixture, &peer, "as before", 9);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void data_may_be_null_only_where_there_is_none(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture->handle = fixture_ignore;
    fixture_start(fixture);
    throng_conn conn = fixture_open(fixture, &peer);
    assert_int_equal(throng_write_data(fixture->server, conn, NULL, 1), THRONG_EINVAL);
    assert_int_equal(throng_write_data(fixture->server, conn, NULL, 0), 0);
    assert_int_equal(throng_write_data(fixture->server, conn, NULL, 0), 0);
    fixture_expect_frame(fixture, &peer, "", 0);
    fixture_expect_frame(fixture, &peer, "", 0);
    peer_close(&peer);
    fixture_expect_settled(fixture);
    assert_int_equal(fixture_counters(fixture).messages_written, 2);
}

static void a_second_release_of_an_event_changes_nothing(void **state)
{
    struct server_fixture *fixture = *state;
    struct peer peer;
    fixture->keep = true;
    fixture_start(fixture);
    (void)fixture_open(fixture, &peer);
    fixture_send_frame(fixture, &peer, "twice", 5);
    FIXTURE_UNTIL(fixture, fixture->kept_count == 2);
    fixture_expect_frame(fixture, &peer, "twice", 5);
    struct throng_event *message = &fixture->kept[1];
    assert_int_equal(message->type, THRONG_EVENT_MESSAGE);
    throng_release_event(fixture->server, message);
    assert_int_equal(message->type, 0);
    assert_null(message->data);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 1);
    throng_release_event(fixture->server, message);
    assert_int_equal(fixture_counters(fixture).events_unreleased, 1);
    fixture_release_kept(fixture); /* once more, with the OPEN */
    assert_int_equal(fixture_counters(fixture).events_unreleased, 0);
    fixture->keep = false;
    fixture_expect_echo(fixture, &peer, "still here", 10);
    peer_close(&peer);
    fixture_expect_settled(fixture);
}

static void ids_that_no_connection_ever_had_are_stale(void **state)
{
    struct server_fixture *fixture = *state;
    const throng_conn ids[] = {NOBODY, OUT_OF_TABLE, {.id = 1}, {.id = 5000}};
    struct throng_address address;
    void *user = fixture;
    size_t bytes = 77;
    fixture_start(fixture);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_int_equal(throng_write_data(fixture->server, ids[i], "x", 1), THRONG_ESTALE);
        assert_int_equal(throng_close(fixture->server, ids[i]), THRONG_ESTALE);
        assert_int_equal(throng_abort(fixture->server, ids[i]), THRONG_ESTALE);
        assert_int_equal(throng_set_user(fixture->server, ids[i], NULL), THRONG_ESTALE);
        assert_int_equal(throng_get_user(fixture->server, ids[i], &user), THRONG_ESTALE);
        assert_int_equal(throng_peer_address(fixture->server, ids[i], &address), THRONG_ESTALE);
        assert_int_equal(throng_local_address(fixture->server, ids[i], &address), THRONG_ESTALE);
        assert_int_equal(throng_queued_bytes(fixture->server, ids[i], &bytes), THRONG_ESTALE);
    }
    assert_ptr_equal(user, fixture); /* untouched on an error */
    assert_int_equal(bytes, 77);
}

static void every_close_reason_is_a_sentence_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(throng_close_reason_text(THRONG_CLOSE_NONE), "not closed");
    assert_string_equal(throng_close_reason_text(THRONG_CLOSE_PEER), "the peer closed");
    assert_string_equal(throng_close_reason_text(THRONG_CLOSE_RESET),
                        "the peer reset the connection");
    assert_string_equal(throng_close_reason_text(THRONG_CLOSE_TRUNCATED),
                        "the peer closed inside a message");
    assert_string_equal(throng_close_reason_text(THRONG_CLOSE_DRAINED), "the server is stopping");
    for (int reason = THRONG_CLOSE_PEER; reason <= THRONG_CLOSE_DRAINED; reason++) {
        for (int other = THRONG_CLOSE_NONE; other < reason; other++) {
            assert_string_not_equal(throng_close_reason_text((enum throng_close_reason)reason),
                                    throng_close_reason_text((enum throng_close_reason)other));
        }
    }
    assert_string_equal(throng_close_reason_text((enum throng_close_reason)99), "not closed");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_needs_a_server_to_refuse),
        cmocka_unit_test(a_place_for_the_answer_is_demanded),
        cmocka_unit_test(data_may_be_null_only_where_there_is_none),
        cmocka_unit_test(a_second_release_of_an_event_changes_nothing),
        cmocka_unit_test(ids_that_no_connection_ever_had_are_stale),
        cmocka_unit_test(every_close_reason_is_a_sentence_of_its_own),
    };
    return fixture_run_tests("server_misuse", tests, sizeof(tests) / sizeof(tests[0]));
}
