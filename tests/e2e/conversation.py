#!/usr/bin/python3
"""People and the relay's operator talk, across restarts. Speaks TAP."""

import contextlib
import os
import signal
import sqlite3
import subprocess

from crashlab import joined
from harness import TIMEOUT, equal, main, test

FIELDS = ["id", "conversation", "from", "address", "contact", "device", "sequence", "sent_at",
          "received_at", "kind", "text", "verdict", "suite"]


def texts(messages):
    return [message["text"] for message in messages]


@test
def first_words(world):
    """two people join by invitation and talk, and each with the operator"""
    relay, alice, bob, operator = joined(world, "alice", "bob", "operator")
    sent = alice.send("bob", "hello bob", "--json").json()
    equal(len(sent), 1)
    equal(sent[0]["to"], "bob")
    message, = bob.receive()
    equal(list(message), FIELDS)
    equal((message["id"], message["from"], message["address"], message["contact"]),
          (sent[0]["id"], "alice", alice.address, "new"))
    equal((message["text"], message["kind"], message["verdict"], message["sequence"],
           message["suite"]), ("hello bob", "text", "verified", 1, 1))
    equal(bob.receive(), [])
    bob.send("alice", "hello alice")
    answer, = alice.receive()
    equal((answer["from"], answer["text"], answer["contact"]),
          ("bob", "hello alice", "unverified"))
    equal(answer["conversation"], message["conversation"])
    for home in (alice, bob):
        home.send("operator", f"{home.name} asks")
    asked = operator.receive()
    equal(texts(asked), ["alice asks", "bob asks"])
    equal([one["from"] for one in asked], ["alice", "bob"])
    for one in asked:
        operator.send(one["from"], "answer to " + one["from"])
    for home in (alice, bob):
        equal(texts(home.receive()), ["answer to " + home.name])


@test
def survives(world):
    """what was accepted arrives once, in order, though bob was away and the relay was killed"""
    relay, alice, bob = joined(world, "alice", "bob")
    lines = [f"line {number}" for number in range(1, 41)]
    text = "".join(line + "\n" for line in lines[:20]).encode()
    accepted = alice.run("send", "bob", "--lines", "--json", text=text).works().json()
    equal(len(accepted), 20)
    relay.kill()
    relay.start()
    for line in lines[20:30]:
        accepted += alice.send("bob", line, "--json").json()
    relay.kill()
    done = alice.run("send", "bob", lines[30])
    done.fails(1, "cannot reach the relay", "queued in the outbox")
    relay.start()
    for line in lines[31:]:
        accepted += alice.send("bob", line, "--json").json()
    received = bob.receive()
    relay.kill()
    relay.start()
    received += bob.receive()
    equal(texts(received), lines)
    equal({message["verdict"] for message in received}, {"verified"})
    equal([message["sequence"] for message in received], list(range(1, 41)))
    assert {one["id"] for one in accepted} < {one["id"] for one in received}
    equal(bob.receive(), [])
    equal(texts(bob.history()), lines)
    own = alice.history("bob")
    equal(texts(own), lines)
    assert all(one["accepted_at"] for one in own), own


@test
def histories(world):
    """the histories of both sides hold the same conversation, without the relay"""
    relay, alice, bob, carol = joined(world, "alice", "bob", "carol")
    alice.send("bob", "one")
    bob.receive()
    bob.send("alice", "two")
    carol.send("alice", "aside")
    alice.receive()
    alice.send("bob", "three")
    bob.receive()
    relay.stop()
    mine, yours = alice.history("bob"), bob.history("alice")
    equal(texts(mine), ["one", "two", "three"])
    equal([one["id"] for one in mine], [one["id"] for one in yours])
    equal([one["from"] for one in mine], ["alice", "bob", "alice"])
    equal({one["verdict"] for one in mine + yours}, {"verified"})
    equal(texts(alice.history()).count("aside"), 1)
    people = alice.run("history", "bob").works().out.decode().splitlines()
    assert people[0].endswith("alice to bob: one   [accepted]"), people
    assert people[1].endswith("bob (unverified): two   [verified]"), people
    alice.run("history", "nobody").fails(1, "nobody is not among your contacts")


