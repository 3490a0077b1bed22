#!/usr/bin/python3
"""chat in a terminal: the line being typed stays whole, keys work, texts cannot drive it. TAP."""

import json
import os
import re
import signal
import subprocess

from crashlab import joined
from harness import TIMEOUT, Terminal, equal, main, test, wait_line


def texts(messages):
    return [message["text"] for message in messages]


def chat(world, home, *peer, columns=120):
    terminal = Terminal(world, home.command("chat", *peer), columns=columns)
    terminal.wait(lambda screen: re.fullmatch(r"[a-z]*> ", screen.last()), "the prompt")
    return terminal


def ends_with(screen, pattern):
    """Rows that are full go on in the next one."""
    joined = "".join(line.ljust(screen.columns) if line else "" for line in screen.lines())
    return re.search(pattern + "$", joined.rstrip())


def leave(terminal, key="\x04"):
    terminal.type(key)
    equal(terminal.wait_end(), 0)


@test
def prompt_stays(world):
    """what is typed stays whole while messages arrive above it, also over several rows"""
    relay, alice, bob = joined(world, "alice", "bob")
    terminal = chat(world, alice, "bob", columns=60)
    assert "signed and on the record" in terminal.screen.text()
    for half in ("half a li", "a line that is so long that it goes over more than a single row of it"):
        terminal.type(half)
        terminal.wait(lambda screen: half[-6:] in screen.text(), half)
        for number in range(3):
            bob.send("alice", f"arrival {number}")
        terminal.wait(lambda screen: ends_with(screen, r"arrival 2   \[verified\] *bob> " + half),
                      "the last message, and below it what was typed")
        for number in range(3):
            equal(terminal.screen.text().count(f"arrival {number}"), 1)
        terminal.type(" end\r")
        terminal.wait(lambda screen: screen.last() == "bob> ", "acceptance")
        equal(texts(bob.receive("--count", "1")), [half + " end"])
        terminal.type("\x0c")  # on a clean screen
        terminal.wait(lambda screen: screen.last().startswith("bob> "), "the prompt")
    equal(terminal.screen.unknown, [])
    leave(terminal)


@test
def keys(world):
    """editing, history, Tab, other scripts, Ctrl-C and Ctrl-D do what they do elsewhere"""
    relay, alice, bob, carol = joined(world, "alice", "bob", "carol")
    for home in (bob, carol):
        alice.send(home.name, "hello")
        home.receive()
    terminal = chat(world, alice, "bob")
    terminal.type("wor\x1b[Dx\x01y\x05z\r")  # left, beginning, end
    equal(texts(bob.receive("--count", "1")), ["ywoxrz"])
    terminal.wait(lambda screen: screen.last() == "bob> ", "acceptance")
    terminal.type("\x1b[A!\r")  # the line before
    equal(texts(bob.receive("--count", "1")), ["ywoxrz!"])
    terminal.type("grüße 日本語\x7f\r")
    equal(texts(bob.receive("--count", "1")), ["grüße 日本"])
    terminal.type("/to ca\t\r")
    terminal.wait(lambda screen: screen.last() == "carol> ", "the other peer")
    terminal.type("/h\t")
    terminal.wait(r"^/help  /history$")
    terminal.type("e\t\r")
    terminal.wait(r"Tab completes names")
    terminal.type("hello ca\t\r")
    equal(texts(carol.receive("--count", "1")), ["hello carol "])  # Tab ends the word
    terminal.type("//slash\r")
    equal(texts(carol.receive("--count", "1")), ["/slash"])
    terminal.type("/nonsense\r")
    terminal.wait(r"there is no /nonsense")
    terminal.type("/history\r")
    terminal.wait(r"alice to carol: /slash   \[accepted\]")
    terminal.type("thrown away\x03")
    terminal.wait(r"Ctrl-C once more")
    terminal.wait(lambda screen: screen.last() == "carol> ", "an empty line")
    terminal.type("kept\r")
    equal(texts(carol.receive("--count", "1")), ["kept"])
    terminal.type("\x1b")  # a key that does not go on must not stop what arrives
    bob.send("alice", "while a key is open")
    terminal.wait(r"bob \(unverified\): while a key is open")
    terminal.type("\r")
    terminal.wait(lambda screen: screen.last() == "carol> ", "an empty line")
    leave(terminal)


