# SPDX-License-Identifier: MIT
"""R1: peers that send small messages as fast as they can."""

import fair

NAME = "flooders"
WHAT = "1, 8 and 100 flooders of 8-byte messages at full speed, beside 100 well-behaved clients"
ORDER = 20


def run(world):
    with fair.two_servers(world, "--max-connections", 1000) as (us, stranger):
        for count in world.pick((1, 8, 100), (8,)):
            attack = lambda server: world.peers(server, f"flood={count}", seconds=60, nice=True)
            measure = fair.Measure(world, us, stranger, attack)
            figures = measure.run(world.pick(3, 1))
            fair.judge(world, figures, f"{count} flooders", 5)
            flood = figures.attacker_reports[-1]
            world.note(f"{count} flooders: messages a second that came back to them",
                       flood["flood"]["received"] / 12 / flood["seconds"])
