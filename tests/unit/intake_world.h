/* SPDX-License-Identifier: MIT
 * Connections, a port and an owner around an intake, for its tests. All of it is the test's own:
 * what a peer has sent lies in a count, and a wait gives each connection that is read from one
 * receive buffer of it, as long as there are buffers. */
#ifndef TEST_UNIT_INTAKE_WORLD_H
#define TEST_UNIT_INTAKE_WORLD_H

#include "check.h"
#include "codec/intake.h"

#define WORLD_CONNS_MAX 600u
#define WORLD_BUFFER_BYTES 1024u
#define WORLD_BUFFERS_MAX 32u
#define WORLD_POOL_MAX (1024u * 1024)
#define WORLD_LENT_MAX 4096u

/* A connection, and the stream of equal messages that its peer sends. */
struct world_conn {
    struct tg_reader reader;
    uint32_t size;      /* of each message's payload */
    uint64_t available; /* bytes sent and not received */
    uint64_t position;  /* bytes received */
    uint32_t messages;  /* handed up and checked */
    uint32_t turn;      /* the world's turn in which the latest one came */
    bool is_read;       /* the port brings its input */
    bool is_held_back;  /* and neither what it has taken already */
    uint32_t taken;     /* receive buffer with what that is, or TG_INDEX_NONE */
    const uint8_t *taken_data;
    size_t taken_bytes;
    bool rests; /* its owner wants no input */
    bool has_left;
};

/* A message that the owner has and did not give back yet. */
struct world_lent {
    uint32_t block; /* or TG_MESSAGE_NONE: inside `buffer` */
    uint32_t buffer;
};

struct world {
    struct tg_recv_pool buffers;
    struct tg_message_pool messages;
    struct tg_frame_rules rules;
    struct tg_intake intake;
    void *pieces; /* of the intake */
    struct world_conn conns[WORLD_CONNS_MAX];
    uint32_t conn_count;
    uint32_t next; /* the connection that a wait begins with */
    struct world_lent lent[WORLD_LENT_MAX];
    uint32_t lent_count;
    bool keep;        /* the owner gives nothing back */
    bool runs_ahead;  /* the port takes input that is not wanted any more, as io_uring does */
    bool shares;      /* the port puts several inputs into a buffer, as all of them do */
    uint32_t current; /* that buffer, one reference held; or TG_INDEX_NONE */
    size_t fill;
    uint32_t turns;
    uint32_t stops; /* connections that were stopped */
};

extern struct world world;

/* A pool of pool_bytes for messages of at most message_bytes_max; that many receive buffers;
 * connections that all read, whose peers send messages of `size` bytes. */
void world_open(size_t pool_bytes, uint32_t message_bytes_max, uint32_t buffers, uint32_t conns,
                uint32_t size);

/* The peer sends that many bytes more of its stream. */
void world_send(uint32_t conn, uint64_t bytes);

/* The owner's turn: what was handed up is given back, those whose turn it is go on, and the port
 * waits once. Answers whether there was or will be anything to do: false if the owner would sleep
 * until a peer sends something. world_run: that many turns. world_wait: the wait alone; answers
 * whether something was received. */
bool world_turn(void);
void world_run(uint32_t turns);
bool world_wait(void);

/* The owner rests from reading a connection, as soon as its input is used up, and goes on. */
void world_resume(uint32_t index);

/* The connection ends; and its record is used for a new one. */
void world_leave(uint32_t index);
void world_join(uint32_t index, uint32_t size);

/* How many connections stand in that place. */
uint32_t world_count(enum tg_reader_place place);

/* The connection, by its reader. */
uint32_t world_index(const struct tg_reader *reader);

/* Everybody leaves, and nothing is missing afterwards. */
void world_close(void);

#endif
