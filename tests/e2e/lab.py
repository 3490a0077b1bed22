#!/usr/bin/python3
"""The cipher lab as a newcomer meets it: docs/lab.md is typed in, and must come out as it says.

usage: lab.py SIGNET SIGNETD DOCUMENT     (or SIGNET and SIGNETD in the environment)

In a ```console block of the document a line after "$ " is typed, lines after "> " continue it, and
the rest is what must be seen. "…" stands for anything within a line, and alone on a line for any
lines. One shell goes through all of it, on a terminal and in an empty folder. Then what goes wrong: exit codes and
messages. Speaks TAP.
"""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

from harness import free_port, patience

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT = patience(120)
SIGNET = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.environ["SIGNET"])
SIGNETD = os.path.abspath(
    sys.argv[2] if len(sys.argv) > 2 else
    os.environ.get("SIGNETD", os.path.join(os.path.dirname(SIGNET), "signetd")))
DOCUMENT = sys.argv[3] if len(sys.argv) > 3 else os.path.join(ROOT, "docs", "lab.md")
PROMPT = "END OF COMMAND: "
PORT = "7443"  # of the document; another one is free here
TEXT = ("It was the best of times, it was the worst of times, it was the age of wisdom, it was the "
        "age of foolishness, it was the epoch of belief, it was the epoch of incredulity")

tests = []


def test(function):
    tests.append(function)
    return function


def run(*arguments, data=b"", env=None):
    return subprocess.run([SIGNET, *arguments], input=data, capture_output=True, timeout=TIMEOUT,
                          env={**os.environ, **(env or {})})


def check_works(*arguments, data=b""):
    done = run(*arguments, data=data)
    assert done.returncode == 0, (arguments, done)
    return done.stdout.decode()


def check_fails(code, words, *arguments, data=b""):
    """It exits with this code and says so in one line, which holds these words."""
    done = run(*arguments, data=data)
    assert done.returncode == code, (arguments, done)
    assert re.fullmatch(rb"signet: [^\n]+\n", done.stderr), (arguments, done)
    assert words in done.stderr.decode(), (words, done.stderr)
    return done.stdout.decode()


# ---- the document ----

