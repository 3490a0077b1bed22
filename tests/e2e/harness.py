"""What the tests of whole programs share: a relay, homes, terminals, and TAP.

Only the standard library. SIGNET and SIGNETD name the programs (build/signet, build/signetd).
Everything lives in a folder of its own and is stopped by its number when the test ends.
"""

import base64
import contextlib
import fcntl
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIGNET = os.path.abspath(os.environ.get("SIGNET", os.path.join(ROOT, "build", "signet")))
SIGNETD = os.path.abspath(os.environ.get("SIGNETD", os.path.join(ROOT, "build", "signetd")))


def patience(seconds):
    """What is waited for may take so long: longer on a slow machine, as the programs wait, too."""
    given = os.environ.get("SIGNET_TEST_PATIENCE", "")
    number = int(given) if re.fullmatch(r"[0-9]{1,3}", given) else 1
    return seconds * (number if 1 <= number <= 100 else 1)


TIMEOUT = patience(60)  # seconds, for whatever is waited for

tests = []


class Skip(Exception):
    """This cannot be tested here."""


def test(function):
    """Its docstring is what the test says; it takes a World."""
    tests.append(function)
    return function


def main():
    """Run the tests, or those whose functions are named, each in a world of its own."""
    tests[:] = [one for one in tests if not sys.argv[1:] or one.__name__ in sys.argv[1:]]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, function in enumerate(tests, 1):
        title = function.__doc__.strip()
        try:
            with World() as world:
                function(world)
            print(f"ok {number} - {title}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {title} # SKIP {reason}", flush=True)
        except Exception as problem:
            failed += 1
            print(f"not ok {number} - {title}")
            print("# " + str(problem).replace("\n", "\n# "))  # first: logs are cut somewhere
            print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    sys.exit(1 if failed else 0)


