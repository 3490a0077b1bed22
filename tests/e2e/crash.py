#!/usr/bin/python3
"""Relay, sender and receiver are killed at any moment; nothing that was accepted is lost.

docs/architecture.md, "The way of one message": disk before wire, on all three sides. After every
crash the recipient's history holds each accepted message once, in order, and verified.

SIGNET_TEST_SEED repeats the moments of a run, SIGNET_TEST_LONG=1 does ten times as many.
Speaks TAP.
"""

import json
import os
import subprocess
import threading
import time

from crashlab import (LONG, SEED, chance, check_texts, check_verified, joined, kill,
                      messages_in, note, wait_until)
from harness import TIMEOUT, equal, main, test

ROUNDS = 100 if LONG else 10
LINES = 40  # in one round


class Meeting:
    """alice and bob at one relay, who know each other."""

    def __init__(self, world):
        self.world = world
        self.relay, self.alice, self.bob = joined(world, "alice", "bob")
        self.streamed, self.texts = 0, []  # texts of messages that bob must have
        self.say("hello")

    def say(self, text):
        """One message, accepted by the relay."""
        equal(len(self.alice.send("bob", text, "--json").json()), 1)
        self.texts.append(text)

    def lines(self):
        """alice's `send --lines`, to be fed by hand."""
        return self.alice.start("send", "bob", "--lines", "--json", stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def follow(self, path):
        """bob's `receive --follow`."""
        with open(path, "wb") as out:
            return self.bob.start("receive", "--follow", "--json", stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=subprocess.DEVNULL)

    def check(self):
        """Bob fetches what waits; then he has all there is."""
        self.bob.receive()
        check_texts(self.bob.history(), self.texts)


class Stream:
    """alice's `send --lines`, fed somewhat slower than it can send."""

    def __init__(self, meeting):
        self.path = os.path.join(meeting.world.folder, f"stream-{meeting.streamed}")
        self.texts = [f"line {meeting.streamed + i}" for i in range(LINES)]
        meeting.streamed += LINES
        with open(self.path, "wb") as out:
            self.process = meeting.alice.start("send", "bob", "--lines", "--json", stdout=out,
                                               stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.feeder = threading.Thread(target=self.feed)
        self.feeder.start()

    def feed(self):
        try:
            for text in self.texts:
                say_by_hand(self.process, text)
                time.sleep(0.005)
            self.process.stdin.close()
        except BrokenPipeError:  # it was killed
            pass

    def wait(self):
        code = self.process.wait(TIMEOUT)
        self.feeder.join()
        return code

    def kill(self):
        kill(self.process)
        self.feeder.join()

    def accepted(self):
        return len(messages_in(self.path))


def say_by_hand(stream, text):
    stream.stdin.write(text.encode() + b"\n")
    stream.stdin.flush()


def moments(meeting):
    """Times after the start of a stream to do harm at: from before its login to after its end."""
    begun = time.monotonic()
    stream = Stream(meeting)
    equal((stream.wait(), stream.accepted()), (0, LINES))
    meeting.texts += stream.texts
    whole = time.monotonic() - begun
    for _ in range(ROUNDS):
        yield chance.uniform(0, whole * 1.1)


@test
def relay_killed(world):
    """the relay is killed at any moment: all that the sender took over arrives"""
    meeting = Meeting(world)
    follower = meeting.follow(os.path.join(world.folder, "follower"))
    caught = 0
    for moment in moments(meeting):
        stream = Stream(meeting)
        time.sleep(moment)
        meeting.relay.kill()
        code = stream.wait()
        accepted = stream.accepted()
        equal(code, 0 if accepted == LINES else 1)
        caught += 0 < accepted < LINES
        meeting.relay.start()
        # What was not accepted is in the outbox, and leaves with the next command.
        meeting.texts += stream.texts
        meeting.say(f"after {stream.texts[-1]}")
    equal(follower.poll(), None)
    kill(follower)
    meeting.check()
    note(f"{caught} of {ROUNDS} kills found a stream accepted in part")


@test
def relay_killed_after_accepting(world):
    """the relay is killed as soon as it has accepted a message: the message arrives"""
    meeting = Meeting(world)
    for i in range(ROUNDS):
        stream = meeting.lines()
        say_by_hand(stream, f"promise {i}")
        assert json.loads(stream.stdout.readline())["accepted_at"] > 0
        meeting.relay.kill()
        meeting.texts.append(f"promise {i}")
        kill(stream)
        meeting.relay.start()
    meeting.check()


@test
def sender_killed(world):
    """the sender is killed at any moment: what was accepted, and what was signed, arrives"""
    meeting = Meeting(world)
    caught = 0
    for moment in moments(meeting):
        stream = Stream(meeting)
        time.sleep(moment)
        stream.kill()
        # What she has signed is a beginning of what she was given, and no shorter than accepted.
        signed = [message["text"] for message in meeting.alice.history()]
        new = signed[len(meeting.texts):]
        equal(signed, meeting.texts + stream.texts[:len(new)])
        assert len(new) >= stream.accepted(), (len(new), stream.accepted())
        caught += 0 < len(new) < LINES
        meeting.texts = signed
        meeting.say(f"after {stream.texts[-1]}")
    meeting.check()
    for message in meeting.alice.history():
        assert message["accepted_at"], message
    note(f"{caught} of {ROUNDS} kills found a stream signed in part")


def outbox_is_written(meeting, size):
    """The store can be asked only without its user; but its log has grown, and stopped growing, or
    was written back to a store that has grown."""
    log = os.path.join(meeting.alice.folder, "store.db-wal")
    store = os.path.join(meeting.alice.folder, "store.db")
    before = os.path.getsize(log), os.path.getsize(store)
    time.sleep(0.5)
    after = os.path.getsize(log), os.path.getsize(store)
    return after == before and (after[0] > 0 or after[1] > size)


@test
def sender_keeps_its_outbox(world):
    """a sender is killed while the relay is away: the next command delivers its outbox"""
    meeting = Meeting(world)
    stream = meeting.lines()
    say_by_hand(stream, "accepted")
    assert stream.stdout.readline()
    meeting.relay.kill()
    store = os.path.join(meeting.alice.folder, "store.db")
    wait_until(lambda: os.path.getsize(store + "-wal") == 0, "nothing is left in the log")
    size = os.path.getsize(store)
    waiting = [f"waiting {i} " + "x" * 4096 for i in range(5)]
    for text in waiting:
        say_by_hand(stream, text)
    wait_until(lambda: outbox_is_written(meeting, size), "the lines are in the outbox")
    equal(stream.poll(), None)
    kill(stream)
    meeting.texts += ["accepted"] + waiting
    meeting.relay.start()
    meeting.say("next")
    meeting.check()


def add_shown(shown, messages):
    """What one more receiver showed: it may begin with the last message again."""
    if shown and messages and messages[0]["id"] == shown[-1]["id"]:
        messages = messages[1:]
    shown += messages


@test
def receiver_killed(world):
    """the receiver is killed at any moment: it shows all, and at most the last message again"""
    meeting = Meeting(world)
    path = os.path.join(world.folder, "follower")
    shown = []
    caught = 0
    for moment in moments(meeting):
        follower = meeting.follow(path)
        stream = Stream(meeting)
        time.sleep(moment)
        equal(follower.poll(), None)
        kill(follower)
        messages = messages_in(path)
        caught += 0 < len(messages) < LINES
        add_shown(shown, messages)
        equal(stream.wait(), 0)
        meeting.texts += stream.texts
    add_shown(shown, meeting.bob.receive())
    meeting.check()
    check_verified(shown)
    equal([message["text"] for message in shown], meeting.texts)
    note(f"{caught} of {ROUNDS} kills found a receiver at work")


@test
def join_killed(world):
    """join is killed at any moment: the same command goes on from there"""
    relay = world.relay()
    begun = time.monotonic()
    world.joined(relay, "first")
    whole = time.monotonic() - begun
    for i in range(ROUNDS // 5):
        home, invitation = world.home(f"person-{i}"), relay.invite()
        for part in (chance.random(), chance.uniform(0.7, 1)):  # keys take most of the time
            process = home.start("join", invitation, "--name", home.name, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(part * whole)
            kill(process)
        done = home.run("join", invitation, "--name", home.name)
        if done.code != 0:
            done.fails(1, "has joined a relay already")
        home.send("first", "here I am")


if __name__ == "__main__":
    note(f"seed {SEED}")
    main()
