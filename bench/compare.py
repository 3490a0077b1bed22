#!/usr/bin/python3
"""Runs script/bench of two clones in turn and says which rows are worse in the second.

usage: compare.py BEFORE AFTER [quick]

A machine that other machines share is twice as fast at one time as at another. So the two run in
turn, three times each, and a row is worse only where the median of AFTER lies beyond all that
BEFORE had. A row that is worse is measured again before it is believed: of 55 figures that
wander, some lie there by chance.
"""

import json
import os
import statistics
import subprocess
import sys

ROUNDS = 3


def figures(rows):
    """{what: (value, whether more is better)} of one run"""
    found = {}
    for row in rows:
        what = row["what"].strip()
        while what in found:
            what += " (again)"
        if "ratio" in row:  # to OpenSSL's own operations, measured in the same moment
            found[what] = row["ratio"], False
        elif row["unit"]:  # without a unit it is a quotient of rows that are here
            found[what] = row["value"], row["unit"].endswith(("/s", "/core second"))
        if "p99_ms" in row:
            found[f"{what}, p99 ms"] = row["p99_ms"], False
        if "per_core_second" in row:
            found[f"{what}, per core second"] = row["per_core_second"], True
    return found


def measure(clone, words):
    code = subprocess.run([os.path.join(clone, "script/bench"), *words], check=False,
                          stdout=subprocess.DEVNULL).returncode
    if code != 0:
        sys.exit(f"compare: script/bench in {clone} ended with {code}")
    with open(os.path.join(clone, "build-bench/bench.json"), encoding="utf-8") as file:
        return figures(json.load(file)["rows"])


def judge(before, after, more_is_better):
    """better, worse, or nothing where the median of AFTER is within what BEFORE had"""
    median = statistics.median(after)
    if min(before) <= median <= max(before):
        return ""
    return "better" if (median > max(before)) == more_is_better else "worse"


def compare(before, after):
    """Prints a line for each figure; true if any was compared, and none is worse."""
    worse = shown = 0
    print(f"{'':<62} {'BEFORE, least to most':>25} {'median':>9} {'AFTER':>9}")
    known = {what: more for run in before + after for what, (_, more) in run.items()}
    for what, more_is_better in known.items():
        if not all(what in run for run in before + after):
            print(f"{what:<62} is not in every run")
            continue
        a, b = ([run[what][0] for run in runs] for runs in (before, after))
        verdict = judge(a, b, more_is_better)
        shown += 1
        worse += verdict == "worse"
        print(f"{what:<62} {min(a):>11.5g} to {max(a):>9.5g} {statistics.median(a):>9.5g} "
              f"{statistics.median(b):>9.5g} {verdict}".rstrip())
    print(f"{shown} figures, {worse} worse")
    return shown > 0 and worse == 0


def main(words):
    if len(words) < 2 or words[2:] not in ([], ["quick"]):
        print("usage: compare.py BEFORE AFTER [quick]", file=sys.stderr)
        return 2
    clones = words[:2]
    for clone in clones:
        if not os.access(os.path.join(clone, "script/bench"), os.X_OK):
            print(f"compare: {clone} is no clone of signet: it has no script/bench",
                  file=sys.stderr)
            return 2
    runs = {0: [], 1: []}
    for number in range(ROUNDS):
        for which, clone in enumerate(clones):
            print(f"compare: round {number + 1} of {ROUNDS}, {clone}", file=sys.stderr)
            runs[which].append(measure(clone, words[2:]))
    return 0 if compare(runs[0], runs[1]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
