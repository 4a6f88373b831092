/* SPDX-License-Identifier: MIT
 * The ring (base/ring.h) between two threads that sleep, and the parker (os/parker.h) with several
 * wakers, as a Promela model; tools/models runs it. Two scenes:
 *
 *   SCENE_RING     the command ring: the logic thread fills it and sleeps in its parker when it is
 *                  full; a worker empties it and sleeps in its port when it is empty.
 *   SCENE_WAKERS   two workers' event rings and throng_server_wake, all of which wake one thread.
 *
 * A store does not reach memory at once. Each thread has DEPTH places for stores under way, which
 * arrive in any order, but two to the same word in theirs, and a release behind all earlier ones.
 * That is weaker than x86 (which keeps them in order) and is what the fences are for. Loads are not
 * reordered with each other: where C11 needs an acquire, this model says nothing.
 *
 * No time-out ends a sleep here, so a lost wake-up is an invalid end state. Lines that begin with
 * "run" and "bug" are for tools/models:
 *
 *   run ring/safety      -DSCENE_RING
 *   run ring/taken       -DSCENE_RING ltl
 *   run ring/pushed_in   -DSCENE_RING ltl
 *   run wakers/safety    -DSCENE_WAKERS
 *   run wakers/seen      -DSCENE_WAKERS -DROUNDS=1 ltl
 *
 *   bug ring/safety      BUG_PORT_SLEEPER_NO_FENCE  deadlock   announces without the fence
 *   bug ring/safety      BUG_PARKER_SLEEPER_NO_FENCE deadlock  likewise the logic thread
 *   bug ring/safety      BUG_PORT_WAKER_NO_FENCE    deadlock   publishes and looks without the fence
 *   bug ring/safety      BUG_ROOM_NO_FENCE          deadlock   room returned, looked without the fence
 *   bug ring/safety      BUG_LOOK_BEFORE_ANNOUNCING deadlock   looks for work, then announces
 *   bug ring/safety      BUG_NO_SECOND_LOOK         deadlock   announces and sleeps
 *   bug ring/safety      BUG_WAKE_BEFORE_PUBLISH    deadlock   wakes, then publishes
 *   bug ring/safety      BUG_NO_FUTEX_COMPARE       deadlock   sleeps though the announcement ended
 *   bug ring/safety      BUG_ROOM_WAKES_NOBODY      deadlock   never looks at commands_blocked
 *   bug ring/safety      BUG_PUBLISH_RELAXED        assertion  the index overtakes the entries
 *   bug ring/safety      BUG_ONE_TOO_MANY           assertion  claims with > instead of >= capacity
 *   bug ring/safety      BUG_RETURN_BEFORE_READING  assertion  gives room back, then reads
 *   bug ring/taken       BUG_PORT_SLEEPER_NO_FENCE  cycle      the same by way of progress
 *   bug wakers/safety    BUG_PARKER_SLEEPER_NO_FENCE deadlock  announces without the fence
 *   bug wakers/safety    BUG_PARKER_WAKER_NO_FENCE  deadlock   publishes and looks without the fence
 *   bug wakers/safety    BUG_CALL_BEFORE_EXCHANGE   deadlock   FUTEX_WAKE, then the announcement ends
 *   bug wakers/safety    BUG_NO_EXCHANGE            assertion  load and store: two calls for one sleep
 *   bug wakers/safety    BUG_ONE_RING_FORGOTTEN     deadlock   the second look leaves out a ring
 */

#define CAPACITY 2
#define WRAP 4 /* indices count modulo this instead of 2^32 */
#define DEPTH 3

/* The words that threads share, and the threads. */
#define ENTRIES 0 /* and the next */
#define TAIL 2
#define HEAD 3
#define COMMANDS_BLOCKED 4
#define PORT_SLEEPING 5
#define PARKER_SLEEPING 6
#define WOKEN 7
#define TAIL_OF(worker) (TAIL + (worker) - 1) /* SCENE_WAKERS */

#define LOGIC 0
#define WORKER 1
#define WORKER_B 2
#define APPLICATION 3

#ifdef BUG_PUBLISH_RELAXED
#define IS_RELEASE(word) ((word) == HEAD)
#else
#define IS_RELEASE(word) ((word) == TAIL || (word) == HEAD || (word) == WOKEN)
#endif

