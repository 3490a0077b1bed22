#!/usr/bin/python3
"""script/start as two people use it, in two terminals (tmux). Speaks TAP.

usage: start_terminal.py ROOT
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

VAR = "var with a space"
LIMIT = 60  # seconds for what is waited for: keys are made meanwhile


class Terminal:
    """A tmux server of our own with one window for each terminal."""

    def __init__(self, root, var):
        self.command = ["tmux", "-L", f"signet-test-{os.getpid()}", "-f", "/dev/null"]
        self.env = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "screen", "SIGNET_VAR": var,
                    "USER": "alice", "SHELL": "/bin/sh", "PS1": "$ "}
        self.env.pop("TMUX", None)
        self.root = root

    def tmux(self, *words):
        return subprocess.run([*self.command, *words], env=self.env, cwd=self.root, check=True,
                              stdout=subprocess.PIPE, text=True, timeout=LIMIT).stdout

    def open(self, name, *command):
        self.tmux("new-session", "-d", "-x", "200", "-y", "50", "-s", name, *command)
        self.tmux("set-option", "-t", name, "history-limit", "5000")

    def type(self, name, text, key="Enter"):
        if text:
            self.tmux("send-keys", "-t", name, "-l", text)
        self.tmux("send-keys", "-t", name, key)

    def screen(self, name):
        return self.tmux("capture-pane", "-p", "-J", "-S", "-", "-t", name)

    def wait(self, name, pattern):
        """Wait until the screen has a line that matches; return the match."""
        deadline = time.monotonic() + LIMIT
        while True:
            screen = self.screen(name)
            found = re.search(pattern, screen, re.MULTILINE)
            if found:
                return found
            assert time.monotonic() < deadline, f"{name} does not show {pattern!r}:\n{screen}"
            time.sleep(0.1)

    def close(self):
        subprocess.run([*self.command, "kill-server"], env=self.env, stderr=subprocess.DEVNULL)


def processes(folder):
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "build/signet" in command and folder in command:
            found.append(command)
    return found


# The shell outlives Ctrl-C.
SCRIPT = ("sh", "-c", "trap : INT; script/start; echo ended with $?; trap - INT; exec sleep 600")


def start(terminal, name):
    terminal.open(name, *SCRIPT)
    terminal.wait(name, r"^operator> ?$")


def the_operator_answers_what_is_typed(terminal, _):
    start(terminal, "one")
    terminal.type("one", "hello operator")
    line = terminal.wait("one", r"operator \(\w+\): .*hello operator.*\[(.*)\]$")
    assert line[1] == "verified" and "your signature holds" in line[0], line[0]


def a_second_person_joins_with_the_line_that_is_shown(terminal, _):
    line = terminal.wait("one", r"^cd .*$")[0].rstrip()
    terminal.open("two")
    terminal.type("two", line)
    terminal.wait("two", r"Passphrase .*: ?$")
    terminal.type("two", "")
    terminal.wait("two", r"^alice> ?$")
    terminal.type("two", "hello alice")
    terminal.wait("one", r": hello alice .*\[verified\]$")


def both_talk(terminal, _):
    terminal.type("one", "/to bob")
    terminal.wait("one", r"^bob> ?$")
    terminal.type("one", "hello bob")
    terminal.wait("two", r"alice \(\w+\): hello bob .*\[verified\]$")
    terminal.type("two", "nice to meet you")
    terminal.wait("one", r"bob \(\w+\): nice to meet you .*\[verified\]$")


def a_chat_that_is_open_is_said_to_be_open(terminal, folder):
    with open(os.path.join(folder, VAR, "invitation"), encoding="ascii") as file:
        before = file.read()
    terminal.open("three", *SCRIPT)
    terminal.wait("three", r"another signet .*is using")
    terminal.wait("three", r"^ended with 1$")
    with open(os.path.join(folder, VAR, "invitation"), encoding="ascii") as file:
        assert file.read() == before, "the invitation that was shown is another one now"
    terminal.type("one", "still there?")
    terminal.wait("one", r"^bob> ?$")
    terminal.wait("two", r": still there\? .*\[verified\]$")


def leaving_stops_what_was_started(terminal, folder):
    terminal.type("two", "", "C-d")
    terminal.type("one", "", "C-d")
    terminal.wait("one", r"^ended with 0$")
    assert processes(folder) == [], processes(folder)


def a_second_time_it_goes_on_where_it_was(terminal, folder):
    start(terminal, "four")
    assert 'you are "alice"' in terminal.screen("four")
    line = terminal.wait("four", r"^bob comes back with:\n\n(cd .*)$")[1]
    terminal.type("two", line)
    terminal.type("two", "and so am I")
    terminal.wait("four", r"bob \(\w+\): and so am I .*\[verified\]$")
    terminal.type("two", "", "C-d")
    terminal.type("four", "back again")
    line = terminal.wait("four", r"operator \(\w+\): .*back again.*\[(.*)\]$")
    assert line[1] == "verified" and "nothing is missing" in line[0], line[0]
    terminal.type("four", "", "C-c")
    terminal.wait("four", r"Ctrl-C once more")
    terminal.type("four", "", "C-c")
    terminal.wait("four", r"^ended with \d+$")
    deadline = time.monotonic() + LIMIT
    while processes(folder):  # bob's chat ends by itself
        assert time.monotonic() < deadline, processes(folder)
        time.sleep(0.1)


def a_relay_that_runs_goes_on(terminal, folder):
    terminal.open("relay")
    terminal.type("relay", 'build/signetd run --data "$SIGNET_VAR/relay"')
    terminal.wait("relay", r"relay.ready")
    terminal.open("five", *SCRIPT)
    terminal.wait("five", r"the relay is running already")
    terminal.wait("five", r"^operator> ?$")
    terminal.type("five", "", "C-d")
    terminal.wait("five", r"^start: the relay goes on")
    terminal.wait("five", r"^ended with 0$")
    assert len(processes(folder)) == 1, processes(folder)
    terminal.type("relay", "", "C-c")
    terminal.wait("relay", r"relay.stopped")


TESTS = [
    the_operator_answers_what_is_typed,
    a_second_person_joins_with_the_line_that_is_shown,
    both_talk,
    a_chat_that_is_open_is_said_to_be_open,
    leaving_stops_what_was_started,
    a_second_time_it_goes_on_where_it_was,
    a_relay_that_runs_goes_on,
]


def main(root):
    if shutil.which("tmux") is None:
        print("1..0 # SKIP tmux is not installed")
        return 0
    failed = False
    print(f"1..{len(TESTS)}")
    with tempfile.TemporaryDirectory(prefix="signet-start-") as folder:
        terminal = Terminal(root, os.path.join(folder, VAR))
        for number, test in enumerate(TESTS, 1):
            name = test.__name__.replace("_", " ")
            try:
                test(terminal, folder)
                print(f"ok {number} - {name}", flush=True)
            except Exception as error:  # whatever it is, the others still run
                failed = True
                print(f"not ok {number} - {name}")
                text = re.sub(r"\n\s*\n", "\n", f"{type(error).__name__}: {error}")
                print("# " + text.replace("\n", "\n# "), flush=True)
        terminal.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
