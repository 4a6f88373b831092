# SPDX-License-Identifier: MIT
"""What is on a terminal, as SVG: the text of `tmux capture-pane -e -p` with its colours (SGR) becomes rectangles and
text. Used by tools/screenshots; tests/terminal/test_svg.py tests it."""

import re
import unicodedata
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT, MARGIN, BAR = 8.4, 18, 12, 30
FONT = "DejaVu Sans Mono, Menlo, Consolas, monospace"
FOREGROUND, BACKGROUND, FRAME = "#d8dee9", "#1e222a", "#3b4252"
COLORS = ["#4c566a", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9"]
SGR = re.compile(r"\x1b\[([\d;]*)m")
OTHER = re.compile(r"\x1b(?:\[[^a-zA-Z]*[a-zA-Z]|\(.|[=>])|[\x0e\x0f]")


class Style:
    """What SGR sequences have set so far."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.bold = self.dim = self.reverse = False
        self.front = self.back = None

    def apply(self, codes):
        for code in [int(word or 0) for word in codes.split(";")]:
            if code == 0:
                self.reset()
            elif code == 1:
                self.bold = True
            elif code == 2:
                self.dim = True
            elif code == 22:
                self.bold = self.dim = False
            elif code in (7, 27):
                self.reverse = code == 7
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.front = COLORS[code % 10]
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.back = COLORS[code % 10]
            elif code == 39:
                self.front = None
            elif code == 49:
                self.back = None

    def look(self):
        """(colour, colour behind or None, bold, opacity)"""
        front, back = self.front or FOREGROUND, self.back
        if self.reverse:
            front, back = back or BACKGROUND, front
        return front, back, self.bold, 0.6 if self.dim else 1


def width_of(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells_of(line, style):
    """(character with what combines with it, its columns, its look) from left to right."""
    cells = []
    at = 0
    while at < len(line):
        sequence = SGR.match(line, at)
        other = OTHER.match(line, at)
        if sequence:
            style.apply(sequence.group(1))
            at = sequence.end()
        elif other:
            at = other.end()
        else:
            width = width_of(line[at])
            if width == 0 and cells:
                cells[-1] = (cells[-1][0] + line[at], *cells[-1][1:])
            else:
                cells.append((line[at], width, style.look()))
            at += 1
    return cells


def runs_of(cells):
    """(column, columns, text, look): neighbours that look alike. A wide character is a run of its own, for its font
    may have another width than two cells."""
    runs = []
    column = 0
    for character, width, look in cells:
        last = runs[-1] if runs else None
        if last and last[3] == look and width == 1 and last[4]:
            runs[-1] = (last[0], last[1] + 1, last[2] + character, look, True)
        else:
            runs.append((column, width, character, look, width == 1))
        column += width
    return [run[:4] for run in runs]


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


def shapes_of(row, runs):
    top = BAR + MARGIN + row * CELL_HEIGHT
    for column, columns, text, (front, back, bold, opacity) in runs:
        left, width = MARGIN + column * CELL_WIDTH, columns * CELL_WIDTH
        if back:
            yield (f'<rect x="{number(left)}" y="{top}" width="{number(width)}" height="{CELL_HEIGHT}" '
                   f'fill="{back}"/>')
        if text.strip():
            looks = f' fill="{front}"' if front != FOREGROUND else ""
            looks += ' font-weight="bold"' if bold else ""
            looks += f' opacity="{opacity}"' if opacity != 1 else ""
            yield (f'<text x="{number(left)}" y="{top + 13}" textLength="{number(width)}" '
                   f'lengthAdjust="spacingAndGlyphs"{looks}>{escape(text)}</text>')


def picture(captured, columns, rows, title):
    """The SVG of what tmux captured, in a window with a title."""
    width, height = columns * CELL_WIDTH + 2 * MARGIN, rows * CELL_HEIGHT + 2 * MARGIN + BAR
    style = Style()
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(width)}" height="{number(height)}" '
             f'viewBox="0 0 {number(width)} {number(height)}" font-family="{FONT}" font-size="14" '
             f'fill="{FOREGROUND}" xml:space="preserve">',
             "<!-- SPDX-License-Identifier: MIT; made by tools/screenshots -->",
             f"<title>{escape(title)}</title>",
             f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
             f'<path d="M0 {BAR}V8a8 8 0 0 1 8-8H{number(width - 8)}a8 8 0 0 1 8 8V{BAR}Z" fill="{FRAME}"/>',
             f'<text x="{number(width / 2)}" y="20" text-anchor="middle">{escape(title)}</text>']
    for row, line in enumerate(captured.split("\n")[:rows]):
        parts += shapes_of(row, runs_of(cells_of(line, style)))
    return "\n".join([*parts, "</svg>"]) + "\n"
