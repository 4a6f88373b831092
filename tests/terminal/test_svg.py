# SPDX-License-Identifier: MIT
"""test_svg.py ROOT: the pictures of terminals (tools/terminal/svg.py)."""

import os
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(sys.argv.pop(1), "tools", "terminal"))
import svg  # noqa: E402


def runs(text):
    return svg.runs_of(svg.cells_of(text, svg.Style()))


class Pictures(unittest.TestCase):
    def test_colours_begin_and_end_where_they_are_set(self):
        found = runs("a\x1b[1;31mb\x1b[39mc\x1b[0md\x1b[7me")
        self.assertEqual([text for _, _, text, _ in found], ["a", "b", "c", "d", "e"])
        self.assertEqual([look[0] for *_, look in found][:4],
                         [svg.FOREGROUND, svg.COLORS[1], svg.FOREGROUND, svg.FOREGROUND])
        self.assertEqual([look[2] for *_, look in found], [False, True, True, False, False])
        self.assertEqual(found[4][3][:2], (svg.BACKGROUND, svg.FOREGROUND))

    def test_wide_characters_take_two_columns_and_marks_none(self):
        self.assertEqual([run[:3] for run in runs("a日e\u0301b")], [(0, 1, "a"), (1, 2, "日"), (3, 2, "e\u0301b")])

    def test_other_sequences_are_left_out(self):
        self.assertEqual([run[2] for run in runs("a\x1b(B\x0eb\x1b[2K")], ["ab"])

    def test_the_picture_is_well_formed_whatever_the_text(self):
        text = "<b>&\"' ]]>\x1b[32m─█\x1b[0m\n" * 3
        root = xml.etree.ElementTree.fromstring(svg.picture(text, 20, 2, "a <title>"))
        self.assertEqual(root.find("{http://www.w3.org/2000/svg}title").text, "a <title>")
        texts = [shape.text for shape in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertEqual(texts.count("─█"), 2)  # two rows of the three


unittest.main()
