#!/usr/bin/python3
"""What can go wrong for a person: one clear line, the right exit code, nothing half done. TAP."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys

from crashlab import joined
from harness import (SIGNET, TIMEOUT, Relay, Skip, Terminal, equal, invitation_parts, invitation_text,
                     main, test)


def texts(messages):
    return [message["text"] for message in messages]


def as_json(done, code):
    """The error of a command with --json: one document, nothing on standard output."""
    equal(done.code, code)
    equal(done.out, b"")
    lines = [line for line in done.err.splitlines() if line.startswith(b"{")]
    equal(len(lines), 1)
    error = json.loads(lines[0])["error"]
    equal(set(error), {"code", "message", "hint"})
    return error


@test
def usage(world):
    """wrong usage is told with exit code 2, a missing account with 1 and what to do"""
    home = world.home("alice")
    for arguments in (["nonsense"], ["send"], ["send", "bob", "a", "b"], ["receive", "bob"],
                      ["send", "bob", "--lines=yes"], ["contacts", "--nothing"], [],
                      ["receive", "--count", "x"], ["receive", "--follow", "--count", "1"],
                      ["contacts", "forget"], ["contacts", "show"], ["--home", "", "receive"]):
        home.run(*arguments).fails(2)
    for arguments in (["send", "bob", "hello"], ["receive"], ["chat"], ["contacts"], ["history"]):
        home.run(*arguments).fails(1, "no account", "signet join LINK --name NAME")
    equal(as_json(home.run("receive", "--json"), 1)["code"], "no-account")
    home.run("join", "signet://somewhere").fails(2, "--name")
    home.run("join", "https://example.org/", "--name", "alice").fails(1, "not an invitation")
    home.run("join", "signet://127.0.0.1:1/AAAA", "--name", "Alice!").fails(1, "cannot be a name")
    assert not os.path.exists(home.folder), "a folder was left behind"


@test
def joining(world):
    """an invitation that is wrong or used up, and a name that is taken, register nobody"""
    relay = world.relay()
    once = relay.invite()
    alice = world.home("alice")
    alice.join(once)
    alice.run("join", relay.invite(), "--name", "other").fails(1, "joined a relay already")
    second = world.home("second")
    second.run("join", once, "--name", "second").fails(1, "wrong, used up or expired")
    head, data = invitation_parts(relay.invite())
    at = data.rindex(b"\x50") + 1  # the token: 16 bytes
    forged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
    second.run("join", invitation_text(head, forged), "--name", "second").fails(1, "wrong, used up")
    second.run("join", relay.invite(), "--name", "alice").fails(1, "belongs to somebody else")
    for arguments in (["send", "bob", "x"], ["receive"], ["chat", "bob"]):
        second.run(*arguments).fails(1, "not registered", "join again")
    for arguments in (["contacts"], ["history"]):
        equal(second.run(*arguments).works().err, b"")
    done = second.run("join", relay.invite(), "--name", "operator").fails(1, "operator")
    assert b"making keys" not in done.err, done
    second.run("receive").fails(1)
    address = second.join(relay.invite())["address"]
    alice.send("second", "hello")
    message, = second.receive()
    equal((message["text"], message["from"]), ("hello", "alice"))
    equal(len(address), 64)


@test
def wrong_relay(world):
    """a relay with other keys than those pinned is refused with exit code 3, and told nothing"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "before")
    relay.stop()
    other = Relay(world, name="other", port=relay.port).start()
    for arguments in (["send", "bob", "secret"], ["receive"], ["chat", "bob", "--quiet"]):
        alice.run(*arguments).fails(3, f"127.0.0.1:{relay.port}", "not pinned", "do not continue")
    carol = world.home("carol")
    carol.run("join", relay.invite(), "--name", "carol").fails(3, "not pinned")
    other.stop()
    relay.start()
    alice.receive()
    equal(texts(bob.receive()), ["before", "secret"])


