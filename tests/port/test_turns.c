/* SPDX-License-Identifier: MIT
 * Port contract, clause 3: a stream gets its turn and not more, and whatever the batch is too small
 * for comes in a later one. */
#include "fixture.h"

#include <string.h>

static struct fixture fixture;

/* Bytes of each stream in one wait. */
static void one_wait(struct tg_stream *streams, uint32_t count, uint32_t *bytes)
{
    memset(bytes, 0, count * sizeof *bytes);
    fixture_pump(&fixture, 1000);
    for (uint32_t i = 0; i < count; i++) {
        while (fixture_has(&fixture, TG_COMPLETION_RECEIVE, &streams[i])) {
            struct tg_completion got = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &streams[i]);
            CHECK(got.result > 0);
            bytes[i] += (uint32_t)got.result;
            fixture_release(&fixture, &got);
        }
    }
}

/* The caller can pause at each piece, so no second one of the stream is behind it in the batch. */
static void a_wait_answers_one_receive_per_stream(void **state)
{
    static uint8_t block[60000];
    static uint8_t got[sizeof block];
    static struct tg_stream stream;
    size_t received = 0;
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.buffer_bytes = 4096;
    options.turn_bytes = 4096;
    fixture_open(&fixture, &options);
    tg_socket peer = fixture_pair(&fixture, &stream);
    tg_port_receive(fixture.port, &stream);
    pattern_fill(block, 0, sizeof block);
    peer_send(peer, block, sizeof block);
    for (int wait = 0; received < sizeof block; wait++) {
        CHECK(wait < 1000);
        fixture_pump(&fixture, 1000);
        if (!fixture_has(&fixture, TG_COMPLETION_RECEIVE, &stream)) {
            continue;
        }
        struct tg_completion piece = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &stream);
        CHECK(!fixture_has(&fixture, TG_COMPLETION_RECEIVE, &stream));
        CHECK(piece.result > 0 && piece.result <= 4096);
        memcpy(got + received, piece.data, (size_t)piece.result);
        received += (size_t)piece.result;
        fixture_release(&fixture, &piece);
        /* Paused in the middle of a flood that the port knows of: silence. */
        tg_port_pause(fixture.port, &stream);
        fixture_pump(&fixture, 0);
        CHECK(!fixture_has(&fixture, 0, &stream));
        tg_port_receive(fixture.port, &stream);
    }
    CHECK(pattern_matches(got, 0, sizeof got));
    tg_socket_close(peer);
    fixture_close_stream(&fixture, &stream);
    fixture_close(&fixture);
}

static void a_flood_gets_its_turn_and_not_more(void **state)
{
    static uint8_t flood[100000];
    static struct tg_stream streams[3];
    tg_socket peers[3];
    uint32_t bytes[3];
    uint32_t total[3] = {0};
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.turn_bytes = 1000;
    fixture_open(&fixture, &options);
    for (int i = 0; i < 3; i++) {
        peers[i] = fixture_pair(&fixture, &streams[i]);
        tg_port_receive(fixture.port, &streams[i]);
    }
    peer_send(peers[0], flood, sizeof flood);
    peer_send(peers[1], flood, 10);
    peer_send(peers[2], flood, 1500);
    for (int wait = 0; wait < 300 && total[0] < sizeof flood; wait++) {
        one_wait(streams, 3, bytes);
        for (int i = 0; i < 3; i++) {
            CHECK(bytes[i] <= 1000);
            total[i] += bytes[i];
        }
        /* The flood takes a hundred turns; the others do not wait for its end. */
        CHECK(wait < 10 || (total[1] == 10 && total[2] == 1500));
    }
    CHECK(total[0] == sizeof flood);
    for (int i = 0; i < 3; i++) {
        tg_socket_close(peers[i]);
        fixture_close_stream(&fixture, &streams[i]);
    }
    fixture_close(&fixture);
}

/* Twenty floods, and one that says a word now and then, with room for `batch` completions. */
static void word_through_floods(uint32_t batch)
{
    enum {
        FLOODS = 20
    };
    static uint8_t block[100000];
    static struct tg_stream streams[FLOODS];
    static struct tg_stream quiet;
    tg_socket peers[FLOODS];
    struct fixture_options options = fixture_defaults;
    options.batch = batch;
    options.turn_bytes = 500;
    fixture_open(&fixture, &options);
    tg_socket quiet_peer = fixture_pair(&fixture, &quiet);
    tg_port_receive(fixture.port, &quiet);
    for (int i = 0; i < FLOODS; i++) {
        peers[i] = fixture_pair(&fixture, &streams[i]);
        peer_send(peers[i], block, sizeof block);
    }
    for (int i = 0; i < FLOODS; i++) {
        tg_port_receive(fixture.port, &streams[i]);
    }
    for (int word = 0; word < 5; word++) {
        int others = 0;
        peer_send(quiet_peer, "w", 1);
        while (!fixture_has(&fixture, TG_COMPLETION_RECEIVE, &quiet)) {
            fixture_pump(&fixture, 0);
            for (int i = 0; i < FLOODS; i++) {
                while (fixture_has(&fixture, TG_COMPLETION_RECEIVE, &streams[i])) {
                    struct tg_completion got =
                        fixture_take(&fixture, TG_COMPLETION_RECEIVE, &streams[i]);
                    fixture_release(&fixture, &got);
                    others++;
                }
            }
            CHECK(others <= 5 * FLOODS);
        }
        struct tg_completion got = fixture_take(&fixture, TG_COMPLETION_RECEIVE, &quiet);
        fixture_release(&fixture, &got);
    }
    for (int i = 0; i < FLOODS; i++) {
        tg_socket_close(peers[i]);
        fixture_close_stream(&fixture, &streams[i]);
    }
    tg_socket_close(quiet_peer);
    fixture_close_stream(&fixture, &quiet);
    fixture_close(&fixture);
}

