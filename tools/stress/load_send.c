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
    return conn->state == LOAD_CONN_UP && conn->stream.sent < load->messages_max &&
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
    if (conn->stream.sent == load->messages_max) {
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

static uint64_t send_waiting(struct load_thread *thread)
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

static uint64_t due_time(const struct load_thread *thread)
{
    return thread->first_due_ns + (uint64_t)((double)thread->due_count * thread->interval_ns);
}

/* Sends one message on the next connection that takes it. False if none of many does. */
static bool send_on_next(struct load_thread *thread, uint64_t due_ns)
{
    uint32_t tries = thread->active_count < TRIES ? thread->active_count : TRIES;
    for (; tries > 0; tries--) {
        uint32_t place = thread->cursor;
        thread->cursor = place + 1 < thread->active_count ? place + 1 : 0;
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
        uint64_t due_ns = due_time(thread);
        if (due_ns > thread->now_ns) {
            return due_ns;
        }
        if (!send_on_next(thread, due_ns)) {
            return thread->now_ns + RETRY_NS;
        }
        thread->due_count++;
        if (thread->now_ns - due_ns > LATE_NS) {
            tally_add(&thread->tally.late, 1);
        }
    }
    return thread->now_ns;
}

static void start_rate(struct load_thread *thread)
{
    const struct load *load = thread->load;
    double share = (double)thread->active_count / load->options->active;
    thread->interval_ns = thread->active_count == 0 ? 1e18 : 1e9 / (load->options->rate * share);
    /* The threads take turns instead of sending all at once. */
    double offset =
        thread->active_count == 0 ? 0 : thread->interval_ns * thread->index / thread->thread_count;
    thread->first_due_ns = tally_read(&load->talk_start_ns) + (uint64_t)offset;
    thread->due_count = 0;
}

/* ---- both ---- */

void load_send_start(struct load_thread *thread)
{
    bool by_rate = thread->load->options->rate > 0;
    uint64_t talkers = 0;
    for (uint32_t place = 0; place < thread->active_count; place++) {
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
    return thread->load->options->rate > 0 ? send_due(thread) : send_waiting(thread);
}

void load_send_end(struct load_thread *thread)
{
    if (thread->load->options->rate == 0 || tally_read(&thread->tally.talkers) == 0) {
        return;
    }
    uint64_t unsent = 0;
    if (thread->now_ns > thread->first_due_ns) {
        double due = (double)(thread->now_ns - thread->first_due_ns) / thread->interval_ns;
        unsent = (uint64_t)due > thread->due_count ? (uint64_t)due - thread->due_count : 0;
    }
    tally_set(&thread->tally.unsent, unsent);
}
