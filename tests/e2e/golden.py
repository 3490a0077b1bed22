#!/usr/bin/python3
"""What the commands print, and what they leave on disk, is what it was. Speaks TAP.

Each test plays a scene and compares its transcript with the one in golden/ (transcript.py says what
is masked there); a difference is shown as a unified diff. HOME_SECRETS names the program that
reads a home's records. Where a change is meant, write the transcripts anew and read what `git diff`
says of them; names of tests choose some of them:

    SIGNET=build-mine/cli/signet SIGNETD=build-mine/server/signetd \\
    HOME_SECRETS=build-mine/tests/e2e/home_secrets tests/e2e/golden.py --write [people...]
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from harness import SIGNET, SIGNETD, TIMEOUT, Relay, Skip, Terminal, equal, main, test
from transcript import Transcript

HOME_SECRETS = os.environ.get("HOME_SECRETS")
TEXT = ("It was the best of times, it was the worst of times, it was the age of wisdom, it was the "
        "age of foolishness, it was the epoch of belief")
# What compare measures, or draws by chance.
MEASURED = [
    (r"(?m)\bin [0-9]+\.[0-9]+ s\b", "in <seconds>"),
    (r'"seconds":[0-9.]+', '"seconds":<seconds>'),
    (r"10\^[0-9]+ years", "10^<power> years"),
    (r"(at|At the) [0-9]+(?= keys/s| a second)", r"\1 <number>"),
    (r"(?m)^(aes-256-gcm     )[0-9a-f]+(\.\.\.)?$", r"\1<random>\2"),
    (r"(?m)^(  key random    ).*?  +[0-9.]+ of", r"\1<bars>  <bits> of"),
    (r"(?m)^(  and a new nonce )[0-9]+ %", r"\1<part> %"),
    (r"(1 byte of the text and) [0-9]+ of the tag", r"\1 <number> of the tag"),
    (r"makes [0-9]+ of", "makes <number> of"),
    (r"(?m)^(  (?:first|second) ciphertext +)[0-9a-f]{32}\n +[0-9a-f]{32}$", r"\1<random>"),
    (r'("cipher":"aes-256-gcm","key":"random","ciphertext":)"[0-9a-f]+","histogram":\[[0-9,]+\],'
     r'"entropy":[0-9.]+', r'\1"<random>","histogram":[<numbers>],"entropy":<bits>'),
    (r'"keys_per_second":[0-9]+,"years_log10":[0-9.]+',
     '"keys_per_second":<number>,"years_log10":<power>'),
    (r'"changed":[0-9]+(?=,"of":[0-9]+,"unit":"bits")', '"changed":<number>'),
    (r'("bytes_of_the_tag_changed_then"):[0-9]+', r"\1:<number>"),
]


class Scene:
    """Commands that are run in a world's folder and go into a transcript."""

    def __init__(self, world, name, masks=()):
        self.world, self.transcript = world, Transcript(name, world.folder, masks)
        self.title = self.transcript.title

    def path(self, *names):
        return os.path.join(self.world.folder, *names)

    def run(self, program, *arguments, text=b"", env=None):
        done = subprocess.run([program, *arguments], input=text, cwd=self.world.folder,
                              env={**self.world.environment(), **(env or {})},
                              capture_output=True, timeout=3 * TIMEOUT)
        self.transcript.command([os.path.basename(program), *arguments], done, text)
        return done

    def signet(self, *arguments, **options):
        return self.run(SIGNET, *arguments, **options)

    def signetd(self, *arguments, **options):
        return self.run(SIGNETD, *arguments, **options)

    def by(self, home, *arguments, **options):
        return self.run(SIGNET, "--home", home, *arguments, **options)

    def show_home(self, home):
        self.title(f"the home {home}")
        self.transcript.folder(self.path(home))
        self.transcript.database(self.path(home, "store.db"))
        if os.path.exists(self.path(home, "key")):
            self.transcript.records(HOME_SECRETS, self.path(home))

    def show_relay(self, relay):
        self.title("the relay's folder")
        self.transcript.folder(relay.data)
        self.transcript.database(os.path.join(relay.data, "relay.db"), rows=True)

    def show_log(self, path):
        self.title("the relay's log")
        with open(path, encoding="utf-8") as log:
            self.transcript.add(log.read())


