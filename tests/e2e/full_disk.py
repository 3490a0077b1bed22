#!/usr/bin/python3
"""Full and read-only disks, at the relay and at home: what was accepted is not lost, and the cause is told.

Small tmpfs file systems stand for the disks; only root can mount them. Speaks TAP.
"""

import os
import shutil
import subprocess

from crashlab import check_texts, joined, note
from harness import SIGNETD, TIMEOUT, Skip, equal, main, test

DISK = 24 << 20
PAGE = 4096
ROOMS = (200, 60, 20, 8, 3, 1, 0)  # pages left free


class Disk:
    """A small file system, mounted at a new folder; filled and freed at will."""

    def __init__(self, world, name):
        self.path = os.path.join(world.folder, name)
        self.filler = os.path.join(self.path, "filler")
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs",
                               self.path], capture_output=True, text=True, timeout=TIMEOUT)
        if done.returncode != 0:
            raise Skip("cannot mount a small file system here: " + done.stderr.strip())
        world.cleanups.append(self.unmount)

    def unmount(self):
        subprocess.run(["umount", "--lazy", self.path], check=True, timeout=TIMEOUT)

    def remount(self, mode):
        subprocess.run(["mount", "-o", f"remount,{mode}", self.path], check=True, timeout=TIMEOUT)

    def fill(self, room=0):
        """Leave no more than some pages free."""
        with open(self.filler, "wb", 0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError:
                file.truncate(max(0, os.fstat(file.fileno()).st_size // PAGE - room) * PAGE)

    def free(self):
        os.unlink(self.filler)


def need_root():
    if os.geteuid() != 0:
        raise Skip("only root can mount a small file system")


def lines(texts):
    return "".join(text + "\n" for text in texts).encode()


def is_authentic(message):
    """On its way it may have been overtaken, which is told; nothing else may be said of it."""
    return message["verdict"] in ("verified", "gap", "late")


@test
def full_relay(world):
    """the relay's disk is full: it refuses and lives on; what it accepted, and the rest, arrives"""
    need_root()
    disk = Disk(world, "relay")
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "before")
    texts, accepted, refusals = ["before"], [], 0
    for room in ROOMS:
        disk.fill(room)
        batch = [f"{room} left, line {i}" for i in range(30)]
        done = alice.run("send", "bob", "--lines", "--json", text=lines(batch))
        disk.free()
        texts += batch
        accepted += done.json()
        if done.code != 0:
            equal(done.code, 1)
            assert b"cannot store now" in done.err, done
            refusals += 1
    assert refusals > 0 and accepted, (refusals, accepted)
    equal(relay.process.poll(), None)
    texts.append("after")
    alice.send("bob", "after")
    with open(relay.data + ".log", encoding="ascii") as log:
        told = log.read()
    assert 'store.down why="database or disk is full"' in told, told
    equal(told.count("store.down"), told.count("store.up"))
    equal(len(bob.receive()), len(texts))
    history = bob.history()
    equal(sorted(message["text"] for message in history), sorted(texts))
    for message in history:
        assert is_authentic(message), message
    assert {one["id"] for one in accepted} <= {message["id"] for message in history}
    note(f"{len(accepted)} of {len(texts) - 2} accepted at once, "
         f"{refusals} of {len(ROOMS)} times refused")


@test
def full_relay_in_order(world):
    """messages that a full relay refuses one by one arrive in order when there is room"""
    need_root()
    disk = Disk(world, "relay")
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "0")
    disk.fill()
    for i in range(1, 4):
        done = alice.run("send", "bob", f"{i} " + "x" * 60000)
        equal(done.code, 1)
        assert b"cannot store now" in done.err, done
    equal(len(bob.receive()), 1)  # which needs no room
    disk.free()
    alice.send("bob", "4")
    bob.receive()
    history = bob.history()
    check_texts([{**message, "text": message["text"][:1]} for message in history], list("01234"))


@test
def restarted_relay(world):
    """a relay that cannot start for want of room says so, and starts when there is some"""
    need_root()
    disk = Disk(world, "relay")
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "kept")
    relay.kill()
    disk.fill()
    again = subprocess.run([SIGNETD, "run", "--data", relay.data], capture_output=True, text=True,
                           timeout=TIMEOUT)
    equal((again.returncode, again.stderr.count("\n")), (1, 1))
    assert again.stderr.startswith("signetd: "), again.stderr
    assert "is full" in again.stderr or "No space left" in again.stderr, again.stderr
    disk.free()
    relay.start()
    check_texts(bob.receive(), ["kept"])