typedef stores {
    byte count;
    byte word[DEPTH];
    byte value[DEPTH];
};

byte memory[8];
stores under_way[4];
byte calls_allowed; /* announcements in memory that no FUTEX_WAKE has answered yet */

inline store(thread, which, what)
{
    d_step {
        under_way[thread].count < DEPTH;
        under_way[thread].word[under_way[thread].count] = which;
        under_way[thread].value[under_way[thread].count] = what;
        under_way[thread].count++;
    }
}

/* atomic_thread_fence(memory_order_seq_cst), and the barrier that a futex call begins with. */
inline fence(thread)
{
    under_way[thread].count == 0;
}

/* The oldest, second or third store under way reaches memory. */
inline arrive(thread, place)
{
    if
    :: under_way[thread].word[place] == PARKER_SLEEPING ->
        calls_allowed = calls_allowed + under_way[thread].value[place] - memory[PARKER_SLEEPING]
    :: else
    fi;
    memory[under_way[thread].word[place]] = under_way[thread].value[place];
    i = place;
    do
    :: i + 1 < under_way[thread].count ->
        under_way[thread].word[i] = under_way[thread].word[i + 1];
        under_way[thread].value[i] = under_way[thread].value[i + 1];
        i++
    :: else -> break
    od;
    under_way[thread].count--;
    under_way[thread].word[under_way[thread].count] = 0;
    under_way[thread].value[under_way[thread].count] = 0;
    i = 0
}

#define WORD(place) under_way[thread].word[place]

proctype store_buffer(byte thread)
{
    byte i;
end:
    do
    :: d_step { under_way[thread].count > 0 -> arrive(thread, 0) }
    :: d_step {
        under_way[thread].count > 1 && !IS_RELEASE(WORD(1)) && WORD(1) != WORD(0) ->
        arrive(thread, 1)
    }
    :: d_step {
        under_way[thread].count > 2 && !IS_RELEASE(WORD(2)) && WORD(2) != WORD(0) &&
            WORD(2) != WORD(1) ->
        arrive(thread, 2)
    }
    od
}

/* ---- the parker: os/parker.linux.c ---- */

bool asleep_in_futex;

inline parker_prepare() /* tg_parker_prepare */
{
    store(LOGIC, PARKER_SLEEPING, 1);
#ifndef BUG_PARKER_SLEEPER_NO_FENCE
    fence(LOGIC)
#endif
}

inline parker_cancel() /* tg_parker_cancel */
{
    store(LOGIC, PARKER_SLEEPING, 0)
}

inline futex_wait()
{
    fence(LOGIC);
    atomic {
        if
#ifdef BUG_NO_FUTEX_COMPARE
        :: asleep_in_futex = true
#else
        :: memory[PARKER_SLEEPING] == 1 -> asleep_in_futex = true
        :: memory[PARKER_SLEEPING] != 1 /* EAGAIN */
#endif
        :: skip /* a signal: "may return early for no reason" */
        fi
    }
}

inline futex_wake()
{
    atomic {
        assert(calls_allowed > 0); /* wakes are coalesced: one call for an announcement */
        calls_allowed--;
        asleep_in_futex = false
    }
}

inline parker_wake(thread) /* tg_parker_wake */
{
#ifndef BUG_PARKER_WAKER_NO_FENCE
    fence(thread);
#endif
    if
    :: memory[PARKER_SLEEPING] == 0
    :: memory[PARKER_SLEEPING] != 0 ->
#if defined(BUG_CALL_BEFORE_EXCHANGE)
        asleep_in_futex = false;
        memory[PARKER_SLEEPING] = 0
#elif defined(BUG_NO_EXCHANGE)
        memory[PARKER_SLEEPING] = 0;
        futex_wake()
#else
        atomic { was_asleep = memory[PARKER_SLEEPING]; memory[PARKER_SLEEPING] = 0 };
        if
        :: was_asleep -> was_asleep = false; futex_wake()
        :: else /* another waker has ended it, and calls */
        fi
#endif
    fi
}

#ifdef SCENE_RING

/* ---- the port's sleep: port/port.h; an eventfd in the set of what the port waits for ---- */