def equal(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def free_port():
    """Below those that the system gives to whoever connects: nobody takes it before its relay."""
    while True:
        port = random.randrange(10000, 32768)
        with contextlib.closing(socket.socket()) as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


class Done:
    """What a command did."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    def __repr__(self):
        parts = [" ".join(self.arguments)[:200] + f" -> {self.code}"]
        for title, text in (("out", self.out), ("err", self.err)):
            text = text.decode(errors="replace")
            parts.append(f"{title} ({len(text)}): " + (text if len(text) < 2000 else
                                                       text[:500] + " ... " + text[-1000:]))
        return "\n".join(parts)

    def json(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def works(self):
        assert self.code == 0, self
        return self

    def fails(self, code, *words):
        """In one line on standard error that holds these words, with nothing on standard output."""
        text = self.err.decode()
        lines = [line for line in text.splitlines() if not line.startswith("signet: making keys")
                 and not line.startswith("signet: no passphrase")]
        assert self.code == code, self
        assert len(lines) == 1 and lines[0].startswith("signet: "), self
        for word in words:
            assert word in lines[0], (word, self)
        return self


def freeze(process):
    """Stop a process; all its threads stand still then. A signal alone is only on its way: until
    one thread has seen it, the others go on."""
    process.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + TIMEOUT
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        while True:
            with open(f"/proc/{process.pid}/task/{thread}/stat", encoding="utf-8") as file:
                state = file.read().rpartition(")")[2].split()[0]
            if state == "T":
                break
            assert time.monotonic() < deadline, f"thread {thread} goes on"
            time.sleep(0.005)


class Relay:
    def __init__(self, world, name="relay", port=None):
        self.world, self.port, self.process = world, port or free_port(), None
        self.data = os.path.join(world.folder, name)
        subprocess.run([SIGNETD, "init", "--data", self.data, "--listen",
                        f"127.0.0.1:{self.port}"], check=True, capture_output=True, timeout=TIMEOUT)

    def start(self):
        self.log = open(self.data + ".log", "ab")
        seen = self.log.tell()
        self.process = subprocess.Popen([SIGNETD, "run", "--data", self.data], stderr=self.log)
        self.world.processes.append(self.process)
        deadline = time.monotonic() + TIMEOUT
        while True:
            with open(self.data + ".log", "rb") as log:
                log.seek(seen)
                text = log.read()
            if b"relay.ready" in text:
                return self
            assert self.process.poll() is None and time.monotonic() < deadline, text
            time.sleep(0.02)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(TIMEOUT)
        self.log.close()

    def kill(self):
        self.stop(signal.SIGKILL)

    def invite(self, *arguments):
        done = subprocess.run([SIGNETD, "invite", "--data", self.data, *arguments], check=True,
                              capture_output=True, timeout=TIMEOUT)
        return done.stdout.decode().strip()

    def operator_invitation(self):
        with open(os.path.join(self.data, "operator.invitation"), encoding="ascii") as file:
            return file.read().strip()


class Home:
    def __init__(self, world, name, folder=None):
        self.world, self.name = world, name
        self.folder = folder or os.path.join(world.folder, "home-" + name)
        self.address = None

    def command(self, *arguments):
        return [SIGNET, "--home", self.folder, *arguments]

    def start(self, *arguments, before=(), **options):
        process = subprocess.Popen([*before, *self.command(*arguments)],
                                   env=self.world.environment(), **options)
        self.world.processes.append(process)
        return process

    def run(self, *arguments, text=b"", before=(), env=None, timeout=TIMEOUT):
        done = subprocess.run([*before, *self.command(*arguments)], input=text,
                              env={**self.world.environment(), **(env or {})}, capture_output=True,
                              timeout=timeout)
        return Done(arguments, done.returncode, done.stdout, done.stderr)

    def join(self, invitation):
        result = self.run("join", invitation, "--name", self.name, "--json").works().json()[0]
        self.address = result["address"]
        return result

    def receive(self, *arguments):
        if "--timeout" not in arguments:
            arguments += "--timeout", str(TIMEOUT - 10)  # a machine that is busy is not silent
        return self.run("receive", "--json", *arguments).works().json()

    def send(self, peer, text, *arguments):
        return self.run("send", peer, text, *arguments).works()

    def history(self, *peer):
        return self.run("history", "--json", *peer).works().json()


class World:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="signet-test-")
        self.processes, self.cleanups = [], []
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait(TIMEOUT)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        for cleanup in reversed(self.cleanups):
            cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        kept = ("PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                "LSAN_OPTIONS", "SIGNET_TEST_PATIENCE")
        return {**{key: os.environ[key] for key in kept if key in os.environ},
                "HOME": self.folder, "LC_ALL": "C.UTF-8", "TERM": "xterm", "TZ": "UTC"}

    def relay(self, **options):
        return Relay(self, **options).start()

    def home(self, name, **options):
        return Home(self, name, **options)

    def joined(self, relay, *names):
        """Homes that have joined, at the same time: keys take their time."""
        homes = [self.home(name) for name in names]
        running = [(home, home.start(
            "join", relay.operator_invitation() if home.name == "operator" else relay.invite(),
            "--name", home.name, "--json", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)) for home in homes]
        for home, process in running:
            out, err = process.communicate(timeout=3 * TIMEOUT)
            assert process.returncode == 0, err
            home.address = json.loads(out)["address"]
        return homes


def wait_line(process, pattern):
    """A line of a process's standard output that matches; the lines before it are passed over."""
    deadline, text = time.monotonic() + TIMEOUT, b""
    while True:
        left = deadline - time.monotonic()
        ready = left > 0 and select.select([process.stdout], [], [], left)[0]
        assert ready, f"{pattern} did not come: {text!r}"
        byte = os.read(process.stdout.fileno(), 1)
        assert byte, f"{pattern} did not come before the end: {text!r}"
        text += byte
        if byte == b"\n":
            line = text.splitlines()[-1].decode()
            if re.search(pattern, line):
                return line


def invitation_parts(link):
    head, data = link.rsplit("/", 1)
    return head, base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))


def invitation_text(head, data):
    return head + "/" + base64.urlsafe_b64encode(data).decode().rstrip("=")


