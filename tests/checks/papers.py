#!/usr/bin/python3
"""The papers name what is there: links lead somewhere, files and functions exist. Speaks TAP.

usage: papers.py ROOT
"""

import glob
import os
import re
import sys

SOURCES = ("include", "lib", "ciphers", "io", "server", "engine", "agent", "term", "lab", "cli")


def papers(root):
    for path in sorted(glob.glob(f"{root}/*.md") + glob.glob(f"{root}/docs/*.md")):
        with open(path, encoding="utf-8") as file:
            yield os.path.relpath(path, root), file.read()


def anchors(text):
    """The names by which headings can be linked to."""
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        yield re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def broken_links(root):
    texts = dict(papers(root))
    for paper, text in texts.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            target, _, anchor = link.partition("#")
            if "://" in link:
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(paper), target)) if target else paper
            if not os.path.exists(os.path.join(root, path)):
                yield f"{paper}: {link}"
            elif anchor and anchor not in anchors(texts.get(path, "")):
                yield f"{paper}: no heading for {link}"


def missing_files(root):
    """Paths in backticks that begin with one of our folders."""
    folders = "|".join((*SOURCES, "docs", "examples", "fuzz", "script", "tests"))
    for paper, text in papers(root):
        for path in re.findall(rf"`((?:{folders})/[^`\s<>,]*)`", text):
            if not glob.glob(os.path.join(root, path)):
                yield f"{paper}: {path}"


def missing_names(root):
    """Function names in backticks, with an underscore, in the paper about the source."""
    words = set()
    for folder in SOURCES:
        for place, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith((".c", ".h")):
                    with open(os.path.join(place, name), encoding="utf-8") as file:
                        words |= set(re.findall(r"\w+", file.read()))
    with open(os.path.join(root, "docs/architecture.md"), encoding="utf-8") as file:
        for name in re.findall(r"`([a-zA-Z]\w*_\w+)`", file.read()):
            if name not in words and not name.startswith("SIGNET_"):
                yield name


def main(root):
    results = [
        ("links lead somewhere", list(broken_links(root))),
        ("files that are named exist", list(missing_files(root))),
        ("functions that are named exist", list(missing_names(root))),
    ]
    print(f"1..{len(results)}")
    for number, (name, found) in enumerate(results, 1):
        print(f"{'not ok' if found else 'ok'} {number} - {name}")
        for line in found:
            print(f"# {line}")
    return 1 if any(found for _, found in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
