#!/usr/bin/python3
"""What a damaged record of a home costs, and what the other side hears of it. Speaks TAP."""
import contextlib
import os
import sqlite3

from harness import equal, main, test

CONTACT, SESSION = 5, 7  # kinds of engine/records.h


def damage(home, kind):
    """Change the last byte of every record of a kind."""
    with contextlib.closing(sqlite3.connect(os.path.join(home.folder, "store.db"))) as store:
        rows = store.execute("SELECT name, number, value FROM record WHERE kind = ?",
                             (kind,)).fetchall()
        assert rows
        for name, number, value in rows:
            store.execute("UPDATE record SET value = ? WHERE kind = ? AND name = ? AND number = ?",
                          (value[:-1] + bytes([value[-1] ^ 1]), kind, name, number))
        store.commit()


def acquainted(world):
    relay = world.relay()
    alice, bob = world.joined(relay, "alice", "bob")
    alice.send("bob", "one")
    bob.receive()
    bob.send("alice", "two")
    alice.receive()
    return alice, bob


@test
def a_lost_session(world):
    """the other side is told what is missing, once, and answers nothing by itself"""
    alice, bob = acquainted(world)
    damage(alice, SESSION)
    bob.send("alice", "three")
    equal([one["verdict"] for one in alice.run("receive", "--json").json()], ["unknown-session"])
    marker = os.path.join(bob.folder, "answered")
    told = bob.run("receive", "--json", "--reply", "touch " + marker).works().json()
    equal([(one["from"], one["verdict"], one["missing"], one["text"]) for one in told],
          [("alice", "missing", 1, None)])
    assert not os.path.exists(marker)
    equal(bob.receive(), [])
    lines = bob.run("history", "alice").works().out.decode().splitlines()
    assert any(line.endswith("bob to alice: three   [missing]") for line in lines), lines
    bob.send("alice", "four")
    equal([(one["verdict"], one["text"]) for one in alice.receive()], [("gap", "four")])
    equal([one["text"] for one in alice.history() if one["from"] == "alice"], ["one"])


@test
def a_lost_contact(world):
    """messages wait until its card has come again"""
    alice, bob = acquainted(world)
    damage(alice, CONTACT)
    bob.send("alice", "three")
    done = alice.run("receive", "--json").works()
    equal([(one["from"], one["verdict"], one["text"]) for one in done.json()],
          [("bob", "verified", "three")])
    equal([one["contact"] for one in done.json()], ["new"])
    assert b"compare" in done.err, done.err


@test
def a_lost_contact_that_is_shown_first(world):
    """a damaged contact is told although a message that waits to be shown is shown first"""
    alice, bob = acquainted(world)
    bob.send("alice", "three")
    bob.send("alice", "four")
    equal([one["text"] for one in alice.run("receive", "--json", "--count", "1").works().json()],
          ["three"])
    damage(alice, CONTACT)
    bob.send("alice", "five")
    done = alice.run("receive", "--json").works()
    equal([(one["text"], one["contact"]) for one in done.json()],
          [("four", "new"), ("five", "new")])
    equal(done.err.count(b"compare fingerprints again"), 1)


@test
def a_lost_contact_in_the_history(world):
    """the history says that it has lost whom it shows as new"""
    alice, _ = acquainted(world)
    damage(alice, CONTACT)
    done = alice.run("history").works()
    assert b"two" in done.out, done.out
    equal(done.err.count(b"compare fingerprints again"), 1)


if __name__ == "__main__":
    main()
