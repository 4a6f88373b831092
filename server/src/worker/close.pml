/* SPDX-License-Identifier: MIT
 * One connection from accept to the slot's return, with everything that can end it, as a Promela
 * model; tools/models runs it. The worker's steps are those of on_accept.c, on_receive.c, on_send.c,
 * on_close.c and commands.c under the same names; the port is the contract of port/port.h, its batch
 * included: what a batch brings is dispatched also if a completion before it has closed the stream.
 *
 * A message is one receive, a write one unit of the queue. Two messages come, two writes go; there is
 * room for EVENTS_MAX events. Left out: that too many lack memory and others are stopped
 * (codec/intake.h), log lines, close reasons. Sleeping is sleep_limit's condition; that no wake-up is
 * lost around it is shown in ring.pml. Assertions, where they stand, say:
 *
 *   - one tg_port_close, nothing submitted after it, and never two sends in flight;
 *   - events are OPEN MESSAGE* CLOSED, each once; a silent connection has none;
 *   - the port is done with the slot, nothing of it is held and CLOSED was released when it goes back;
 *   - a close that is no abort has sent everything, and drops no reply made before the release of what
 *     it answers.
 *
 * Three scenes, all that together would take minutes: SHORTAGE (no room for events at first, no memory
 * for a piece, a send of 0 bytes), CALLS (the game closes and aborts), DRAINS (the server drains).
 *
 *   run close/shortage  -DSHORTAGE=1 -DCALLS=1 -DWRITES=1 -DMESSAGES=1
 *   run close/drain     -DSHORTAGE=1 -DDRAINS=1 -DWRITES=1 -DMESSAGES=1
 *   run close/calls     -DCALLS=1 -DDRAINS=1 -DWRITES=1 -DMESSAGES=0
 *   run close/two       -DDRAINS=1 -DWRITES=2 -DMESSAGES=1
 *   run close/ends      -DCALLS=1 -DWRITES=1 -DMESSAGES=0 ltl
 *   run close/ends_all  -DSHORTAGE=1 -DWRITES=1 -DMESSAGES=1 ltl
 *
 *   bug close/shortage BUG_TIMER_RUNS_ON       assertion  tg_slot_close leaves the linger timer running
 *   bug close/shortage BUG_LATE_END_CLOSES     assertion  an end in the batch behind the close closes again
 *   bug close/shortage BUG_SEND_AFTER_CLOSE    assertion  a send's completion sends on while closing
 *   bug close/shortage BUG_RESUME_AFTER_CLOSE  assertion  flow resumes a connection that is closing
 *   bug close/shortage BUG_TWO_SENDS           assertion  sends while a send is in flight
 *   bug close/shortage BUG_SHUTDOWN_EARLY      assertion  FIN while a send is in flight
 *   bug close/drain    BUG_COMMANDS_FIRST      assertion  looks at commands before releases
 *   bug close/drain    BUG_DRAIN_SETTLES_AT_ONCE assertion  a drain overtakes a reply behind it
 *   bug close/shortage BUG_END_FORGETS_REPLIES assertion  closes at the peer's end though messages are held
 *   bug close/shortage BUG_FREE_WHILE_HELD     assertion  the slot goes back while messages are held
 *   bug close/shortage BUG_FREE_WITH_CLOSE     assertion  CLOSED with the call, not with the completion
 *   bug close/shortage BUG_NO_LINGER           deadlock   a peer that never ends is awaited for ever
 *   bug close/shortage BUG_CLOSED_LOST         deadlock   a CLOSED that had no room is forgotten
 *   bug close/ends   BUG_NO_LINGER           cycle      the same by way of progress
 */

#ifndef SHORTAGE
#define SHORTAGE 0
#endif
#ifndef CALLS
#define CALLS 0
#endif
#ifndef DRAINS
#define DRAINS 0
#endif

#define FREE 0 /* enum tg_slot_state */
#define OPEN 1
#define PEER_ENDED 2
#define DRAINING 3
#define FLUSHING 4
#define LINGER 5
#define CLOSING 6
#define CLOSED 7

#define EVENTS_MAX 2
#define FLOW_LIMIT 2 /* held and queued at which reading pauses; it goes on at half */

#define NOTHING 0 /* what is in a channel or a batch */
#define DATA 11
#define END 12
#define FAILURE 13
#define DONE 14
#define MESSAGE 15
#define WRITE 16
#define REPLY 17 /* a write made while a message is held */
#define ABORT 18
#define DRAIN 19

/* The slot. */
byte state;
bool open_due, closed_due, closed_released, sending, flow_paused, ended, paused, held_back, touched,
    silent;