bool eventfd; /* written and not seen by a wait yet */

inline port_wake() /* tg_port_wake */
{
#ifndef BUG_PORT_WAKER_NO_FENCE
    fence(LOGIC);
#endif
    if
    :: memory[PORT_SLEEPING] == 0
    :: memory[PORT_SLEEPING] != 0 ->
        atomic { was_asleep = memory[PORT_SLEEPING]; memory[PORT_SLEEPING] = 0 };
        if
        :: was_asleep -> was_asleep = false; eventfd = true
        :: else
        fi
    fi
}

inline port_prepare_wait() /* tg_port_prepare_wait */
{
    store(WORKER, PORT_SLEEPING, 1);
#ifndef BUG_PORT_SLEEPER_NO_FENCE
    fence(WORKER)
#endif
}

/* ---- the producer: the logic thread ---- */

byte wanted;   /* messages that the game has written and that are not in the ring yet */
bool pushed;   /* one went in just now */
bool game_over;
byte worker_head; /* the consumer's private index */
bool took;        /* it took one just now */

inline claim() /* tg_ring_claim: has_room */
{
#ifdef BUG_ONE_TOO_MANY
#define FULL ((tail - head_seen + WRAP) % WRAP > CAPACITY)
#else
#define FULL ((tail - head_seen + WRAP) % WRAP >= CAPACITY)
#endif
    if
    :: FULL -> head_seen = memory[HEAD]
    :: else
    fi;
    has_room = !FULL
}

/* tg_ring_publish */
inline publish()
{
    if
    :: tail != published -> store(LOGIC, TAIL, tail); published = tail; news = true
    :: else
    fi
}

inline flush() /* tg_server_flush */
{
    claim();
    do
    :: wanted > 0 && has_room ->
        store(LOGIC, ENTRIES + tail % CAPACITY, tail);
        d_step {
            tail = (tail + 1) % WRAP; /* tg_ring_push */
            assert((tail - memory[HEAD] + WRAP) % WRAP <= CAPACITY);
            wanted--;
            pushed = true
        };
        claim()
    :: else -> break
    od;
    pushed = false;
#ifdef BUG_WAKE_BEFORE_PUBLISH
    news = (tail != published);
#else
    publish();
#endif
    if
    :: news -> news = false; port_wake()
    :: else
    fi
#ifdef BUG_WAKE_BEFORE_PUBLISH
    ;
    publish();
    news = false
#endif
}

active proctype logic()
{
    byte tail, head_seen, published;
    bool has_room, news, was_asleep;
    do
    :: wanted == 0 ->
        if /* the batch that the game writes */
        :: wanted = 1
        :: wanted = 2
        :: wanted = 3
        :: break
        fi;
        flush()
    :: wanted > 0 ->
        /* wait_for_work: what did not fit waits for room */
        store(LOGIC, COMMANDS_BLOCKED, 1);
        parker_prepare();
        claim(); /* work_is_there, commands_have_room */
        if
        :: has_room -> parker_cancel()
        :: else ->
            futex_wait(); /* tg_parker_sleep */
            !asleep_in_futex;
            store(LOGIC, PARKER_SLEEPING, 0)
        fi;
        flush();
        if
        :: wanted == 0 -> store(LOGIC, COMMANDS_BLOCKED, 0) /* the next wait_for_work */
        :: else
        fi
    od;
    fence(LOGIC);
    game_over = true
}

/* ---- the consumer: a worker ---- */

inline return_room() /* tg_ring_return, and what tg_worker_take_commands does behind it */
{
    store(WORKER, HEAD, head);
    took = false;
#ifndef BUG_ROOM_NO_FENCE
    fence(WORKER);
#endif
#ifndef BUG_ROOM_WAKES_NOBODY
    if
    :: memory[COMMANDS_BLOCKED] != 0 -> parker_wake(WORKER)
    :: memory[COMMANDS_BLOCKED] == 0
    fi
#endif
}

