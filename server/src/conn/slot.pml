/* SPDX-License-Identifier: MIT
 * A slot's lives (slot.h) between two workers and the logic thread, as a Promela model; tools/models
 * runs it. Two scenes:
 *
 *   SCENE_LIFE    one slot, LIVES connections one after the other in it, accepted by either worker. The
 *                 game calls with any id that it has ever seen, holds messages beyond CLOSED, and the
 *                 command rings have room for one. Functions: on_accept.c, on_close.c, commands.c,
 *                 api_event.c, api_write.c.
 *   SCENE_ARENA   the free list (arena.c) step by step: two slots, two workers.
 *
 * A command carries, unlike the real one, the id that the game named: `origin`. Assertions say: a
 * connection feels only calls with its own id; each id is OPEN MESSAGE* CLOSED, once; a slot goes back
 * when the port is done, CLOSED was released and no message is held; and (unless EFFECTS_ONLY) a
 * command never even meets another connection in its slot. That makes two lines of defence: the order
 * of the rings, and the second look at the id. "layer" lines leave one of them out.
 *
 *   run life/safety    -DSCENE_LIFE -DLIVES=4
 *   run life/effects   -DSCENE_LIFE -DLIVES=4 -DEFFECTS_ONLY
 *   run life/comes_home -DSCENE_LIFE -DLIVES=3 ltl
 *   run arena/safety   -DSCENE_ARENA
 *
 *   layer life/effects BUG_COMMANDS_BEFORE_RELEASES  the second look at the id still refuses
 *   layer life/effects BUG_NO_WORKER_CHECK           the order of the rings still keeps them apart
 *
 *   bug life/effects  BUG_COMMANDS_BEFORE_RELEASES+BUG_NO_WORKER_CHECK assertion  both are left out
 *   bug life/safety   BUG_COMMANDS_BEFORE_RELEASES assertion  the worker looks at commands first
 *   bug life/safety   BUG_FREE_BEFORE_COMMANDS     assertion  frees as soon as the release is seen
 *   bug life/safety   BUG_NO_API_CHECK             assertion  takes the seat for whoever sits there
 *   bug life/safety   BUG_FLUSH_TO_GONE            assertion  flushes to a seat whose CLOSED was taken
 *   bug life/safety   BUG_SEAT_KEPT                assertion  CLOSED released, the seat still taken
 *   bug life/safety   BUG_SAME_GENERATION          assertion  an id is given twice
 *   bug life/safety   BUG_FREE_WHILE_HELD          assertion  back although messages are held
 *   bug life/safety   BUG_FREE_UNRELEASED          assertion  back although CLOSED is out
 *   bug life/safety   BUG_FREE_IN_FLIGHT           assertion  CLOSED before the port's CLOSE completion
 *   bug life/safety   BUG_LATE_RELEASE_IGNORED     deadlock   a message released behind CLOSED frees nothing
 *   bug life/comes_home BUG_LATE_RELEASE_IGNORED   cycle      the same by way of progress
 *   bug arena/safety  BUG_NO_CHANGE_COUNT          assertion  compares the top alone (ABA)
 *   bug arena/safety  BUG_STORE_FOR_EXCHANGE       assertion  gives back with a store
 *   bug arena/safety  BUG_FRESH_WITHOUT_EXCHANGE   assertion  counts fresh slots with load and store
 */

#ifdef SCENE_LIFE

#define FREE 0
#define OPEN 1
#define CLOSING 2
#define CLOSED 3
#define MESSAGE 4

#define CALLS 4 /* that the game makes in all */

/* The slot, and whose it is: 0 nobody's, in the arena. */
byte owner, id, state, held;
bool closed_released, touched, in_flight;
byte next_generation = 1, lives;

chan events[3] = [4] of { byte, byte };   /* type, id; [worker] */
chan releases[3] = [4] of { byte };       /* type; one slot */
chan commands[3] = [1] of { byte, byte }; /* conn, origin */

/* The logic thread's seat, and what the game has seen: 0, OPEN, CLOSED for each id. */
byte seat_id, seat_worker;
byte seen[LIVES + 2];

/* ---- a worker ---- */

inline free_slot() /* tg_worker_free_slot */
{
    assert(state == CLOSED && held == 0 && closed_released && !in_flight);
    owner = 0;
    id = 0;
    state = FREE;
    closed_released = false;
    touched = false
}

inline visit_touched() /* tg_worker_visit_touched */
{
    if
    :: owner == me && touched ->
        touched = false;
        if
#if defined(BUG_FREE_WHILE_HELD)
        :: state == CLOSED && closed_released -> free_slot()
#elif defined(BUG_FREE_UNRELEASED)
        :: state == CLOSED && held == 0 -> free_slot()
#else
        :: state == CLOSED && closed_released && held == 0 -> free_slot()
#endif
        :: else
        fi
    :: else
    fi
}

