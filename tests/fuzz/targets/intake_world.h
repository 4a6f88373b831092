/* SPDX-License-Identifier: MIT
 * A thread with an intake, for intake.c: peers that send, a port that receives, an owner that
 * reads, rests and keeps messages. The owner keeps the contract of codec/intake.h and checks each
 * message. */
#ifndef FUZZ_INTAKE_WORLD_H
#define FUZZ_INTAKE_WORLD_H

#include "codec/intake.h"
#include "fuzz.h"

#define CONNS 4u
#define MESSAGES_MAX 12u

struct conn {
    struct tg_reader reader;
    uint32_t sizes[MESSAGES_MAX]; /* of the messages that its peer sends */
    uint32_t size_count;
    uint32_t come;        /* messages that were handed up */
    uint32_t received;    /* bytes of the stream that the port took */
    uint32_t may_send;    /* bytes of the stream that the peer has sent */
    uint32_t taken;       /* receive buffer that the port holds back, or TG_INDEX_NONE */
    uint32_t taken_size;  /* bytes in it */
    uint32_t lacks_since; /* when it came to lack memory; 0: it does not */
    bool is_read;
    bool is_held_back;
    bool rests;
    bool ends; /* the owner closes it when it has its next turn */
};

struct world {
    struct tg_intake intake;
    struct tg_recv_pool buffers;
    struct tg_message_pool messages;
    struct conn conns[CONNS];
    uint32_t message_max;
    uint32_t salt;
};

extern struct world world;

/* All connections read. long_messages: longer ones than a block holds at first; port_runs_ahead:
 * the port may have received what nobody wants any more, as io_uring does; buffers: 4..11 to
 * receive into; salt: see fuzz.h. */
void world_open(bool long_messages, bool port_runs_ahead, uint32_t buffer_count, uint32_t salt);

/* The connection's peer has a message to send, if it has not had twelve; sends at most `bytes` of
 * what it has. */
void world_queue(struct conn *conn, uint32_t size);
void world_send(struct conn *conn, uint32_t bytes);

/* The owner is done with all messages but the first few. True if it gave any back. */
bool world_give_back(uint32_t kept);

/* The owner reads on, after it rested. */
void world_resume(struct conn *conn);

/* The connection ends; another one takes its record. */
void world_leave(struct conn *conn);
void world_join(struct conn *conn);

/* One round of the thread: turns, stops, and a wait of the port that begins with connection
 * `first`. False if the thread would sleep until a peer sends something, or its owner gives
 * something back. */
bool world_turn(uint32_t first);

#endif
