/* SPDX-License-Identifier: MIT
 * Port contract, clauses 2 and 4: a send is done, pending or failed, and may be short. */
#include "fixture.h"

#include <string.h>

static struct fixture fixture;
static struct tg_stream stream;

static struct fixture_options small_sends(void)
{
    struct fixture_options options = fixture_defaults;
    options.send_bytes = 16384;
    return options;
}

static void a_send_that_is_done_has_no_completion_and_a_pending_one_has_one(void **state)
{
    uint8_t got[5];
    struct tg_slice slice = {.data = (const uint8_t *)"hello", .size = 5};
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    int sent = tg_port_send(fixture.port, &stream, &slice, 1);
    CHECK(sent == 5 || sent == TG_PORT_PENDING);
    if (sent == TG_PORT_PENDING) {
        CHECK(fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result == 5);
    }
    peer_receive(peer, got, 5);
    CHECK(memcmp(got, "hello", 5) == 0);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void sixty_four_slices_leave_in_order(void **state)
{
    static uint8_t sent[TG_GATHER_MAX * 100];
    static uint8_t got[sizeof sent];
    struct tg_slice slices[TG_GATHER_MAX];
    size_t size = 0;
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    pattern_fill(sent, 0, sizeof sent);
    for (uint32_t i = 0; i < TG_GATHER_MAX; i++) {
        slices[i] = (struct tg_slice){.data = sent + size, .size = i + 1};
        size += i + 1;
    }
    int answer = tg_port_send(fixture.port, &stream, slices, TG_GATHER_MAX);
    memset(slices, 0, sizeof slices); /* read during the call only */
    if (answer == TG_PORT_PENDING) {
        answer = fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
    }
    CHECK(answer == 2080);
    peer_receive(peer, got, 2080);
    CHECK(pattern_matches(got, 0, 2080));
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* Sends as long as the peer's side takes bytes that nobody reads. Answers the byte that comes next;
 * a send is pending. */
static size_t fill_until_stuck(void)
{
    size_t filled = fixture_fill(&fixture, &stream, 0);
    for (int i = 0; i < 1000; i++) {
        fixture_settle(&fixture);
        if (!fixture_has(&fixture, TG_COMPLETION_SEND, &stream)) {
            return filled;
        }
        int32_t late = fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
        CHECK(late >= 0);
        filled = fixture_fill(&fixture, &stream, filled + (size_t)late);
    }
    CHECK_NOT_REACHED("somebody reads");
    return 0;
}

/* The reader takes `total` bytes of the pattern while the stream sends on at each completion. */
static void exchange_with_slow_reader(tg_socket peer, size_t sent, size_t total)
{
    static uint8_t block[100000];
    static uint8_t got[4096];
    uint64_t deadline = now_ms() + DEADLINE_MS;
    bool pending = true;
    size_t read = 0;
    while (read < total) {
        size_t size = total - read < sizeof got ? total - read : sizeof got;
        int taken = tg_socket_receive(peer, got, size);
        CHECK(taken > 0 || taken == THRONG_EAGAIN);
        if (taken > 0) {
            CHECK(pattern_matches(got, read, (size_t)taken));
            read += (size_t)taken;
        }
        fixture_pump(&fixture, 0);
        CHECK(now_ms() < deadline);
        if (pending && fixture_has(&fixture, TG_COMPLETION_SEND, &stream)) {
            int32_t late = fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
            CHECK(late >= 0);
            sent += (size_t)late;
            pending = false;
        }
        while (!pending && sent < total) {
            size = total - sent < sizeof block ? total - sent : sizeof block;
            pattern_fill(block, sent, size);
            struct tg_slice slices[2] = {{.data = block, .size = size / 2},
                                         {.data = block + size / 2, .size = size - size / 2}};
            int answer = size < 2 ? tg_port_send(fixture.port, &stream, slices + 1, 1)
                                  : tg_port_send(fixture.port, &stream, slices, 2);
            CHECK(answer >= 0);
            pending = answer == TG_PORT_PENDING;
            sent += (size_t)answer;
        }
    }
    CHECK(sent == total && !pending);
}

static void a_slow_reader_gets_every_byte_in_the_end(void **state)
{
    (void)state;
    struct fixture_options options = small_sends();
    fixture_open(&fixture, &options);
    tg_socket peer = fixture_pair(&fixture, &stream);
    size_t filled = fill_until_stuck();
    exchange_with_slow_reader(peer, filled, filled + test_scaled(8000000));
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, 0, &stream));
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void a_pending_send_completes_when_the_peer_resets(void **state)
{
    (void)state;
    struct fixture_options options = small_sends();
    fixture_open(&fixture, &options);
    tg_socket peer = fixture_pair(&fixture, &stream);
    (void)fixture_fill(&fixture, &stream, 0);
    tg_socket_abort(peer);
    int32_t result = fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
    if (result >= 0) { /* then the next one hears of it */
        struct tg_slice slice = {.data = (const uint8_t *)"x", .size = 1};
        int answer = tg_port_send(fixture.port, &stream, &slice, 1);
        result = answer != TG_PORT_PENDING
                     ? answer
                     : fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
    }
    CHECK(result == THRONG_ECONNRESET);
    fixture_settle(&fixture);
    CHECK(!fixture_has(&fixture, TG_COMPLETION_SEND, &stream));
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* A dead connection is an error code: neither a signal nor a promise that is never kept. */
static void sends_to_a_dead_connection_fail(void **state)
{
    struct tg_slice slice = {.data = (const uint8_t *)"x", .size = 1};
    (void)state;
    fixture_open(&fixture, NULL);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_socket_abort(peer);
    fixture_settle(&fixture);
    for (int i = 0; i < 3; i++) {
        int answer = tg_port_send(fixture.port, &stream, &slice, 1);
        if (answer == TG_PORT_PENDING) {
            answer = fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
        }
        CHECK(answer == THRONG_ECONNRESET);
    }
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

/* Both directions at once, as an echo server has it, against a peer that reads late. */
static void an_echo_of_a_megabyte_comes_back_whole(void **state)
{
    enum {
        TOTAL = 1048576,
        BLOCK = 32768
    };
    static uint8_t out[BLOCK];
    static uint8_t back[BLOCK];
    static uint8_t echo[BLOCK];
    (void)state;
    struct fixture_options options = small_sends();
    options.batch = 3;
    fixture_open(&fixture, &options);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    for (size_t at = 0; at < TOTAL; at += BLOCK) {
        pattern_fill(out, at, BLOCK);
        peer_send(peer, out, BLOCK);
        fixture_read(&fixture, &stream, echo, BLOCK);
        struct tg_slice slice = {.data = echo, .size = BLOCK};
        size_t read = 0;
        while (slice.size > 0) {
            int sent = tg_port_send(fixture.port, &stream, &slice, 1);
            while (sent == TG_PORT_PENDING) {
                if (tg_socket_wait(peer, false, 0) == 1) {
                    peer_receive(peer, back + read, 1);
                    read++;
                }
                fixture_pump(&fixture, 0);
                if (fixture_has(&fixture, TG_COMPLETION_SEND, &stream)) {
                    sent = fixture_take(&fixture, TG_COMPLETION_SEND, &stream).result;
                    break;
                }
            }
            CHECK(sent >= 0);
            slice.data += sent;
            slice.size -= (size_t)sent;
        }
        peer_receive(peer, back + read, BLOCK - read);
        CHECK(pattern_matches(back, at, BLOCK));
    }
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

int run_send_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_send_that_is_done_has_no_completion_and_a_pending_one_has_one),
        cmocka_unit_test(sixty_four_slices_leave_in_order),
        cmocka_unit_test(a_slow_reader_gets_every_byte_in_the_end),
        cmocka_unit_test(a_pending_send_completes_when_the_peer_resets),
        cmocka_unit_test(sends_to_a_dead_connection_fail),
        cmocka_unit_test(an_echo_of_a_megabyte_comes_back_whole),
    };
    return cmocka_run_group_tests_name("port: send", tests, NULL, NULL);
}
