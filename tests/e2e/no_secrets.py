#!/usr/bin/python3
"""The relay holds no plaintext and no private key but its own; a home at rest shows neither.

docs/threat-model.md. The relay's memory is read as the kernel shows it to a debugger, in
/proc/PID/mem: all of it, also what would be left out of a core file. Every search is made with the
same scanner first for something that is there. Speaks TAP.
"""

import base64
import mmap
import os
import re
import subprocess
import sys
import time

from crashlab import note
from harness import TIMEOUT, Skip, equal, main, test, wait_line

HOME_SECRETS = os.environ.get("HOME_SECRETS")
CHUNK = 1 << 24
HUGE = 1 << 36  # no memory of a program: the tables of a sanitizer
PEM = re.compile(rb"-----BEGIN [A-Z ]+-----\n([A-Za-z0-9+/=\n]+)-----END")


# ---- what is looked for ----

def cbor(data, at=0):
    """(value, where it ends): integers, strings, arrays and null, as docs/protocol.md has them."""
    kind, more = data[at] >> 5, data[at] & 31
    if data[at] == 0xf6:
        return None, at + 1
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(more, 0)
    number = int.from_bytes(data[at + 1:at + 1 + size], "big") if size else more
    at += 1 + size
    if kind in (2, 3):
        return data[at:at + number], at + number
    if kind == 4:
        items = []
        for _ in range(number):
            item, at = cbor(data, at)
            items.append(item)
        return items, at
    assert kind == 0, f"kind {kind} at {at}"
    return number, at


def der(data):
    """The values one after the other, without their heads."""
    values, at = [], 0
    while at < len(data):
        length = data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7f
            length = int.from_bytes(data[at:at + size], "big")
            at += size
        values.append(data[at:at + length])
        at += length
    return values


def rsa_parts(pkcs8):
    """d, p, q, d mod p-1, d mod q-1, 1/q mod p (RFC 8017, A.1.2) of an RSA key."""
    version, _, key = der(der(pkcs8)[0])
    equal(version, b"\0")
    parts = der(der(key)[0])[3:]
    equal(len(parts), 6)
    return [part.lstrip(b"\0") for part in parts]


