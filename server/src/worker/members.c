/* SPDX-License-Identifier: MIT
 * Members: the lists of a worker's connections by room, and of a connection's rooms. Worker thread,
 * but where members.h says. */
#include "worker/members.h"

#include "base/assert.h"
#include "base/yield.h"

static void send_home(struct tg_worker *worker, uint32_t index)
{
    struct tg_member_link *link = &worker->shared->fanout.links[index];
    uint32_t head = atomic_load_explicit(&worker->fanout.home, memory_order_relaxed);
    do {
        link->home_next = head;
        tg_yield();
        /* release: pairs with the acquire in tg_members_take_home; makes the link, and what was
         * counted for the room, visible. One pusher, and a taker that takes all: no ABA problem. */
    } while (!atomic_compare_exchange_weak_explicit(&worker->fanout.home, &head, index + 1,
                                                    memory_order_release, memory_order_relaxed));
}

uint32_t tg_members_take_home(struct tg_fanout *fanout)
{
    if (atomic_load_explicit(&fanout->home, memory_order_relaxed) == 0) {
        return 0;
    }
    tg_yield();
    /* acquire: pairs with the release in send_home. */
    return atomic_exchange_explicit(&fanout->home, 0, memory_order_acquire);
}

static void join(struct tg_worker *worker, struct tg_slot *slot, uint32_t room, uint32_t index)
{
    struct tg_room_part *part = &worker->fanout.parts[room];
    struct tg_slot_rooms *own = tg_slot_rooms_of(worker, slot);
    if (!slot->in_rooms) {
        slot->in_rooms = true;
        tg_chain_init(&own->later);
    }
    struct tg_member_link *link = &worker->shared->fanout.links[index];
    *link = (struct tg_member_link){.room = room,
                                    .slot = tg_worker_slot_index(worker, slot),
                                    .room_next = part->first,
                                    .slot_next = own->first};
    if (part->first != 0) {
        tg_member_link_at(worker, part->first)->room_before = index + 1;
    }
    part->first = index + 1;
    part->members++;
    own->first = index + 1;
}

static void leave_room(struct tg_worker *worker, struct tg_member_link *link)
{
    struct tg_room_part *part = &worker->fanout.parts[link->room];
    struct tg_member_link *before = tg_member_link_at(worker, link->room_before);
    struct tg_member_link *next = tg_member_link_at(worker, link->room_next);
    *(before != NULL ? &before->room_next : &part->first) = link->room_next;
    if (next != NULL) {
        next->room_before = link->room_before;
    }
    TG_REQUIRE(part->members > 0);
    part->members--;
}

static void leave(struct tg_worker *worker, const struct tg_slot *slot, uint32_t index)
{
    struct tg_member_link *link = &worker->shared->fanout.links[index];
    uint32_t *place = &tg_slot_rooms_of(worker, slot)->first;
    while (*place != index + 1) {
        TG_REQUIRE(*place != 0); /* at most rooms_per_connection steps */
        place = &tg_member_link_at(worker, *place)->slot_next;
    }
    *place = link->slot_next;
    leave_room(worker, link);
    send_home(worker, index);
}

void tg_members_leave_all(struct tg_worker *worker, struct tg_slot *slot)
{
    struct tg_slot_rooms *own = tg_slot_rooms_of(worker, slot);
    while (own->first != 0) {
        uint32_t index = own->first - 1;
        struct tg_member_link *link = &worker->shared->fanout.links[index];
        own->first = link->slot_next;
        leave_room(worker, link);
        send_home(worker, index);
    }
}

void tg_members_take_command(struct tg_worker *worker, const struct tg_command *command)
{
    const uint32_t index = tg_conn_slot(command->conn);
    struct tg_slot *slot = tg_worker_slot(worker, index);
    const bool lives = tg_worker_owns(worker, index) && slot->id == command->conn &&
                       slot->state >= TG_SLOT_OPEN && slot->state <= TG_SLOT_LINGER;
    if ((command->flags & TG_COMMAND_LEAVE) != 0) {
        if (lives) { /* else it left with its connection */
            leave(worker, slot, command->member);
        }
    } else if (lives) {
        join(worker, slot, command->room, command->member);
    } else {
        send_home(worker, command->member);
    }
}