# ---- without a relay ----

COMMANDS = ["join", "send", "receive", "chat", "contacts", "history", "cipher", "compare"]


@test
def usage(world):
    """help, versions, and what is said of a command line that makes no sense"""
    scene = Scene(world, "usage")
    scene.title("help")
    for arguments in ["--help"], ["-h"], ["help"], ["--version"], ["help", "send"]:
        scene.signet(*arguments)
    for command in COMMANDS:
        scene.signet(command, "--help")
    for arguments in ["--help"], ["--version"], ["run", "--help"]:
        scene.signetd(*arguments)
    scene.title("wrong usage")
    for line in ("", "nonsense", "--json nonsense", "--json", "join", "join x", "join x --name",
                 "join x --name UPPER", "join x --name alice", "--json join x --name alice",
                 "join signet://127.0.0.1:1/AAAA --name alice", "send", "send a b c",
                 "receive --count none", "receive --count 0", "receive --follow --count 1",
                 "receive --timeout 1x", "receive --nonsense", "--json receive --follow=1",
                 "contacts nonsense", "contacts show", "contacts list x", "chat a b",
                 "history a b", "cipher", "cipher rot13 encrypt --key 1 x", "help nonsense"):
        scene.signet(*line.split())
    for line in ("", "nonsense", "run", "run --data", "run --nonsense", "run --data x y",
                 "init --data x --uses 3", "init --data x --listen nowhere", "invite --data x",
                 "invite --data x --uses 0", "invite --data x --expires 7", "backup --data x",
                 "backup --data x y", "check-config", "check-config none", "run --data x",
                 "run --data x --threads 0"):
        scene.signetd(*line.split())
    scene.title("no account")
    for line in ("receive", "--json receive", "--home nowhere history", "contacts",
                 "--home nowhere send bob text", "chat bob"):
        scene.signet(*line.split())
    scene.signet("history", env={"SIGNET_HOME": "elsewhere"})
    scene.transcript.finish()


@test
def lab(world):
    """the cipher lab"""
    scene = Scene(world, "lab", MEASURED)
    scene.title("encrypt and decrypt")
    for name, key in (("caesar", "3"), ("affine", "5,8"), ("monoalphabetic", "ZEBRAS"),
                      ("vigenere", "LEMON"), ("columnar", "ZEBRAS/STRIPE"), ("railfence", "3")):
        sealed = scene.signet("cipher", name, "encrypt", "--key", key, TEXT).stdout
        scene.signet("cipher", name, "decrypt", "--key", key, "-", text=sealed)
    scene.title("crack")
    for name, key in (("caesar", "3"), ("affine", "5,8"), ("monoalphabetic", "ZEBRAS"),
                      ("vigenere", "LEMON"), ("columnar", "ZEBRAS"), ("railfence", "3")):
        sealed = scene.signet("cipher", name, "encrypt", "--key", key, TEXT).stdout
        scene.signet("cipher", name, "crack", "--top", "2", "-", text=sealed)
        scene.signet("cipher", "crack", "--seed", "7", "--explain", "-", text=sealed)
        scene.signet("--json", "cipher", "crack", "--seed", "7", "--top", "2", text=sealed)
        scene.signet("--quiet", "cipher", "crack", text=sealed)
    scene.title("compare")
    scene.signet("compare", TEXT)
    scene.signet("compare", "--explain", "-", text=TEXT.encode() + b"\n")
    scene.signet("compare", "--json", TEXT)
    scene.signet("compare", "a")
    scene.title("what cannot be done")
    for line in ("caesar", "caesar seal x", "caesar encrypt x", "caesar encrypt --key three x",
                 "monoalphabetic encrypt --key AACDEFGHIJKLMNOPQRSTUVWXYZ x",
                 "caesar encrypt --key 3 two words", "caesar crack --top 0 x",
                 "caesar crack --key 3 x", "caesar encrypt --key 3 --seed 1 x", "crack abc",
                 "caesar encrypt --key 3", "vigenere crack 12", "monoalphabetic crack Xqzjkvwbp"):
        scene.signet("cipher", *line.split())
    for arguments in (["cipher", "crack"], ["compare"], ["--json", "compare"]):
        scene.signet(*arguments, text=bytes(range(256)))
        scene.signet(*arguments, text=b"caf\xe9 au lait")
    scene.transcript.finish()


