/* SPDX-License-Identifier: MIT
 * Writes that race with the end of their connection on an I/O thread, while the slots change hands
 * as fast as they can. Each peer has a secret and must never see a byte of anybody else's. */
#include <string.h>

#include "pattern.h"
#include "server_fixture.h"

#define RACERS 24u
#define SLOTS 16u  /* fewer than racers: every slot is wanted */
#define RECENT 64u /* connections that the server goes on writing to, most of them gone */
#define FRAME 12u  /* a header and a secret of 8 bytes */

struct racer {
    struct peer peer;
    uint8_t frame[FRAME]; /* what it sends, and all that it may ever receive */
    uint64_t received;    /* bytes of this life */
    uint64_t lives;
};

/* The connections that have told their secret, the latest RECENT of them. */
struct recent {
    throng_conn conn;
    uint8_t secret[8];
};

struct race {
    struct racer racers[RACERS];
    struct recent recent[RECENT];
    uint64_t told;
    uint64_t random;
    uint64_t secrets;
    uint64_t answers_ok;
    uint64_t answers_stale;
    uint64_t bytes_checked;
};

static void remember_secret(struct server_fixture *fixture, const struct throng_event *event)
{
    struct race *race = fixture->context;
    const struct journal_entry *entry = journal_find(&fixture->journal, event->conn);
    if (event->type == THRONG_EVENT_MESSAGE && entry->messages == 1) {
        struct recent *recent = &race->recent[race->told % RECENT];
        assert_int_equal(event->size, sizeof(recent->secret));
        recent->conn = event->conn;
        memcpy(recent->secret, event->data, sizeof(recent->secret));
        race->told++;
    }
}

static void write_to_the_living_and_the_dead(struct server_fixture *fixture, struct race *race)
{
    uint64_t count = race->told < RECENT ? race->told : RECENT;
    for (uint64_t i = 0; i < count; i++) {
        const struct recent *recent = &race->recent[i];
        int result = throng_write_data(fixture->server, recent->conn, recent->secret,
                                       sizeof(recent->secret));
        if (result == 0) {
            race->answers_ok++;
        } else if (result == THRONG_ESTALE) {
            race->answers_stale++;
        } else {
            assert_int_equal(result, THRONG_EAGAIN);
        }
    }
}

static void be_born(struct server_fixture *fixture, struct race *race, struct racer *racer)
{
    peer_frame_header(racer->frame, 8);
    test_fill_pattern(racer->frame + 4, 8, ++race->secrets);
    racer->received = 0;
    racer->lives++;
    fixture_connect(fixture, &racer->peer);
    (void)peer_send(&racer->peer, racer->frame, FRAME);
}

static void check_received(struct race *race, struct racer *racer)
{
    uint8_t bytes[4096];
    ptrdiff_t got = peer_receive(&racer->peer, bytes, sizeof(bytes));
    for (ptrdiff_t i = 0; i < got; i++) {
        if (bytes[i] != racer->frame[racer->received % FRAME]) {
            fail_msg("byte %" PRIu64 " of life %" PRIu64 " belongs to somebody else",
                     racer->received, racer->lives);
        }
        racer->received++;
    }
    race->bytes_checked += got > 0 ? (uint64_t)got : 0;
    if (got == PEER_END || got == PEER_RESET) {
        peer_close(&racer->peer); /* no slot was free for it */
    }
}

/* One thing a racer does, drawn by lot: live on, say it again, leave politely or not. */
static void step_racer(struct server_fixture *fixture, struct race *race, struct racer *racer)
{
    if (racer->peer.descriptor < 0) {
        be_born(fixture, race, racer);
        return;
    }
    check_received(race, racer);
    if (racer->peer.descriptor < 0) {
        return;
    }
    switch (test_random(&race->random) % 8) {
    case 0:
        peer_reset(&racer->peer);
        break;
    case 1:
        peer_close(&racer->peer);
        break;
    case 2:
        (void)peer_send(&racer->peer, racer->frame, FRAME);
        break;
    default:
        break;
    }
}

/* Each of the three things that race was seen at least once. */
static bool has_raced(const struct race *race)
{
    return race->answers_ok > 0 && race->answers_stale > 0 && race->bytes_checked > 0;
}

static void no_peer_sees_a_byte_of_another_while_writes_race_with_closes(void **state)
{
    struct server_fixture *fixture = *state;
    struct race *race = calloc(1, sizeof(*race));
    assert_non_null(race);
    race->random = test_seed();
    fixture->options.max_connections = SLOTS;
    fixture->handle = remember_secret;
    fixture->context = race;
    fixture_start(fixture);
    for (uint32_t i = 0; i < RACERS; i++) {
        race->racers[i].peer.descriptor = -1;
    }
    uint32_t rounds = test_scaled(4000);
    int64_t deadline_ms = test_now_ms() + test_deadline_ms();
    for (uint32_t round = 0; round < rounds || !has_raced(race); round++) {
        assert_true(round < rounds || test_now_ms() < deadline_ms);
        for (uint32_t i = 0; i < RACERS; i++) {
            step_racer(fixture, race, &race->racers[i]);
            if (i % 8 == 7) {
                /* An I/O thread that never ran so far, on a busy machine, is waited for. */
                (void)fixture_turn(fixture, round < rounds ? 0 : 1);
                write_to_the_living_and_the_dead(fixture, race);
            }
        }
    }
    for (uint32_t i = 0; i < RACERS; i++) {
        peer_close(&race->racers[i].peer);
    }
    fixture_expect_settled(fixture);
    struct throng_counters counters = fixture_counters(fixture);
    printf("%" PRIu32 " lives, %" PRIu64 " bytes checked, %" PRIu64 " writes taken, %" PRIu64
           " refused as stale, %" PRIu64 " dropped as stale at the I/O thread\n",
           fixture->journal.opened, race->bytes_checked, race->answers_ok, race->answers_stale,
           counters.commands_stale);
    assert_true(counters.writes_stale >= race->answers_stale);
    free(race);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_peer_sees_a_byte_of_another_while_writes_race_with_closes),
    };
    return fixture_run_tests("server_race", tests, sizeof(tests) / sizeof(tests[0]));
}