bool linger, input, blocked;
bool lacking; /* waits for message memory */
byte held, queue;

/* The worker. */
byte events_out;
bool room_came;
bool opened, told, torn, freed; /* what happened: OPEN, CLOSED pushed; closed by abort; given back */

/* The port, the clock and the network. */
bool adopted, armed, late_input, send_in_flight, shut, closing;
byte send_result;
bool closed_by_port, linger_due, drain_timer, drain_due;
byte turn_due; /* of the intake: DONE = memory is there, FAILURE = the oldest is closed */
bool lacked_once, short_once;
byte arrived;
bool fin, reset, peer_stalls;
bool asked; /* the logic thread wants an end */
byte batch_receive, batch_send;
bool batch_close;

chan events = [EVENTS_MAX] of { byte };
chan releases = [4] of { byte };
chan commands = [5] of { byte };

#define SUBMIT assert(adopted && !closing) /* nothing reaches the port before or behind its time */
#define ROOM (events_out < EVENTS_MAX)
#define SENT (queue == 0 && !sending)

inline push(event) /* tg_worker_push_event */
{
    assert(!told);
    assert((event == OPEN) == !opened);
    opened = true;
    told = (event == CLOSED);
    events_out++;
    events!event
}

/* ---- closing: on_close.c ---- */

inline drop_input() /* tg_slot_drop_input */
{
    flow_paused = false;
    lacking = false;
    turn_due = NOTHING;
    input = false;
    if
    :: !open_due -> blocked = false
    :: else
    fi
}

inline slot_close(mode) /* tg_slot_close */
{
    assert(state >= OPEN && state <= LINGER);
    state = CLOSING;
#ifndef BUG_TIMER_RUNS_ON
    linger = false;
    linger_due = false;
#endif
    drop_input();
    SUBMIT;
    closing = true;
    if
    :: mode == ABORT -> torn = true
    :: else -> assert(SENT)
    fi;
#ifdef BUG_FREE_WITH_CLOSE
    state = CLOSED;
    report_closed()
#endif
}

inline stop_listening()
{
    drop_input();
    if
    :: !ended -> paused = false; held_back = false; SUBMIT; armed = true
    :: else
    fi
}

inline start_linger()
{
#ifndef BUG_NO_LINGER
    linger = true
#else
    skip
#endif
}

inline close_gracefully() /* tg_slot_close_gracefully, without its settle */
{
    assert(state >= OPEN && state <= DRAINING);
    state = FLUSHING;
    stop_listening();
    start_linger()
}

inline settle() /* tg_slot_settle */
{
    if
    :: state == DRAINING && held == 0 -> close_gracefully()
    :: else
    fi;
    if
#ifdef BUG_END_FORGETS_REPLIES
    :: state == PEER_ENDED && SENT -> slot_close(NOTHING)
#else
    :: state == PEER_ENDED && held == 0 && SENT -> slot_close(NOTHING)
#endif
    :: state == PEER_ENDED && held == 0 && !SENT -> start_linger()
#ifdef BUG_SHUTDOWN_EARLY
    :: state == FLUSHING && queue <= 1 && !ended ->
#else
    :: state == FLUSHING && SENT && !ended ->
#endif
        state = LINGER;
        SUBMIT;
        assert(!send_in_flight);
        shut = true
    :: (state == FLUSHING && SENT || state == LINGER) && ended -> slot_close(NOTHING)
    :: else
    fi
}

inline report_closed() /* tg_slot_report_closed */
{
    if
    :: ROOM ->
        push(CLOSED);
        closed_due = false
#ifndef BUG_CLOSED_LOST
    :: !ROOM -> closed_due = true; blocked = true
#else
    :: !ROOM
#endif
    fi
}

inline free_slot() /* tg_worker_free_slot */
{
    assert(state == CLOSED && held == 0 && !blocked && !linger);
    assert(!adopted && !send_in_flight && batch_receive == NOTHING && batch_send == NOTHING);
    assert(silent && !opened || told && closed_released);
    state = FREE;
    freed = true
}

inline on_close() /* tg_worker_on_close */
{
    assert(state == CLOSING);
    state = CLOSED;
    queue = 0;
    if
    :: silent -> free_slot()
    :: !silent && open_due -> closed_due = true; blocked = true; room_came = true
    :: !silent && !open_due -> report_closed()
    fi
}

/* ---- receiving: on_receive.c, reading.c ---- */

inline stop_reading() /* tg_slot_stop_reading */
{
    if
    :: !held_back && paused
    :: else ->
        SUBMIT;
        held_back = false;
        paused = true;
        armed = false; /* tg_port_stop: what was taken already still comes */
        if
        :: arrived > 0 -> late_input = true
        :: skip
        fi
    fi
}