@test
def unreachable(world):
    """a relay that is not there, does not answer or is no relay is told with exit code 1"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "before")
    relay.stop()
    error = as_json(alice.run("receive", "--json"), 1)
    equal(error["code"], "unreachable")
    assert f"127.0.0.1:{relay.port}" in error["message"]
    alice.run("send", "bob", "kept").fails(1, "cannot reach the relay", "queued in the outbox")
    alice.run("send", "nobody", "lost").fails(1, "cannot reach", "nothing was sent or kept")
    with socket.create_server(("127.0.0.1", relay.port)) as server:
        alice.run("receive", "--timeout", str(TIMEOUT)).fails(1, "cannot reach", "does not answer")
        server.listen()
    web = subprocess.Popen([sys.executable, "-c",
                            "import socket, sys\n"
                            f"s = socket.create_server(('127.0.0.1', {relay.port}))\n"
                            "print('ready', flush=True)\n"
                            "while True:\n"
                            "    c = s.accept()[0]; c.recv(4096)\n"
                            "    c.sendall(b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n'); c.close()\n"],
                           stdout=subprocess.PIPE)
    world.processes.append(web)
    web.stdout.readline()
    alice.run("receive").fails(1, "no TLS 1.3 connection")


@test
def names(world):
    """unknown names, oneself and what is no name are refused, and nothing is kept of it"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.run("send", "nobody", "x").fails(1, "nobody", "knows no such name")
    equal(as_json(alice.run("send", "nobody", "x", "--json"), 1)["code"], "unknown-name")
    alice.run("send", "No Body", "x").fails(1, "neither a name nor a fingerprint")
    alice.run("send", "ab" * 32, "x").fails(1, "knows no such name")
    alice.run("send", "alice", "x").fails(1, "that is you")
    alice.run("send", alice.address, "x").fails(1, "that is you")
    alice.run("send", "\x1b[31mred", "x").fails(1)
    assert b"\x1b" not in alice.run("send", "\x1b[31mred", "x").err
    alice.run("chat", "No Body").fails(1, "neither a name nor a fingerprint")
    equal(alice.history(), [])
    equal(bob.receive(), [])


