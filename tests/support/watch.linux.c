/* SPDX-License-Identifier: MIT
 * The watch with epoll, level-triggered. */
#include "watch.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH 64

struct watch {
    int epoll;
    int waker;         /* an eventfd, at place `capacity` */
    uint32_t capacity; /* of socks */
    int socks[];       /* by place */
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void tell_epoll(const struct watch *watch, int operation, int sock, uint32_t place,
                       uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = place};
    require(epoll_ctl(watch->epoll, operation, sock, &event) == 0);
}

struct watch *watch_open(uint32_t capacity)
{
    struct watch *watch = calloc(1, sizeof(*watch) + capacity * sizeof(watch->socks[0]));
    require(watch != NULL);
    watch->capacity = capacity;
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    require(watch->epoll >= 0 && watch->waker >= 0);
    tell_epoll(watch, EPOLL_CTL_ADD, watch->waker, capacity, EPOLLIN);
    return watch;
}

void watch_close(struct watch *watch)
{
    (void)close(watch->waker);
    (void)close(watch->epoll);
    free(watch);
}

/* A reset is reported also if nothing is asked for. */
static uint32_t events_for(bool input, bool room)
{
    return (input ? (uint32_t)EPOLLIN : 0) | (room ? (uint32_t)EPOLLOUT : 0);
}

void watch_add(struct watch *watch, uint32_t place, intptr_t sock, bool input, bool room)
{
    watch->socks[place] = (int)sock;
    tell_epoll(watch, EPOLL_CTL_ADD, (int)sock, place, events_for(input, room));
}

void watch_change(struct watch *watch, uint32_t place, bool input, bool room)
{
    tell_epoll(watch, EPOLL_CTL_MOD, watch->socks[place], place, events_for(input, room));
}

void watch_remove(struct watch *watch, uint32_t place)
{
    tell_epoll(watch, EPOLL_CTL_DEL, watch->socks[place], place, 0);
}

size_t watch_wait(struct watch *watch, struct watch_event *events, size_t capacity)
{
    struct epoll_event ready[BATCH];
    uint64_t wakes;
    size_t count = 0;
    int found = epoll_wait(watch->epoll, ready, capacity < BATCH ? (int)capacity : BATCH, -1);
    for (int i = 0; i < found; i++) {
        uint32_t place = ready[i].data.u32;
        if (place == watch->capacity) {
            require(read(watch->waker, &wakes, sizeof(wakes)) == sizeof(wakes));
            return 0; /* what was found besides is found again */
        }
        events[count++] =
            (struct watch_event){.place = place,
                                 .input = (ready[i].events & EPOLLIN) != 0,
                                 .room = (ready[i].events & EPOLLOUT) != 0,
                                 .broken = (ready[i].events & (EPOLLERR | EPOLLHUP)) != 0};
    }
    return count;
}

void watch_wake(struct watch *watch)
{
    const uint64_t one = 1;
    require(write(watch->waker, &one, sizeof(one)) == sizeof(one));
}