inline take_commands() /* tg_worker_take_commands: all that one look has seen */
{
    tail_seen = memory[TAIL]; /* tg_ring_peek */
    if
    :: worker_head != tail_seen ->
#ifdef BUG_RETURN_BEFORE_READING
        head = tail_seen;
        return_room();
#endif
        do
        :: worker_head != tail_seen -> /* tg_ring_peek_seen */
            d_step {
                /* In order, none lost, none twice: an entry carries its index. */
                assert(memory[ENTRIES + worker_head % CAPACITY] == worker_head);
                worker_head = (worker_head + 1) % WRAP; /* tg_ring_pop */
                took = true
            }
        :: else -> break
        od;
#ifndef BUG_RETURN_BEFORE_READING
        head = worker_head;
        return_room()
#else
        took = false
#endif
    :: else
    fi
}

active proctype worker()
{
    byte tail_seen, head;
    bool was_asleep, work;
    do
    :: take_commands(); /* tg_worker_turn */
#ifdef BUG_LOOK_BEFORE_ANNOUNCING
        work = (memory[TAIL] != worker_head);
        port_prepare_wait();
#else
        port_prepare_wait(); /* sleep_limit */
        work = (memory[TAIL] != worker_head); /* tg_ring_has_entries */
#endif
#ifdef BUG_NO_SECOND_LOOK
        work = false;
#endif
        if /* tg_port_wait */
        :: work -> eventfd = false
        :: !work ->
            if
            :: eventfd -> eventfd = false
            :: skip /* a completion, a timer */
            :: !eventfd ->
                fence(WORKER); /* a system call that sleeps is one */
                if
                :: eventfd -> eventfd = false
                :: game_over && memory[TAIL] == worker_head -> break
                fi
            fi
        fi;
        store(WORKER, PORT_SLEEPING, 0)
    od
}

init
{
    atomic {
        run store_buffer(LOGIC);
        run store_buffer(WORKER)
    }
}

/* What was published is taken: the ring is empty again and again, or entries are taken again and
 * again, and they are taken in order. */
ltl taken { []<> (memory[TAIL] == worker_head || took) }

/* What the game wrote goes in. */
ltl pushed_in { []<> (wanted == 0 || pushed) }

#endif

#ifdef SCENE_WAKERS

#ifndef ROUNDS
#define ROUNDS 2
#endif

byte done; /* wakers that have ended */
byte taken[3];
bool woken_seen;

/* publish (worker.c): events, then the wake. */
proctype event_worker(byte thread)
{
    bool was_asleep;
    byte round;
    do
    :: round < ROUNDS ->
        round++;
        store(thread, TAIL_OF(thread), round);
        parker_wake(thread)
    :: else -> break
    od;
    done++
}

/* throng_server_wake */
proctype application()
{
    bool was_asleep;
    store(APPLICATION, WOKEN, 1);
    parker_wake(APPLICATION);
    done++
}

#define ALL_SEEN                                                                                   \
    (taken[WORKER] == ROUNDS && taken[WORKER_B] == ROUNDS && woken_seen && memory[WOKEN] == 0)

/* throng_get_events, called again and again */
active proctype logic()
{
    bool work;
    do
    :: taken[WORKER] = memory[TAIL_OF(WORKER)]; /* begin_batch, take_events */
        taken[WORKER_B] = memory[TAIL_OF(WORKER_B)];
        atomic { woken_seen = woken_seen || memory[WOKEN]; memory[WOKEN] = 0 };
        parker_prepare(); /* wait_for_work */
        work = (memory[TAIL_OF(WORKER)] != taken[WORKER]); /* work_is_there */
#ifndef BUG_ONE_RING_FORGOTTEN
        work = work || memory[TAIL_OF(WORKER_B)] != taken[WORKER_B];
#endif
        work = work || memory[WOKEN];
        if
        :: work -> parker_cancel()
        :: else ->
            futex_wait();
            if
            :: !asleep_in_futex
            :: done == 3 && ALL_SEEN -> break
            fi;
            store(LOGIC, PARKER_SLEEPING, 0)
        fi
    od
}

init
{
    atomic {
        run store_buffer(LOGIC);
        run store_buffer(WORKER);
        run store_buffer(WORKER_B);
        run store_buffer(APPLICATION);
        run event_worker(WORKER);
        run event_worker(WORKER_B);
        run application()
    }
}

ltl seen { <>[] ALL_SEEN }

#endif
