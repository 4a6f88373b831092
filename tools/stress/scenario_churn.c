/* SPDX-License-Identifier: MIT
 * The scenario churn: each place lives again and again. Its hooks (scenario.h), on the swarm's
 * threads.
 *
 *   queued --its turn (rate: when it is due)--> connecting --> talking --last answer--> closing --> queued
 *
 * The first life of a place uses the connection that CONNECT has made. Sequences go on from life to
 * life, so an answer of an earlier one is found out. When the talk is over those under way go on to
 * their end. */
#include "scenario.h"

#include <stdlib.h>

/* Lives begun in one turn: the swarm gets to flush and to receive in between. */
#define TURN_LIVES 256u

/* After a connect that failed the thread begins no other for so long: a refusal comes at once. */
#define HOLD_NS UINT64_C(10000000)

struct churn_place {
    uint64_t since_ns; /* when this life was due to begin */
    uint32_t queued;   /* entry of the thread's ring, which is as long as it has places */
    uint32_t right;    /* answers of this life */
    bool alive;        /* from its beginning to its end */
};

struct churn {
    struct churn_place *places;
    uint32_t head;
    uint32_t count;
    uint64_t hold_until_ns;
    struct histogram first_reply;
};

static int create(struct load *load)
{
    size_t churns = THRONG_SWARM_THREADS_LIMIT * sizeof(struct churn);
    size_t places = load->options->connections * sizeof(struct churn_place);
    load->scenario_memory = calloc(1, churns + places);
    return load->scenario_memory != NULL ? 0 : THRONG_ENOMEM;
}

static void prepare(struct load_thread *own)
{
    struct churn *churns = own->load->scenario_memory;
    struct churn_place *places = (void *)(churns + THRONG_SWARM_THREADS_LIMIT);
    churns[own->index].places = places + (own->conns - own->load->conns);
    own->scenario_part = &churns[own->index];
}

static void push(struct load_thread *own, uint32_t place)
{
    struct churn *churn = own->scenario_part;
    uint32_t at = churn->head + churn->count++;
    churn->places[at < own->conn_count ? at : at - own->conn_count].queued = place;
}

static uint32_t pop(struct load_thread *own)
{
    struct churn *churn = own->scenario_part;
    uint32_t place = churn->places[churn->head].queued;
    churn->head = churn->head + 1 < own->conn_count ? churn->head + 1 : 0;
    churn->count--;
    return place;
}

static void begin_life(struct load_thread *own, uint32_t place, uint64_t since_ns)
{
    struct churn_place *churn_place = &((struct churn *)own->scenario_part)->places[place];
    struct load_conn *conn = &own->conns[place];
    churn_place->since_ns = since_ns;
    churn_place->right = 0;
    churn_place->alive = true;
    conn->limit = conn->stream.sent + own->load->options->messages;
    tally_add(&own->tally.lives, 1);
    tally_add(&own->tally.pending, 1);
    tally_add(&own->tally.talkers, 1);
    if (conn->state == LOAD_CONN_UP) {
        load_send_window(own, place);
        return;
    }
    conn->state = LOAD_CONN_NEW;
    /* It is down, so this cannot be refused; what comes of it on_up or on_down hear. */
    (void)throng_swarm_connect(own->swarm_thread, load_connection_of(own, place));
}

static void end_life(struct load_thread *own, uint32_t place, bool came_up, int error)
{
    struct churn_place *churn_place = &((struct churn *)own->scenario_part)->places[place];
    const struct load_conn *conn = &own->conns[place];
    bool closed = came_up && conn->state == LOAD_CONN_CLOSING;
    churn_place->alive = false;
    tally_add(&own->tally.pending, UINT64_MAX); /* one less */
    if (conn->stream.sent < conn->limit) {
        tally_add(&own->tally.talkers, UINT64_MAX);
    }
    if (closed && error != THRONG_ECANCELED) {
        tally_add(&own->tally.broken, 1); /* what was said did not reach the server in time */
    } else if (closed && churn_place->right == own->load->options->messages) {
        tally_add(&own->tally.verified, 1);
    }
}

