# SPDX-License-Identifier: MIT
"""The rows: which load, and which ratio the project wants to reach in it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    title: str
    connections: int
    active: int
    size: int = 64
    window: int = 1
    churn: bool = False
    tick: int = 0  # messages to each connection a tick, instead of echoes
    typed: bool = False  # typed messages of 64 bytes
    later: bool = False  # connections are opened at a word, and reset at the end
    first: int = 0  # with `later`: the number of the first one, which decides its source address
    inline_goal: float = None  # throng inline to the bare loop of its backend
    threaded_goal: float = None  # throng with an I/O thread to throng inline


ROWS = (
    Row("1", "1 connection", 1, 1, inline_goal=0.95),
    Row("100", "100 connections", 100, 100, inline_goal=0.95, threaded_goal=0.95),
    Row("1000x8", "1,000 connections, 8 messages in flight on each", 1000, 1000, window=8,
        inline_goal=0.92, threaded_goal=0.90),
    Row("100x64", "100 connections, 64 messages in flight on each", 100, 100, window=64,
        inline_goal=0.85),
    Row("10000", "10,000 connections", 10000, 10000, inline_goal=0.95, threaded_goal=0.95),
    Row("10000/100", "10,000 connections, 100 of them active", 10000, 100, inline_goal=0.95,
        threaded_goal=0.95),
    Row("16k", "100 connections, long messages", 100, 100, size=16384, inline_goal=0.85),
    Row("churn", "connect, echo once, close; 100 at a time", 100, 100, churn=True),
)
