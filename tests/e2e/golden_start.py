#!/usr/bin/python3
"""What script/start says without a terminal is what it was. Speaks TAP.

usage: golden_start.py ROOT [--write]          (--write: write golden/start.txt anew)
"""

import os
import subprocess
import sys

from start_noninteractive import Start
from transcript import Transcript

LIMIT = 280  # seconds; it may have to build first
TITLE = "script/start without a terminal, and what it leaves behind"


def play(root):
    start = Start(root)
    transcript = Transcript("start", start.folder, [
        (r"(?m)^(?:build|bootstrap): .*\n", ""),  # what there was to do
        (r"/tmp\.[A-Za-z0-9]+", "/<temporary>"),
        (r"(?m)^(  \w+: )[0-9]{2}:[0-9]{2} ", r"\1<time> "),
    ])
    try:
        output, _ = start.process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        start.process.terminate()  # it stops what it started
        output, _ = start.process.communicate()
    transcript.command(["script/start"], subprocess.CompletedProcess(
        [], start.process.returncode, output.encode(), b""))
    transcript.title("its folder for temporary files")
    transcript.folder(start.folder)
    start.check_clean()
    transcript.finish()


def main():
    print("1..1")
    try:
        play(os.path.abspath(sys.argv[1]))
        print(f"ok 1 - {TITLE}")
        return 0
    except Exception as problem:  # whatever it is, the test did not pass
        print(f"not ok 1 - {TITLE}")
        print("# " + f"{type(problem).__name__}: {problem}".replace("\n", "\n# "))
        return 1


if __name__ == "__main__":
    sys.exit(main())