inline take_releases() /* tg_worker_take_releases */
{
    count = len(releases[me]);
    do
    :: count > 0 ->
        releases[me]?entry;
        assert(owner == me);
        if
        :: entry == CLOSED -> closed_released = true; touched = true
        :: entry == MESSAGE ->
            assert(held > 0);
            held--;
#ifdef BUG_LATE_RELEASE_IGNORED
            touched = touched || state == CLOSING
#else
            touched = touched || state != OPEN
#endif
        fi;
        entry = 0;
        count--
    :: else -> break
    od
}

inline take_commands() /* tg_worker_take_commands */
{
    count = len(commands[me]);
    do
    :: count > 0 ->
        commands[me]?entry, origin;
#ifndef EFFECTS_ONLY
        assert(owner == me && id == entry);
#endif
        if
#ifdef BUG_NO_WORKER_CHECK
        :: owner != me /* drop_command */
        :: owner == me ->
#else
        :: owner != me || id != entry /* drop_command */
        :: owner == me && id == entry ->
#endif
            assert(id == origin); /* a connection feels only what was meant for it */
            if
            :: state == OPEN -> state = CLOSING /* a close, or a write that fails */
            :: skip
            fi
        fi;
        entry = 0;
        origin = 0;
        count--
    :: else -> break
    od
}

inline dispatch()
{
    if
    :: state == FREE && owner == 0 && lives < LIVES -> /* open_connection */
        owner = me;
        id = next_generation;
        state = OPEN;
        in_flight = true;
        lives++;
#ifdef BUG_SAME_GENERATION
        if
        :: lives > 1
        :: else -> next_generation++
        fi;
        id = next_generation - 1;
#else
        next_generation++;
#endif
        events[me]!OPEN, id
    :: owner == me && state == OPEN && held < 2 -> held++; events[me]!MESSAGE, id
    :: owner == me && state == OPEN -> state = CLOSING /* the peer ends */
#ifdef BUG_FREE_IN_FLIGHT
    :: owner == me && state == CLOSING -> state = CLOSED; events[me]!CLOSED, id
    :: owner == me && in_flight && state != OPEN -> in_flight = false
#else
    :: owner == me && state == CLOSING -> /* tg_worker_on_close */
        state = CLOSED;
        in_flight = false;
        events[me]!CLOSED, id;
#ifdef BUG_FREE_UNRELEASED
        touched = true
#endif
#endif
    fi
}

#define CAN_DISPATCH                                                                               \
    (state == FREE && owner == 0 && lives < LIVES ||                                               \
     owner == me && (state == OPEN || state == CLOSING || in_flight && state != OPEN))

proctype worker(byte me)
{
    byte count, entry, origin;
    do
    :: nempty(releases[me]) || nempty(commands[me]) || owner == me && touched -> /* tg_worker_turn */
#ifdef BUG_COMMANDS_BEFORE_RELEASES
        atomic { take_commands() };
        atomic { take_releases(); visit_touched() }
#else
        atomic {
            take_releases();
#ifdef BUG_FREE_BEFORE_COMMANDS
            visit_touched()
#endif
        };
        atomic { take_commands(); visit_touched() }
#endif
    :: atomic { CAN_DISPATCH -> dispatch() }
    :: lives == LIVES && state == FREE && empty(releases[me]) && empty(commands[me]) -> break
    od
}

/* ---- the logic thread ---- */

/* A call of the game for `named`: throng_write_data, throng_close. */
inline call()
{
#ifdef BUG_NO_API_CHECK
    if
    :: seat_id == 0 || gone
    :: else ->
#else
    if
    :: seat_id != named || gone /* check_seat: stale */
    :: seat_id == named && !gone ->
#endif
        pending = true;
        dirty = true; /* mark_dirty */
        if
        :: pending_origin == 0 || named != seat_id -> pending_origin = named
        :: else
        fi
    fi
}

inline drop_pending()
{
    pending = false;
    pending_origin = 0
}

inline flush_seats() /* flush_seat; `held_back`: the command ring was full */
{
    if
    :: dirty ->
        dirty = false;
        if
#ifndef BUG_FLUSH_TO_GONE
        :: seat_id == 0 || gone -> drop_pending()
        :: !(seat_id == 0 || gone) && nfull(commands[seat_worker]) ->
#else
        :: nfull(commands[seat_worker]) ->
#endif
            commands[seat_worker]!seat_id, pending_origin;
            drop_pending()
#ifndef BUG_FLUSH_TO_GONE
        :: !(seat_id == 0 || gone) && full(commands[seat_worker]) ->
#else
        :: full(commands[seat_worker]) ->
#endif
            held_back = true;
            dirty = true
        fi
    :: else
    fi
}

inline publish_releases()
{
    do
    :: released_messages > 0 -> released_messages--; releases[release_worker]!MESSAGE
    :: released_closed -> released_closed = false; releases[release_worker]!CLOSED
    :: released_messages == 0 && !released_closed -> break
    od
}