inline hold_back()
{
    SUBMIT;
    paused = true;
    held_back = true;
    armed = false; /* tg_port_pause */
    late_input = false
}

inline read_on()
{
    if
    :: !ended && paused -> paused = false; held_back = false; SUBMIT; armed = true
    :: else
    fi
}

inline finish_input()
{
    input = false;
    if
    :: flow_paused || held + queue >= FLOW_LIMIT -> flow_paused = true; stop_reading()
    :: else -> read_on()
    fi
}

inline consume_input()
{
    if
    :: !ROOM -> hold_back(); blocked = true
    :: ROOM -> assert(state == OPEN); push(MESSAGE); held++; finish_input()
    :: ROOM -> finish_input()     /* a piece, for which there is memory */
    :: ROOM -> slot_close(ABORT)  /* reject_length */
    :: ROOM && SHORTAGE && !lacked_once -> lacked_once = true; lacking = true; hold_back()
    fi
}

inline progress() /* tg_slot_progress */
{
    if
    :: open_due && !ROOM -> blocked = true
    :: else ->
        if
        :: open_due -> push(OPEN); open_due = false
        :: else
        fi;
        if
        :: closed_due -> report_closed()
        :: !closed_due && state == OPEN && !lacking && input -> consume_input()
        :: !closed_due && state == OPEN && !lacking && !input && !flow_paused -> read_on()
        :: else
        fi
    fi
}

inline check_flow() /* tg_slot_check_flow */
{
    if
#ifdef BUG_RESUME_AFTER_CLOSE
    :: (flow_paused || state == CLOSING) && held + queue <= FLOW_LIMIT / 2 ->
        flow_paused = false;
        read_on()
#else
    :: flow_paused && state == OPEN && held + queue <= FLOW_LIMIT / 2 ->
        flow_paused = false;
        progress()
#endif
    :: else
    fi
}

inline on_receive() /* tg_worker_on_receive */
{
    if
    :: batch_receive == DATA && state == OPEN ->
        assert(!input); /* tg_reader_put_input */
        input = true;
        consume_input()
    :: batch_receive == DATA && state != OPEN ->
        if /* discard */
        :: skip
        :: state != CLOSING && state != CLOSED -> slot_close(ABORT)
        fi
#ifndef BUG_LATE_END_CLOSES
    :: batch_receive != DATA && state == CLOSING
#endif
#ifdef BUG_LATE_END_CLOSES
    :: batch_receive == END ->
#else
    :: batch_receive == END && state != CLOSING -> /* on_end */
#endif
        ended = true;
        if
        :: state == OPEN -> state = PEER_ENDED; drop_input()
        :: else
        fi;
        settle()
#ifdef BUG_LATE_END_CLOSES
    :: batch_receive == FAILURE ->
#else
    :: batch_receive == FAILURE && state != CLOSING ->
#endif
        slot_close(ABORT)
    fi;
    batch_receive = NOTHING
}

/* ---- sending: on_send.c ---- */

inline slot_send() /* tg_slot_send */
{
    do
#ifdef BUG_TWO_SENDS
    :: queue > 0 ->
#else
    :: queue > 0 && !sending ->
#endif
        SUBMIT;
        assert(!send_in_flight && !shut);
        if
        :: !reset -> queue--
        :: sending = true; send_in_flight = true
        :: reset -> slot_close(ABORT); break
        fi
    :: else -> break
    od
}

inline on_send() /* tg_worker_on_send */
{
    assert(sending);
    sending = false;
    if
    :: batch_send == DONE -> queue--
    :: batch_send == DONE && SHORTAGE && !short_once -> short_once = true /* 0 bytes */
    :: batch_send == FAILURE
    fi;
    if
#ifndef BUG_SEND_AFTER_CLOSE
    :: state == CLOSING
    :: state != CLOSING && batch_send == FAILURE -> slot_close(ABORT)
    :: state != CLOSING && batch_send == DONE ->
#else
    :: batch_send == FAILURE
    :: batch_send == DONE ->
#endif
        slot_send();
        settle();
        check_flow()
    fi;
    batch_send = NOTHING
}

/* ---- releases and commands: commands.c ---- */

inline take_releases() /* tg_worker_take_releases */
{
    count = len(releases);
    do
    :: count > 0 ->
        room_came = true;
        releases?entry;
        events_out--;
        if
        :: entry == OPEN
        :: entry == CLOSED -> closed_released = true; touched = true
        :: entry == MESSAGE ->
            assert(held > 0);
            held--;
            touched = touched || state != OPEN || flow_paused
        fi;
        entry = NOTHING;
        count--
    :: else -> break
    od
}