class Screen:
    """What a terminal shows: as much of ECMA-48 as a line editor needs."""

    def __init__(self, columns, rows):
        self.columns, self.height = columns, rows
        self.rows, self.row, self.column = [[]], 0, 0
        self.joined = set()  # rows that were full, and went on in the next one
        self.pending, self.unknown = b"", []

    def feed(self, data):
        text = self.pending + data
        self.pending = b""
        while text:
            if text[:1] == b"\033":
                match = re.match(rb"\033(\[[0-9;?]*[@-~]|\][^\007\033]*(\007|\033\\)|[()].|[=>78DM])",
                                 text)
                if not match:
                    assert len(text) < 64, f"not understood: {text!r}"
                    self.pending = text
                    return
                self.escape(match[0].decode())
                text = text[match.end():]
            else:
                length = 1 if text[0] < 0x80 else 2 if text[0] < 0xe0 else 3 if text[0] < 0xf0 else 4
                if len(text) < length:
                    self.pending = text
                    return
                self.put(text[:length].decode())
                text = text[length:]

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.down(1)
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character == "\t":
            self.column = min(self.columns - 1, (self.column // 8 + 1) * 8)
        elif character >= " ":
            if self.column == self.columns:
                self.joined.add(self.row)
                self.column = 0
                self.down(1)
            line = self.rows[self.row]
            line.extend(" " * (self.column + 1 - len(line)))
            line[self.column] = character
            self.column += 1

    def down(self, count):
        self.row += count
        while len(self.rows) <= self.row:
            self.rows.append([])

    def resize(self, columns):
        """As most terminals do it: what was one line stays one, and is folded anew."""
        rows, joined, place = [], set(), (0, 0)
        line, cursor = [], None
        for number, row in enumerate(self.rows):
            if number == self.row:
                cursor = len(line) + self.column
            line += row
            if number in self.joined and number + 1 < len(self.rows):
                line += " " * (self.columns - len(row))
                continue
            length = max(len(line), 1 if cursor is None else cursor + 1)
            folds = range(0, length, columns)
            if cursor is not None:
                place = (len(rows) + cursor // columns, cursor % columns)
            joined.update(len(rows) + fold for fold in range(len(folds) - 1))
            rows += [line[fold:fold + columns] for fold in folds]
            line, cursor = [], None
        self.rows, self.joined, self.columns = rows, joined, columns
        self.row, self.column = place

    def escape(self, sequence):
        match = re.fullmatch(r"\033\[([0-9;]*)([A-Za-z@])", sequence)
        if not match:
            return  # modes and titles: nothing that moves
        numbers = [int(number) for number in match[1].split(";") if number]
        count = numbers[0] if numbers else 1
        line = self.rows[self.row]
        kind = match[2]
        if kind == "A":
            self.row = max(0, self.row - count)
        elif kind == "B":
            self.down(count)
        elif kind == "C":
            self.column = min(self.columns - 1, self.column + count)
        elif kind == "D":
            self.column = max(0, self.column - count)
        elif kind == "G":
            self.column = count - 1
        elif kind == "K" and not numbers:
            del line[self.column:]
            self.joined.discard(self.row)
        elif kind == "J" and not numbers:
            del line[self.column:]
            del self.rows[self.row + 1:]
            self.joined = {row for row in self.joined if row < self.row}
        elif kind == "J" and numbers == [2]:
            self.rows, self.joined = [[] for _ in range(self.row + 1)], set()
        elif kind == "H" and not numbers:
            self.row = self.column = 0
        elif kind == "P":
            del line[self.column:self.column + count]
        elif kind == "@":
            line[self.column:self.column] = " " * count
        else:
            self.unknown.append(sequence)

    def lines(self):
        return ["".join(row).rstrip() for row in self.rows]

    def text(self):
        return "\n".join(self.lines())

    def last(self):
        """The line in which the cursor is."""
        return "".join(self.rows[self.row])


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, world, command, columns=80, rows=24, env=None):
        self.screen, self.raw, self.code = Screen(columns, rows), b"", None
        environment = {**world.environment(), **(env or {})}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], command, environment)
        world.cleanups.append(self.close)

    def read(self, seconds):
        """Take in what comes; False: nothing did."""
        if not select.select([self.fd], [], [], max(0, seconds))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # how a terminal ends on Linux
            data = b""
        if not data:
            self.reap()
            return False
        self.raw += data
        self.screen.feed(data)
        return True

    def type(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def resize(self, columns, rows=24):
        """Once what was written before has come: a terminal folds what it shows."""
        while self.read(0.2):
            pass
        self.screen.resize(columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self, condition, what="it"):
        """Until the screen is as wanted: a function of the Screen, or a pattern in its text."""
        wanted = condition
        if isinstance(condition, str):
            what = condition

            def wanted(screen):
                return re.search(condition, screen.text(), re.MULTILINE)
        deadline = time.monotonic() + TIMEOUT
        while not wanted(self.screen):
            self.read(0.2)
            assert time.monotonic() < deadline, f"{what} does not come:\n{self.screen.text()}"
            assert self.code is None or wanted(self.screen), \
                f"{what} did not come before the end:\n{self.screen.text()}"
        return self.screen

    def reap(self):
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def wait_end(self):
        deadline = time.monotonic() + TIMEOUT
        while self.code is None:
            self.read(0.2)
            assert time.monotonic() < deadline, f"it does not end:\n{self.screen.text()}"
        return self.code

    def close(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.reap()
        os.close(self.fd)