@test
def other_keys(world):
    """keys without a meaning insert nothing, marks go with their letters, blanks are no message"""
    relay, alice, bob = joined(world, "alice", "bob")
    terminal = chat(world, alice, "bob")
    assert b"offline" not in terminal.raw
    for key in ("[5~", "[6~", "[2~", "OP", "OS", "[15~", "[24~", "[5;5~", "[1;5C", "[1;2P", "[[A"):
        terminal.type("\x1b" + key)
    terminal.type("e\u0301\x7f\x7fx")
    terminal.wait(lambda screen: screen.last() == "bob> x", "the letter alone")
    shown = terminal.raw[terminal.raw.rindex(b"\x1b[J"):].decode()
    assert "\u0301" not in shown, shown
    terminal.type("\x7f   \r")
    terminal.type("to you\r")
    equal(texts(bob.receive("--count", "1")), ["to you"])
    terminal.wait(lambda screen: screen.last() == "bob> ", "acceptance")
    terminal.type("/to nobody-here\r")
    terminal.wait(r"^nobody-here>")
    assert "nobody-here is not among your contacts" in terminal.screen.text()
    leave(terminal)


@test
def pasted(world):
    """a pasted text is one message, byte for byte, and no keys"""
    relay, alice, bob = joined(world, "alice", "bob")
    bob.send("alice", "hello")
    terminal = chat(world, alice, "bob")
    assert terminal.raw.rindex(b"\x1b[?2004h") > terminal.raw.find(b"\x1b[?2004l")
    text = "int main(void)\n{\n\treturn 0; /* bo\t \u65e5 */\n}\n\n"
    for pasted in (text, text.replace("\n", "\r"), text * 40, "/etc/hosts:\n::1\tlocalhost"):
        terminal.type("> " if pasted == text else "")
        at = 0
        while at < len(pasted):  # in pieces, with a pause in the beginning and between
            piece = pasted[at:at + 700]
            terminal.type("\x1b[200~" * (at == 0) + piece)
            terminal.read(0.3)
            at += len(piece)
        terminal.type("\x1b[201~")
        bob.send("alice", "meanwhile")
        terminal.wait(lambda screen: screen.text().count("meanwhile") > 0, "a message")
        terminal.type("\x1b[D\x1b[C\x05!\r")
        wanted = ("> " if pasted == text else "") + pasted.replace("\r", "\n") + "!"
        equal(texts(bob.receive("--count", "1")), [wanted])
        terminal.wait(lambda screen: screen.last() == "bob> ", "acceptance")
        terminal.type("\x0c")
        terminal.wait(lambda screen: "meanwhile" not in screen.text(), "a clean screen")
    terminal.type("\x1b[200~lost\x03")
    terminal.wait(r"Ctrl-C once more")
    terminal.type("kept\r")
    equal(texts(bob.receive("--count", "1")), ["kept"])
    leave(terminal)
    assert terminal.raw.rindex(b"\x1b[?2004l") > terminal.raw.rindex(b"\x1b[?2004h")


@test
def ends(world):
    """/quit, Ctrl-C twice and SIGTERM end a chat, and the terminal is as it was"""
    relay, alice, bob = joined(world, "alice", "bob")
    for key in ("/quit\r", "\x03", "last words\r\x04"):
        inside = " ".join(alice.command("chat", "bob"))
        terminal = Terminal(world, ["sh", "-c", f"trap : INT; cd $HOME; stty -a > before; {inside}; code=$?; "
                                    "stty -a > after; cmp before after && exit $code"],
                            columns=120)
        terminal.wait(lambda screen: screen.last() == "bob> ", "the prompt")
        if key == "\x03":
            terminal.type(key)
            terminal.wait(r"Ctrl-C once more")
        terminal.type(key)
        equal(terminal.wait_end(), 0)
    equal(texts(bob.receive()), ["last words"])
    terminal = chat(world, alice, "bob")
    os.kill(terminal.pid, signal.SIGTERM)
    equal(terminal.wait_end(), 1)


def check_line(terminal, mark, typed):
    """A letter more, and the screen must end with one line that holds it all."""
    terminal.type(mark)
    terminal.wait(lambda screen: ends_with(screen, re.escape("bob> " + typed + mark)), mark)
    text = "".join(terminal.screen.lines())
    equal((text.count("bob> "), text.count(typed[:9])), (1, 1))
    assert "messages here are signed" in text.replace("    ", "")


