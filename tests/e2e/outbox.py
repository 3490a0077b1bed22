#!/usr/bin/python3
"""Messages that the relay has not accepted yet. Speaks TAP."""

import json
import os
import re
import signal
import subprocess

from crashlab import joined
from harness import TIMEOUT, equal, freeze, main, test, wait_line


def texts(messages):
    return [message["text"] for message in messages]


@test
def waits_for_the_relay(world):
    """what was written without the relay goes out with the next command, once and in order"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "1")
    relay.stop()
    alice.run("send", "bob", "2").fails(1, "1 message is queued")
    error, = [line for line in alice.run("send", "bob", "3", "--json").err.splitlines()]
    assert b'"code":"queued"' in error, error
    alice.run("send", "bob", "--lines", text=b"4\n5\n").fails(1, "2 messages are queued")
    alice.run("send", "carol", "nobody knows her").fails(1, "nothing was sent or kept")
    shown = alice.history("bob")
    equal([(one["text"], one["verdict"], bool(one["accepted_at"])) for one in shown],
          [("1", "verified", True)] + [(text, "queued", False) for text in "2345"])
    equal((shown[-1]["from"], shown[-1]["to"], shown[-1]["id"]), ("alice", "bob", None))
    equal(alice.run("history", "bob").works().out.count(b"[not sent yet]"), 4)
    chat = alice.run("chat", "bob", text=b"/history\n").out
    assert b"alice to bob: 5   [not sent yet]" in chat, chat
    relay.start()
    alice.receive()
    equal(texts(bob.receive()), ["1", "2", "3", "4", "5"])
    equal([bool(one["accepted_at"]) for one in alice.history("bob")], [True] * 5)
    alice.send("bob", "6")
    equal(texts(bob.receive()), ["6"])


@test
def what_became_of_it(world):
    """a command that ends before the relay has accepted says what is kept, and it is kept"""
    relay, alice, bob, _ = joined(world, "alice", "bob", "carol")
    alice.send("bob", "0")
    bob.receive()
    chat = alice.start("chat", "bob", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    chat.stdin.write(b"1\n")
    chat.stdin.flush()
    equal(texts(bob.receive("--count", "1", "--timeout", str(TIMEOUT))), ["1"])
    freeze(relay.process)
    _, err = chat.communicate(b"2\n/to carol\nwhom I never met\n3\n", timeout=TIMEOUT)
    equal(chat.returncode, 1)
    assert re.search(b"[12] messages? (is|are) not accepted yet: kept in the outbox", err), err
    equal(err.count(b"nothing was sent or kept"), 2)
    relay.process.send_signal(signal.SIGCONT)
    send = alice.start("send", "bob", "--lines", "--json", "--explain", stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    send.stdin.write(b"4\n")
    send.stdin.flush()
    wait_line(send, "accepted_at")
    freeze(relay.process)
    send.stdin.write(b"5\n")
    send.stdin.flush()
    wait_line(send, "sealed under a key of its own")
    send.send_signal(signal.SIGINT)
    out, _ = send.communicate(timeout=TIMEOUT)
    equal(send.returncode, 1)
    assert b"interrupted; 1 message is queued in the outbox" in out, out
    relay.process.send_signal(signal.SIGCONT)
    alice.receive()
    equal(texts(bob.receive()), ["2", "4", "5"])


@test
def lost_connection(world):
    """what was on its way when the connection was lost is queued, and the cause is told"""
    relay, alice, _ = joined(world, "alice", "bob")
    alice.send("bob", "0")
    send = alice.start("send", "bob", "--lines", "--json", "--explain", stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    send.stdin.write(b"1\n")
    send.stdin.flush()
    wait_line(send, "accepted_at")
    freeze(relay.process)
    send.stdin.write(b"2\n")
    send.stdin.close()
    send.stdin = None
    wait_line(send, "sealed under a key of its own")
    relay.kill()
    out, _ = send.communicate(timeout=TIMEOUT)
    equal(send.returncode, 1)
    assert b"the connection was lost; 1 message is queued in the outbox" in out, out


@test
def full_mailbox(world):
    """a chat waits for what a full mailbox keeps out, and says when the relay has accepted it"""
    relay, alice, bob = joined(world, "alice", "bob")
    relay.stop()
    config = os.path.join(relay.data, "signetd.conf")
    with open(config, encoding="utf-8") as file:
        text = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(re.sub("(?m)^#? ?mailbox_messages = .*$", "", text) + "\nmailbox_messages = 2\n")
    relay.start()
    alice.run("send", "bob", "--lines", text=b"1\n2\n").works()
    chat = alice.start("chat", "bob", "--json", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    chat.stdin.write(b"3\n")
    chat.stdin.flush()
    while b"mailbox-full" not in (line := chat.stderr.readline()):
        assert line, "the mailbox is not full"
    equal(texts(bob.receive()), ["1", "2"])
    chat.stdin.write(b"4\n")
    chat.stdin.flush()
    for _ in range(2):
        wait_line(chat, "accepted_at")
    out, err = chat.communicate(timeout=TIMEOUT)
    equal((chat.returncode, out, err), (0, b"", b""))
    equal(texts(bob.receive()), ["3", "4"])


@test
def long_pipe(world):
    """chat reads no more from a pipe than it can hand to the relay, and sends all of it"""
    relay, alice, bob = joined(world, "alice", "bob")
    chat = alice.start("chat", "bob", "--explain", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
    chat.stdin.write(b"0\n")
    chat.stdin.flush()
    equal(texts(bob.receive("--count", "1", "--timeout", str(TIMEOUT))), ["0"])
    freeze(relay.process)
    chat.stdin.write("".join(f"{number}\n" for number in range(1000)).encode())
    chat.stdin.flush()
    wait_line(chat, "number 2,")  # of the lines that nobody accepts
    chat.terminate()
    out, _ = chat.communicate(timeout=TIMEOUT)
    equal(chat.returncode, 1)
    kept = int(re.search(rb"(\d+) messages? (is|are) not accepted yet: kept", out)[1])
    assert kept <= 65, kept
    relay.process.send_signal(signal.SIGCONT)
    lines = [str(number) for number in range(500)]
    alice.run("chat", "bob", text="\n".join(lines).encode()).works()
    equal(texts(bob.receive())[-500:], lines)


@test
def more_than_fits_at_once(world):
    """an outbox of any size goes out with one command"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "0")
    relay.stop()
    lines = [str(number).ljust(60000, ".") for number in range(300)]
    alice.run("send", "bob", "--lines", text="\n".join(lines).encode()).fails(1, "300 messages")
    relay.start()
    alice.run("receive").works()
    equal(texts(bob.receive()), ["0"] + lines)