@test
def limits_of_receive(world):
    """receive ends after --count, after --timeout, and when interrupted"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.run("send", "bob", "--lines", text=b"1\n2\n3\n").works()
    equal(texts(bob.receive("--count", "2")), ["1", "2"])
    equal(texts(bob.receive("--count", "1")), ["3"])
    bob.run("receive", "--count", "1", "--timeout", "1").fails(1, "silence for 1 s")
    bob.run("receive", "--follow", "--timeout", "1").works()
    follow = bob.start("receive", "--follow", "--json", stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    alice.send("bob", "4")
    assert b'"text":"4"' in follow.stdout.readline()
    relay.kill()
    relay.start()
    alice.send("bob", "5")
    assert b'"text":"5"' in follow.stdout.readline()
    follow.terminate()
    equal(follow.wait(60), 0)
    bob.run("receive", "--count", "none").fails(2, "--count takes a number")


@test
def hangup(world):
    """receive ends with its terminal, unless nohup has started it"""
    relay, alice, bob = joined(world, "alice", "bob")
    for before in [], ["nohup"]:
        follow = bob.start("receive", "--follow", "--json", before=before,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        alice.send("bob", "1")
        assert b'"text":"1"' in follow.stdout.readline()
        follow.send_signal(signal.SIGHUP)
        if before:
            alice.send("bob", "2")
            assert b'"text":"2"' in follow.stdout.readline()
            follow.terminate()
        equal(follow.wait(60), 0)


def tamper(relay, number):
    """Change the last byte of the number-th message that waits at a stopped relay."""
    with contextlib.closing(sqlite3.connect(os.path.join(relay.data, "relay.db"))) as store:
        rows = store.execute("SELECT id, envelope FROM hot ORDER BY id").fetchall()
        key, envelope = rows[number]
        store.execute("UPDATE hot SET envelope = ? WHERE id = ?",
                      (envelope[:-1] + bytes([envelope[-1] ^ 1]), key))
        store.commit()


@test
def refused_messages(world):
    """a message that is refused ends receive with exit code 3, after what else has come"""
    relay, alice, bob = joined(world, "alice", "bob")
    for arguments, wanted in (([], 3), (["--count", "2"], 3), (["--follow", "--timeout", "2"], 3)):
        for text in ("one", "two", "three"):
            alice.send("bob", text)
        relay.stop()
        tamper(relay, 1)
        relay.start()
        done = bob.run("receive", "--json", *arguments)
        equal((done.code, done.err), (wanted, b""))
        equal([(message["verdict"], message["text"]) for message in done.json()],
              [("verified", "one"), ("authentication-failed", None), ("gap", "three")])
        equal(bob.receive(), [])


@test
def texts_stay_whole(world):
    """texts arrive byte for byte: lines, tabs, other scripts, the largest"""
    relay, alice, bob = joined(world, "alice", "bob")
    largest = "x" * 65536
    for text in ("two\nlines\tand a tab", "grüße 日本語 \U0001f600", "\x1b[31mred\x1b[0m", largest):
        alice.run("send", "bob", text=(text + "\n").encode()).works()
    received = bob.receive()
    equal(texts(received), ["two\nlines\tand a tab", "grüße 日本語 \U0001f600",
                            "\x1b[31mred\x1b[0m", largest])
    shown = bob.run("history").works().out
    assert b"\x1b" not in shown and b"\\x1b[31mred" in shown
    assert "\n    lines\tand a tab   [verified]" in shown.decode()


@test
def chat_through_pipes(world):
    """chat without a terminal sends lines, prints what comes, and ends with its input"""
    relay, alice, bob = joined(world, "alice", "bob")
    bob.send("alice", "waiting")
    chat = alice.start("chat", "bob", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    assert b"bob (new): waiting   [verified]" in chat.stdout.readline()
    chat.stdin.write(b"from a pipe\n")
    chat.stdin.flush()
    equal(texts(bob.receive("--count", "1")), ["from a pipe"])
    bob.send("alice", "answer")
    assert b"answer   [verified]" in chat.stdout.readline()
    out, err = chat.communicate(b"last\nwords", timeout=TIMEOUT)
    equal((chat.returncode, out), (0, b""))
    assert b"signed and on the record" in err, err
    equal(texts(bob.receive("--count", "2")), ["last", "words"])


@test
def contacts(world):
    """contacts are listed, shown, confirmed by their fingerprint and accepted"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "hello")
    bob.receive()
    listed, = alice.run("contacts", "--json").works().json()
    equal((listed["name"], listed["address"], listed["contact"], len(listed["devices"])),
          ("bob", bob.address, "unverified", 1))
    alice.run("contacts", "verify", "bob").fails(2, "give the fingerprint")
    alice.run("contacts", "verify", alice.address).fails(1, "not among your contacts")
    done, = alice.run("contacts", "verify", bob.address, "--json").works().json()
    equal(done["contact"], "confirmed")
    equal(bob.run("contacts", "show", "alice", "--json").works().json()[0]["contact"], "new")
    bob.run("contacts", "accept", alice.address).works()
    equal(bob.run("contacts", "show", "alice", "--json").works().json()[0]["contact"],
          "unverified")
    bob.run("contacts", "accept", "alice").fails(2, "takes a fingerprint")
    groups = "-".join(bob.address[at:at + 4] for at in range(0, 64, 4))
    assert groups in alice.run("contacts", "show", groups).works().out.decode()


main()
