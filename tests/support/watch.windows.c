/* SPDX-License-Identifier: MIT
 * The watch with WSAPoll: a table without gaps, and a datagram socket that sends to itself as
 * waker. */
#include "watch.h"

#include <stdlib.h>

#include "sockets.windows.h"

struct watch {
    SOCKET waker; /* entries[0] */
    uint32_t capacity;
    ULONG count;        /* of entries that are used */
    WSAPOLLFD *entries; /* without gaps */
    uint32_t *places;   /* of each entry */
    uint32_t *indexes;  /* the entry of each place */
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static SOCKET open_waker(void)
{
    const struct throng_address loopback = {.family = THRONG_ADDRESS_IPV4, .bytes = {127, 0, 0, 1}};
    struct sockaddr_storage name;
    int length = sockets_encode(&loopback, &name);
    u_long nonblocking = 1;
    SOCKET sock = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    require(sock != INVALID_SOCKET);
    require(bind(sock, (const struct sockaddr *)&name, length) == 0);
    require(getsockname(sock, (struct sockaddr *)&name, &length) == 0);
    require(connect(sock, (const struct sockaddr *)&name, length) == 0);
    require(ioctlsocket(sock, (long)FIONBIO, &nonblocking) == 0);
    return sock;
}

struct watch *watch_open(uint32_t capacity)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    sockets_begin();
    require(watch != NULL);
    watch->capacity = capacity;
    watch->entries = calloc(capacity + 1, sizeof(*watch->entries));
    watch->places = calloc(capacity + 1, sizeof(*watch->places));
    watch->indexes = calloc(capacity + 1, sizeof(*watch->indexes));
    require(watch->entries != NULL && watch->places != NULL && watch->indexes != NULL);
    watch->waker = open_waker();
    watch_add(watch, capacity, (intptr_t)watch->waker, true, false);
    return watch;
}

void watch_close(struct watch *watch)
{
    (void)closesocket(watch->waker);
    free(watch->entries);
    free(watch->places);
    free(watch->indexes);
    free(watch);
}

static SHORT events_for(bool input, bool room)
{
    return (SHORT)((input ? POLLRDNORM : 0) | (room ? POLLWRNORM : 0));
}

void watch_add(struct watch *watch, uint32_t place, intptr_t sock, bool input, bool room)
{
    ULONG index = watch->count++;
    watch->entries[index] = (WSAPOLLFD){.fd = (SOCKET)sock, .events = events_for(input, room)};
    watch->places[index] = place;
    watch->indexes[place] = index;
}

void watch_change(struct watch *watch, uint32_t place, bool input, bool room)
{
    watch->entries[watch->indexes[place]].events = events_for(input, room);
}

void watch_remove(struct watch *watch, uint32_t place)
{
    uint32_t index = watch->indexes[place];
    ULONG last = --watch->count;
    watch->entries[index] = watch->entries[last];
    watch->places[index] = watch->places[last];
    watch->indexes[watch->places[index]] = index;
}

/* An end is reported, as POLLHUP, also if nothing is asked for, and again in each wait: then the
 * system is asked anew in a millisecond, so that it does not take the processor. */
static bool note_event(const WSAPOLLFD *entry, struct watch_event *event)
{
    bool input = (entry->events & POLLRDNORM) != 0;
    event->input = input && (entry->revents & (POLLRDNORM | POLLHUP)) != 0;
    event->room = (entry->revents & POLLWRNORM) != 0;
    event->broken = (entry->revents & (POLLERR | POLLNVAL)) != 0;
    return event->input || event->room || event->broken;
}

static size_t take_events(struct watch *watch, struct watch_event *events, size_t capacity)
{
    size_t count = 0;
    for (ULONG i = 1; i < watch->count && count < capacity; i++) {
        events[count].place = watch->places[i];
        count += note_event(&watch->entries[i], &events[count]) ? 1 : 0;
    }
    return count;
}

size_t watch_wait(struct watch *watch, struct watch_event *events, size_t capacity)
{
    for (;;) {
        int found = WSAPoll(watch->entries, watch->count, -1);
        require(found > 0);
        if (watch->entries[0].revents != 0) {
            char wake;
            (void)recv(watch->waker, &wake, 1, 0);
            return 0;
        }
        size_t count = take_events(watch, events, capacity);
        if (count > 0) {
            return count;
        }
        Sleep(1);
    }
}

void watch_wake(struct watch *watch)
{
    require(send(watch->waker, "w", 1, 0) == 1);
}