static void a_word_gets_through_twenty_floods(void **state)
{
    (void)state;
    word_through_floods(64);
    word_through_floods(2);
    word_through_floods(1);
}

static void batches_of_one_lose_nothing(void **state)
{
    enum {
        STREAMS = 20,
        ROUNDS = 10
    };
    static struct tg_stream streams[STREAMS];
    tg_socket peers[STREAMS];
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.batch = 1;
    fixture_open(&fixture, &options);
    for (int i = 0; i < STREAMS; i++) {
        peers[i] = fixture_pair(&fixture, &streams[i]);
        tg_port_receive(fixture.port, &streams[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < STREAMS; i++) {
            uint8_t word[2] = {(uint8_t)i, (uint8_t)round};
            peer_send(peers[i], word, 2);
        }
        for (int i = STREAMS - 1; i >= 0; i--) {
            uint8_t word[2];
            fixture_read(&fixture, &streams[i], word, 2);
            CHECK(word[0] == i && word[1] == round);
        }
    }
    /* The ends of all, and then all closes, through the same narrow door. */
    for (int i = 0; i < STREAMS; i++) {
        tg_socket_close(peers[i]);
    }
    for (int i = 0; i < STREAMS; i++) {
        CHECK(fixture_take(&fixture, TG_COMPLETION_RECEIVE, &streams[i]).result == 0);
        tg_port_close(fixture.port, &streams[i], TG_CLOSE_NORMAL);
    }
    for (int i = 0; i < STREAMS; i++) {
        CHECK(fixture_take(&fixture, TG_COMPLETION_CLOSE, &streams[i]).result == 0);
    }
    fixture_close(&fixture);
}

/* Sends again and again on each stream that has none in flight. */
static void keep_sending(struct tg_stream *senders, bool *pending, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct tg_slice slice = {.data = (const uint8_t *)"x", .size = 1};
        if (fixture_has(&fixture, TG_COMPLETION_SEND, &senders[i])) {
            CHECK(fixture_take(&fixture, TG_COMPLETION_SEND, &senders[i]).result >= 0);
            pending[i] = false;
        }
        if (!pending[i]) {
            int sent = tg_port_send(fixture.port, &senders[i], &slice, 1);
            CHECK(sent >= 0);
            pending[i] = sent == TG_PORT_PENDING;
        }
    }
}

/* More sends complete all the time than a wait has places. */
static void sending_does_not_starve_receiving(void **state)
{
    enum {
        SENDERS = 8
    };
    static struct tg_stream senders[SENDERS];
    static struct tg_stream receiver;
    bool pending[SENDERS] = {false};
    tg_socket peers[SENDERS];
    uint8_t got[10] = {0};
    size_t received = 0;
    (void)state;
    struct fixture_options options = fixture_defaults;
    options.batch = 4;
    options.turn_bytes = 1; /* so that a word takes ten turns */
    fixture_open(&fixture, &options);
    for (int i = 0; i < SENDERS; i++) {
        peers[i] = fixture_pair(&fixture, &senders[i]);
    }
    tg_socket peer = fixture_pair(&fixture, &receiver);
    tg_port_receive(fixture.port, &receiver);
    peer_send(peer, "overtaking", sizeof got);
    for (int wait = 0; received < sizeof got; wait++) {
        CHECK(wait < 200);
        keep_sending(senders, pending, SENDERS);
        fixture_pump(&fixture, 0);
        if (fixture_has(&fixture, TG_COMPLETION_RECEIVE, &receiver)) {
            fixture_read(&fixture, &receiver, got + received++, 1);
        }
    }
    CHECK(memcmp(got, "overtaking", sizeof got) == 0);
    for (int i = 0; i < SENDERS; i++) {
        fixture_close_stream(&fixture, &senders[i]);
        tg_socket_close(peers[i]);
    }
    fixture_close_stream(&fixture, &receiver);
    tg_socket_close(peer);
    fixture_close(&fixture);
}

int run_turn_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_answers_one_receive_per_stream),
        cmocka_unit_test(a_flood_gets_its_turn_and_not_more),
        cmocka_unit_test(a_word_gets_through_twenty_floods),
        cmocka_unit_test(batches_of_one_lose_nothing),
        cmocka_unit_test(sending_does_not_starve_receiving),
    };
    return cmocka_run_group_tests_name("port: turns", tests, NULL, NULL);
}
