/* SPDX-License-Identifier: MIT
 * Peers that read late or never, and messages that tell their number: what the tests of full send
 * queues share. */
#ifndef TEST_SUPPORT_SLOW_READER_H
#define TEST_SUPPORT_SLOW_READER_H

#include <stddef.h>
#include <stdint.h>

#include <throng/room.h>

#include "server_fixture.h"

/* Sizes of messages: with its header, one block; and the longest. */
#define SLOW_READER_BLOCK 508u
#define SLOW_READER_LONGEST 4000u

/* Blocks that a queue holds, of SLOW_READER_BLOCK as many messages. */
#define SLOW_READER_QUEUE 128u

/* Sets the options: these limits, small buffers in the system, no watchdog, and a game that says
 * nothing by itself. */
void slow_reader_options(struct server_fixture *fixture);

/* A peer whose window is as small as the system makes them, with its OPEN awaited. */
throng_conn slow_reader_open(struct server_fixture *fixture, struct peer *peer);

/* Writes message `number` (size >= 4); what throng_write_data answers. */
int slow_reader_write(struct server_fixture *fixture, throng_conn conn, uint32_t number,
                      size_t size);

/* Broadcasts message `number`; what throng_room_broadcast answers. */
int slow_reader_broadcast(struct server_fixture *fixture, throng_room room, uint32_t number,
                          size_t size, throng_conn except);

/* Writes messages of that size, numbered from `first` on, without a turn, until one is refused;
 * answers the number of that one. */
uint32_t slow_reader_fill(struct server_fixture *fixture, throng_conn conn, uint32_t first,
                          size_t size);

/* The same with turns, until the system's buffers are full too. */
uint32_t slow_reader_stuff(struct server_fixture *fixture, throng_conn conn, uint32_t first,
                           size_t size);

/* Receives the next message, looks at every byte, and answers its number. */
uint32_t slow_reader_receive(struct server_fixture *fixture, const struct peer *peer);

/* Receives messages first..last, each once, in order. */
void slow_reader_expect(struct server_fixture *fixture, const struct peer *peer, uint32_t first,
                        uint32_t last);

/* Receives up to message `last`, any with a higher number than the one before; answers how many
 * came. */
uint32_t slow_reader_expect_some(struct server_fixture *fixture, const struct peer *peer,
                                 uint32_t last);

#endif