inline visit_touched() /* tg_worker_visit_touched */
{
    if
    :: touched ->
        touched = false;
        if
#ifdef BUG_FREE_WHILE_HELD
        :: state == CLOSED && closed_released -> free_slot()
#else
        :: state == CLOSED && closed_released && held == 0 -> free_slot()
        :: state == CLOSED && !(closed_released && held == 0)
#endif
        :: state != CLOSED -> settle(); check_flow()
        :: else
        fi
    :: else
    fi
}

#define TAKES_WRITES (state >= OPEN && state <= DRAINING)

inline take_commands() /* tg_worker_take_commands */
{
    count = len(commands);
    do
    :: count > 0 ->
        commands?entry;
        if
        :: (entry == WRITE || entry == REPLY) && TAKES_WRITES -> queue++; slot_send()
        :: (entry == WRITE || entry == REPLY) && !TAKES_WRITES ->
            assert(entry == WRITE || torn) /* drop_command */
        :: entry == ABORT && state >= OPEN && state <= LINGER -> slot_close(ABORT)
        :: entry == CLOSED && TAKES_WRITES -> close_gracefully(); settle()
        :: entry == DRAIN && TAKES_WRITES -> /* begin_drain, tg_slot_drain */
            drain_timer = true;
            assert(state == OPEN || state == PEER_ENDED);
            state = DRAINING;
            stop_listening();
#ifdef BUG_DRAIN_SETTLES_AT_ONCE
            settle()
#else
            touched = true /* a reply may be behind the drain, and its release was seen */
#endif
        :: else
        fi;
        entry = NOTHING;
        count--
    :: else -> break
    od
}

/* ---- the turn: worker.c ---- */

inline expire_timers()
{
    if
    :: linger_due ->
        linger_due = false;
        linger = false;
        slot_close(ABORT) /* tg_slot_linger_expired */
    :: else
    fi;
    if
    :: drain_due ->
        drain_due = false;
        if
        :: state >= OPEN && state <= LINGER -> slot_close(ABORT) /* tg_worker_drain_expired */
        :: else
        fi
    :: else
    fi
}

inline progress_blocked()
{
    if
    :: room_came && blocked && ROOM -> room_came = false; blocked = false; progress()
    :: else -> room_came = false
    fi
}

inline give_turns() /* tg_worker_give_turns, tg_worker_intake_tick */
{
    if
    :: lacking && turn_due == DONE && ROOM -> turn_due = NOTHING; lacking = false; progress()
    :: lacking && turn_due == FAILURE -> slot_close(ABORT)
    :: else
    fi
}

#define RECEIVE_DUE (adopted && (armed && (arrived > 0 || fin || reset) || late_input && arrived > 0))
#define SEND_DUE (send_result != NOTHING)
#define CLOSE_DUE (closed_by_port)
#define WORK                                                                                       \
    (room_came && blocked || nempty(releases) || nempty(commands) || linger_due || drain_due ||    \
     lacking && turn_due == DONE && ROOM || turn_due == FAILURE || RECEIVE_DUE || SEND_DUE ||      \
     CLOSE_DUE)

/* tg_port_wait: at most one RECEIVE, what came of the send, and CLOSE when nothing else is left. */
inline wait()
{
    if
    :: RECEIVE_DUE && arrived > 0 -> arrived--; late_input = false; batch_receive = DATA
    :: RECEIVE_DUE && armed && reset -> armed = false; batch_receive = FAILURE
    :: RECEIVE_DUE && armed && arrived == 0 && fin && !reset -> armed = false; batch_receive = END
    :: closing -> armed = false; late_input = false /* a receive that was armed ends silently */
    :: !RECEIVE_DUE
    fi;
    if
    :: SEND_DUE -> batch_send = send_result; send_result = NOTHING; send_in_flight = false
    :: else
    fi;
    if
    :: CLOSE_DUE && !send_in_flight -> batch_close = true; closed_by_port = false; adopted = false
    :: else
    fi
}

inline dispatch()
{
    do
    :: batch_receive != NOTHING -> on_receive()
    :: batch_send != NOTHING -> on_send()
    :: batch_receive == NOTHING && batch_send == NOTHING && batch_close ->
        batch_close = false;
        on_close()
    :: batch_receive == NOTHING && batch_send == NOTHING && !batch_close -> break
    od
}

