/* SPDX-License-Identifier: MIT
 * The table of metrics: /metrics is this page with the numbers filled in, in this order. metrics.c
 * reads it on the admin thread; README.md and the tests are compared with it; throng-top knows
 * these names.
 *
 *   FAMILY(name, TYPE, help)       begins a family: its samples are the rows up to the next one
 *   FIELD(field, labels, UNIT)     one sample: a field of THRONG_COUNTER_MAP
 *   GROUP(function, labels)        samples that `function` of metrics.c writes; `labels` only names theirs
 *
 * Whoever adds a row to THRONG_COUNTER_MAP adds a FIELD here, or the build says so: each field
 * stands here exactly once. Names are Prometheus': counters end in _total, what has a unit is in
 * seconds or bytes and says so, one family sums up to something that means something. UNIT says
 * what the field counts: ONE (nothing to convert), BLOCKS (512 bytes each), MILLISECONDS. */
#ifndef TG_ADMIN_METRIC_TABLE_H
#define TG_ADMIN_METRIC_TABLE_H

#define TG_METRIC_TABLE(FAMILY, FIELD, GROUP)                                                      \
    FAMILY("throng_build_info", GAUGE, "What runs; the value is 1.")                               \
    GROUP(build_info, "version, backend")                                                          \
    FAMILY("throng_start_time_seconds", GAUGE, "When the server was started, in Unix time.")       \
    GROUP(start_time, "")                                                                          \
    FAMILY("throng_uptime_seconds", GAUGE, "Time since the start.")                                \
    GROUP(uptime, "")                                                                              \
    FAMILY("throng_io_threads", GAUGE, "I/O threads; 0 in inline mode.")                           \
    GROUP(io_threads, "")                                                                          \
    FAMILY("throng_draining", GAUGE, "1 while the server drains, else 0.")                         \
    GROUP(draining, "")                                                                            \
    FAMILY("throng_memory_reserved_bytes", GAUGE, "Memory reserved at start, by what it is for.")  \
    GROUP(memory, "region")                                                                        \
                                                                                                   \
    /* connections */                                                                              \
    FAMILY("throng_connections", GAUGE, "Connections now: accepted and not yet closed.")           \
    FIELD(connections, "", ONE)                                                                    \
    FAMILY("throng_connections_by_state", GAUGE, "Slots in use, by the state of the connection.")  \
    GROUP(states, "state")                                                                         \
    FAMILY("throng_connections_max", GAUGE, "Slots there are: max_connections.")                   \
    GROUP(connections_max, "")                                                                     \
    FAMILY("throng_slots_taken", GAUGE,                                                            \
           "Slots in use: connections, and CLOSED events not yet released.")                       \
    FIELD(slots_taken, "", ONE)                                                                    \
    FAMILY("throng_slots_taken_peak", GAUGE, "Most slots in use at once since the start.")         \
    FIELD(connections_peak, "", ONE)                                                               \
    FAMILY("throng_connections_accepted_total", COUNTER, "Connections accepted.")                  \
    FIELD(accepted, "", ONE)                                                                       \
    FAMILY("throng_connections_refused_total", COUNTER,                                            \
           "Connections turned away: every slot taken, or their address had its share.")           \
    FIELD(refused, "reason=\"full\"", ONE)                                                         \
    FIELD(refused_address, "reason=\"address\"", ONE)                                              \
    FAMILY("throng_connections_evicted_total", COUNTER,                                            \
           "Silent connections reset for want of slots.")                                          \
    FIELD(evicted, "", ONE)                                                                        \
    FAMILY("throng_connections_ended_total", COUNTER, "Connections ended.")                        \
    FIELD(closed, "", ONE)                                                                         \
    FAMILY("throng_connections_closed_total", COUNTER,                                             \
           "Connections of which CLOSED was reported, by its reason.")                             \
    GROUP(close_reasons, "reason")                                                                 \
    FAMILY("throng_accepts_dead_total", COUNTER,                                                   \
           "Connections that died before they were accepted.")                                     \
    FIELD(accepts_dead, "", ONE)                                                                   \
    FAMILY("throng_accept_pauses_total", COUNTER,                                                  \
           "Times that accepting paused because the system had run out.")                          \
    FIELD(accept_pauses, "", ONE)                                                                  \
                                                                                                   \
    /* traffic */                                                                                  \
    FAMILY("throng_messages_received_total", COUNTER, "Whole messages received.")                  \
    FIELD(messages_received, "", ONE)                                                              \
    FAMILY("throng_received_bytes_total", COUNTER, "Bytes received, headers included.")            \
    FIELD(bytes_received, "", ONE)                                                                 \
    FAMILY("throng_messages_written_total", COUNTER, "Messages accepted by throng_write_data.")    \
    FIELD(messages_written, "", ONE)                                                               \
    FAMILY("throng_sent_bytes_total", COUNTER, "Bytes sent, headers included.")                    \
    FIELD(bytes_sent, "", ONE)                                                                     \
    FAMILY("throng_heartbeats_total", COUNTER, "Heartbeats, answers included.")                    \
    FIELD(heartbeats_sent, "direction=\"sent\"", ONE)                                              \
    FIELD(heartbeats_received, "direction=\"received\"", ONE)                                      \
                                                                                                   \
    /* what was refused, dropped or put off */                                                     \
    FAMILY("throng_writes_refused_total", COUNTER,                                                 \
           "Messages refused by throng_write_data for want of room.")                              \
    FIELD(writes_refused, "", ONE)                                                                 \
    FAMILY("throng_calls_stale_total", COUNTER, "Calls refused because the connection was gone.")  \
    FIELD(writes_stale, "", ONE)                                                                   \
    FAMILY("throng_commands_dropped_total", COUNTER,                                               \
           "Commands of the logic thread dropped at the I/O thread.")                              \
    FIELD(commands_stale, "reason=\"stale\"", ONE)                                                 \
    FAMILY("throng_messages_dropped_total", COUNTER, "Accepted messages not sent.")                \
    FIELD(messages_dropped, "reason=\"drop_oldest\"", ONE)                                         \
    FIELD(broadcast_drops, "reason=\"broadcast\"", ONE)                                            \
    FAMILY("throng_dropped_bytes_total", COUNTER, "Accepted bytes not sent.")                      \
    FIELD(bytes_dropped, "reason=\"connection_ended\"", ONE)                                       \
    FAMILY("throng_log_lines_dropped_total", COUNTER,                                              \
           "Log lines dropped because the logic thread did not come by.")                          \
    FIELD(log_lines_dropped, "", ONE)                                                              \
    FAMILY("throng_read_pauses_total", COUNTER, "Times that reading a connection paused.")         \
    FIELD(receive_pauses, "reason=\"room\"", ONE)                                                  \
    FIELD(rate_pauses, "reason=\"rate\"", ONE)                                                     \
    FIELD(turn_pauses, "reason=\"turn\"", ONE)                                                     \
                                                                                                   \
    /* queues and pools */                                                                         \
    FAMILY("throng_queue_depth", GAUGE, "Entries that wait in a ring between two threads.")        \
    GROUP(queue_depths, "queue, io_thread")                                                        \
    FAMILY("throng_queue_capacity", GAUGE, "Entries that such a ring holds, by its name.")         \
    GROUP(queue_capacities, "queue")                                                               \
    FAMILY("throng_events_unreleased", GAUGE, "Events taken and not released.")                    \
    FIELD(events_unreleased, "", ONE)                                                              \
    FAMILY("throng_send_memory_free_bytes", GAUGE, "Send memory that is free.")                    \
    FIELD(send_units_free, "", BLOCKS)                                                             \
    FAMILY("throng_send_memory_bytes", GAUGE, "Send memory there is.")                             \
    FIELD(send_units_total, "", BLOCKS)                                                            \
    FAMILY("throng_assembly_used_bytes", GAUGE,                                                    \
           "Memory that holds messages that arrive in pieces.")                                    \
    FIELD(assembly_bytes_used, "", ONE)                                                            \
    FAMILY("throng_assembly_bytes", GAUGE, "Memory there is for them.")                            \
    GROUP(assembly_bytes, "")                                                                      \
    FAMILY("throng_receive_buffers_free", GAUGE, "Receive buffers that are free.")                 \
    GROUP(receive_buffers_free, "io_thread")                                                       \
    FAMILY("throng_receive_buffers", GAUGE, "Receive buffers of each I/O thread.")                 \
    GROUP(receive_buffers, "")                                                                     \
    FAMILY("throng_receive_buffers_missed_total", COUNTER,                                         \
           "Times that a connection found no free receive buffer.")                                \
    GROUP(receive_buffers_missed, "")                                                              \
    FAMILY("throng_send_queue_peak_bytes", GAUGE,                                                  \
           "Most bytes that waited for one connection since the start.")                           \
    FIELD(queue_bytes_peak, "", ONE)                                                               \
    FAMILY("throng_send_queue_doublings_total", COUNTER,                                           \
           "Times that what waits for a connection doubled, from an eighth of its limit.")         \
    FIELD(queue_doublings, "", ONE)                                                                \
    FAMILY("throng_writable_events_total", COUNTER, "WRITABLE events.")                            \
    FIELD(writable_events, "", ONE)                                                                \
                                                                                                   \
    /* rooms, time */                                                                              \
    FAMILY("throng_rooms", GAUGE, "Rooms now.")                                                    \
    FIELD(rooms, "", ONE)                                                                          \
    FAMILY("throng_room_members", GAUGE, "Memberships of connections in rooms now.")               \
    FIELD(room_members, "", ONE)                                                                   \
    FAMILY("throng_broadcasts_total", COUNTER, "Messages accepted by throng_room_broadcast.")      \
    FIELD(broadcasts, "", ONE)                                                                     \
    FAMILY("throng_broadcasts_refused_total", COUNTER,                                             \
           "Messages refused by throng_room_broadcast for want of room.")                          \
    FIELD(broadcasts_refused, "", ONE)                                                             \
    FAMILY("throng_broadcast_deliveries_total", COUNTER,                                           \
           "Messages of broadcasts queued to a member.")                                           \
    FIELD(broadcast_deliveries, "", ONE)                                                           \
    FAMILY("throng_timers", GAUGE, "Timers that run.")                                             \
    FIELD(timers_running, "", ONE)                                                                 \
    FAMILY("throng_ticks_missed_total", COUNTER,                                                   \
           "Ticks left out because the logic thread was late.")                                    \
    FIELD(ticks_missed, "", ONE)                                                                   \
    FAMILY("throng_posts_refused_total", COUNTER, "Posts refused because posts_max waited.")       \
    FIELD(posts_refused, "", ONE)                                                                  \
                                                                                                   \
    /* the threads */                                                                              \
    FAMILY("throng_event_latency_seconds", HISTOGRAM,                                              \
           "From an event's publishing by its I/O thread to its taking; a sample of them.")        \
    GROUP(event_latency, "le")                                                                     \
    FAMILY("throng_logic_stalls_total", COUNTER,                                                   \
           "Times that the logic thread took no event for logic_stall_ms.")                        \
    FIELD(logic_stalls, "", ONE)                                                                   \
    FAMILY("throng_logic_stalled_seconds", GAUGE,                                                  \
           "How long it has taken none already, while it is stuck.")                               \
    FIELD(logic_stalled_ms, "", MILLISECONDS)                                                      \
    FAMILY("throng_system_calls_total", COUNTER, "System calls of the I/O threads, by kind.")      \
    FIELD(system_waits, "call=\"wait\"", ONE)                                                      \
    FIELD(system_receives, "call=\"receive\"", ONE)                                                \
    FIELD(system_sends, "call=\"send\"", ONE)                                                      \
    FAMILY("throng_wakes_total", COUNTER, "Times that a sleeping thread had to be woken.")         \
    FIELD(wakes_logic, "thread=\"logic\"", ONE)                                                    \
    FIELD(wakes_io, "thread=\"io\"", ONE)                                                          \
                                                                                                   \
    /* this listener */                                                                            \
    FAMILY("throng_admin_connections", GAUGE, "Connections of the admin listener now.")            \
    GROUP(admin_connections, "")                                                                   \
    FAMILY("throng_admin_requests_total", COUNTER,                                                 \
           "Requests answered by the admin listener, by the class of the status.")                 \
    GROUP(admin_requests, "class")

#endif
