# SPDX-License-Identifier: MIT
"""letters.py: writes the tables of letters.c from Python's Unicode database to standard output."""

import unicodedata

# Letters and marks that nobody sees: fillers, variation selectors, joiners of Mongolian.
INVISIBLE = {0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F}
INVISIBLE |= set(range(0xFE00, 0xFE10)) | set(range(0xE0100, 0xE01F0))
# Accents for Latin, Greek and Cyrillic: NFC has a character of its own for what is written.
ACCENTS = [(0x0300, 0x036F), (0x0483, 0x0489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF),
           (0x2DE0, 0x2DFF), (0xA66F, 0xA67D), (0xFE20, 0xFE2F)]
LETTERS = {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"}
MARKS = {"Mn", "Mc"}
# The scripts of today; plane 1 has those of antiquity, and signs.
PLANES = [*range(0x10000), *range(0x20000, 0x40000)]

HEAD = """/* SPDX-License-Identifier: MIT
 * Tables of letters beyond ASCII. See letters.h. Written by letters.py from Unicode {version}. */
#include "letters.h"

#include <stddef.h>

struct range {{
    uint32_t first;
    uint32_t last;
}};

/* From `first` to `last` in steps of `step`, each letter's small form is `delta` away. */
struct shift {{
    uint32_t first;
    uint32_t last;
    int32_t step;
    int32_t delta;
}};
"""

TAIL = """
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The only range that may hold the character, or NULL: the tables are in order. */
static const struct range *find_range(const struct range *table, size_t count, uint32_t character)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table[middle].last < character) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && table[low].first <= character ? &table[low] : NULL;
}

bool letters_has(uint32_t character)
{
    return find_range(letters, COUNT(letters), character) != NULL;
}

bool letters_has_mark(uint32_t character)
{
    return find_range(marks, COUNT(marks), character) != NULL;
}

uint32_t letters_lower(uint32_t character)
{
    for (size_t i = 0; i < COUNT(shifts) && shifts[i].first <= character; i++) {
        const struct shift *shift = &shifts[i];
        if (character <= shift->last && (character - shift->first) % (uint32_t)shift->step == 0) {
            return (uint32_t)((int32_t)character + shift->delta);
        }
    }
    return character;
}
"""


def is_plain(code):
    text = chr(code)
    return (code >= 0x80 and not 0xD800 <= code <= 0xDFFF and code not in INVISIBLE
            and not any(first <= code <= last for first, last in ACCENTS)
            and unicodedata.normalize("NFKC", text) == text)


def ranges(categories):
    found = []
    for code in PLANES:
        if is_plain(code) and unicodedata.category(chr(code)) in categories:
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return found


def shifts():
    """Runs [first, last, step, delta] of the simple lower-case mapping."""
    found = []
    for code in PLANES:
        small = chr(code).lower()
        if len(small) != 1 or small == chr(code) or not is_plain(code):
            continue
        delta = ord(small) - code
        run = next((run for run in reversed(found[-3:]) if run[3] == delta), None)
        step = code - run[1] if run else 0
        if run and step in (1, 2) and run[2] in (0, step):
            run[1:3] = code, step
        else:
            found.append([code, code, 0, delta])
    return [[first, last, step or 1, delta] for first, last, step, delta in found]


def print_table(kind, name, per_line, rows, words):
    print(f"\n/* clang-format off */\nstatic const struct {kind} {name}[] = {{")
    for at in range(0, len(rows), per_line):
        print("    " + " ".join(words(row) for row in rows[at:at + per_line]))
    print("};\n/* clang-format on */")


def range_words(row):
    return f"{{0x{row[0]:x}, 0x{row[1]:x}}},"


def shift_words(row):
    return f"{{0x{row[0]:x}, 0x{row[1]:x}, {row[2]}, {row[3]}}},"


def main():
    print(HEAD.format(version=unicodedata.unidata_version), end="")
    print_table("range", "letters", 5, ranges(LETTERS), range_words)
    print_table("range", "marks", 5, ranges(MARKS), range_words)
    print_table("shift", "shifts", 3, shifts(), shift_words)
    print(TAIL, end="")


main()