active proctype worker()
{
    byte count, entry;
    atomic { /* open_connection */
        state = OPEN;
        adopted = true;
        if
        :: silent = true; slot_close(ABORT) /* reset before its addresses were asked for */
        :: open_due = true;
            paused = true;
            if
            :: skip
            :: SHORTAGE -> events_out = EVENTS_MAX /* other connections' events fill the ring */
            fi;
            progress()
        fi
    };
    do
    :: state != FREE ->
        /* Atomic is what no other thread can see the middle of: events and commands cross when they
         * are published, and what the port learns meanwhile it says with the next wait. */
#ifdef BUG_COMMANDS_FIRST
        atomic { take_commands() };
        atomic {
            take_releases();
#else
        atomic { take_releases() };
        atomic {
            take_commands();
#endif
            visit_touched();
            expire_timers();
            progress_blocked();
            give_turns()
        };
        if
        :: WORK
        :: state == FREE
        :: timeout && state == OPEN -> /* nobody wants an end: that is none of the errors */
            assert(!asked && !reset && !input && !lacking && !blocked);
            assert(!fin || flow_paused && send_in_flight && peer_stalls);
            break
        fi;
        atomic { wait(); dispatch() }
    :: state == FREE -> break
    od
}

/* The clock, the network under the port, the memory. Each line does something once or has a bound, so
 * that a process that is not stopped for ever does all of them. */
active proctype system()
{
end:
    do
    :: atomic { linger && !linger_due -> linger_due = true }
    :: atomic { drain_timer -> drain_timer = false; drain_due = true }
    :: atomic { lacking && turn_due == NOTHING -> turn_due = DONE }
    :: atomic { lacking && turn_due == NOTHING -> turn_due = FAILURE }
    :: atomic {
        send_in_flight && send_result == NOTHING && !peer_stalls && !reset -> send_result = DONE
    }
    :: atomic { send_in_flight && send_result == NOTHING && reset -> send_result = DONE /* epoll */ }
    :: atomic {
        send_in_flight && send_result == NOTHING && (reset || closing) -> send_result = FAILURE
    }
    :: atomic { adopted && closing && !closed_by_port && !send_in_flight -> closed_by_port = true }
    od
}

active proctype peer()
{
    byte messages;
    if
    :: peer_stalls = true /* it never reads */
    :: skip
    fi;
    do
    :: messages < MESSAGES -> atomic { messages++; arrived++ }
    :: fin = true; break
    :: break
    od;
    if
    :: atomic { reset = true; if :: arrived = 0 :: skip fi }
    :: skip
    fi
}

/* The game: calls as it likes, releases everything in the end. A release that is sent before a command
 * stands for a flush between them. */
active proctype logic()
{
    bool others = true, hopen, hclosed, gone, closing_seat, aborting_seat, drained, seated;
    bool silent_game; /* it calls nothing any more: an end must not depend on a call to come */
    byte hmessages, writes;
end:
    do
    :: others && events_out == EVENTS_MAX && !opened -> /* the other connections' events */
        others = false;
        releases!OPEN;
        releases!OPEN
    :: atomic { events?OPEN -> assert(!seated && !gone); seated = true; hopen = true }
    :: atomic {
        events?MESSAGE -> assert(seated && !gone);
        if
        :: closing_seat || aborting_seat -> releases!MESSAGE
        :: else -> hmessages++
        fi
    }
    :: atomic { events?CLOSED -> assert(seated && !gone); gone = true; hclosed = true }
    :: atomic { CALLS + DRAINS > 0 && !silent_game -> silent_game = true }
    :: atomic { hopen -> hopen = false; releases!OPEN }
    :: atomic { hmessages > 0 -> hmessages--; releases!MESSAGE }
    :: atomic { hclosed -> hclosed = false; releases!CLOSED }
    :: atomic {
        seated && !gone && !closing_seat && !aborting_seat && writes < WRITES -> writes++;
        if
        :: hmessages > 0 -> commands!REPLY
        :: else -> commands!WRITE
        fi
    }
    :: atomic {
        CALLS && !silent_game && seated && !gone && !closing_seat && !aborting_seat -> closing_seat = true;
        asked = true;
        commands!CLOSED
    }
    :: atomic {
        CALLS && !silent_game && seated && !gone && !aborting_seat -> aborting_seat = true;
        asked = true;
        commands!ABORT
    }
    :: atomic { DRAINS && !silent_game && !drained && !freed -> drained = true; asked = true; commands!DRAIN }
    od
}

/* Whatever wants an end gets it. */
#if SHORTAGE
#define ends ends_all
#endif
ltl ends { [] ((asked || state > OPEN) -> <> (freed)) }