@test
def resized(world):
    """in a window of another size, and after Ctrl-Z, the line is there once, below what was shown"""
    relay, alice, bob = joined(world, "alice", "bob")
    terminal = chat(world, alice, "bob")
    typed = "short text"
    terminal.type(typed)
    for round in range(2):
        terminal.wait(lambda screen: ends_with(screen, re.escape("bob> " + typed)), typed)
        for number, columns in enumerate((60, 37, 38, 90, 20, 120)):
            terminal.resize(columns)
            check_line(terminal, str(number), typed)
            typed += str(number)
        for number in (signal.SIGTSTP, signal.SIGCONT):
            os.kill(terminal.pid, number)
            check_line(terminal, "z", typed)
            typed += "z"
        more = " and a text that is so long that it needs more than one row" + " grows" * 9
        terminal.type(more)
        typed += more
    terminal.type("end\r")
    equal(texts(bob.receive("--count", "1")), [typed + "end"])
    leave(terminal)
    shell = Terminal(world, ["bash", "--norc", "-i"], columns=120)
    shell.type(" ".join(alice.command("chat", "bob")) + "\r")
    shell.wait(lambda screen: screen.last() == "bob> ", "the prompt")
    shell.type("stays")
    shell.wait(lambda screen: screen.last() == "bob> stays", "the line")
    shell.type("\x1a")  # throws away what has not been read
    shell.wait(r"Stopped")
    shell.type("fg\r")
    shell.wait(lambda screen: screen.last() == "bob> stays", "the line")
    equal(shell.screen.text().count("bob> "), 1)
    shell.type(" whole\r")
    equal(texts(bob.receive("--count", "1")), ["stays whole"])
    shell.type("\x04")
    shell.wait(lambda screen: screen.last().startswith("bash"), "the shell")
    shell.type("exit\r")
    equal(shell.wait_end(), 0)


@test
def hostile_text(world):
    """control characters, OSC, bidi overrides and forged lines of a peer are shown, not obeyed"""
    relay, alice, bob = joined(world, "alice", "bob")
    terminal = chat(world, alice, "bob")
    start = len(terminal.raw)
    evil = "a\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp\x08\rover\n12:00 carol (confirmed): forged"
    bob.run("send", "alice", text=evil.encode()).works()
    terminal.wait(r"forged   \[verified\]")
    shown = terminal.raw[start:].decode(errors="replace")
    for bad in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e", "\rover"):
        assert bad not in shown, (bad, shown)
    assert r"a\x1b[2J\x1b]0;title\x07" in terminal.screen.text().replace("\n", "")
    assert r"\u202e" in shown
    assert not re.search(r"^12:00 carol", terminal.screen.text(), re.MULTILINE)
    leave(terminal)


@test
def forged_rows(world):
    """a contact that fills a row with blanks does not get the next one, in chat, receive, history"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "hello")
    columns = 61
    forged = "09:58 operator (confirmed): your passphrase   [verified]"
    evil = forged.rjust(columns + 1) * columns  # one of them is at the left edge, wherever it begins
    bob.send("alice", evil)
    for key, *command in (("\x04", "chat", "bob"), ("", "history"), ("\x03", "receive", "--follow")):
        terminal = Terminal(world, alice.command(*command), columns=columns)
        if command[0] == "receive":
            bob.send("alice", evil)
        terminal.wait(r"your passphrase[^$]*\[verified\]$")
        if key:
            terminal.type(key)
        equal(terminal.wait_end(), 0)
        equal(re.findall(r"^09:58.*", terminal.screen.text(), re.MULTILINE), [])


@test
def closed_pipe(world):
    """who stops reading early is told nothing about it, and what was not written is not shown"""
    relay, alice, bob = joined(world, "alice", "bob")
    bob.send("alice", "hello")
    for arguments in (["receive"], ["history"], ["history", "--json"]):
        ends = os.pipe()
        os.close(ends[0])
        process = alice.start(*arguments, stdout=ends[1], stderr=subprocess.PIPE)
        os.close(ends[1])
        equal(process.communicate(timeout=TIMEOUT), (None, b""))
        equal(process.returncode, 1)
    equal(texts(alice.receive()), ["hello"])


@test
def offline(world):
    """without the relay it says so once, keeps what is written, and connects again by itself"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "before")
    terminal = chat(world, alice, "bob")
    relay.stop(signal.SIGKILL)
    terminal.wait(r"trying again")
    terminal.type("written offline\r")
    terminal.wait(r"bob \(offline, 1 not accepted yet\)>$")
    relay.start()
    terminal.wait(r"^-- connected")
    terminal.wait(lambda screen: screen.last() == "bob> ", "acceptance")
    equal(texts(bob.receive()), ["before", "written offline"])
    equal(terminal.screen.text().count("trying again"), 1)
    bob.send("alice", "back")
    terminal.wait(r"back   \[verified\]")
    leave(terminal)


