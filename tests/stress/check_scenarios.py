# SPDX-License-Identifier: MIT
"""check_scenarios.py STRESS ECHO [-- LAUNCHER...]: the scenarios idle and churn, the reports, and what is refused."""

import os
import re
import sys
import tempfile
import xml.dom.minidom

import support

WRONG = ("failed", "reset", "closed_by_peer", "broken", "unanswered", "lost", "duplicated", "reordered", "corrupted",
         "foreign", "errors")


def expect_right(program, address, *options, **expected):
    status, report = support.stress(program, address, "--quiet", *options)
    support.expect(report, **{kind: 0 for kind in WRONG}, **expected)
    support.expect_status(status, 0)
    return report


def idle(program, echo):
    with support.Echo(echo, "--max-connections", "300") as server:
        options = [] if support.LAUNCHER else ["--server-pid", str(server.process.pid)]
        report = expect_right(program, server.address, "--scenario", "idle", "--connections", "300", "--seconds", "1",
                              "--rate", "100", *options, scenario="idle", alive=300, server_established=300)
        # Samples are of different connections, and no more of them than asked for.
        sent = report["messages_sent"]
        if not 10 <= sent <= 100 * report["talk_seconds"] + 10 or report["answered"] != min(sent, 300):
            sys.exit(f"{sent} samples of {report['answered']} connections")
        if options and not 0 < report["server_rss_bytes_before"] <= report["server_rss_bytes"] * 2:
            sys.exit(f"the server's memory: {report}")
    with support.Echo(echo, "--max-connections", "300", "--idle-timeout-ms", "200") as server:
        support.in_time(lambda seconds: silence(program, server.address, seconds), "1.5", "10")


def silence(program, address, seconds):
    """The server throws out who is silent."""
    status, report = support.stress(program, address, "--quiet", "--scenario", "idle", "--connections", "50",
                                    "--seconds", seconds, "--rate", "1")
    if report["reset"] + report["closed_by_peer"] < 40 or report["alive"] > 10:
        return f"{report['reset']} reset and {report['closed_by_peer']} closed of 50 that were silent"
    support.expect_status(status, 1)
    return None


def many_lives(program, address, seconds):
    report = expect_right(program, address, "--scenario", "churn", "--connections", "20", "--messages", "3",
                          "--window", "2", "--seconds", seconds, "--size", "1-2000", scenario="churn")
    lives = report["lives"]
    if report["lives_verified"] != lives or report["messages_received"] != 3 * lives or report["connected"] != lives:
        sys.exit(f"{lives} lives, {report}")
    return None if lives >= 40 else f"{lives} lives"


def too_many_lives(program, address, seconds):
    """More than the server takes: those that came to nothing are counted, and tried again."""
    status, report = support.stress(program, address, "--quiet", "--scenario", "churn", "--connections", "20",
                                    "--seconds", seconds, "--idle", "0.1")
    if report["errors"] == 0 or report["lives_verified"] == 0 or report["lives_verified"] >= report["lives"]:
        return f"too many for the server, but {report}"
    support.expect_status(status, 1)
    return None


def churn(program, echo):
    with support.Echo(echo, "--max-connections", "300") as server:
        support.in_time(lambda seconds: many_lives(program, server.address, seconds), "0.5", "5")
        report = expect_right(program, server.address, "--scenario", "churn", "--connections", "20", "--rate", "200",
                              "--seconds", "0.5", "--threads", "2", threads=2)
        if report["lives"] > 200 * report["talk_seconds"] + 20 or report["lives"] + report["unsent"] < 90:
            sys.exit(f"{report['lives']} lives and {report['unsent']} due, at 200 a second")
    with support.Echo(echo, "--max-connections", "5") as server:
        support.in_time(lambda seconds: too_many_lives(program, server.address, seconds), "0.5", "5")


def charts_of(page):
    """Each chart of the page, parsed: an error is an exception."""
    return [xml.dom.minidom.parseString(chart) for chart in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def reports(program, echo, folder):
    html, svg, hgrm = (os.path.join(folder, name) for name in ("a.html", "b.svg", "c.hgrm"))
    with support.Echo(echo, "--max-connections", "100") as server:
        report = expect_right(program, server.address, "--connections", "20", "--seconds", "1.3", "--report", html,
                              "--hgrm", hgrm, "--seed", "7")
        expect_right(program, server.address, "--scenario", "churn", "--seconds", "0.3", "--report", svg)
        # A report that cannot be written is not all right.
        status, _ = support.run(program, server.address, "--messages", "1", "--report", os.path.join(folder, "no", "a.svg"))
        support.expect_status(status, 1)
    with open(html, encoding="utf-8") as file:
        page = file.read()
    if len(charts_of(page)) != 4:
        sys.exit("the page has not four charts")
    for part in ("--connections 20", "--seed 7", "all right", "Latency", "Rate", "Distribution", "p99.9", "prefers-color-scheme"):
        if part not in page:
            sys.exit(f"the page has no {part!r}")
    for part in ("<script", "src=", "@import", "url(", "http"):
        if part in page.replace("http://www.w3.org/2000/svg", ""):
            sys.exit(f"the page has {part!r}")
    for coordinates in re.findall(r' (?:d|x|y)="([^"]*)"', page):
        if re.search("nan|inf", coordinates):
            sys.exit(f"the page has a point at {coordinates!r}")
    # Two points at least: a line has a command L.
    if not re.search(r'class="line s0" d="M[\d. ]+L', page):
        sys.exit("the page's lines have no two points")
    with open(svg, encoding="utf-8") as file:
        document = xml.dom.minidom.parseString(file.read())
    titles = [element.firstChild.data for element in document.getElementsByTagName("title")]
    if titles[:2] != ["throng-stress: churn", "Latency"]:
        sys.exit(f"the picture's titles: {titles}")
    with open(hgrm, encoding="utf-8") as file:
        rows = [line.split() for line in file.read().splitlines()[2:] if not line.startswith("#")]
    values = [float(row[0]) for row in rows]
    if values != sorted(values) or int(rows[-1][2]) != report["messages_received"] or float(rows[-1][1]) != 1:
        sys.exit(f"the percentiles: {rows[0]} ... {rows[-1]}, of {report['messages_received']}")


REFUSED = [
    (["--scenario", "chess"], "--scenario is \"chess\"; it must be echo, idle, churn, rooms or chat"),
    (["--rooms", "5"], "--rooms cannot be given with --scenario echo"),
    (["--scenario", "idle", "--window", "5"], "--window cannot be given with --scenario idle"),
    (["--scenario", "rooms", "--size", "5"], "--size begins with \"5\"; with --scenario rooms it must be 12"),
    (["--report", "x.pdf"], "--report is \"x.pdf\"; it must end in .html or .svg"),
    (["--server-pid", "2147483646"], "--server-pid is \"2147483646\""),
]


def refusals(program):
    for options, words in REFUSED:
        status, text = support.run(program, "tcp://127.0.0.1:1", *options)
        support.expect_status(status, 2)
        if not text.startswith(words):
            sys.exit(f"{options}: {text!r}, expected {words!r}")


def main(program, echo):
    idle(program, echo)
    churn(program, echo)
    refusals(program)
    with tempfile.TemporaryDirectory() as folder:
        reports(program, echo, folder)


main(*support.PROGRAMS)
