/* SPDX-License-Identifier: MIT
 * Accepting in the simulated port. */
#include "port/sim.h"
#include "sim/world.h"

static struct tg_sim_listener *record_of(struct tg_port *port, const struct tg_listener *listener)
{
    struct tg_sim_listener *record = &tg_sim_port_of(port)->listeners[listener->flags];
    TG_SIM_RULE(listener->flags < TG_SIM_LISTENERS && record->listener == listener,
                "a listener is used that is not in this port");
    TG_SIM_RULE(!record->closing, "a listener is used after its close");
    return record;
}

int tg_sim_listen(struct tg_port *port, struct tg_listener *listener, tg_socket sock)
{
    struct tg_sim_port *self = tg_sim_port_of(port);
    for (uint32_t i = 0; i < TG_SIM_LISTENERS; i++) {
        struct tg_sim_listener *record = &self->listeners[i];
        if (record->listener == NULL) {
            *record = (struct tg_sim_listener){.listener = listener, .sock = (uint32_t)sock};
            tg_sim_init_source(&record->source, self, true);
            listener->handle = sock;
            listener->flags = i;
            listener->credit = 0;
            tg_net_watch((uint32_t)sock, &record->source.watcher);
            return 0;
        }
    }
    return THRONG_ENOMEM;
}

void tg_sim_accept(struct tg_port *port, struct tg_listener *listener, uint32_t credit)
{
    struct tg_sim_listener *record = record_of(port, listener);
    listener->credit = credit;
    if (credit > 0) {
        tg_sim_mark(&record->source);
    }
}

void tg_sim_close_listener(struct tg_port *port, struct tg_listener *listener)
{
    struct tg_sim_listener *record = record_of(port, listener);
    record->closing = true;
    tg_sim_mark(&record->source);
}

static void complete(struct tg_sim_listener *record, struct tg_batch *batch,
                     enum tg_completion_kind kind, int32_t result, tg_handle accepted)
{
    struct tg_completion *completion = tg_batch_add(batch, kind, result);
    completion->listener = record->listener;
    completion->accepted = accepted;
    tg_sim_complete(record->source.port, batch, kind, result, NULL);
}

/* Whether the connection is to be skipped: it died before it was accepted. */
static bool died_early(struct tg_sim_port *port, uint32_t sock)
{
    if (tg_sim_strikes(TG_SIM_FAULT_accept_dead)) {
        tg_net_break(sock, THRONG_ECONNRESET);
    }
    if (tg_net_error(sock) == 0 || tg_sim_below(2) == 0) {
        return false; /* some systems hand over dead ones, too */
    }
    tg_net_close_socket(sock, false);
    tg_count_one(&port->port.counters.accepts_dead);
    return true;
}

static void fail_accepting(struct tg_sim_listener *record, struct tg_batch *batch)
{
    static const int errors[] = {THRONG_EMFILE, THRONG_ENOBUFS, THRONG_ENOMEM};
    record->listener->credit = 0;
    tg_count_one(&record->source.port->port.counters.accept_pauses);
    complete(record, batch, TG_COMPLETION_ACCEPT, errors[tg_sim_below(3)], TG_HANDLE_NONE);
}

bool tg_sim_listener_work(struct tg_sim_listener *record, struct tg_batch *batch)
{
    struct tg_sim_port *port = record->source.port;
    if (record->closing) {
        complete(record, batch, TG_COMPLETION_LISTENER_CLOSE, 0, TG_HANDLE_NONE);
        tg_net_close_socket(record->sock, false);
        tg_sim_forget(&record->source);
        record->listener = NULL;
        return false;
    }
    while (record->listener->credit > 0 && tg_net_waiting(record->sock) > 0) {
        if (tg_batch_is_full(batch)) {
            return true;
        }
        if (tg_sim_strikes(TG_SIM_FAULT_accept_error)) {
            fail_accepting(record, batch);
            return false;
        }
        uint32_t sock = (uint32_t)tg_net_accept(record->sock);
        if (!died_early(port, sock)) {
            record->listener->credit--;
            port->accepted_out++;
            complete(record, batch, TG_COMPLETION_ACCEPT, 0, (tg_handle)sock);
        }
    }
    return false;
}
