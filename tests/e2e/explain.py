#!/usr/bin/python3
"""--explain: the cryptographic steps, in order, without a secret. Speaks TAP."""

import base64
import glob
import json
import os
import re

from harness import equal, main, test


def steps(done):
    found = [json.loads(line)["step"] for line in done.err.decode().splitlines()
             if line.startswith('{"step"')]
    equal([step["number"] for step in found], list(range(1, len(found) + 1)))
    return found


def in_order(found, *wanted):
    """Each of these (words of `what`, words of algorithm or detail) comes, one after the other."""
    at = 0
    for what, words in wanted:
        while at < len(found) and what not in found[at]["what"]:
            at += 1
        assert at < len(found), f"no step {what!r} in its place: {[s['what'] for s in found]}"
        text = found[at]["algorithm"] + " " + found[at]["detail"]
        for word in words:
            assert word in text, (word, found[at])
        at += 1


def secrets(folder):
    """Whatever stands in the files of a home that is secret: hexadecimal, base64, raw."""
    found = []
    with open(os.path.join(folder, "key"), encoding="ascii") as file:
        key = file.read().strip()
    found += [key, base64.b64encode(bytes.fromhex(key)).decode()]
    for path in glob.glob(os.path.join(folder, "next-identity*.key")):
        with open(path, encoding="ascii") as file:
            lines = [line for line in file.read().splitlines() if not line.startswith("-")]
        found += lines[:-1]
        found.append(base64.b64decode("".join(lines)).hex()[200:264])
    return found


@test
def first_message(world):
    """joining, sending and receiving name their steps in order, with algorithms and sizes"""
    relay = world.relay()
    bob, = world.joined(relay, "bob")
    alice = world.home("alice")
    joined = alice.run("join", relay.invite(), "--name", "alice", "--json", "--explain").works()
    sent = alice.run("send", "bob", "hello", "--json", "--explain").works()
    received = bob.run("receive", "--json", "--explain").works()
    hop = [("connection to the relay sealed", ["TLS_", "TLS 1.3"]),
           ("relay's key compared", ["SHA-256", "pin ", "current key"]),
           ("only the two ends", ["RFC 9266", "32 bytes"])]
    in_order(steps(joined), ("identity key made", ["RSA-3072"]), ("device signing key", ["RSA-PSS"]),
             *hop, ("registered", ["RSA-PSS"]), ("logged in", ["TLS exporter"]),
             ("public keys published", ["256 one-time prekeys"]))
    in_order(steps(sent), *hop, ("logged in", ["RSA-PSS"]), ("received from the directory", ["holds"]),
             ("bundle checked", ["Merkle"]),
             ("wrapped with their RSA key", ["RSA-OAEP 3072, SHA-256", "32 random bytes -> 384 bytes"]),
             ("keys agreed", ["X25519", "HKDF"]), ("message signed", ["RSA-PSS 3072", "384 bytes"]),
             ("sealed", ["AES-256-GCM", "Double Ratchet"]))
    in_order(steps(received), *hop, ("opened with the own RSA key", ["RSA-OAEP", "X25519"]),
             ("envelope opened", ["AES-256-GCM"]), ("signature of the message verified", ["RSA-PSS"]),
             ("place in the conversation", ["verified"]))
    kinds = {"", "confidentiality", "integrity", "authentication"}
    for step in steps(joined) + steps(sent) + steps(received):
        assert set(step["serves"].split(", ")) <= kinds, step
    for home in (alice, bob):
        for secret in secrets(home.folder):
            for done in (joined, sent, received):
                assert secret.lower() not in (done.out + done.err).decode().lower()


@test
def no_secret(world):
    """a step holds names and sizes, never more hexadecimal digits than a short fingerprint"""
    relay = world.relay()
    alice, bob = world.joined(relay, "alice", "bob")
    sent = alice.run("send", "bob", "the text itself", "--explain").works()
    received = bob.run("receive", "--explain").works()
    for done in (sent, received):
        lines = [line for line in done.err.decode().splitlines() if re.match(r" *\d+\. ", line)]
        assert lines, done
        for line in lines:
            assert "the text itself" not in line
            assert not re.search(r"[0-9a-f]{17}|([0-9a-f]{4}-){4}", line), line
        assert any(re.fullmatch(r" *\d+\. \[confidentiality\] .*: RSA-OAEP 3072, SHA-256; .*", line)
                   for line in lines) or done is received, lines


main()
