/* SPDX-License-Identifier: MIT
 * The connection to the server, kept up: connects, says hello, asks, and connects again when it is
 * lost. Nothing here waits; time and chance are arguments. Main thread. */
#ifndef CHAT_SESSION_H
#define CHAT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "request.h"

struct session;

/* What happens to the connection. */
enum session_change {
    SESSION_CONNECTING, /* `text` is the address */
    SESSION_READY,      /* hello was answered: ask for rooms */
    SESSION_WAITING,    /* lost, or never there: `text` says why and when the next try is */
    SESSION_RENAMED,    /* the name is taken: `text` is the one that is tried now */
    SESSION_ENDED,      /* the server does not want us: `text` says why; no further try */
};

struct session_options {
    const char *endpoint;                   /* for people */
    const struct throng_address *addresses; /* tried in turn; kept by pointer */
    size_t address_count;
    const char *name; /* copied */
    event_sink *take; /* what the server said */
    void (*change)(void *context, enum session_change change, const char *text);
    void *context; /* of both */
    uint64_t (*random)(void);
};

/* Reserves everything; NULL, with the reason in *error. */
struct session *session_create(const struct session_options *options, struct throng_error *error);
void session_destroy(struct session *session);

/* Moves everything that can move now. */
void session_update(struct session *session, uint64_t now_ms);

/* For the wait: milliseconds until session_update has something to do at the latest, and the
 * descriptor (-1: none) with what to wait for. */
int session_wait_ms(const struct session *session, uint64_t now_ms);
intptr_t session_descriptor(const struct session *session, bool *read, bool *write);

bool session_is_ready(const struct session *session);

/* Requests that the server has not answered yet. */
uint32_t session_outstanding(const struct session *session);

/* The name that the next hello says: it changed (NAME). */
void session_set_name(struct session *session, const char *name);

/* Sends a request. 0; THRONG_EINVAL: not ready; THRONG_EAGAIN: too many are not answered yet;
 * THRONG_ETOOBIG. */
int session_ask(struct session *session, uint32_t type, const struct ask *ask);

#endif
