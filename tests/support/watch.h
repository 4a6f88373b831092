/* SPDX-License-Identifier: MIT
 * Says which of many sockets can be received from or sent to, as long as they can: the plain echo
 * server's eyes. Ends the process if the system has nothing left for it. All calls on one thread
 * but watch_wake. */
#ifndef TEST_SUPPORT_WATCH_H
#define TEST_SUPPORT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The place of a socket in the watch: the caller chooses it, below the watch's capacity. */
struct watch_event {
    uint32_t place;
    bool input;  /* something to receive, or an end; also for a listener */
    bool room;   /* something can be sent */
    bool broken; /* reset, or failed otherwise; said whatever is asked for */
};

struct watch;

struct watch *watch_open(uint32_t capacity);
void watch_close(struct watch *watch);

/* Watches `sock` from now on; or something else about it. */
void watch_add(struct watch *watch, uint32_t place, intptr_t sock, bool input, bool room);
void watch_change(struct watch *watch, uint32_t place, bool input, bool room);

/* To be called before the socket is closed. */
void watch_remove(struct watch *watch, uint32_t place);

/* Waits for events: up to `capacity` of them; 0 after watch_wake. */
size_t watch_wait(struct watch *watch, struct watch_event *events, size_t capacity);

/* Ends the wait, or the next one. Any thread. */
void watch_wake(struct watch *watch);

#endif
