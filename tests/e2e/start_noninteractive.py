#!/usr/bin/python3
"""script/start without a terminal: a conversation, verified, and nothing left behind. Speaks TAP.

usage: start_noninteractive.py ROOT
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 60  # seconds for all of it, once it is built


def processes(folder):
    """The processes that name a folder in their command line."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in command and int(number) != os.getpid():
            found.append(command)
    return found


class Start:
    """script/start with a folder of its own for temporary files."""

    def __init__(self, root):
        self.temporary = tempfile.TemporaryDirectory(prefix="signet-start-")
        self.folder = self.temporary.name
        self.var = os.path.join(self.folder, "var")
        env = {**os.environ, "TMPDIR": self.folder, "SIGNET_VAR": self.var}
        self.process = subprocess.Popen(
            [os.path.join(root, "script/start")], stdin=subprocess.DEVNULL, env=env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def wait(self):
        output, _ = self.process.communicate(timeout=LIMIT)
        return output

    def check_clean(self):
        left = processes(self.folder)
        assert left == [], f"processes are left: {left}"
        assert os.listdir(self.folder) == [], f"files are left: {os.listdir(self.folder)}"


def a_conversation_is_held_and_every_message_is_verified(root):
    start = Start(root)
    output = start.wait()
    assert start.process.returncode == 0, output
    shown = re.findall(r"^  (\w+): .*\[(.*)\]$", output, re.MULTILINE)
    for who, count in (("alice", 2), ("bob", 3)):
        assert shown.count((who, "verified")) == count, f"{shown}\n{output}"
    assert output.count("your signature holds") == 2, output
    for line in ("alice's history: 5 messages, 5 verified", "bob's history: 5 messages, 5 verified",
                 "operator's history: 4 messages, 4 verified"):
        assert line in output, output
    start.check_clean()


def the_steps_are_explained(root):
    output = Start(root).wait()
    for word in ("RSA-OAEP", "RSA-PSS", "X25519", "AES-256-GCM", "TLS 1.3"):
        assert word in output, f"nothing is said of {word}\n{output}"


def ended_halfway_it_leaves_nothing_behind(root):
    for number in (signal.SIGTERM, signal.SIGINT):
        start = Start(root)
        deadline = time.monotonic() + LIMIT
        while not any("signetd run" in each for each in processes(start.folder)):
            assert time.monotonic() < deadline, "the relay was never started"
            time.sleep(0.05)
        start.process.send_signal(number)
        start.wait()
        assert start.process.returncode == 128 + number, start.process.returncode
        start.check_clean()


TESTS = [
    a_conversation_is_held_and_every_message_is_verified,
    the_steps_are_explained,
    ended_halfway_it_leaves_nothing_behind,
]


def main(root):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # not ignored, whoever started us
    print(f"1..{len(TESTS)}")
    failed = False
    for number, test in enumerate(TESTS, 1):
        name = test.__name__.replace("_", " ")
        try:
            test(root)
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # whatever it is, the others still run
            failed = True
            print(f"not ok {number} - {name}")
            print("# " + f"{type(error).__name__}: {error}".replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
