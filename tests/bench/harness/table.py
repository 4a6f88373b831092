# SPDX-License-Identifier: MIT
"""The tables that tools/bench prints. Numbers come from summary.py; nothing is computed here."""

import contestants

TITLES = {one.key: one.title for one in contestants.ALL}
WIDTH = max(len(title) for title in TITLES.values()) + 2


def ratio(values):
    """Median and quartiles."""
    return f"{values[1]:5.2f} ({values[0]:.2f}-{values[2]:.2f})" if values else "-"


def us(nanoseconds):
    return f"{nanoseconds / 1000:.3f}" if nanoseconds < 100000 else f"{nanoseconds / 1000:.1f}"


def calls(value):
    return "-" if value is None else f"{value:.3f}"


def print_row(row, summary):
    peer = summary["best_peer"]
    to_peer = f"to {TITLES[peer]}, best peer" if peer else ""
    print(f"\n{row.title}, {row.size} bytes" if not row.churn else f"\n{row.title}")
    print(f"  {'':<{WIDTH}}{'msg/CPU s':>12}{'user us':>9}{'sys us':>9}{'calls':>8}{'msg/s':>12}"
          f"{'p50 us':>10}{'p99 us':>10}  {'to bare loop':<18}{to_peer}")
    for key, one in summary["contestants"].items():
        print(f"  {TITLES[key]:<{WIDTH}}{one['messages_per_cpu_second']:>12,.0f}"
              f"{us(one['user_ns_per_message']):>9}{us(one['system_ns_per_message']):>9}"
              f"{calls(one['system_calls_per_message']):>8}{one['messages_per_second']:>12,.0f}"
              f"{one['p50_us']:>10,.1f}{one['p99_us']:>10,.1f}  {ratio(one['to_bare']):<18}"
              f"{ratio(one['to_peer'])}")


def print_memory(found):
    print("\nidle memory, 10,000 connections: resident memory of the process, without the kernel's")
    print(f"  {'':<{WIDTH}}{'at start':>12}{'bytes per new':>15}{'per used':>11}   connection")
    for key, one in found.items():
        print(f"  {TITLES[key]:<{WIDTH}}{one['start_bytes'] / 2**20:>8.1f} MiB"
              f"{one['per_new_connection']:>15,.0f}{one['per_used_connection']:>11,.0f}")


def print_comparison(comparison, found):
    """A row whose contestants are its own."""
    width = max(len(one.title) for one in comparison.contestants) + 2
    print(f"\n{comparison.row.title}")
    print(f"  {'':<{width}}{'msg/CPU s':>12}{'user us':>9}{'sys us':>9}{'calls':>8}{'msg/s':>12}"
          f"{'p50 us':>10}{'p99 us':>10}")
    for contestant in comparison.contestants:
        one = found["contestants"].get(contestant.key)
        if one:
            print(f"  {contestant.title:<{width}}{one['messages_per_cpu_second']:>12,.0f}"
                  f"{us(one['user_ns_per_message']):>9}{us(one['system_ns_per_message']):>9}"
                  f"{calls(one['system_calls_per_message']):>8}{one['messages_per_second']:>12,.0f}"
                  f"{one['p50_us']:>10,.1f}{one['p99_us']:>10,.1f}")


def print_accepts(title, found):
    print(f"\n{title}")
    print(f"  {'':<{WIDTH}}{'connects/s':>12}{'CPU us each':>13}")
    for one in found.values():
        print(f"  {one['title']:<{WIDTH}}{one['per_second']:>12,.0f}{one['cpu_ns_each'] / 1000:>13.2f}")


def print_crowd_memory(title, found):
    print(f"\n{title}")
    print(f"  {'':<{WIDTH}}{'at start':>12}{'all connected':>16}{'bytes per new':>15}{'per used':>11}"
          "   connection")
    for one in found.values():
        print(f"  {one['title']:<{WIDTH}}{one['start_bytes'] / 2**20:>8.1f} MiB"
              f"{one['connected_bytes'] / 2**20:>12.1f} MiB{one['per_new_connection']:>15,.0f}"
              f"{one['per_used_connection']:>11,.0f}")


def print_goals(goals):
    if not goals:
        return
    print("\nGoals. Cost is server CPU per message: how much cheaper than the other, over 1 is cheaper.")
    title = None
    for goal in goals:
        if goal.row != title:
            title = goal.row
            print(f"  {title}")
        bound = f"{'<=' if goal.at_most else '>='} {goal.limit:g}{goal.unit}"
        verdict = "met" if goal.met else f"NOT met by {goal.missed_by:.2f}"
        print(f"    {goal.what:<72} {ratio(goal.values):<24} goal {bound:<12} {verdict}")


def print_preamble(machine_text, options, counter_name):
    print(f"{machine_text}\n{options.rounds} rounds of 2 x {options.slice_ms} ms for each server and row; "
          f"medians over the rounds, ratios taken within a round (lower quartile-upper quartile)")
    print(f"CPU is the server's, kernel included; calls are system calls per message, counted by "
          f"{counter_name or 'nothing: neither perf nor strace works here'}", flush=True)


def print_bystanders(shares):
    print(f"\nMeanwhile others used {100 * shares['others']:.0f} % of the processors; the hypervisor took "
          f"{100 * shares['stolen']:.0f} %.")
    if shares["others"] + shares["stolen"] > 0.10:
        print("That is much: run it again on a quiet machine before believing anything.")