@test
def killed_sender(world):
    """a sender killed at any moment repeats nothing and loses nothing that was accepted"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "0")
    accepted = {alice.history("bob")[0]["id"]}
    for turn in range(6):
        lines = "".join(f"{turn}.{number}\n" for number in range(200)).encode()
        read_end, write_end = os.pipe()
        sender = alice.start("send", "bob", "--lines", "--json", stdin=read_end,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with open(write_end, "wb") as file:
            file.write(lines[:1000 + 300 * turn])
        first = [sender.stdout.readline() for _ in range(1 + 5 * turn)]
        sender.send_signal(signal.SIGKILL)
        rest = sender.stdout.read()
        sender.wait(60)
        os.close(read_end)
        for line in b"".join(first).splitlines() + rest.splitlines():
            if line.endswith(b"}"):
                accepted.add(json.loads(line)["id"])
    alice.send("bob", "end")
    received = bob.receive()
    ids = [one["id"] for one in received]
    equal(len(ids), len(set(ids)))
    assert accepted <= set(ids), "accepted, but lost"
    equal({one["verdict"] for one in received}, {"verified"})
    equal([one["sequence"] for one in received], list(range(1, len(ids) + 1)))
    equal(received[-1]["text"], "end")


@test
def killed_receiver(world):
    """a receiver killed at any moment shows each message; a repeated one has the same id"""
    relay, alice, bob = joined(world, "alice", "bob")
    lines = [f"line {number}" for number in range(300)]
    alice.run("send", "bob", "--lines", text="".join(line + "\n" for line in lines).encode()).works()
    shown = []
    for turn in range(5):
        receiver = bob.start("receive", "--json", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        for _ in range(1 + 12 * turn):
            shown.append(receiver.stdout.readline())
        receiver.send_signal(signal.SIGKILL)
        shown += receiver.stdout.read().splitlines(keepends=True)
        receiver.wait(60)
    messages = [json.loads(line) for line in shown if line.endswith(b"}\n")]
    messages += bob.receive()
    kept = [one for at, one in enumerate(messages)
            if at == 0 or one["id"] != messages[at - 1]["id"]]
    equal(texts(kept), lines)
    equal({one["verdict"] for one in messages}, {"verified"})
    equal(texts(bob.history("alice")), lines)


main()