@test
def read_only_relay(world):
    """a relay on a read-only disk does not start, says why, and starts when it can write again"""
    need_root()
    disk = Disk(world, "relay")
    relay, alice, bob = joined(world, "alice", "bob")
    alice.send("bob", "kept")
    relay.kill()
    disk.remount("ro")
    again = subprocess.run([SIGNETD, "run", "--data", relay.data], capture_output=True, text=True,
                           timeout=TIMEOUT)
    equal((again.returncode, again.stderr.count("\n")), (1, 1))
    assert again.stderr.startswith("signetd: ") and "Read-only" in again.stderr, again.stderr
    disk.remount("rw")
    relay.start()
    check_texts(bob.receive(), ["kept"])


def at(home, folder):
    """A home that lives somewhere else from now on."""
    shutil.copytree(home.folder, folder)
    home.folder = folder
    return home


@test
def full_sender(world):
    """the sender's disk is full: nothing half-sent, and no gap"""
    need_root()
    disk = Disk(world, "disk")
    _, alice, bob = joined(world, "alice", "bob")
    at(alice, os.path.join(disk.path, "home"))
    alice.send("bob", "before")
    sent, failures = ["before"], 0
    for room in ROOMS:
        disk.fill(room)
        batch = [f"{room} left, line {i}" for i in range(30)]
        done = alice.run("send", "bob", "--lines", "--json", text=lines(batch))
        disk.free()
        if done.code != 0:
            equal((done.code, done.err.count(b"\n")), (1, 1))
            assert b"disk is full" in done.err, done
            failures += 1
        kept = [message["text"] for message in alice.history()][len(sent):]
        equal(kept, batch[:len(kept)])
        assert len(kept) >= len(done.json()), done
        sent += kept
    alice.send("bob", "after")
    bob.receive()
    check_texts(bob.history(), sent + ["after"])
    assert failures > 0
    note(f"{len(sent) - 1} of {30 * len(ROOMS)} kept, {failures} of {len(ROOMS)} failed")


@test
def full_receiver(world):
    """the receiver's disk is full: what was not kept is not acknowledged, and comes again"""
    need_root()
    disk = Disk(world, "disk")
    _, alice, bob = joined(world, "alice", "bob")
    at(bob, os.path.join(disk.path, "home"))
    sent, failures = [], 0
    for room in ROOMS:
        batch = [f"{room} left, line {i}" for i in range(30)]
        alice.run("send", "bob", "--lines", text=lines(batch)).works()
        sent += batch
        disk.fill(room)
        done = bob.run("receive", "--json")
        disk.free()
        if done.code != 0:
            equal((done.code, done.err.count(b"\n")), (1, 1))
            assert b"disk is full" in done.err, done
            failures += 1
    bob.receive()
    check_texts(bob.history(), sent)
    assert failures > 0
    note(f"{failures} of {len(ROOMS)} failed")


@test
def join_on_a_full_disk(world):
    """joining on a full disk says so, and works when there is room"""
    need_root()
    disk = Disk(world, "disk")
    relay = world.relay()
    invitation = relay.invite()
    home = world.home("alice", folder=os.path.join(disk.path, "home"))
    failures = 0
    for room in (0, 1, 8, 30):
        disk.fill(room)
        done = home.run("join", invitation, "--name", "alice")
        disk.free()
        if done.code != 0:
            done.fails(1)
            assert b"is full" in done.err or b"No space left" in done.err, done
            failures += 1
    assert failures > 0
    home.run("join", invitation, "--name", "alice")
    equal(home.history(), [])


if __name__ == "__main__":
    main()