def both_ends(part):
    """A number as files hold it, and as OpenSSL's arithmetic does. The upper half of d follows from
    the public key, so it is the lower half that is looked for."""
    half = part[len(part) // 2:]
    return [half, half[::-1]]


def pem_bytes(text):
    return base64.b64decode(PEM.search(text)[1])


def secrets_of(home):
    """Every private key that the home keeps: what it is, and its bytes."""
    if not HOME_SECRETS:
        raise Skip("HOME_SECRETS names no program")
    done = subprocess.run([HOME_SECRETS, home.folder], capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    found = {}
    for count, line in enumerate(done.stdout.decode().split("\n")[:-1]):
        kind, text = line.split()
        record, end = cbor(bytes.fromhex(text))
        equal((record[0], end), (1, len(text) // 2))
        keys, numbers = {"account": account_keys, "bundle": bundle_keys,
                         "session": session_keys}[kind](record)
        for i, part in enumerate(numbers):
            for j, piece in enumerate(both_ends(part)):
                found[f"{home.name} {kind} {count} number {i} order {j}"] = piece
        for i, key in enumerate(keys):
            if key is not None and any(key):
                found[f"{home.name} {kind} {count} key {i}"] = key
    return found


def account_keys(record):
    equal(len(record), 5)
    return [], rsa_parts(record[1]) + rsa_parts(record[2])


def bundle_keys(record):
    """Key for refusals, signed prekey, some of the one-time prekeys; RSA decryption key."""
    equal((len(record), len(record[9])), (10, 256))
    return [record[6], record[7]] + record[9][:8], rsa_parts(record[5])


def session_keys(record):
    """Ratchet key, root, chains, header keys, kept message keys."""
    ratchet, _ = cbor(record[-1])
    equal((ratchet[0], len(ratchet)), (1, 17))
    kept = [key[3] for key in ratchet[16][1]]
    return [ratchet[1], ratchet[4]] + ratchet[7:13] + kept, []


def as_written(name, text):
    return {name: text.encode(), name + " in hex": text.encode().hex().encode()}


# ---- where it is looked for ----

def find(data, wanted):
    return {name for name, bytes_ in wanted.items() if data.find(bytes_) >= 0}


def in_memory(pid, wanted):
    """Names of what is in a process's memory. All its pages are read."""
    overlap = max(len(bytes_) for bytes_ in wanted.values())
    found, total = set(), 0
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        regions = [line.split(None, 5) for line in maps]
    try:
        memory = open(f"/proc/{pid}/mem", "rb", 0)
    except PermissionError:
        raise Skip("this system does not let a process read the memory of another") from None
    with memory:
        for region in regions:
            start, end = (int(word, 16) for word in region[0].split("-"))
            name = region[5].strip() if len(region) > 5 else ""
            if end - start > HUGE or name in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
                continue  # of the kernel's, and not to be read
            if region[1].startswith("---") and not name:
                continue  # reserved, without pages
            for at in range(start, end, CHUNK):
                data = os.pread(memory.fileno(), min(CHUNK + overlap, end - at), at)
                assert data, region
                total += len(data)
                found |= find(data, wanted)
    assert total > mmap.PAGESIZE
    return found


def in_folder(path, wanted, without=()):
    """Names of what is in a folder's files, and in the PEM that they hold."""
    found = set()
    for folder, _, names in os.walk(path):
        for name in set(names) - set(without):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            found |= find(data, wanted)
            for text in PEM.finditer(data):
                found |= find(base64.b64decode(text[1]), wanted)
    return found


def relay_key(relay):
    """The private number of the relay's own TLS key (SEC 1, C.4), in both orders."""
    with open(os.path.join(relay.data, "current.key"), "rb") as file:
        _, _, key = der(der(pem_bytes(file.read()))[0])
    number = der(der(key)[0])[1]
    equal(len(number), 32)
    return {"relay key": number, "relay key backwards": number[::-1]}


def check_relay(relay, wanted):
    """Nothing of it is at the relay, where its own key is found in the same search."""
    own = relay_key(relay)
    for place, found in (("memory", in_memory(relay.process.pid, {**wanted, **own})),
                         ("folder", in_folder(relay.data, {**wanted, **own}))):
        assert found & set(own), f"the relay's own key was not found in its {place}"
        equal(found - set(own), set())
    with open(relay.data + ".log", "rb") as log:
        equal(find(log.read(), {**wanted, **own}), set())


@test
def scanner_finds(world):
    """the scanner finds a word in a process that holds it, and in a file"""
    word = os.urandom(16).hex()
    holder = subprocess.Popen([sys.executable, "-c", "import sys; word = sys.stdin.readline(); "
                               "print('ready', flush=True); sys.stdin.readline()"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    world.processes.append(holder)
    holder.stdin.write(word.encode() + b"\n")
    holder.stdin.flush()
    equal(holder.stdout.readline(), b"ready\n")
    other = os.urandom(16).hex()
    wanted = {"held": word.encode(), "not held": other.encode()}
    equal(in_memory(holder.pid, wanted), {"held"})
    with open(os.path.join(world.folder, "file"), "wb") as file:
        file.write(b"x" * 5000 + word.encode())
    equal(in_folder(world.folder, wanted), {"held"})


@test
def scanner_finds_keys(world):
    """the scanner finds private keys in the process of their owner"""
    relay = world.relay()
    bob, = world.joined(relay, "bob")
    own = {name: bytes_ for name, bytes_ in secrets_of(bob).items() if " number " in name}
    follower = bob.start("receive", "--follow", "--explain", stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while b"login" not in follower.stderr.readline():  # for which it has signed
        assert follower.poll() is None
    found = in_memory(follower.pid, own)
    assert len(found) >= 6, found  # of a key, once in each of its numbers


@test
def nothing_at_the_relay(world):
    """memory, folder and log of the relay hold no text and no private key of its users"""
    relay = world.relay()
    alice, bob = world.joined(relay, "alice", "bob")
    marker = f"marker {os.urandom(16).hex()}"
    wanted = as_written("text", marker)
    for i in range(5):
        alice.send("bob", f"{i} {marker}")
    wanted.update(secrets_of(alice))
    wanted.update(secrets_of(bob))
    for home in (alice, bob):  # the next identity key: it was never near the relay either
        with open(os.path.join(home.folder, "next-identity.key"), "rb") as file:
            for i, part in enumerate(rsa_parts(pem_bytes(file.read()))):
                for j, piece in enumerate(both_ends(part)):
                    wanted[f"{home.name} next identity {i} order {j}"] = piece
    check_relay(relay, wanted)  # it holds the messages
    equal([message["text"] for message in bob.receive()], [f"{i} {marker}" for i in range(5)])
    bob.send("alice", f"back {marker}")
    wanted.update(secrets_of(alice))
    wanted.update(secrets_of(bob))
    check_relay(relay, wanted)  # it has delivered some, and holds another
    equal([message["text"] for message in alice.receive()], [f"back {marker}"])
    wanted.update(secrets_of(alice))
    check_relay(relay, wanted)
    relay.stop()
    equal(in_folder(relay.data, wanted), set())
    note(f"{len(wanted)} strings were looked for")


@test
def nothing_in_a_log(world):
    """a client that waits for messages leaves no used key in its store's log"""
    relay = world.relay()
    alice, bob = world.joined(relay, "alice", "bob")
    follower = bob.start("receive", "--follow", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    for number in range(3):
        alice.send("bob", f"message {number}")
        wait_line(follower, rf"message {number}")
    log = os.path.join(bob.folder, "store.db-wal")
    deadline = time.monotonic() + TIMEOUT
    while os.path.getsize(log) > 0:
        assert time.monotonic() < deadline, "the log is not emptied"
        time.sleep(0.1)
    equal(follower.poll(), None)


@test
def nothing_in_a_home(world):
    """a home at rest shows no text, no name of a contact, and no private key but the next"""
    names = [f"{word}-{os.urandom(8).hex()}" for word in ("alice", "bob")]
    relay = world.relay()
    alice, bob = world.joined(relay, *names)
    marker = f"marker {os.urandom(16).hex()}"
    alice.send(bob.name, marker)
    equal(len(bob.receive()), 1)
    bob.send(alice.name, f"back {marker}")
    equal(len(alice.receive()), 1)
    relay.kill()
    alice.run("send", bob.name, f"waits {marker}").fails(1, "queued")  # a draft, or sealed
    for home in (alice, bob):
        wanted = {**as_written("text", marker), **secrets_of(home)}
        for name in names:
            wanted[name] = name.encode()
        equal(in_folder(home.folder, wanted), set())
        with open(os.path.join(home.folder, "next-identity.key"), "rb") as file:
            parts = rsa_parts(pem_bytes(file.read()))
        wanted = {f"next {i}": both_ends(part)[0] for i, part in enumerate(parts)}
        equal(in_folder(home.folder, wanted), set(wanted))
        equal(in_folder(home.folder, wanted, without=["next-identity.key"]), set())


if __name__ == "__main__":
    main()
