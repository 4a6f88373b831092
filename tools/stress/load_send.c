/* SPDX-License-Identifier: MIT
 * What goes out: as many messages on their way as the window says, or at the times that the rate
 * says. The swarm's threads. */
#include "load.h"

/* Sends of one turn: the swarm gets to flush and to receive in between. */
#define TURN_CONNECTIONS 1024u
#define TURN_MESSAGES 4096u

/* Refusals in a turn after which the thread's send memory is taken to be full. */
#define TURN_REFUSALS 16u

/* Connections that rate mode tries for one message. */
#define TRIES 64u

/* When to try again after a refusal; completions come earlier as a rule. */
#define RETRY_NS 1000000u

static bool may_send(const struct load_thread *thread, const struct load_conn *conn)
{
    const struct load *load = thread->load;
    return conn->state == LOAD_CONN_UP && conn->stream.sent < conn->limit &&
           conn->stream.sent - conn->stream.next < load->in_flight_max;
}

/* Sends the next message of a connection. `time_ns` is what its latency counts from. */
static int send_message(struct load_thread *thread, uint32_t place, uint64_t time_ns)
{
    const struct load *load = thread->load;
    struct load_conn *conn = &thread->conns[place];
    uint32_t connection = load_connection_of(thread, place);
    uint64_t sequence = conn->stream.sent;
    size_t size = payload_fill(&load->kind, connection, sequence, thread->scratch);
    int result = throng_swarm_write(thread->swarm_thread, connection, thread->scratch, size);
    if (result < 0) {
        return result;
    }
    uint64_t *times = thread->times + (size_t)place * load->ring_size;
    times[sequence & (load->ring_size - 1)] = time_ns;
    conn->stream.sent++;
    tally_add(&thread->tally.sent, 1);
    tally_add(&thread->tally.expected, 1);
    if (conn->stream.sent == conn->limit) {
        tally_add(&thread->tally.talkers, UINT64_MAX); /* one less */
    }
    return 0;
}

/* ---- window ---- */

static void push_waiting(struct load_thread *thread, uint32_t place)
{
    uint32_t at = thread->waiting_head + thread->waiting_count;
    thread->waiting[at < thread->conn_count ? at : at - thread->conn_count] = place;
    thread->waiting_count++;
    thread->conns[place].waiting = true;
}

static uint32_t pop_waiting(struct load_thread *thread)
{
    uint32_t place = thread->waiting[thread->waiting_head];
    thread->waiting_head = thread->waiting_head + 1 < thread->conn_count ? thread->waiting_head + 1
                                                                         : 0;
    thread->waiting_count--;
    thread->conns[place].waiting = false;
    return place;
}

void load_send_window(struct load_thread *thread, uint32_t place)
{
    struct load_conn *conn = &thread->conns[place];
    while (!conn->waiting && may_send(thread, conn)) {
        int result = send_message(thread, place, load_now(thread));
        if (result == THRONG_EAGAIN) {
            push_waiting(thread, place);
        } else if (result < 0) {
            return; /* it is about to end; on_closed will tell */
        }
    }
}

uint64_t load_send_waiting(struct load_thread *thread)
{
    uint32_t refusals = 0;
    uint32_t tries = thread->waiting_count < TURN_CONNECTIONS ? thread->waiting_count
                                                              : TURN_CONNECTIONS;
    for (; tries > 0 && refusals < TURN_REFUSALS; tries--) {
        uint32_t place = pop_waiting(thread);
        load_send_window(thread, place);
        refusals += thread->conns[place].waiting;
    }
    if (thread->waiting_count == 0) {
        return UINT64_MAX;
    }
    return refusals > 0 ? thread->now_ns + RETRY_NS : thread->now_ns;
}

/* ---- rate ---- */

/* Sends one message on the next connection that takes it. False if none of many does. */
static bool send_on_next(struct load_thread *thread, uint64_t due_ns)
{
    uint32_t tries = thread->active_count < TRIES ? thread->active_count : TRIES;
    for (; tries > 0; tries--) {
        uint32_t place = thread->cursor;
        uint64_t next = (uint64_t)place + thread->stride;
        thread->cursor =
            (uint32_t)(next < thread->active_count ? next : next - thread->active_count);
        if (may_send(thread, &thread->conns[place]) && send_message(thread, place, due_ns) == 0) {
            return true;
        }
    }
    return false;
}

/* What cannot be sent when it is due stays due: nothing is skipped, and its latency counts from the
 * intended time. */
static uint64_t send_due(struct load_thread *thread)
{
    if (tally_read(&thread->tally.talkers) == 0) {
        return UINT64_MAX;
    }
    for (uint32_t i = 0; i < TURN_MESSAGES; i++) {
        uint64_t due_ns = pace_due(&thread->pace);
        if (due_ns > thread->now_ns) {
            return due_ns;
        }
        if (!send_on_next(thread, due_ns)) {
            return thread->now_ns + RETRY_NS;
        }
        thread->pace.due_count++;
        if (thread->now_ns - due_ns > LATE_NS) {
            tally_add(&thread->tally.late, 1);
        }
    }
    return thread->now_ns;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* How far apart the connections are that follow each other. idle sends too little to reach all, so
 * it takes its samples everywhere: steps of 0.618, the golden section, spread them evenly. Each is
 * reached in the end, for the step and the count have no common divisor. */
static uint32_t stride_of(const struct load_thread *thread)
{
    uint32_t count = thread->active_count;
    if (thread->load->options->scenario != SCENARIO_IDLE || count < 3) {
        return count > 0 ? 1 : 0;
    }
    uint32_t stride = (uint32_t)((double)count * 0.618);
    while (common_divisor(count, stride) != 1) {
        stride++; /* ends at count - 1 at the latest */
    }
    return stride;
}

static void start_rate(struct load_thread *thread)
{
    const struct load *load = thread->load;
    thread->stride = stride_of(thread);
    double share = (double)thread->active_count / load->options->active;
    thread->pace = pace_start(tally_read(&load->talk_start_ns), load->options->rate, share,
                              thread->index, thread->thread_count);
}

/* ---- both ---- */

void load_send_start(struct load_thread *thread)
{
    bool by_rate = thread->load->options->rate > 0;
    uint64_t talkers = 0;
    for (uint32_t place = 0; place < thread->active_count; place++) {
        thread->conns[place].limit = thread->load->messages_max;
        if (thread->conns[place].state == LOAD_CONN_UP) {
            talkers++;
            if (!by_rate) {
                push_waiting(thread, place);
            }
        }
    }
    tally_set(&thread->tally.talkers, talkers);
    if (by_rate) {
        start_rate(thread);
    }
}

uint64_t load_send_turn(struct load_thread *thread)
{
    return thread->load->options->rate > 0 ? send_due(thread) : load_send_waiting(thread);
}

void load_send_end(struct load_thread *thread)
{
    if (thread->load->options->rate == 0 || tally_read(&thread->tally.talkers) == 0) {
        return;
    }
    tally_set(&thread->tally.unsent, pace_missed(&thread->pace, thread->now_ns));
}
