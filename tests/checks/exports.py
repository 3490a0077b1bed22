#!/usr/bin/python3
"""The shared library exports what the public headers declare, and nothing else. Speaks TAP.

usage: exports.py ROOT LIBSIGNET.SO
"""

import glob
import re
import subprocess
import sys


def declared(root):
    """Names of functions in include/signet: those before a parenthesis, outside comments."""
    names = set()
    for path in glob.glob(f"{root}/include/signet/*.h"):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
        text = re.sub(r"^\s*#.*(\\\n.*)*$", "", text, flags=re.MULTILINE)
        text = re.sub(r"static inline[^{;]*\{.*?\n\}", "", text, flags=re.DOTALL)
        names |= set(re.findall(r"\b(signet_\w+)\s*\([^;{]*;", text))
    return names


def exported(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {line.split()[-1] for line in lines}


def main(root, library):
    names, symbols = declared(root), exported(library)
    results = [
        ("every public function is exported", sorted(names - symbols)),
        ("nothing else is exported", sorted(symbols - names)),
        ("there are public functions", [] if len(names) > 20 else ["hardly any was found"]),
    ]
    print(f"1..{len(results)}")
    for number, (name, found) in enumerate(results, 1):
        print(f"{'not ok' if found else 'ok'} {number} - {name}")
        for line in found:
            print(f"# {line}")
    return 1 if any(found for _, found in results) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