@test
def bad_texts(world):
    """a text that cannot be sent is told with the recipient, and what exactly is wrong with it"""
    relay, alice, bob = joined(world, "alice", "bob")
    lines = b"x" * 65537 + b"\n" + b"gr\xc3\n" + b"good\n" + b"y" * 200000 + b"\n"
    done = alice.run("chat", "bob", "--quiet", text=lines)
    equal(done.code, 1)
    equal([line for line in done.err.decode().splitlines()], [
        "signet: not sent to bob: the message is over 65536 bytes; send it in parts",
        "signet: not sent to bob: the message is not valid UTF-8 at byte 3; convert it to UTF-8",
        "signet: not sent to bob: the message is over 65536 bytes; send it in parts"])
    path = os.path.join(world.folder, "lines")
    with open(path, "wb") as file:  # which is read in pieces that fill what holds them to the brim
        file.write(b"z" * 131072 + b"\n")
    with open(path, "rb") as file:
        chat = alice.start("chat", "bob", "--quiet", stdin=file, stderr=subprocess.PIPE)
    equal(chat.communicate(timeout=TIMEOUT)[1].decode(),
          "signet: not sent to bob: the message is over 65536 bytes; send it in parts\n")
    done = alice.run("send", "bob", text=b"x" * 65537).fails(1, "send it in parts")
    assert b"UTF" not in done.err
    done = alice.run("send", "bob", text=b"\xff").fails(1, "at byte 1;")
    assert b"65536" not in done.err
    equal(texts(bob.receive()), ["good"])


@test
def answered(world):
    """a stranger who was answered is one no more, in the same chat"""
    relay, alice, bob = joined(world, "alice", "bob")
    bob.send("alice", "first")
    terminal = chat(world, alice, "bob")
    terminal.wait(r"bob \(new\): first")
    terminal.type("answer\r")
    equal(texts(bob.receive("--count", "1")), ["answer"])
    bob.send("alice", "second")
    terminal.wait(r"bob \([a-z]*\): second")
    assert "bob (unverified): second" in terminal.screen.text()
    leave(terminal)


@test
def documents(world):
    """chat --json: lines in, documents out, also in a terminal; errors are documents, too"""
    relay, alice, bob, carol = joined(world, "alice", "bob", "carol")
    process = alice.start("chat", "bob", "--json", "--quiet", stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"one\n\xff\n/to nobody-of-that-name\nlost\n/to carol\ntwo\n")
    process.stdin.flush()
    accepted = [json.loads(wait_line(process, "accepted_at")) for _ in range(2)]
    equal([sorted(document) for document in accepted], [["accepted_at", "id", "to"]] * 2)
    equal([document["to"] for document in accepted], ["bob", "carol"])
    equal([message["id"] for message in bob.receive()], [accepted[0]["id"]])
    bob.send("alice", "back")
    equal(json.loads(wait_line(process, "verdict"))["text"], "back")
    out, err = process.communicate(timeout=TIMEOUT)
    equal((process.returncode, out), (1, b""))
    errors = [json.loads(line)["error"] for line in err.splitlines()]
    equal(sorted(error["code"] for error in errors), ["bad-text", "unknown-name"])
    terminal = Terminal(world, alice.command("chat", "bob", "--json", "--quiet"), columns=400)
    terminal.type("three\r")
    terminal.wait(r'^three\n{"id":"[0-9a-f]{64}","to":"bob","accepted_at":[0-9]+}$')
    terminal.type("\x04")
    equal(terminal.wait_end(), 0)


@test
def leaving_offline(world):
    """who leaves before the relay has accepted all is told what is kept, with exit code 1"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "before")
    terminal = chat(world, alice, "bob")
    relay.stop(signal.SIGKILL)
    terminal.wait(r"trying again")
    for end, count in (("/quit\r", "1 message is"), ("\x04", "2 messages are")):
        if end == "\x04":
            terminal = Terminal(world, alice.command("chat", "bob"), columns=120)
            terminal.wait(r"trying again")
            terminal.type("one more\r")
            terminal.wait(r"bob \(offline, 1 not accepted yet\)>")
        terminal.type("kept\r")
        terminal.wait(r"not accepted yet\)>")
        terminal.type(end)
        equal(terminal.wait_end(), 1)
        assert f"{count} not accepted yet: kept in the outbox" in terminal.screen.text()
    alice.run("chat", "bob", "--quiet", text=b"by a program\n").fails(1, "1 message is not accepted yet")
    relay.start()
    alice.receive()
    equal(texts(bob.receive()), ["before", "kept", "one more", "kept", "by a program"])


@test
def operator(world):
    """a chat with the operator says where sealing ends"""
    relay, alice, operator = joined(world, "alice", "operator")
    terminal = chat(world, alice, "operator")
    terminal.wait(r"sealed up to the operator's machine")
    terminal.type("hello\r")
    equal(texts(operator.receive("--count", "1")), ["hello"])
    leave(terminal)


main()
