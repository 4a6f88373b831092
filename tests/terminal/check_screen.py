# SPDX-License-Identifier: MIT
"""check_screen.py THRONG-CHAT|- THRONG-CHAT-SERVER|- THRONG-TOP: the programs on a terminal of 80x24, and of others."""

import contextlib
import shlex
import sys

import support
from fake_admin import PAGE, START, Admin

CHAT, SERVER, TOP = support.PROGRAMS


def check_widths(rows, columns):
    if any(len(row) > columns for row in rows):
        sys.exit("\n".join([f"a row is wider than {columns}", *rows]))


def check_top():
    with Admin(PAGE.format(**START)) as admin, \
            support.Screen(80, 24, TOP, "--connect", admin.address, "--interval", "0.1") as screen:
        rows = screen.wait_for(r"^send memory .*97 %")
        support.expect("the title", rows[0][:10], "throng-top")
        check_widths(rows, 80)
        screen.wait_for(r"^messages in .*▁▁▁▁")  # the sparkline grows
        screen.resize(50, 10)
        rows = screen.wait_for(r"\A(?:.*\n){9}.*\Z")
        check_widths(rows, 50)
        screen.resize(120, 40)
        screen.wait_for(r"^connections ended")
        admin.page = PAGE.format(**{**START, "stalled": 7})
        screen.wait_for("STUCK for 7.00 s")
        screen.keys("Space")
        screen.wait_for("^held; space goes on")
        screen.keys("q")
        support.wait_until(screen.is_gone, "throng-top ended by q")


def check_typing(screen, ben):
    screen.type("hellp é 日本")
    screen.keys("C-a", "Right", "Right", "Right", "Right", "DC")
    screen.type("o")
    screen.wait_for("^ana> hello é 日本")
    screen.keys("Enter")
    ben.wait_for("<ana> hello é 日本$")
    ben.type("hi ana")
    screen.wait_for("<ben> hi ana")
    screen.type("be")
    screen.keys("Tab")
    screen.wait_for("^ana> ben:")
    screen.type("well")
    screen.keys("Enter", "Up")
    screen.wait_for("^ana> ben: well")
    screen.keys("C-u")
    ben.wait_for("<ana> ben: well")


def check_rooms(screen, ben):
    screen.type("/join games")
    screen.keys("Enter")
    screen.wait_for(r"(?m)^throng-chat .*#games")
    ben.type("are you there, ana?")
    screen.wait_for(r"^#lobby +1")  # unread
    screen.keys("C-p")
    screen.wait_for("are you there, ana\\?")
    ben.type(*(f"line {i}" for i in range(40)))
    screen.wait_for("<ben> line 39")
    screen.keys("PPage", "PPage")
    screen.wait_for("<ben> line 8")
    screen.keys("NPage", "NPage", "NPage")
    screen.wait_for("<ben> line 39")


def check_chat():
    with support.serve(SERVER, "--max-connections", "50", "--flood-per-s", "0") as server:
        words = ["--connect", server.address, "--room", "lobby"]
        with contextlib.ExitStack() as stack:
            ben = stack.enter_context(support.Program(CHAT, "--plain", *words, "--name", "ben"))
            ben.wait_for("you are in #lobby")
            screen = stack.enter_context(support.Screen(80, 24, CHAT, *words, "--name", "ana"))
            ben.wait_for("ana came")
            # The members beside the lines, and below them the 24th row.
            screen.wait_for(r"\A(?=(?:.*\n)*.*│ ben)(?:.*\n){23}ana>.*\Z")
            check_typing(screen, ben)
            check_rooms(screen, ben)
            screen.resize(40, 8)  # too narrow for rooms and members
            rows = screen.wait_for(r"\A(?!(?:.*\n)*.*│)(?:.*\n){7}ana>.*\Z")
            check_widths(rows, 40)
            screen.resize(100, 30)
            screen.wait_for(r"│ ana")
            server.end(0)
            screen.wait_for("trying again in")
            screen.type("/quit")
            screen.keys("Enter")
            support.wait_until(screen.is_gone, "throng-chat ended by /quit")


def has_ended(pid):
    """Whether it ran to its end; whoever inherited it may not have looked yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(") ", 1)[1][0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter if it goes between the open and the read
        return True


def check_hangup():
    """A terminal that goes away ends the programs: by the signal, or by the end of their input."""
    for ignored in ("", "trap '' HUP; "):
        for words in ([TOP, "--connect", "tcp://127.0.0.1:1"], [CHAT, "--connect", "tcp://127.0.0.1:1"]):
            if words[0] == "-":
                continue
            script = f"{ignored}exec {shlex.join(words)}"
            with support.Screen(80, 24, "sh", "-c", script) as screen:
                pid = int(screen.tmux("display-message", "-p", "#{pane_pid}"))
                screen.wait_for("not reachable|cannot connect")
            support.wait_until(lambda: has_ended(pid), f"{words[0]} has ended")


def main():
    support.need_tmux()
    check_top()
    check_hangup()
    if CHAT != "-" and SERVER != "-":
        check_chat()
    print("what was expected was on the screen")


main()
