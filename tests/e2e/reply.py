#!/usr/bin/python3
"""receive --reply: a command answers. Speaks TAP."""

import os
import re
import subprocess
import time

from crashlab import joined
from harness import equal, main, patience, test, wait_line


def texts(messages):
    return [message["text"] for message in messages]


def acquainted(world, relay):
    """alice and bob, who has written to her: she is no stranger to him."""
    alice, bob = world.joined(relay, "alice", "bob")
    bob.send("alice", "write to me")
    alice.receive()
    return alice, bob


@test
def answers(world):
    """each text goes to the command, and what it prints goes back"""
    relay = world.relay()
    alice, bob = acquainted(world, relay)
    for text in ("one", "two\nlines"):
        alice.send("bob", text)
    command = 'printf "%s %s %s: " "$SIGNET_FROM" "$SIGNET_CONTACT" "$SIGNET_VERDICT"; cat'
    equal(texts(bob.receive("--reply", command)), ["one", "two\nlines"])
    equal(texts(alice.receive()), ["alice unverified verified: one",
                                    "alice unverified verified: two\nlines"])
    equal(bob.receive("--reply", command), [])


@test
def strangers(world):
    """a stranger gets no answer until accepted, and an answer accepts nobody"""
    relay, alice, bob, operator = joined(world, "alice", "bob", "operator")
    alice.send("bob", "are you there")
    done = bob.run("receive", "--reply", "echo yes").works()
    assert done.out.endswith(b"are you there   [verified]\n"), done
    note, = done.err.decode().splitlines()
    assert note.startswith("signet: alice is new and gets no automatic answer"), note
    equal(alice.receive(), [])
    bob.run("contacts", "accept", alice.address).works()
    equal(bob.receive("--reply", "echo yes"), [])  # an old message is not answered later
    alice.send("bob", "and now")
    equal(texts(bob.receive("--reply", "echo yes")), ["and now"])
    equal(texts(alice.receive()), ["yes"])
    for text in ("one", "two"):
        alice.send("operator", text)
        message, = operator.receive("--reply", 'echo "$SIGNET_CONTACT"')
        equal(message["contact"], "new")
        equal(texts(alice.receive()), ["new"])
    equal(operator.run("contacts", "--json").json()[0]["contact"], "new")


@test
def environment(world):
    """the command knows the message, and nothing it must not know"""
    relay = world.relay()
    alice, bob = acquainted(world, relay)
    alice.send("bob", "who am I")
    message, = bob.receive("--reply", "env; ls -l /proc/self/fd")
    answer = alice.receive()[0]["text"]
    assert f"SIGNET_ADDRESS={alice.address}\n" in answer
    assert f"SIGNET_ID={message['id']}\n" in answer
    assert bob.folder not in answer, answer  # neither lock nor store is open in it
    assert "who am I" not in answer


@test
def failing_commands(world):
    """a command that fails, says nothing or too much gives no answer, and receive goes on"""
    relay = world.relay()
    alice, bob = acquainted(world, relay)
    for text in ("exit 3", "true", "head -c 70000 /dev/zero | tr '\\0' x", "printf '\\377'",
                 "exec <&-; echo fine"):
        alice.send("bob", text)
    done = bob.run("receive", "--reply", "sh").works()
    notes = done.err.decode().splitlines()
    equal(len(notes), 3)
    for note, word in zip(notes, ["exit code is 3", "over 65536 bytes", "UTF-8"]):
        assert note.startswith("signet: no answer") and word in note, notes
    equal(texts(alice.receive()), ["fine"])


@test
def unread_input(world):
    """a command that does not read its input is answered for, and the largest text fits"""
    relay = world.relay()
    alice, bob = acquainted(world, relay)
    alice.run("send", "bob", text=b"y" * 65536).works()
    bob.run("receive", "--reply", "echo unread").works()
    equal(texts(alice.receive()), ["unread"])
    alice.run("send", "bob", text=b"z" * 65536).works()
    bob.run("receive", "--reply", "cat").works()
    equal(texts(alice.receive()), ["z" * 65536])


@test
def ended_commands(world):
    """nothing stays of a command: neither a zombie, nor waiting for what it has started"""
    relay = world.relay()
    alice, bob = acquainted(world, relay)
    robot = bob.start("receive", "--follow", "--reply", "sh", stdin=subprocess.DEVNULL,
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for number in range(3):
        alice.send("bob", "yes")
    alice.send("bob", "sleep 1000 & echo early $!")
    answer, = alice.receive("--count", "1")
    assert answer["text"].startswith("early "), answer
    sleeping = f"/proc/{answer['text'].split()[1]}/stat"
    with open(f"/proc/{robot.pid}/task/{robot.pid}/children", encoding="ascii") as file:
        equal(file.read(), "")
    deadline = time.monotonic() + patience(30)
    while os.path.exists(sleeping) and " Z " not in open(sleeping, encoding="ascii").read():
        assert time.monotonic() < deadline, "what the command has started is still there"
        time.sleep(0.02)
    robot.terminate()
    equal(robot.wait(60), 0)


@test
def follows(world):
    """with --follow answers come as texts come, and an end takes a running command along"""
    relay = world.relay()
    alice, bob = acquainted(world, relay)
    running = os.path.join(world.folder, "running")
    command = f'read text; echo "got $text"; [ "$text" != wait ] || {{ echo $$ > {running}; sleep 300; }}'
    robot = bob.start("receive", "--follow", "--reply", command, stdin=subprocess.DEVNULL,
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    alice.send("bob", "first")
    wait_line(robot, "first")
    equal(texts(alice.receive("--count", "1")), ["got first"])
    alice.send("bob", "wait")
    wait_line(robot, "wait")
    deadline = time.monotonic() + patience(30)
    while not os.path.exists(running) or not open(running).read():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    robot.terminate()
    equal(robot.wait(60), 0)
    group = int(open(running).read())
    while os.path.exists(f"/proc/{group}"):
        assert time.monotonic() < deadline, "the command is still there"
        time.sleep(0.02)
    # It was not answered: it is shown, and answered, again.
    equal(texts(bob.receive("--reply", "echo late")), ["wait"])
    equal(texts(alice.receive()), ["late"])


@test
def answers_that_wait(world):
    """answers that the relay has not accepted are told, and make the exit code 1"""
    relay = world.relay()
    with open(os.path.join(relay.data, "signetd.conf"), encoding="utf-8") as file:
        text = file.read()
    relay.stop()
    with open(os.path.join(relay.data, "signetd.conf"), "w", encoding="utf-8") as file:
        file.write(re.sub("(?m)^#? ?mailbox_messages = .*$", "", text) + "\nmailbox_messages = 1\n")
    relay.start()
    alice, bob = world.joined(relay, "alice", "bob")
    bob.send("alice", "fills the mailbox")
    alice.send("bob", "question")
    done = bob.run("receive", "--reply", "echo answer")
    equal(done.code, 1)
    assert b"1 answer is not accepted yet, but in the outbox; 0 could not be sent" in done.err, done
    done = bob.run("receive").works()
    assert b"1 message is in the outbox" in done.err, done
    equal(texts(alice.receive()), ["fills the mailbox"])
    assert bob.run("receive").works().err == b""
    equal(texts(alice.receive()), ["answer"])


main()
