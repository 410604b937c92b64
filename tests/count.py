"""Adds up a Meson test log: a test counts as one, or as the cases that doctest says it ran."""

import json
import re
import sys

SUMMARY = re.compile(r"\[doctest\] test cases: +(\d+) \| +(\d+) passed \| +(\d+) failed")


def counts(test):
    succeeded = test["result"] in ("OK", "EXPECTEDFAIL")
    summary = SUMMARY.search(re.sub(r"\x1b\[[\d;]*m", "", test.get("stdout", "")))
    if summary is None:
        return (1, 0) if succeeded else (0, 1)
    ran, passed, failed = map(int, summary.groups())
    if ran == 0 or (failed == 0 and not succeeded):
        failed += 1
    return passed, failed


try:
    with open(sys.argv[1], encoding="utf-8") as log:
        results = [counts(json.loads(line)) for line in log]
except FileNotFoundError:
    results = [(0, 1)]
passed, failed = (sum(column) for column in zip(*results))
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