static void on_up(struct load_thread *own, uint32_t place)
{
    const struct churn *churn = own->scenario_part;
    if (churn->places[place].alive) {
        load_send_window(own, place);
    }
}

static void on_down(struct load_thread *own, uint32_t place, bool came_up, int error)
{
    struct churn *churn = own->scenario_part;
    const struct verify_stream *stream = &own->conns[place].stream;
    if (churn->places[place].alive) {
        end_life(own, place, came_up, error);
    }
    if (came_up) {
        tally_add(&own->tally.abandoned, stream->sent - stream->next);
        /* The next life begins with what it sends itself. */
        own->conns[place].stream.next = stream->sent;
    } else {
        churn->hold_until_ns = own->now_ns + HOLD_NS;
    }
    if (own->phase == LOAD_TALK) {
        push(own, place);
    }
}

static void on_message(struct load_thread *own, uint32_t place, const void *data, size_t size)
{
    struct churn *churn = own->scenario_part;
    struct churn_place *churn_place = &churn->places[place];
    const struct load_conn *conn = &own->conns[place];
    if (load_echo(own, place, data, size)) {
        if (churn_place->right == 0) {
            uint64_t now_ns = load_now(own);
            bool after = now_ns > churn_place->since_ns;
            histogram_add(&churn->first_reply, after ? now_ns - churn_place->since_ns : 0);
        }
        churn_place->right++;
    }
    load_send_window(own, place);
    if (churn_place->alive && conn->stream.next == conn->limit) {
        load_close(own, place);
    }
}

/* Begins what is due. Answers when the next turn is wanted. */
static uint64_t begin_lives(struct load_thread *own)
{
    struct churn *churn = own->scenario_part;
    bool by_rate = own->load->options->rate > 0;
    if (own->now_ns < churn->hold_until_ns) {
        return churn->hold_until_ns;
    }
    for (uint32_t i = 0; i < TURN_LIVES; i++) {
        uint64_t due_ns = by_rate ? pace_due(&own->pace) : own->now_ns;
        if (churn->count == 0) {
            return UINT64_MAX; /* one that ends makes a turn */
        }
        if (due_ns > own->now_ns) {
            return due_ns;
        }
        own->pace.due_count++;
        if (own->now_ns - due_ns > LATE_NS) {
            tally_add(&own->tally.late, 1);
        }
        begin_life(own, pop(own), due_ns);
    }
    return own->now_ns;
}

static uint64_t on_turn(struct load_thread *own)
{
    uint64_t lives_ns = own->phase == LOAD_TALK ? begin_lives(own) : UINT64_MAX;
    uint64_t waiting_ns = load_send_waiting(own);
    return lives_ns < waiting_ns ? lives_ns : waiting_ns;
}

static void on_phase(struct load_thread *own, enum load_phase from, enum load_phase to)
{
    const struct load *load = own->load;
    if (to == LOAD_TALK) {
        double share = (double)own->conn_count / load->options->connections;
        own->pace = pace_start(tally_read(&load->talk_start_ns), load->options->rate, share,
                               own->index, own->thread_count);
        for (uint32_t place = 0; place < own->conn_count; place++) {
            own->conns[place].limit = 0;
            push(own, place);
        }
        tally_add(&own->tally.talkers, 1); /* the talk ends by its time, not for want of talkers */
    } else if (from == LOAD_TALK && load->options->rate > 0) {
        tally_set(&own->tally.unsent, pace_missed(&own->pace, own->now_ns));
    }
}

static void gather(const struct load *load, struct outcome *outcome)
{
    const struct churn *churns = load->scenario_memory;
    for (uint32_t i = 0; i < THRONG_SWARM_THREADS_LIMIT; i++) {
        if (load->threads[i].thread_count > 0) {
            histogram_merge(&outcome->first_reply, &churns[i].first_reply);
        }
    }
}

const struct scenario scenario_churn = {
    .create = create,
    .prepare = prepare,
    .on_up = on_up,
    .on_message = on_message,
    .on_down = on_down,
    .on_phase = on_phase,
    .on_turn = on_turn,
    .gather = gather,
};
