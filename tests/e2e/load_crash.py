#!/usr/bin/python3
"""The relay is killed under full load: what it accepted arrives, what was acknowledged stays gone.

The load is bench_load's (bench/promises.c): clients with real logins that keep every window full
and reconnect whenever they can. SIGNET_TEST_LONG=1 kills 100 times instead of 20. Speaks TAP.

usage: load_crash.py BENCH_FILL BENCH_LOAD
"""

import json
import os
import random
import subprocess
import sys
import time

from crashlab import wait_until
from harness import TIMEOUT, Relay, equal, main, test
from relay_config import configure

KILLS = 100 if os.environ.get("SIGNET_TEST_LONG") else 20
SEED = int(os.environ.get("SIGNET_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
FILL, LOAD = sys.argv[1:3]
PAIRS, WINDOW = 20, 32


def loaded(world):
    """A relay without limits in the way, and clients that use it."""
    relay = Relay(world)
    configure(relay, threads=2, mailbox_messages=1000000, logins_per_second=0, puts_per_second=0,
              connections_per_address=0)
    subprocess.run([FILL, relay.data, "accounts", str(2 * PAIRS)], check=True, timeout=2 * TIMEOUT)
    relay.start()
    load = subprocess.Popen([LOAD, relay.data, str(relay.port), "0", "0", "promises", str(PAIRS),
                             str(WINDOW)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    world.processes.append(load)
    return relay, load


def end(load):
    load.terminate()
    out, err = load.communicate(timeout=2 * TIMEOUT)
    equal((load.returncode, err), (0, b""))
    return json.loads(out)


def worked(process):
    """Seconds of the processors that it has used."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@test
def promises_are_kept(world):
    """the relay is killed again and again under full load, and breaks no promise"""
    chance = random.Random(SEED)
    relay, load = loaded(world)
    for _ in range(KILLS):
        moment = chance.uniform(0.2, 0.7)  # of its work: a machine that is busy takes longer to it
        wait_until(lambda: worked(relay.process) > moment, "work of the relay")
        equal(load.poll(), None)
        relay.kill()
        relay.start()
    time.sleep(0.5)
    found = end(load)
    print(f"# seed {SEED}, {KILLS} kills: {found}", flush=True)
    equal((found["lost"], found["again_after_ack"]), (0, 0))
    assert found["accepted"] > 100 * KILLS, "there was no load"
    assert found["connections_lost"] >= PAIRS * KILLS, "the kills went unnoticed"
    relay.stop()


if __name__ == "__main__":
    sys.argv[1:3] = []
    main()