# ---- the relay ----

@test
def relay(world):
    """a relay's commands, its log and its files"""
    scene = Scene(world, "relay")
    scene.title("making it")
    one = Relay(world)
    scene.signetd("init", "--data", "relay")
    scene.signetd("init", "--data", "other", "--name", "relay.example", "--listen", "[::1]:5000")
    scene.transcript.folder(scene.path("other"))
    scene.signetd("init", "--data", "bad", "--name", "a b")
    scene.signetd("check-config", "relay/signetd.conf")
    for text in ("threads = 2\n\nthreds = 3\n", "registration = maybe\n", "threads = 99999999\n"):
        with open(scene.path("bad.conf"), "w", encoding="ascii") as file:
            file.write(text)
        scene.signetd("check-config", "bad.conf")
    scene.title("running it")
    one.start()
    scene.signetd("run", "--data", "relay")
    invitation = scene.signetd("invite", "--data", "relay").stdout.decode().strip()
    scene.signetd("invite", "--data", "relay", "--uses", "5", "--expires", "30m")
    scene.signetd("backup", "--data", "relay", "copy.db")
    scene.signetd("backup", "--data", "relay", "copy.db")
    with open(scene.path("relay", "signetd.conf"), "r+", encoding="ascii") as file:
        config = file.read()
        file.seek(0)
        file.write("nonsense = 1\n" + config)
    reload_config(one, b"config.refused")
    with open(scene.path("relay", "signetd.conf"), "w", encoding="ascii") as file:
        file.write(config.replace("log = text", "log = json").replace(
            "registration = invitation", "registration = closed"))
    reload_config(one, b"config.reloaded")
    scene.by("alice", "join", invitation, "--name", "alice")
    one.stop()
    one.start()
    one.stop()
    scene.show_log(one.data + ".log")
    scene.show_relay(one)
    scene.title("the copy")
    scene.transcript.database(scene.path("copy.db"), rows=True)
    scene.transcript.finish()


def reload_config(one, word):
    one.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + TIMEOUT
    while True:
        with open(one.data + ".log", "rb") as log:
            if word in log.read():
                return
        assert time.monotonic() < deadline, f"{word} was not logged"
        time.sleep(0.02)


# ---- people ----

def address_of(scene, home, peer):
    """Not for the transcript."""
    done = subprocess.run([SIGNET, "--home", home, "--json", "contacts", "show", peer],
                          cwd=scene.world.folder, env=scene.world.environment(), check=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT)
    return done.stdout.decode().split('"address":"')[1][:64]


def join_all(scene, one):
    scene.title("joining")
    invitation = one.invite()
    scene.by("alice", "join", invitation, "--name", "alice", "--explain")
    scene.by("alice", "join", invitation, "--name", "alice")
    scene.by("bob", "join", invitation, "--name", "bob")  # it was for one
    scene.by("bob", "join", one.invite(), "--name", "alice", "--json")
    scene.by("bob", "--json", "join", one.invite(), "--name", "bob", "--explain")
    scene.by("carol", "--quiet", "join", one.invite(), "--name", "carol")
    scene.by("operator", "join", one.operator_invitation(), "--name", "operator")


def first_words(scene):
    scene.title("the first messages")
    scene.by("alice", "send", "bob", "hello bob", "--explain")
    scene.by("bob", "receive", "--json", "--explain")
    scene.by("bob", "history")
    scene.by("bob", "send", "alice", "hello alice", "--json")
    scene.by("alice", "receive", "--explain")
    scene.by("alice", "send", "bob", text="two\nlines\tand \x1b[31m, grüße 日本語\n".encode())
    scene.by("bob", "receive")
    scene.by("alice", "send", "bob", "--lines", "--json", text=b"1\n2\n3\n")
    scene.by("bob", "receive", "--count", "2", "--json")
    scene.by("bob", "receive", "--count", "1")
    scene.by("bob", "receive")
    scene.by("bob", "receive", "--json")
    scene.by("bob", "receive", "--count", "1", "--timeout", "1")
    scene.by("alice", "send", "bob", "x" * 65536, "--quiet")
    scene.by("bob", "receive", "--quiet", "--count", "1", "--json")
    scene.title("what cannot be sent")
    scene.by("alice", "send", "nobody", "text")
    scene.by("alice", "--json", "send", "nobody", "text")
    scene.by("alice", "send", "Bad/Name", "text")
    scene.by("alice", "send", "alice", "text")
    scene.by("alice", "send", "bob", "")
    scene.by("alice", "send", "bob", "x" * 65537)
    scene.by("alice", "send", "bob", text=b"\xff\xfe")
    scene.by("alice", "send", "bob", "--lines", text=b"good\n\xff\n")
    scene.by("alice", "send", "bob", text=b"nul\0byte")
    scene.by("bob", "receive", "--count", "2")


