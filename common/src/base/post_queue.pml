/* SPDX-License-Identifier: MIT
 * The queue from many threads to one (base/post_queue.h) and the sleep of the one, as a Promela model;
 * tools/models runs it. Two producers post POSTS numbers each into CAPACITY cells, so that each cell is
 * used in several laps; the consumer sleeps in its parker when it finds nothing.
 *
 * A store does not reach memory at once: each thread has DEPTH places for stores under way, which arrive in
 * any order, but two to the same word in theirs, and a release behind all earlier ones, as in ring.pml. A
 * compare-and-swap works on memory at once, and orders nothing else. Loads are not reordered.
 *
 * Assertions: each producer's numbers come once, in order and whole. No time-out ends a sleep and a full
 * queue is tried again when something has changed, so a lost wake-up or a lost post is an invalid end state.
 *
 *   run post/safety  -DPOSTS=2
 *
 *   bug post/safety  BUG_PUBLISH_RELAXED     assertion  the turn overtakes the post
 *   bug post/safety  BUG_NO_EXCHANGE         deadlock   loads the tail and stores it: two have one place
 *   bug post/safety  BUG_ONE_TOO_MANY        deadlock   takes a filled cell for a free one
 *   bug post/safety  BUG_GIVE_BEFORE_READING assertion  gives the cell back, then reads it
 *   bug post/safety  BUG_TAIL_PUBLISHES      assertion  the consumer goes by the tail, not by the turn
 *   bug post/safety  BUG_NO_SECOND_LOOK      deadlock   announces its sleep and sleeps
 *   bug post/safety  BUG_SLEEPER_NO_FENCE    deadlock   announces without the fence
 *   bug post/safety  BUG_WAKER_NO_FENCE      deadlock   publishes and looks without the fence
 *   bug post/safety  BUG_WAKE_BEFORE_PUBLISH deadlock   wakes, then publishes
 *   bug post/safety  BUG_FIRST_WAKES_ALONE   deadlock   one that is not the first in the queue wakes nobody
 */

#define CAPACITY 2
#define DEPTH 3

/* The words that threads share, and the threads. */
#define TURN(cell) (cell)
#define POST(cell) (2 + (cell))
#define TAIL 4
#define SLEEPING 5

#define CONSUMER 0
#define PRODUCER_A 1
#define PRODUCER_B 2

#ifdef BUG_PUBLISH_RELAXED
#define IS_RELEASE(word) false
#else
#define IS_RELEASE(word) ((word) < 2)
#endif

#define IS_FREE(place) (2 * ((place) / CAPACITY))
#define IS_FILLED(place) (2 * ((place) / CAPACITY) + 1)

typedef stores {
    byte count;
    byte word[DEPTH];
    byte value[DEPTH];
};

byte memory[6];
stores under_way[3];
byte next[3]; /* what must come next of each producer */
bool asleep_in_futex;

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

/* ---- producers ---- */

inline wake(thread) /* tg_parker_wake */
{
#ifndef BUG_WAKER_NO_FENCE
    fence(thread);
#endif
    if
    :: memory[SLEEPING] == 0
    :: memory[SLEEPING] != 0 ->
        atomic {
            if
            :: memory[SLEEPING] != 0 -> memory[SLEEPING] = 0; asleep_in_futex = false
            :: else /* the other one has ended it, and calls */
            fi
        }
    fi
}

/* A place of its own: claim() of post_queue.c. */
inline claim()
{
    place = memory[TAIL];
    do
    :: true ->
        turn = memory[TURN(place % CAPACITY)];
        if
#ifdef BUG_ONE_TOO_MANY
        :: turn + 1 < IS_FREE(place) ->
#else
        :: turn < IS_FREE(place) ->
#endif
            /* THRONG_EAGAIN; the caller tries again */
            memory[TURN(place % CAPACITY)] != turn || memory[TAIL] != place;
            place = memory[TAIL]
        :: turn > IS_FREE(place) -> place = memory[TAIL]
        :: else ->
#ifdef BUG_NO_EXCHANGE
            if
            :: memory[TAIL] == place -> memory[TAIL] = place + 1; break
            :: else -> place = memory[TAIL]
            fi
#else
            atomic {
                if
                :: memory[TAIL] == place -> memory[TAIL] = place + 1; break
                :: else -> place = memory[TAIL]
                fi
            }
#endif
        fi
    od
}

proctype producer(byte thread)
{
    byte sent, place, turn;
    do
    :: sent < POSTS ->
        claim();
        store(thread, POST(place % CAPACITY), 16 * thread + sent);
#ifdef BUG_WAKE_BEFORE_PUBLISH
        wake(thread);
        store(thread, TURN(place % CAPACITY), IS_FILLED(place));
#else
        store(thread, TURN(place % CAPACITY), IS_FILLED(place));
#ifdef BUG_FIRST_WAKES_ALONE
        if
        :: place == 0 -> wake(thread)
        :: place > 0 && memory[TURN((place - 1) % CAPACITY)] > IS_FILLED(place - 1) -> wake(thread)
        :: else
        fi;
#else
        wake(thread);
#endif
#endif
        sent++;
        place = 0;
        turn = 0
    :: else -> break
    od
}

/* ---- the consumer ---- */

#ifdef BUG_TAIL_PUBLISHES
#define HAS_POST (memory[TAIL] != head)
#else
#define HAS_POST (memory[TURN(head % CAPACITY)] == IS_FILLED(head))
#endif

inline take() /* tg_post_queue_pop */
{
#ifdef BUG_GIVE_BEFORE_READING
    store(CONSUMER, TURN(head % CAPACITY), IS_FILLED(head) + 1);
    post = memory[POST(head % CAPACITY)];
#else
    post = memory[POST(head % CAPACITY)];
    store(CONSUMER, TURN(head % CAPACITY), IS_FILLED(head) + 1);
#endif
    d_step {
        assert(post / 16 == PRODUCER_A || post / 16 == PRODUCER_B);
        assert(post % 16 == next[post / 16]);
        next[post / 16]++;
        post = 0;
        head++
    }
}

inline wait_for_posts() /* wait_for_work, parker.linux.c */
{
    store(CONSUMER, SLEEPING, 1);
#ifndef BUG_SLEEPER_NO_FENCE
    fence(CONSUMER);
#endif
    if
#ifndef BUG_NO_SECOND_LOOK
    :: HAS_POST -> store(CONSUMER, SLEEPING, 0)
    :: !HAS_POST ->
#else
    :: true ->
#endif
        fence(CONSUMER);
        atomic {
            if
            :: memory[SLEEPING] == 1 -> asleep_in_futex = true
            :: else
            fi
        }
        !asleep_in_futex;
        store(CONSUMER, SLEEPING, 0)
    fi
}

proctype consumer()
{
    byte head, post;
    do
    :: head == 2 * POSTS -> break
    :: head < 2 * POSTS ->
        if
        :: HAS_POST -> take()
        :: !HAS_POST -> wait_for_posts()
        fi
    od
}

init
{
    atomic {
        run store_buffer(CONSUMER);
        run store_buffer(PRODUCER_A);
        run store_buffer(PRODUCER_B);
        run consumer();
        run producer(PRODUCER_A);
        run producer(PRODUCER_B)
    }
}
