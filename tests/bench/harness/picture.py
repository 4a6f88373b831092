# SPDX-License-Identifier: MIT
"""The rows as an SVG picture: a bar for each server, as long as it serves messages per CPU second,
against the bare epoll loop (1.0). The thin line is from quartile to quartile."""

import textwrap
from xml.sax.saxutils import escape

import contestants

TITLES = {one.key: one.title for one in contestants.ALL}
COLOURS = {
    "throng_inline_epoll": "#1b6ca8", "throng_threaded_epoll": "#7db4dd",
    "throng_inline_io_uring": "#0b7a4b", "throng_threaded_io_uring": "#7fc8a4",
    "bare_epoll": "#555555", "bare_uring": "#999999",
    "libuv": "#d98e04", "libevent": "#c2452d", "asio": "#8b5fbf",
}
WIDTH, LEFT, RIGHT, BAR, GAP = 900, 190, 70, 13, 26
MOST = 1.5  # bars end here


def bar(y, one, key, scale):
    low, median, high = one["to_epoll"]
    at = lambda value: LEFT + min(value, MOST) * scale
    return (
        f'<text x="{LEFT - 8}" y="{y + BAR - 3}" text-anchor="end">{escape(TITLES[key])}</text>'
        f'<rect x="{LEFT}" y="{y}" width="{at(median) - LEFT:.1f}" height="{BAR - 2}" fill="{COLOURS[key]}"/>'
        f'<line x1="{at(low):.1f}" x2="{at(high):.1f}" y1="{y + BAR / 2 - 1}" y2="{y + BAR / 2 - 1}" '
        f'stroke="#000"/>'
        f'<text x="{at(max(high, median)) + 5:.1f}" y="{y + BAR - 3}">{median:.2f}</text>'
    )


def draw(results, machine_text):
    """The text of an SVG file; rows without the bare epoll loop are left out."""
    scale = (WIDTH - LEFT - RIGHT) / MOST
    parts, y = [], 82
    for row, summary in results:
        bars = {key: one for key, one in summary["contestants"].items() if one["to_epoll"]}
        if not bars:
            continue
        parts.append(f'<text x="12" y="{y + 4}" class="row">{escape(row.title)}</text>')
        y += 12
        top = y
        for key, one in bars.items():
            parts.append(bar(y, one, key, scale))
            y += BAR
        one_at = LEFT + scale
        parts.append(f'<line x1="{one_at}" x2="{one_at}" y1="{top - 3}" y2="{y + 1}" stroke="#000" '
                     'stroke-dasharray="2,2"/>')
        y += GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 8}" '
        'font-family="sans-serif" font-size="11">\n'
        '<style>.row { font-weight: bold; font-size: 12px; }</style>\n'
        f'<rect width="{WIDTH}" height="{y + 8}" fill="#fff"/>\n'
        '<text x="12" y="20" font-size="15">Echoed messages per second of server CPU, bare epoll loop = 1</text>\n'
        + "".join(f'<text x="12" y="{36 + 14 * i}" fill="#555">{escape(line)}</text>\n'
                  for i, line in enumerate(textwrap.wrap(machine_text, 130)))
        + "\n".join(parts) + "\n</svg>\n"
    )
