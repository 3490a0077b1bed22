#!/usr/bin/python3
"""Many clients, each with its own home and keys, on two worker threads. Speaks TAP.

SIGNET_TEST_LONG=1 takes 200 clients instead of 8.
"""

import json
import os
import subprocess

from harness import TIMEOUT, Relay, equal, main, test
from relay_config import configure

CLIENTS = 200 if os.environ.get("SIGNET_TEST_LONG") else 8
AT_ONCE = 8
TEXTS = 20


def texts_of(home):
    return [f"{home.name} says {i}" for i in range(TEXTS)]


def at_once(homes, start, text):
    """One process of each home, a few at the same time; what each wrote."""
    written = {}
    for first in range(0, len(homes), AT_ONCE):
        running = [(home, start(home)) for home in homes[first:first + AT_ONCE]]
        for home, process in running:
            out, err = process.communicate(text(home), timeout=2 * TIMEOUT)
            assert process.returncode == 0, (home.name, err)
            written[home.name] = out.decode()
    return written


def piped(home, *arguments):
    return home.start(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)


@test
def everybody_gets_everything(world):
    """many clients in pairs: every message arrives once, in order and verified"""
    relay = Relay(world)
    configure(relay, threads=2)
    relay.start()
    homes = []
    for first in range(0, CLIENTS, AT_ONCE):
        homes += world.joined(relay, *[f"client{i}" for i in range(first, first + AT_ONCE)])
    partner = {home.name: homes[i ^ 1] for i, home in enumerate(homes)}
    for side in (homes[::2], homes[1::2]):
        at_once(side, lambda home: piped(home, "send", partner[home.name].name, "--lines"),
                lambda home: "".join(text + "\n" for text in texts_of(home)).encode())
    received = at_once(homes, lambda home: piped(home, "receive", "--json"), lambda home: b"")
    for home in homes:
        messages = [json.loads(line) for line in received[home.name].splitlines()]
        equal([one["text"] for one in messages], texts_of(partner[home.name]))
        equal({one["verdict"] for one in messages}, {"verified"})
    relay.stop()


if __name__ == "__main__":
    main()
