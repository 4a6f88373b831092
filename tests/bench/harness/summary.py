# SPDX-License-Identifier: MIT
"""From rounds to numbers: medians, and ratios that are taken within each round. Pure."""

import statistics

import contestants


def spread(values):
    """Lower quartile, median, upper quartile."""
    if len(values) < 2:
        return [values[0]] * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def cost(one_round):
    """Server CPU per message, ns."""
    return one_round["cpu_ns"] / one_round["messages"]


def ratios(rounds, key, other):
    """How much cheaper `key` is than `other`: over 1 is better. Quartiles and median."""
    return spread([cost(theirs) / cost(ours) for ours, theirs in zip(rounds[key], rounds[other])])


def user_share(rounds):
    """The kernel tells user from system at timer ticks: only all of them together mean something."""
    user = sum(one["user_ticks"] for one in rounds)
    ticks = user + sum(one["system_ticks"] for one in rounds)
    return user / ticks if ticks else 0.0


def summarize_one(rounds, system_calls):
    """Medians over the rounds of one contestant."""
    ns = statistics.median(cost(one) for one in rounds)
    share = user_share(rounds)
    median_of = lambda name: statistics.median(one[name] for one in rounds)
    return {
        "cpu_ns_per_message": ns,
        "user_ns_per_message": ns * share,
        "system_ns_per_message": ns * (1 - share),
        "messages_per_cpu_second": 1e9 / ns,
        "messages_per_second": statistics.median(1e9 * one["messages"] / one["wall_ns"] for one in rounds),
        "p50_us": median_of("p50_us"),
        "p99_us": median_of("p99_us"),
        "server_busy": statistics.median(one["cpu_ns"] / one["wall_ns"] for one in rounds),
        "load_busy": statistics.median(one["load_cpu_ns"] / one["wall_ns"] for one in rounds),
        "system_calls_per_message": system_calls,
    }


def best_peer(medians):
    """The peer that is cheapest in this row, or None."""
    peers = contestants.peers(medians)
    return min(peers, key=lambda key: medians[key]["cpu_ns_per_message"]) if peers else None


def inline_twin(key):
    return key.replace("threaded", "inline")


def summarize_row(measured):
    """All that the table, the picture and the JSON show of a row."""
    rounds = measured["rounds"]
    result = {key: summarize_one(rounds[key], measured["system_calls"].get(key)) for key in rounds}
    peer = best_peer(result)
    for contestant in contestants.ALL:
        key = contestant.key
        if key not in result:
            continue
        bare = contestants.bare_of(contestant.backend)
        result[key]["to_bare"] = ratios(rounds, key, bare) if bare in rounds else None
        result[key]["to_epoll"] = ratios(rounds, key, "bare_epoll") if "bare_epoll" in rounds else None
        result[key]["to_peer"] = ratios(rounds, key, peer) if peer else None
        twin = inline_twin(key) if contestant.threaded else None
        result[key]["to_inline"] = ratios(rounds, key, twin) if twin in rounds else None
    return {"contestants": result, "best_peer": peer}
