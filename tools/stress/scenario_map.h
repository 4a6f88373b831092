/* SPDX-License-Identifier: MIT
 * The names of the scenarios, once: --scenario, --help, the reports and the table of hooks
 * (scenario.c) grow from here. */
#ifndef STRESS_SCENARIO_MAP_H
#define STRESS_SCENARIO_MAP_H

/* X(NAME, name, what it does) */
#define SCENARIO_MAP(X)                                                                            \
    X(ECHO, echo, "send messages, verify that each comes back (the default)")                      \
    X(IDLE, idle, "hold connections; now and then one of them asks for an echo")                   \
    X(CHURN, churn, "connect, exchange --messages, close, and again")                              \
    X(ROOMS, rooms, "say lines in rooms of a throng-rooms; each member verifies each line")        \
    X(CHAT, chat, "the same in a throng-chat-server, in sentences")

enum scenario_kind {
#define SCENARIO_ENUM(NAME, name, help) SCENARIO_##NAME,
    SCENARIO_MAP(SCENARIO_ENUM)
#undef SCENARIO_ENUM
    SCENARIO_COUNT
};

#endif
