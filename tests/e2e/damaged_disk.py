#!/usr/bin/python3
"""A damaged page of the relay's store: it costs the messages on it, and nobody else anything.

Speaks TAP.
"""

import contextlib
import os
import sqlite3

from crashlab import joined
from harness import Skip, equal, main, test

PAGE = 4096
LINES = 40


def damage_old_messages(path):
    """What waits becomes what has waited for long; then the page in its middle is broken."""
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.executescript("""
            INSERT INTO cold SELECT device, id, expires, envelope FROM hot;
            DELETE FROM hot;
            UPDATE device SET
              cold_count = (SELECT count(*) FROM cold WHERE cold.device = key),
              cold_bytes = (SELECT total(length(envelope)) FROM cold WHERE cold.device = key),
              cold_last = (SELECT coalesce(max(id), 0) FROM cold WHERE cold.device = key);""")
        try:
            pages = store.execute("SELECT pageno FROM dbstat WHERE name = 'cold' AND pagetype ="
                                  " 'leaf' ORDER BY path").fetchall()
        except sqlite3.OperationalError as error:
            raise Skip(f"this SQLite does not tell where a page is: {error}") from error
    assert len(pages) > 4, pages
    with open(path, "r+b") as file:
        file.seek((pages[len(pages) // 2][0] - 1) * PAGE)
        file.write(b"\xff" * 8)


@test
def damaged_mailbox(world):
    """a damaged page of one mailbox: the rest of it arrives, others see nothing, the log names it"""
    relay, alice, bob = joined(world, "alice", "bob")
    alice.run("send", "bob", "--lines",
              text=b"".join(b"line %d\n" % i for i in range(LINES))).works()
    relay.stop()
    damage_old_messages(os.path.join(relay.data, "relay.db"))
    relay.start()
    bob.send("alice", "from one who has lost some")
    equal([message["text"] for message in alice.receive()], ["from one who has lost some"])
    texts = {message["text"] for message in bob.receive()}
    assert LINES // 2 < len(texts) < LINES, sorted(texts)
    assert {"line 0", f"line {LINES - 1}"} <= texts, sorted(texts)
    alice.send("bob", "behind it")
    equal([message["text"] for message in bob.receive()], ["behind it"])
    relay.stop()
    with open(relay.data + ".log", encoding="ascii") as log:
        lines = log.read().splitlines()
    assert any("store.damaged device=" in line for line in lines), lines
    assert not any("store.down" in line for line in lines), lines


if __name__ == "__main__":
    main()