def know_each_other(scene):
    scene.title("contacts")
    alice, bob = address_of(scene, "bob", "alice"), address_of(scene, "alice", "bob")
    scene.by("carol", "send", "alice", "hello alice, carol here")
    scene.by("alice", "receive")
    carol = address_of(scene, "alice", "carol")
    groups = "-".join(bob[at:at + 4] for at in range(0, 64, 4))
    for line in ("contacts", "contacts list --json", "contacts show bob", "contacts show " + groups,
                 "contacts show carol --json", "contacts show nobody", "contacts verify bob",
                 "contacts verify " + alice, "contacts verify " + bob,
                 "contacts verify --json " + groups, "contacts accept carol",
                 "contacts accept " + alice, "contacts accept " + carol,
                 "contacts accept --json " + carol, "contacts", "contacts show --json bob"):
        scene.by("alice", *line.split())


def answer(scene):
    """Who sends has received all: whether more comes meanwhile is a matter of time."""
    scene.title("answers")
    scene.by("carol", "send", "bob", "are you there")
    scene.by("bob", "receive", "--reply", "echo yes")
    scene.by("alice", "send", "bob", "what is it")
    scene.by("bob", "receive", "--reply",
             'echo "$SIGNET_FROM $SIGNET_ADDRESS $SIGNET_ID $SIGNET_VERDICT $SIGNET_CONTACT"; cat')
    scene.by("alice", "receive")
    scene.by("alice", "send", "bob", "and now")
    scene.by("bob", "receive", "--json", "--reply", "exit 1")
    scene.by("alice", "send", "operator", "hello operator")
    scene.by("operator", "receive", "--reply", "echo $SIGNET_CONTACT")
    scene.by("alice", "receive", "--json")


