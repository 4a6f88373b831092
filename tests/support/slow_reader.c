/* SPDX-License-Identifier: MIT
 * Peers that read late or never. */
#include "slow_reader.h"

#include <string.h>

#include "pattern.h"

/* Refusals in a row, a millisecond apart, after which the system's buffers count as full. */
#define REFUSALS_MAX 20u

void slow_reader_options(struct server_fixture *fixture)
{
    fixture->options.message_bytes_max = SLOW_READER_LONGEST;
    fixture->options.send_queue_bytes_max = SLOW_READER_QUEUE * 512;
    fixture->options.socket_send_bytes = 16 * 1024;
    fixture->options.socket_receive_bytes = 16 * 1024;
    fixture->options.write_timeout_ms = THRONG_OFF;
    fixture->options.first_message_timeout_ms = THRONG_OFF;
    fixture->handle = fixture_ignore;
}

throng_conn slow_reader_open(struct server_fixture *fixture, struct peer *peer)
{
    const struct peer_options narrow = {.receive_buffer_bytes = 4096};
    uint32_t opened = fixture->journal.opened;
    assert_true(peer_connect(peer, &fixture->address, &narrow));
    FIXTURE_UNTIL(fixture, fixture->journal.opened > opened);
    return fixture->last_open.conn;
}

static void make_message(uint8_t *message, uint32_t number, size_t size)
{
    test_fill_pattern(message, size, number);
    memcpy(message, &number, sizeof(number));
}

int slow_reader_write(struct server_fixture *fixture, throng_conn conn, uint32_t number,
                      size_t size)
{
    uint8_t message[SLOW_READER_LONGEST];
    assert_in_range(size, 4, sizeof(message));
    make_message(message, number, size);
    return throng_write_data(fixture->server, conn, message, size);
}

int slow_reader_broadcast(struct server_fixture *fixture, throng_room room, uint32_t number,
                          size_t size, throng_conn except)
{
    uint8_t message[SLOW_READER_LONGEST];
    assert_in_range(size, 4, sizeof(message));
    make_message(message, number, size);
    return throng_room_broadcast(fixture->server, room, message, size, except);
}

uint32_t slow_reader_fill(struct server_fixture *fixture, throng_conn conn, uint32_t first,
                          size_t size)
{
    uint32_t number = first;
    int result;
    while ((result = slow_reader_write(fixture, conn, number, size)) == 0) {
        number++;
        assert_true(number - first < 100000);
    }
    assert_int_equal(result, THRONG_EAGAIN);
    return number;
}

uint32_t slow_reader_stuff(struct server_fixture *fixture, throng_conn conn, uint32_t first,
                           size_t size)
{
    uint32_t number = first;
    for (uint32_t refusals = 0; refusals < REFUSALS_MAX; refusals++) {
        uint32_t before = number;
        number = slow_reader_fill(fixture, conn, number, size);
        refusals = number > before ? 0 : refusals;
        (void)fixture_turn(fixture, 1);
    }
    return number;
}

uint32_t slow_reader_receive(struct server_fixture *fixture, const struct peer *peer)
{
    uint8_t header[4];
    uint8_t message[SLOW_READER_LONGEST];
    uint8_t expected[SLOW_READER_LONGEST];
    uint32_t number;
    fixture_exchange(fixture, peer, NULL, 0, header, sizeof(header));
    size_t size = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 |
                  header[3];
    assert_in_range(size, 4, sizeof(message));
    fixture_exchange(fixture, peer, NULL, 0, message, size);
    memcpy(&number, message, sizeof(number));
    make_message(expected, number, size);
    assert_memory_equal(message, expected, size);
    return number;
}

void slow_reader_expect(struct server_fixture *fixture, const struct peer *peer, uint32_t first,
                        uint32_t last)
{
    for (uint32_t number = first; number <= last; number++) {
        assert_int_equal(slow_reader_receive(fixture, peer), number);
    }
}

uint32_t slow_reader_expect_some(struct server_fixture *fixture, const struct peer *peer,
                                 uint32_t last)
{
    uint32_t count = 0;
    int64_t before = -1;
    while (before < (int64_t)last) {
        uint32_t number = slow_reader_receive(fixture, peer);
        assert_true((int64_t)number > before && number <= last);
        before = number;
        count++;
    }
    return count;
}