@test
def texts_that_cannot_be_sent(world):
    """empty texts, more than 64 KiB and what is not UTF-8 are refused before anything is sent"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "before")
    relay.stop()  # so that nothing could be asked
    alice.run("send", "bob", text=b"x" * 65537).fails(1, "over 65536 bytes")
    alice.run("send", "bob", text=b"x" * 200000).fails(1, "over 65536 bytes")
    alice.run("send", "bob", text=b"\xff\xfe").fails(1, "not valid UTF-8")
    alice.run("send", "bob", text=b"\n").fails(1, "no text to send")
    alice.run("send", "bob", "").fails(1, "no text to send")
    alice.run("send", "bob", "text", "--lines").fails(2, "--lines")
    relay.start()
    done = alice.run("send", "bob", "--lines", "--json", text=b"one\n\ntwo\n\xff\nnever\n")
    equal((done.code, len(done.json())), (1, 2))
    assert b"line 4: the message is not valid UTF-8 at byte 1; 2 messages were accepted" in done.err
    equal(texts(bob.receive()), ["before", "one", "two"])


@test
def passphrase(world):
    """a wrong passphrase opens nothing, and without a terminal nobody is asked"""
    relay = world.relay()
    alice = world.home("alice")
    terminal = Terminal(world, alice.command("join", relay.invite(), "--name", "alice"), columns=120)
    for question in r"^Passphrase for the keys.*:$", r"^The same again:$":
        terminal.wait(question)
        terminal.type("correct horse\r")
    equal(terminal.wait_end(), 0)
    assert b"correct horse" not in terminal.raw
    terminal = Terminal(world, alice.command("receive"), columns=120)
    terminal.wait(lambda screen: screen.last().rstrip().endswith(":"), "the question")
    terminal.type("wrong horse\r")
    equal(terminal.wait_end(), 1)
    assert "passphrase" in terminal.screen.lines()[-2] + terminal.screen.lines()[-1]
    terminal = Terminal(world, alice.command("receive"), columns=120)
    terminal.wait(lambda screen: screen.last().rstrip().endswith(":"), "the question")
    terminal.type("correct horse\r")
    equal(terminal.wait_end(), 0)
    done = subprocess.run(["setsid", *alice.command("receive")], stdin=subprocess.DEVNULL,
                          env=world.environment(), capture_output=True, timeout=TIMEOUT)
    equal(done.returncode, 1)
    equal(done.stderr.count(b"\n"), 1)


@test
def damaged_store(world):
    """a store that is no store, was changed or cannot be read is told, and not made worse"""
    relay, alice, bob = joined(world, "alice", "bob")
    for number in range(20):
        alice.send("bob", f"message {number} " + "x" * 300)
    store = os.path.join(alice.folder, "store.db")
    with open(store, "rb") as file:
        good = file.read()

    def put(data):
        with open(store, "wb") as file:
            file.write(data)

    for bad in (b"not a database at all" * 500, good[:5000], good[:len(good) // 2], b""):
        put(bad)
        for command in (["receive"], ["send", "bob", "x"], ["join", relay.invite(), "--name", "x"]):
            alice.run(*command).fails(1, store, "new account", "must not be used to send")
        with open(store, "rb") as file:
            equal(file.read(), bad)
        equal(sorted(os.listdir(alice.folder)), ["key", "lock", "next-identity.key", "store.db"])
    refused = 0
    for at in range(0, len(good), len(good) // 60):
        put(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1:])
        done = alice.run("history")
        assert done.code in (0, 1) and b"\n" in done.out + done.err, done
        if done.code != 0:
            refused += 1
            last = done.err.decode().splitlines()
            assert len(last) == 1 and last[0].startswith("signet: "), done
    assert refused > 10, refused
    put(good)
    alice.send("bob", "whole again")
    equal(bob.receive()[-1]["text"], "whole again")
    key = os.path.join(alice.folder, "key")
    os.rename(key, key + ".good")
    alice.run("receive").fails(1, "key", "missing", "put the right one back")
    with open(key, "w", encoding="ascii") as file:
        file.write("0" * 64 + "\n")
    os.chmod(key, 0o600)
    alice.run("receive").fails(1, "the key does not belong to the store", "new account")


@test
def two_at_once(world):
    """a second process on one home is turned away, and after a crash the home opens at once"""
    relay, alice, bob = joined(world, "alice", "bob")
    first = alice.start("receive", "--follow", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE)
    bob.send("alice", "hello")
    first.stdout.readline()
    alice.run("send", "bob", "x").fails(1, str(first.pid))
    first.send_signal(signal.SIGKILL)
    first.wait(60)
    alice.send("bob", "x")
    equal(texts(bob.receive()), ["x"])


@test
def full_disk(world):
    """on a full disk nothing is sent and nothing is lost; with room again all goes on"""
    if os.geteuid() != 0:
        raise Skip("mounting a small disk needs root")
    disk = os.path.join(world.folder, "disk")
    os.mkdir(disk)
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "none", disk],
                           capture_output=True)
    if mount.returncode != 0:
        raise Skip("mounting is not allowed here")
    world.cleanups.append(lambda: subprocess.run(["umount", disk], check=True))
    relay = world.relay()
    bob, = world.joined(relay, "bob")
    alice = world.home("alice", folder=os.path.join(disk, "home"))
    alice.join(relay.invite())
    alice.send("bob", "before")
    ballast = os.path.join(disk, "ballast")

    def fill():
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    fill()
    done = alice.run("send", "bob", text=b"y" * 60000)
    done.fails(1, "cannot store", "full", "nothing was sent", "make room")
    bob.send("alice", "z" * 60000)
    alice.run("receive").fails(1, "full")
    equal(texts(bob.receive()), ["before"])
    os.unlink(ballast)
    alice.send("bob", "after")
    equal(texts(bob.receive()), ["after"])
    equal([text[:1] for text in texts(alice.receive())], ["z"])
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    alice.run("receive").fails(1, "Read-only file system", "able to read and write")
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    alice.receive()
    full = world.home("full", folder=os.path.join(disk, "full"))
    fill()
    done = full.run("join", relay.invite(), "--name", "full")
    equal(done.code, 1)
    os.unlink(ballast)
    full.join(relay.invite())


@test
def closed_output(world):
    """a message whose output is lost stays unshown"""
    relay, alice, bob = joined(world, "alice", "bob")
    for number in range(3):
        alice.send("bob", f"message {number}")
    with open("/dev/full", "wb") as full:
        process = bob.start("receive", "--json", stdin=subprocess.DEVNULL, stdout=full,
                            stderr=subprocess.PIPE)
        error = process.communicate(timeout=TIMEOUT)[1]
    equal(process.returncode, 1)
    assert b"cannot write to standard output" in error and error.count(b"\n") == 1, error
    equal(texts(bob.receive()), ["message 0", "message 1", "message 2"])


@test
def clocks(world):
    """a clock that is days off is told with what to do, and a day is tolerated"""
    faketime = shutil.which("faketime")
    if faketime is None:
        raise Skip("faketime is not installed")
    if b"libasan" in subprocess.run(["ldd", SIGNET], capture_output=True).stdout:
        raise Skip("faketime does not get along with sanitizers")
    relay, alice, bob = joined(world, "alice", "bob")

    def at(offset):
        return {"before": (faketime, "-m", "--exclude-monotonic", "-f", offset)}

    alice.run("send", "bob", "hours late", **at("-20h")).works()
    alice.run("send", "bob", "hours early", **at("+20h")).works()
    carol = world.home("carol")
    carol.run("join", relay.invite(), "--name", "carol", **at("+5d")).fails(
        1, "clock", "set the clock")
    carol.run("join", relay.invite(), "--name", "carol", **at("-5d")).fails(1, "clock")
    equal(texts(bob.receive()), ["hours late", "hours early"])
    for offset in ("-5d", "+5d", "-200d", "+200d"):
        done = alice.run("send", "bob", "at " + offset, **at(offset))
        assert done.code == 0 or (done.code == 1 and b"clock" in done.err), done
        bob.run("history", **at(offset)).works()
    # What was done with a wrong clock does no harm once it is right.
    alice.send("bob", "on time")
    equal(texts(bob.receive())[-1], "on time")
    bob.send("alice", "in time")
    equal(texts(alice.receive()), ["in time"])
    carol.join(relay.invite())
    carol.send("bob", "at last")
    equal(texts(bob.receive()), ["at last"])


main()
