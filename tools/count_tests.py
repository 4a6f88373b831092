# SPDX-License-Identifier: MIT
"""count_tests.py RESULTS.xml: the outcome of a ctest run (its JUnit file).

Prints a line for each skipped test with its reason, then the numbers passed, failed and skipped.
"""

import sys
import xml.etree.ElementTree as xml


def reason_of(case):
    """A test that skips itself says why on a line that opens so."""
    output = case.findtext("system-out") or ""
    reasons = [line for line in output.splitlines() if line.startswith("skipped:")]
    return reasons[-1].removeprefix("skipped:").strip() if reasons else "no reason given"


def main(path):
    counts = {"run": 0, "fail": 0, "notrun": 0, "disabled": 0}
    for case in xml.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        # A test whose program is missing is "notrun" as well, and that is no skip.
        if status == "notrun" and case.find("skipped") is None:
            status = "fail"
        if status == "notrun":
            message = case.find("skipped").get("message", "")
            if "SKIP_" not in message:
                status = "fail"
            else:
                print(f"skipped: {case.get('name')}: {reason_of(case)}")
        counts[status] += 1
    print(counts["run"], counts["fail"], counts["notrun"] + counts["disabled"])


main(sys.argv[1])
