#!/usr/bin/python3
"""Counts English letters and writes english.bin, from which ciphers/model.c scores text.

usage: make_model.py [r-cran-janeaustenr_*.deb jargon-text_*.deb]

The text is, from two Debian packages:

r-cran-janeaustenr  Jane Austen's six novels, 1811-1817 (Project Gutenberg's texts without its
                    header): 3 million letters. In the public domain.
jargon-text         The Jargon File, version 4.4.7, 2003, its paragraphs of running text: the prose
                    of our time, and of people who write about machines. In the public domain, as
                    the package's copyright file says. It is a third as long, and counted twice:
                    modern prose gains 0.6 bits a letter by it, and old novels lose nothing.

Without arguments the packages are fetched with apt-get download; they are unpacked, never
installed. The same packages give the same bytes.

What is counted: runs of four symbols. First with an alphabet of 26 letters, all else left out; then
with 27 symbols, where symbol 26 is the space between two words. Apostrophes are left out.

english.bin: "SGNL", version 1; for each of the two alphabets the number of different runs (32 bits,
little endian) and then, for each of them in rising order of its value (base 32), two numbers: the
distance from the one before, and the count. A number is written seven bits at a time, lowest first,
the top bit set in all bytes but the last.
"""

import glob
import gzip
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter

PACKAGES = ["r-cran-janeaustenr", "jargon-text"]
NOVELS = "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
JARGON = "usr/share/doc/jargon-text/jargon.txt.gz"
JARGON_WEIGHT = 2
PARAGRAPH_MIN = 150  # characters; headings, lists and pronunciations are shorter
STRINGS, PAST_HEADER = 16, 14  # R's STRSXP; behind format, version and the two versions of R
ORDER = 4


def fetch(folder):
    subprocess.run(["apt-get", "-q", "download", *PACKAGES], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [glob.glob(os.path.join(folder, name + "_*.deb"))[0] for name in PACKAGES]


def objects(data):
    """The objects of an R database: each its length (32 bits, big endian) and a zlib stream."""
    while data:
        stream = zlib.decompressobj()
        content = stream.decompress(data[4:])
        if len(content) != struct.unpack(">I", data[:4])[0]:
            raise ValueError("this is no database of R")
        yield content
        data = stream.unused_data


def strings(content):
    """The lines of a character vector in R's XDR format (R Internals, section 1.8)."""
    at = PAST_HEADER
    if struct.unpack(">I", content[2:6])[0] == 3:  # names its encoding
        at += 4 + struct.unpack(">I", content[at:at + 4])[0]
    flags, count = struct.unpack(">II", content[at:at + 8])
    if flags & 255 != STRINGS:
        return
    at += 8
    for _ in range(count):
        length = struct.unpack(">i", content[at + 4:at + 8])[0]
        at += 8
        yield content[at:at + max(length, 0)].decode("utf-8")
        at += max(length, 0)


def novels(folder):
    with open(os.path.join(folder, NOVELS), "rb") as file:
        found = ["\n".join(strings(content)) for content in objects(file.read())]
    return [text for text in found if text]


def jargon(folder):
    """The paragraphs that are running text, without addresses."""
    with gzip.open(os.path.join(folder, JARGON), "rt", encoding="utf-8") as file:
        paragraphs = re.split(r"\n\s*\n", file.read())
    prose = [text for text in paragraphs if len(text) >= PARAGRAPH_MIN and
             sum(c.islower() for c in text) > 0.6 * len(text)]
    return re.sub(r"\S*(://|@)\S*", " ", "\n".join(prose))


def count(symbols):
    runs = Counter()
    value = 0
    for place, symbol in enumerate(symbols):
        value = (value << 5 | symbol) & 0xfffff
        if place >= ORDER - 1:
            runs[value] += 1
    return runs


def number(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return out


def table(runs):
    out = bytearray(struct.pack("<I", len(runs)))
    before = 0
    for value in sorted(runs):
        out += number(value - before) + number(runs[value])
        before = value
    return out


def main(packages):
    with tempfile.TemporaryDirectory() as folder:
        for package in packages:
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        texts = novels(folder)
        if len(texts) != 6:
            raise ValueError(f"six novels were expected, {len(texts)} found")
        texts += [jargon(folder)] * JARGON_WEIGHT
    letters, words = Counter(), Counter()
    for text in texts:
        text = re.sub("['\u2019]", "", text.upper())
        text = re.sub("[^A-Z]+", " ", text)
        letters += count(ord(c) - 65 for c in text if c != " ")
        words += count(26 if c == " " else ord(c) - 65 for c in text)
    out = b"SGNL\x01" + table(letters) + table(words)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "english.bin")
    with open(path, "wb") as file:
        file.write(out)
    print(f"{path}: {sum(letters.values())} letters, {len(letters)} and {len(words)} different "
          f"runs, {len(out)} bytes")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1:])
    else:
        with tempfile.TemporaryDirectory() as download:
            main(fetch(download))