inline take_event(from) /* deliver */
{
    events[from]?type, named;
    if
    :: type == OPEN ->
        assert(seen[named] == 0);
        assert(seat_id == 0 && !dirty); /* take_seat */
        seen[named] = OPEN;
        seat_id = named;
        seat_worker = from;
        gone = false
    :: type == MESSAGE ->
        assert(seen[named] == OPEN && seat_id == named && !gone);
        held_by_game++;
        release_worker = from
    :: type == CLOSED ->
        assert(seen[named] == OPEN && seat_id == named && !gone);
        seen[named] = CLOSED;
        gone = true;
        release_worker = from
    fi;
    type = 0;
    named = 0
}

active proctype logic()
{
    byte named, type, calls, pending_origin, held_by_game, released_messages, release_worker;
    bool gone, pending, dirty, held_back, released_closed;
end:
    do
    :: atomic { nempty(events[1]) -> take_event(1) }
    :: atomic { nempty(events[2]) -> take_event(2) }
    :: atomic { held_by_game > 0 -> held_by_game--; released_messages++ } /* throng_release_event */
    :: atomic {
        gone && seat_id != 0 -> released_closed = true; /* leave_seat */
#ifndef BUG_SEAT_KEPT
        seat_id = 0;
#endif
        gone = false;
        drop_pending()
    }
    :: atomic {
        calls < CALLS && lives > 0 -> calls++;
        if /* an id that the game has heard of, dead or alive */
        :: seen[1] != 0 -> named = 1
        :: seen[2] != 0 -> named = 2
        :: LIVES > 2 && seen[3] != 0 -> named = 3
        :: LIVES > 3 && seen[LIVES] != 0 -> named = LIVES
        :: else -> skip
        fi;
        if
        :: named != 0 -> call()
        :: else
        fi;
        named = 0
    }
    :: dirty || released_messages > 0 || released_closed -> /* tg_server_flush */
        atomic { held_back = false; flush_seats() };
        if
        :: held_back -> held_back = false; nfull(commands[seat_worker]) /* sleeps for room */
        :: else -> atomic { publish_releases() }
        fi
    od
}

init
{
    atomic {
        run worker(1);
        run worker(2)
    }
}

/* A dead connection's slot is free again in the end. */
ltl comes_home { [] (state == CLOSED -> <> (state == FREE)) }

#endif

#ifdef SCENE_ARENA

#define SLOTS 2
#define ROUNDS 4

byte top, changes; /* one word of 64 bits: slot + 1, and the count of changes */
byte next[SLOTS];
byte fresh;
bool taken[SLOTS];
byte ended;

#ifdef BUG_NO_CHANGE_COUNT
#define UNCHANGED (top == seen_top)
#else
#define UNCHANGED (top == seen_top && changes == seen_changes)
#endif

inline load_top()
{
    d_step { seen_top = top; seen_changes = changes }
}

inline own(which)
{
    assert(which < SLOTS && !taken[which]);
    taken[which] = true;
    mine[which] = true
}

inline take_fresh()
{
    seen_fresh = fresh;
    do
    :: seen_fresh < SLOTS ->
#ifdef BUG_FRESH_WITHOUT_EXCHANGE
        fresh = seen_fresh + 1;
        atomic { own(seen_fresh); break }
#else
        atomic {
            if
            :: fresh == seen_fresh -> fresh++; own(seen_fresh); break
            :: else -> seen_fresh = fresh
            fi
        }
#endif
    :: else -> break
    od
}

inline arena_take() /* tg_arena_take */
{
    load_top();
    do
    :: seen_top != 0 ->
        below = next[seen_top - 1];
        atomic {
            if
            :: UNCHANGED -> top = below; changes++; own(seen_top - 1); break
            :: else -> load_top()
            fi
        }
    :: else -> take_fresh(); break
    od
}

inline arena_give(which) /* tg_arena_give */
{
    mine[which] = false;
    taken[which] = false;
    load_top();
    do
    :: next[which] = seen_top;
#ifdef BUG_STORE_FOR_EXCHANGE
        atomic { top = which + 1; changes++; break }
#else
        atomic {
            if
            :: UNCHANGED -> top = which + 1; changes++; break
            :: else -> load_top()
            fi
        }
#endif
    od
}

#define ON_STACK(which) (top == which + 1 || top != 0 && next[top - 1] == which + 1)

active [2] proctype worker()
{
    byte seen_top, seen_changes, below, seen_fresh, round;
    bool mine[SLOTS];
    do
    :: round < ROUNDS ->
        round++;
        if
        :: arena_take()
        :: mine[0] -> arena_give(0)
        :: mine[1] -> arena_give(1)
        fi
    :: else -> break
    od;
    atomic {
        ended++;
        if /* no slot is lost: it is somebody's, on the stack, or was never used */
        :: ended == 2 ->
            assert(taken[0] || fresh == 0 || ON_STACK(0));
            assert(taken[1] || fresh <= 1 || ON_STACK(1))
        :: else
        fi
    }
}

#endif
