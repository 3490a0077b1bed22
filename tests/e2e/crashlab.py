"""What the tests that end things at any moment add to harness.py."""

import atexit
import json
import os
import random
import shutil
import tempfile
import time

from harness import TIMEOUT, Relay, equal

LONG = bool(os.environ.get("SIGNET_TEST_LONG"))
SEED = int(os.environ.get("SIGNET_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
chance = random.Random(SEED)


class KeptRelay(Relay):
    """One whose data are there already."""

    def __init__(self, world, port):
        self.world, self.port, self.process = world, port, None
        self.data = os.path.join(world.folder, "relay")


made = {}  # people who have joined a relay: folder, port and addresses


def joined(world, *names):
    """A relay and homes that have joined it. Keys take seconds: each set of people is made once,
    and copied for every test."""
    if names not in made:
        relay = world.relay()
        homes = world.joined(relay, *names)
        relay.stop()
        folder = tempfile.mkdtemp(prefix="signet-test-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for path in [relay.data] + [home.folder for home in homes]:
            shutil.copytree(path, os.path.join(folder, os.path.basename(path)))
        made[names] = folder, relay.port, [home.address for home in homes]
        return relay.start(), *homes
    folder, port, addresses = made[names]
    homes = [world.home(name) for name in names]
    shutil.copytree(folder, world.folder, dirs_exist_ok=True)
    for home, address in zip(homes, addresses):
        home.address = address
    return KeptRelay(world, port).start(), *homes


def note(text):
    print(f"# {text}", flush=True)


def wait_until(holds, what, seconds=TIMEOUT):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(0.01)


def kill(process):
    process.kill()
    return process.wait(TIMEOUT)


def messages_in(path):
    """The whole JSON lines of a file; a kill may have cut the last one short."""
    with open(path, "rb") as file:
        return [json.loads(line) for line in file.read().split(b"\n")[:-1]]


def check_verified(messages):
    for message in messages:
        equal(message["verdict"], "verified")


def check_texts(messages, wanted):
    """These texts, once each, in this order, and nothing else; all verified."""
    found = [message["text"] for message in messages]
    missing = [text for text in wanted if text not in found]
    twice = sorted({text for text in found if found.count(text) > 1})
    strange = [text for text in found if text not in wanted]
    assert found == wanted, (
        f"{len(wanted)} expected, {len(found)} found; missing {missing[:5]}, more than once "
        f"{twice[:5]}, unexpected {strange[:5]}, or not in order")
    check_verified(messages)