def talk(scene):
    scene.title("chat")
    words = b"/help\n/who\n/history\n/nonsense\n//slash\nlast words"
    scene.by("alice", "chat", "bob", text=words)
    scene.by("bob", "receive", "--count", "2")
    scene.by("alice", "chat", "bob", "--json", text=b"as a document\n")
    scene.by("bob", "receive", "--count", "1", "--json")
    scene.by("alice", "chat", "nobody", text=b"")
    scene.by("alice", "chat", "bob", text=b"/quit\nnot sent\n")
    scene.by("alice", "chat", "bob", text=b"x" * 65537 + b"\n")
    scene.by("alice", "chat", text=b"to nobody\n")
    scene.title("a home that is in use")
    chat = subprocess.Popen([SIGNET, "--home", "alice", "chat", "bob"], cwd=scene.world.folder,
                            env=scene.world.environment(), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    scene.world.processes.append(chat)
    first = chat.stderr.readline()  # the home is open by then
    scene.by("alice", "history")
    scene.by("alice", "receive", "--json")
    out, err = chat.communicate(b"", timeout=TIMEOUT)
    scene.transcript.command(["signet", "--home", "alice", "chat", "bob"],
                             subprocess.CompletedProcess([], chat.returncode, out, first + err))


def read_back(scene):
    scene.title("history")
    for line in ("history", "history bob", "history bob --json", "--json history carol",
                 "history nobody", "--json history nobody"):
        scene.by("alice", *line.split())


def lose_the_relay(scene, one):
    scene.title("without the relay")
    one.stop()
    scene.by("alice", "send", "bob", "queued")
    scene.by("alice", "send", "bob", "queued as well", "--json")
    scene.by("alice", "send", "bob", "--lines", text=b"3\n4\n")
    scene.by("alice", "receive")
    scene.by("alice", "--json", "receive")
    scene.by("alice", "history", "bob")
    scene.by("dave", "join", one.operator_invitation(), "--name", "dave")
    scene.show_home("alice")
    one.start()
    scene.title("with it again")
    scene.by("alice", "send", "bob", "new")
    scene.by("bob", "receive", "--count", "5")
    scene.by("alice", "history", "--json", "bob")


def tamper(scene, one):
    """The relay changes the second of three messages, whose envelopes are seen here as well."""
    scene.title("a relay that changes a message")
    for text in ("one", "two", "three"):
        scene.by("alice", "send", "bob", text, "--quiet")
    one.stop()
    scene.show_relay(one)
    with contextlib.closing(sqlite3.connect(os.path.join(one.data, "relay.db"))) as store:
        key, envelope = store.execute("SELECT id, envelope FROM hot ORDER BY id").fetchall()[1]
        store.execute("UPDATE hot SET envelope = ? WHERE id = ?",
                      (envelope[:-1] + bytes([envelope[-1] ^ 1]), key))
        store.commit()
    one.start()
    scene.by("bob", "receive")
    scene.by("bob", "history", "alice")


def spoil(scene):
    """What is said of a home that is not right."""
    scene.title("a home that is not right")
    shutil.copytree(scene.path("carol"), scene.path("spoilt"))
    os.chmod(scene.path("spoilt"), 0o777)
    scene.by("spoilt", "history")
    os.chmod(scene.path("spoilt"), 0o755)
    scene.by("spoilt", "history")
    os.chmod(scene.path("spoilt"), 0o700)
    os.rename(scene.path("spoilt", "key"), scene.path("spoilt", "kept"))
    scene.by("spoilt", "history")
    shutil.copy(scene.path("alice", "key"), scene.path("spoilt", "key"))
    scene.by("spoilt", "--json", "history")
    with open(scene.path("spoilt", "key"), "w", encoding="ascii") as file:
        file.write("no key\n")
    scene.by("spoilt", "history")
    os.rename(scene.path("spoilt", "kept"), scene.path("spoilt", "key"))
    with open(scene.path("spoilt", "store.db"), "wb") as file:
        file.write(b"no store, but long enough to be looked at\n" * 100)
    scene.by("spoilt", "history")


@test
def people(world):
    """people join, talk, confirm each other, lose the relay, and what they keep"""
    if not HOME_SECRETS:
        raise Skip("HOME_SECRETS names no program")
    scene = Scene(world, "people")
    one = world.relay()
    join_all(scene, one)
    first_words(scene)
    know_each_other(scene)
    answer(scene)
    talk(scene)
    read_back(scene)
    lose_the_relay(scene, one)
    tamper(scene, one)
    spoil(scene)
    one.stop()
    for home in ("alice", "bob", "carol", "operator"):
        scene.show_home(home)
    scene.show_relay(one)
    scene.show_log(one.data + ".log")
    scene.transcript.finish()


@test
def passphrase(world):
    """an account with a passphrase, at a terminal"""
    scene = Scene(world, "passphrase")
    one = world.relay()
    home = world.home("alice", folder=scene.path("alice"))

    def at_terminal(command, *typed):
        terminal = Terminal(world, home.command(*command), columns=200)
        for prompt, words in typed:
            terminal.wait(prompt)
            terminal.type(words + "\n")
        code = terminal.wait_end()
        shown = terminal.screen.text().rstrip("\n") + "\n"
        scene.transcript.command(["signet", *home.command(*command)[1:]],
                                 subprocess.CompletedProcess([], code, shown.encode(), b""))

    scene.title("joining")
    at_terminal(["join", one.invite(), "--name", "alice"],
                (r"\(empty: none\):", "correct horse"), ("[aA]gain", "correct horse"))
    one.stop()
    scene.title("opening it")
    at_terminal(["contacts"], ("Passphrase:", "correct horse"))
    at_terminal(["history", "bob"], ("Passphrase:", "wrong"))
    scene.show_home("alice")
    equal(os.path.exists(scene.path("alice", "key")), False)
    scene.transcript.finish()


if __name__ == "__main__":
    main()
