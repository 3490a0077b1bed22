"""Transcripts of what programs print and leave on disk, compared with those that are kept.

A transcript is a text in the folder golden/ beside this file. What differs from run to run is
masked: times, durations, ports, process numbers, folders, base64. Fingerprints, ids and invitations
get a name in the order in which they are first seen, <id-1>, the same wherever it comes again, also
shortened or in groups: so a transcript also tells which of them are equal.

With --write the programs that use this write their transcripts anew instead.
"""

import contextlib
import difflib
import itertools
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
IS_WRITING = "--write" in sys.argv
sys.argv[:] = [word for word in sys.argv if word != "--write"]

FIRST_TIME, LAST_TIME = 1_600_000_000_000, 9_999_999_999_999  # milliseconds since 1970
NUMBER_MAX = 1 << 40  # what is larger, and no time, was made of one
NESTED_MIN = 65  # shorter strings are keys and hashes, which may look like anything
RSA_LEN = 384  # a signature, or a wrapped key
PRIVATE_KEY_MIN = 1000  # an RSA key's length differs by some bytes

ID = re.compile(r"\b(?:[0-9a-f]{4}(?:-[0-9a-f]{4}){3,15}|[0-9a-f]{64}|[0-9a-f]{16})\b")
INVITATION = re.compile(r"(signet://[^/\s]+/)([A-Za-z0-9_-]{40,})")
BASE64 = re.compile(r"(?<=-----\n)(?:[A-Za-z0-9+/=]+\n)+(?=-----END)")
FIXED = [
    (re.compile(r"127\.0\.0\.1:[0-9]{4,5}\b"), "127.0.0.1:<port>"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"), "<time>"),
    (re.compile(r"\b[1-9][0-9]{12}\b"), "<time>"),
    (re.compile(r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2} )?[0-9]{2}:[0-9]{2} ", re.MULTILINE), "<time> "),
    (re.compile(r"\(process [0-9]+\)"), "(process <number>)"),
    (re.compile(r'\b(threads"?[=:])[0-9]+\b'), r"\1<number>"),
    (BASE64, "<base64>\n"),
    (re.compile(r"(.)\1{200,}"), lambda match: f"<{len(match[0])} times {match[1]}>"),
]


class Names:
    """What is masked, and how."""

    def __init__(self, folder):
        self.folders = sorted({folder, os.path.realpath(folder)}, key=len, reverse=True)
        self.ids, self.invitations = [], []

    def number_of(self, digits):
        """The number of an id that is known, whole or by its beginning; None: it is not."""
        for number, known in enumerate(self.ids, 1):
            if known.startswith(digits) or digits.startswith(known):
                self.ids[number - 1] = max(known, digits, key=len)
                return number
        return None

    def name_id(self, match):
        text = match[0]
        digits = text.replace("-", "")
        number = self.number_of(digits)
        if number is None:
            self.ids.append(digits)
            number = len(self.ids)
        short = "" if len(digits) == 64 else f" {len(digits)}"
        return f"<id-{number}{short}{' in groups' if '-' in text else ''}>"

    def name_invitation(self, match):
        if match[2] not in self.invitations:
            self.invitations.append(match[2])
        return f"{match[1]}<invitation-{self.invitations.index(match[2]) + 1}>"

    def text(self, text):
        for folder in self.folders:
            text = text.replace(folder, "<folder>")
        text = INVITATION.sub(self.name_invitation, text)
        for pattern, mask in FIXED:
            text = pattern.sub(mask, text)
        return ID.sub(self.name_id, text)

    def bytes(self, data):
        """A byte string as a database or CBOR has it; what no text has named gets no name here."""
        number = self.number_of(data.hex()) if len(data) == 32 else None
        if number is not None:
            return f"<id-{number}>"
        if len(data) >= NESTED_MIN and len(data) != RSA_LEN:
            with contextlib.suppress(ValueError, IndexError):
                return f"«{self.cbor(data)}»"
        if len(data) >= PRIVATE_KEY_MIN and data[:2] == b"\x30\x82":
            return "<private key>"
        return f"<{len(data)} bytes>"

    def cbor(self, data):
        """The structure of CBOR. ValueError: it is none, or not only an array, map or tag."""
        if not data or data[0] >> 5 not in (4, 5, 6):
            raise ValueError("no structure")
        shown, at = self.item(data, 0)
        if at != len(data):
            raise ValueError("there is more")
        return shown

    def item(self, data, at):
        """(as text, where it ends)"""
        kind, more = data[at] >> 5, data[at] & 31
        if kind == 7:
            if more not in (20, 21, 22):
                raise ValueError("not used here")
            return {20: "false", 21: "true", 22: "null"}[more], at + 1
        size = {24: 1, 25: 2, 26: 4, 27: 8}.get(more, 0)
        if more > 27 or at + 1 + size > len(data):
            raise ValueError("no length")
        number = int.from_bytes(data[at + 1:at + 1 + size], "big") if size else more
        at += 1 + size
        if kind in (0, 1):
            return integer(number if kind == 0 else -1 - number), at
        if kind in (2, 3):
            if at + number > len(data):
                raise ValueError("too long")
            part, at = data[at:at + number], at + number
            return (self.bytes(part) if kind == 2
                    else json.dumps(self.text(part.decode()), ensure_ascii=False)), at
        if kind == 6:
            shown, at = self.item(data, at)
            return f"{number}({shown})", at
        items = []
        for _ in range(number * (2 if kind == 5 else 1)):
            shown, at = self.item(data, at)
            items.append(shown)
        if kind == 5:
            return "{" + ", ".join(map(": ".join, zip(items[::2], items[1::2]))) + "}", at
        return "[" + ", ".join(counted(items)) + "]", at


def integer(number):
    if FIRST_TIME <= number <= LAST_TIME:
        return "<time>"
    return str(number) if abs(number) < NUMBER_MAX else "<large number>"


def counted(items):
    """Equal ones that follow each other become one, with their number."""
    for item, equals in itertools.groupby(items):
        count = len(list(equals))
        yield item if count == 1 else f"{count} × {item}"


def visible(text):
    """Control characters as escapes, but for the line feed."""
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode()
                   for c in text)


