# SPDX-License-Identifier: MIT
"""check_includes.py ROOT: holds the tree to the table of include_rules.py."""

import sys

import include_rules
import tree

complaints = include_rules.check(sys.argv[1])
tree.finish(complaints, "every include goes in an allowed direction")
