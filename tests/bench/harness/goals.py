# SPDX-License-Identifier: MIT
"""The numbers that the project wants to reach, held against what was measured. Pure."""

import dataclasses

import contestants

TITLES = {one.key: one.title for one in contestants.ALL}


@dataclasses.dataclass(frozen=True)
class Goal:
    row: str
    what: str
    limit: float
    values: list  # lower quartile, median, upper quartile
    at_most: bool = False
    unit: str = ""

    @property
    def missed_by(self):
        return self.values[1] - self.limit if self.at_most else self.limit - self.values[1]

    @property
    def met(self):
        return self.missed_by <= 0

    def as_dict(self):
        return {**dataclasses.asdict(self), "met": self.met}


def of_row(row, summary):
    """Of an echo row."""
    for key, one in summary["contestants"].items():
        if not key.startswith("throng"):
            continue
        if "threaded" in key:
            if row.threaded_goal and one["to_inline"]:
                yield Goal(row.title, f"{TITLES[key]}, cost to inline", row.threaded_goal, one["to_inline"])
            continue
        if row.inline_goal and one["to_bare"]:
            yield Goal(row.title, f"{TITLES[key]}, cost to the bare loop", row.inline_goal, one["to_bare"])
        if one["to_peer"]:
            yield Goal(row.title, f"{TITLES[key]}, cost to {TITLES[summary['best_peer']]}", 1.0,
                       one["to_peer"])