class Shell:
    """One bash on a terminal of its own that is given a command at a time. Enter answers a
    question for a passphrase. What is typed is not echoed."""

    def __init__(self, folder):
        path = os.pathsep.join([os.path.join(folder, "bin"), os.environ["PATH"]])
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            mode = termios.tcgetattr(0)
            mode[3] &= ~termios.ECHO
            termios.tcsetattr(0, termios.TCSANOW, mode)
            os.chdir(os.path.join(folder, "work"))
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"],
                       {**os.environ, "PATH": path, "HOME": folder, "LC_ALL": "C.UTF-8",
                        "TZ": "UTC", "TERM": "xterm", "PS1": PROMPT, "PS2": ""})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.read()

    def read(self):
        seen = b""
        while not seen.endswith(PROMPT.encode()):
            ready, _, _ = select.select([self.terminal], [], [], TIMEOUT)
            assert ready, seen
            seen += os.read(self.terminal, 65536)
            if seen.endswith(b"(empty: none): "):
                os.write(self.terminal, b"\n")
        text = seen[:-len(PROMPT)].decode().replace("\r\n", "\n")
        text = re.sub("[^\n]*\r\x1b\\[K", "", text)  # progress, erased
        return re.sub(" +\n", "\n", text)

    def type(self, command):
        os.write(self.terminal, command.encode() + b"\n")
        return self.read()

    def end(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as jobs:
            for job in jobs.read().split():
                os.kill(int(job), signal.SIGTERM)  # to a relay SIGHUP would say: read your settings
        os.kill(self.pid, signal.SIGHUP)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def commands(document):
    """(line number, command, what must be seen)"""
    typed = None
    inside = False
    for number, line in enumerate(document.split("\n"), 1):
        if line.startswith("```"):
            if typed:
                yield typed
            typed, inside = None, line == "```console"
        elif inside and line.startswith("$ "):
            if typed:
                yield typed
            typed = [number, line[2:], ""]
        elif inside and line.startswith("> ") and not typed[2]:
            typed[1] += "\n" + line[2:]
        elif inside:
            typed[2] += line + "\n"


def pattern(wanted):
    parts = []
    for line in wanted.split("\n"):
        if line == "…":
            parts.append(r"(?:[^\n]*\n)*")
        else:
            parts.append(".*".join(re.escape(part) for part in line.split("…")) + "\n")
    return "".join(parts)[:-1]


@test
def a_newcomer_sees_what_the_document_says():
    with open(DOCUMENT, encoding="utf-8") as file:
        document = file.read()
    folder = tempfile.mkdtemp(prefix="signet-lab-")
    os.mkdir(os.path.join(folder, "work"))
    os.mkdir(os.path.join(folder, "bin"))
    os.symlink(SIGNET, os.path.join(folder, "bin", "signet"))
    os.symlink(SIGNETD, os.path.join(folder, "bin", "signetd"))
    port = str(free_port())
    shell = Shell(folder)
    try:
        count = 0
        for number, command, wanted in commands(document):
            seen = shell.type(command.replace(PORT, port))
            count += 1
            assert re.fullmatch(pattern(wanted.replace(PORT, port)), seen), \
                f"line {number}: {command}\n--- wanted:\n{wanted}--- seen:\n{seen}"
        assert count >= 20, count
        assert document.count("\n## ") >= 10
    finally:
        shell.end()
        shutil.rmtree(folder, ignore_errors=True)


# ---- the commands ----

@test
def what_is_encrypted_from_a_pipe_comes_back_byte_for_byte():
    data = ("Zwölf Boxkämpfer – 12 jagen Viktor!\n\nNo end of line").encode()
    for name, key in [("caesar", "7"), ("affine", "5,8"), ("monoalphabetic", "MONARCHY"),
                      ("vigenere", "LEMON"), ("columnar", "3,1,2/ZEBRAS"), ("railfence", "4")]:
        sealed = run("cipher", name, "encrypt", "--key", key, data=data)
        assert sealed.returncode == 0 and sealed.stdout != data, sealed
        opened = run("cipher", name, "decrypt", "--key", key, "-", data=sealed.stdout)
        assert opened.stdout == data, (name, opened)


@test
def bad_input_gets_one_line_and_its_exit_code():
    check_fails(2, "there is no cipher rot13", "cipher", "rot13", "encrypt", "--key", "1", "x")
    check_fails(2, "say encrypt, decrypt or crack", "cipher", "caesar")
    check_fails(2, "not seal", "cipher", "caesar", "seal", "x")
    check_fails(2, "give --key KEY", "cipher", "caesar", "encrypt", "x")
    check_fails(2, "not a number", "cipher", "caesar", "encrypt", "--key", "three", "x")
    check_fails(2, "letter A is repeated", "cipher", "monoalphabetic", "encrypt", "--key",
                "AACDEFGHIJKLMNOPQRSTUVWXYZ", "x")
    check_fails(2, "65 letters", "cipher", "monoalphabetic", "encrypt", "--key", "AB" * 32 + "C",
                "x")
    refused = run("cipher", "caesar", "encrypt", "--key", "9" * 100000, "x")
    assert refused.returncode == 2 and len(refused.stderr) < 300, refused
    check_fails(2, "quotation marks", "cipher", "caesar", "encrypt", "--key", "3", "two", "words")
    check_fails(2, "from 1 to 20", "cipher", "caesar", "crack", "--top", "0", "x")
    for name in ("cipher crack", "cipher vigenere crack", "compare",
                 "cipher caesar encrypt --key 3"):
        check_fails(1, "the text is empty", *name.split(), "")
        check_fails(1, "the text is empty", *name.split())
        check_fails(1, "no letter A-Z", *name.split(), "12 34")
        check_fails(1, "binary", *name.split(), "-", data=bytes(range(256)))
    check_fails(1, "3 letters: too few", "cipher", "crack", "abc")
    for name in ("cipher crack", "compare", "cipher caesar encrypt --key 3"):
        done = run("--json", *name.split(), data=b"caf\xe9 au lait")
        assert done.returncode == 1 and b"not UTF-8" in done.stderr, done


@test
def it_does_not_matter_how_a_pipe_cuts_the_text():
    pieces = [b"hello ", b"\x1b", b"[0m world, and so on\n"]
    process = subprocess.Popen([SIGNET, "cipher", "caesar", "encrypt", "--key", "3"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for piece in pieces:
        process.stdin.write(piece)
        process.stdin.flush()
        time.sleep(0.1)  # so that they are read one by one; if not, this proves nothing
    out, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, out
    assert out == run("cipher", "caesar", "encrypt", "--key", "3", data=b"".join(pieces)).stdout
    # One that is binary is refused however it is cut.
    noise = bytes(1 + i % 8 for i in range(4000))
    assert run("cipher", "caesar", "encrypt", "--key", "3", data=b"a" + noise).returncode == 1


@test
def what_is_not_tried_is_said():
    nonsense = "".join("ETAOINSHRDLU"[(i * i * 7 + i // 3) % 12] for i in range(40))
    check_fails(1, "double transposition", "cipher", "columnar", "crack", nonsense)
    shown = run("cipher", "caesar", "crack", "--top", "3", "Dwwdfn dw gdzq!").stdout.decode()
    assert shown.count("% sure") == 2, shown


@test
def compare_takes_the_beginning_of_a_long_text():
    done = run("compare", data=b"It was the best of times. " * 100000)
    assert done.returncode == 0 and b"the first 16384 bytes are compared" in done.stderr, done


@test
def a_short_text_is_answered_with_doubt():
    shown = check_fails(1, "about 56 are needed", "cipher", "monoalphabetic", "crack",
                        "Xqzjk vwbp")
    assert "confidence" in shown


@test
def a_crack_as_json_has_the_fixed_fields_and_the_same_answer_twice():
    sealed = check_works("cipher", "monoalphabetic", "encrypt", "--key", "ZEBRAS", TEXT)
    answers = []
    for _ in range(2):
        answer = json.loads(check_works("--json", "cipher", "crack", "--seed", "7", "--top", "3",
                                        data=sealed.encode()))
        seconds = answer.pop("seconds")
        assert 0 <= seconds < TIMEOUT
        answers.append(answer)
    assert answers[0] == answers[1], answers
    answer = answers[0]
    assert {"cipher", "key", "plaintext", "score", "confidence", "tries",
            "candidates"} <= set(answer), answer
    assert answer["cipher"] == "monoalphabetic" and answer["plaintext"] == TEXT, answer
    assert answer["confidence"] > 0.99
    assert len(answer["candidates"]) == 3
    assert answer["candidates"][0]["key"] == answer["key"]


@test
def quiet_prints_the_plaintext_alone():
    sealed = check_works("cipher", "vigenere", "encrypt", "--key", "LEMON", TEXT)
    assert check_works("--quiet", "cipher", "crack", sealed.strip()) == TEXT + "\n"


@test
def compare_as_json_says_what_only_the_aead_does():
    document = json.loads(check_works("--json", "compare", TEXT))
    rows = {row["cipher"]: row for row in document["ciphers"]}
    assert list(rows) == ["caesar", "affine", "monoalphabetic", "vigenere", "columnar",
                          "railfence", "aes-256-gcm"]
    for name, row in rows.items():
        is_aead = name == "aes-256-gcm"
        assert row["one_bit_flipped"]["refused"] == is_aead, row
        assert row["break"]["broken"] != is_aead, row
        assert row["break"]["measured"] != is_aead, row
    assert rows["aes-256-gcm"]["break"]["years_log10"] > 50
    assert rows["vigenere"]["one_letter_changed"]["changed"] == 1
    changed = rows["aes-256-gcm"]["one_letter_changed"]
    assert 0.3 < changed["changed"] / changed["of"] < 0.7, changed
    # GCM is a stream cipher: it is the fresh nonce that makes half of the bits others.
    assert changed["bytes_changed_under_the_same_nonce"] == 1, changed
    assert changed["bytes_of_the_tag_changed_then"] > 8, changed
    reuse = document["nonce_reuse"]
    assert reuse["second"] == reuse["second_without_the_key"], reuse


@test
def compare_says_what_is_so_of_short_texts():
    document = json.loads(check_works("--json", "compare", "z"))
    known = {row["cipher"]: row for row in document["ciphers"]}
    assert known["affine"]["known_plaintext"] == "1 letter: 12 keys are left", known["affine"]
    assert known["columnar"]["known_plaintext"] == "1 letter: 720 keys are left", known["columnar"]
    assert known["railfence"]["key_bits"] == 0, known["railfence"]
    for row in list(known.values())[:-1]:
        assert row["one_bit_flipped"]["wrong_letters"] == 1, row
    shown = check_works("compare", "Attack at dawn")
    assert "columnar           9.5 bits  not broken: 12 letters were not enough" in shown, shown
    assert "1 letters" not in check_works("compare", "a")


@test
def compare_fits_eighty_columns():
    for arguments in ([], ["--explain"]):
        for text in (TEXT, "a", TEXT * 120):
            shown = check_works("compare", *arguments, text)
            assert max(len(line) for line in shown.split("\n")) <= 80, shown


@test
def a_hundred_megabytes_pass_in_little_memory():
    code = ("import resource, subprocess, sys\n"
            "piece = b'The quick brown fox. ' * 50000\n"
            "p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)\n"
            "for _ in range(100): p.stdin.write(piece)\n"
            "p.stdin.close()\n"
            "code = p.wait()\n"
            "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n")
    done = subprocess.run([sys.executable, "-c", code, SIGNET, "cipher", "vigenere", "encrypt",
                           "--key", "LEMON", "-"], capture_output=True, text=True, timeout=TIMEOUT,
                          check=True)
    code, kibibytes = done.stdout.split()
    assert code == "0", done
    assert int(kibibytes) < 90000, done.stdout


@test
def a_terminal_sees_progress_and_is_not_driven_by_a_text():
    leader, follower = pty.openpty()
    process = subprocess.Popen([SIGNET, "cipher", "caesar", "decrypt", "--key", "1",
                                "B\x1bDb, to be read"],
                               stdin=follower, stdout=follower, stderr=follower)
    assert process.wait(TIMEOUT) == 0
    seen = os.read(leader, 1000)
    assert b"\x1b" not in seen and b"A\\x1bCa" in seen, seen
    os.close(leader)
    os.close(follower)


@test
def an_interrupt_ends_the_search_with_the_best_so_far():
    # Letters without sense keep the search for columns busy for seconds.
    letters = "".join("ETAOINSHRDLU"[(i * i * 7 + i // 3) % 12] for i in range(3000))
    process = subprocess.Popen([SIGNET, "--json", "cipher", "columnar", "crack", letters],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=TIMEOUT)
    answer = json.loads(out)
    assert answer["interrupted"] is True, answer
    assert answer["candidates"], answer
    assert process.returncode == 1


def main():
    print(f"1..{len(tests)}")
    failed = 0
    for number, function in enumerate(tests, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}")
            print("# " + traceback.format_exc().rstrip("\n").replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