class Transcript:
    """A file of golden/, and what is to stand in it."""

    def __init__(self, name, folder, masks=()):
        self.path = os.path.join(GOLDEN, name + ".txt")
        self.names, self.masks, self.lines = Names(folder), list(masks), []

    def title(self, text):
        self.lines += ["", "== " + text, ""] if self.lines else ["== " + text, ""]

    def mask(self, text):
        for pattern, mask in self.masks:
            text = re.sub(pattern, mask, text)
        return self.names.text(text)

    def add(self, text, prefix="    "):
        """Text of somebody else, masked."""
        text = visible(self.mask(text))
        ending = [] if text.endswith("\n") or not text else [prefix + "(no line feed)"]
        self.lines += [(prefix + line).rstrip() for line in text.splitlines()] + ending

    def command(self, arguments, done, given=b""):
        """A command, its standard input, and what became of it (a subprocess.CompletedProcess)."""
        words = [word if re.fullmatch(r"[\w./:@%+=,-]+", word) else json.dumps(
            word if len(word) <= 300 else f"{word[:20]}... {len(word)} characters",
            ensure_ascii=False) for word in arguments]
        self.lines.append(self.mask("$ " + " ".join(words)))
        if given:
            shown = given.decode(errors="backslashreplace")
            self.add(shown if len(shown) <= 1000 else f"{shown[:20]}... {len(shown)} characters",
                     "  < ")
        for text, prefix in ((done.stdout, "    "), (done.stderr, "  2 ")):
            self.add(text.decode(errors="backslashreplace"), prefix)
        self.lines.append(f"  = {done.returncode}")

    # ---- what is on disk ----

    def folder(self, path):
        """Names, modes, and what stands in the files of text."""
        for name in sorted(os.listdir(path)):
            one = os.path.join(path, name)
            status = os.stat(one)
            self.lines.append(f"  {stat.filemode(status.st_mode)} {name}")
            if not stat.S_ISREG(status.st_mode):
                continue
            with open(one, "rb") as file:
                data = file.read()
            if data[:16] == b"SQLite format 3\0":
                self.lines.append("    (SQLite)")
            elif name == "lock":  # a process's number, of as many digits as it has
                self.lines.append("    <number>" if data.strip() else "    (empty)")
            elif name == "port":
                self.add(re.sub(rb"[0-9]+", b"<port>", data).decode())
            elif re.fullmatch(rb"[0-9a-f]{64}\n", data):
                self.lines.append("    <64 digits>")
            else:
                with contextlib.suppress(ValueError, IndexError):
                    self.lines.append("    " + self.names.cbor(data))
                    continue
                with contextlib.suppress(UnicodeDecodeError):
                    self.add(data.decode())
                    continue
                self.lines.append(f"    ({len(data)} bytes)")

    def database(self, path, rows=False):
        """A closed SQLite file: its numbers, its schema, how many rows (or which) a table has."""
        with tempfile.TemporaryDirectory(prefix="signet-test-") as copy:
            for end in ("", "-wal", "-shm"):
                if os.path.exists(path + end):
                    shutil.copy(path + end, os.path.join(copy, "copy.db" + end))
            with contextlib.closing(sqlite3.connect(os.path.join(copy, "copy.db"))) as store:
                self.show_database(store, rows)

    def show_database(self, store, rows):
        for setting in ("application_id", "user_version", "journal_mode", "page_size",
                        "auto_vacuum"):
            value, = store.execute(f"PRAGMA {setting}").fetchone()
            self.lines.append(f"  {setting} {value}")
        tables = []
        for kind, name, sql in store.execute("SELECT type, name, sql FROM sqlite_master "
                                             "ORDER BY name"):
            self.lines.append(f"  {sql or kind + ' ' + name}")
            tables += [name] if kind == "table" else []
        for name in tables:
            count, = store.execute(f"SELECT count(*) FROM {name}").fetchone()
            self.lines.append(f"  {name}: {count} rows")
            if rows:
                self.unordered(self.row(row) for row in store.execute(f"SELECT * FROM {name}"))

    def row(self, row):
        return " | ".join(integer(value) if isinstance(value, int) else
                          self.names.bytes(value) if isinstance(value, bytes) else
                          self.mask(str(value)) for value in row)

    def unordered(self, lines):
        self.lines += ["    " + line for line in counted(sorted(lines))]

    def records(self, reader, home):
        """What a home keeps sealed; reader is the program that opens it."""
        done = subprocess.run([reader, home, "all"], capture_output=True, check=True, timeout=60)
        shown = []
        for line in done.stdout.decode().splitlines():
            kind, number, digits = line.split(" ")
            data = bytes.fromhex(digits)
            try:
                value = self.names.cbor(data)
            except (ValueError, IndexError):
                value = self.names.bytes(data)
            shown.append((int(kind), int(number), value))
        self.lines += ["  " + line for line in counted(
            f"kind {kind}, {number}: {value}" for kind, number, value in sorted(shown))]

    # ---- comparing ----

    def finish(self):
        """Compare with the file; AssertionError with what differs."""
        found = "".join(line + "\n" for line in self.lines)
        if IS_WRITING:
            os.makedirs(GOLDEN, exist_ok=True)
            with open(self.path, "w", encoding="utf-8") as file:
                file.write(found)
            return
        with open(self.path, encoding="utf-8") as file:
            wanted = file.read()
        if found != wanted:
            raise AssertionError("\n" + "\n".join(difflib.unified_diff(
                wanted.splitlines(), found.splitlines(), os.path.relpath(self.path), "this run",
                lineterm="")))
