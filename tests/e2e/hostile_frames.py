#!/usr/bin/python3
"""Whatever a stranger sends, only his own connection ends; docs/protocol.md, section 9.

TLS and WebSocket by hand, so that everything in them can be wrong. The same after the login:
tests/server/worker/test_worker.c. Speaks TAP.
"""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time

from crashlab import joined
from harness import TIMEOUT, Skip, equal, main, patience, test, wait_line
from relay_commands import Client

LOGIN_S = patience(10)  # the protocol's; what is slower than twice that was not closed by it
PROTOCOL, TYPE, NOT_UTF8, POLICY, TOO_BIG = 1002, 1003, 1007, 1008, 1009


def head(length, opcode=2, first=0x80, mask=0x80, size=None):
    """The first bytes of a frame: as a client writes them, unless told otherwise."""
    size = size if size is not None else 0 if length < 126 else 2 if length < 65536 else 8
    code = {0: length, 2: 126, 8: 127}[size]
    more = length.to_bytes(size, "big") if size else b""
    return bytes([first | opcode, mask | code]) + more + (bytes(4) if mask else b"")


def frame(payload, opcode=2, **options):
    return head(len(payload), opcode, **options) + payload


FRAMES = {  # bytes after the upgrade, and the close code they bring
    "not masked": (frame(b"\x80", mask=0), PROTOCOL),
    "reserved bit 1": (frame(b"\x80", first=0xc0), PROTOCOL),
    "reserved bit 2": (frame(b"\x80", first=0xa0), PROTOCOL),
    "reserved bit 3": (frame(b"\x80", first=0x90), PROTOCOL),
    "unknown opcode 3": (frame(b"", 3), PROTOCOL),
    "unknown opcode 15": (frame(b"", 15), PROTOCOL),
    "text": (frame(b"hello", 1), TYPE),
    "ping in two parts": (frame(b"", 9, first=0), PROTOCOL),
    "ping of 126 bytes": (frame(bytes(126), 9), PROTOCOL),
    "continuation of nothing": (frame(b"", 0), PROTOCOL),
    "message within a message": (frame(b"\x82", first=0) + frame(b"\x82"), PROTOCOL),
    "length 5 in two bytes": (frame(bytes(5), size=2), PROTOCOL),
    "length 5 in eight bytes": (frame(bytes(5), size=8), PROTOCOL),
    "length with the highest bit": (head(1 << 63), PROTOCOL),
    "claimed: an exabyte": (head(1 << 60), TOO_BIG),
    "claimed: four gigabytes": (head(1 << 32), TOO_BIG),
    "4,097 bytes": (frame(bytes(4097)), TOO_BIG),
    "4,097 bytes in parts": (frame(bytes(4000), first=0) + frame(bytes(97), 0), TOO_BIG),
    "parts without end": (frame(b"\x82", first=0) + frame(b"", 0, first=0) * 5000, TOO_BIG),
    "close with one byte": (frame(b"\x03", 8), PROTOCOL),
    "close with code 1005": (frame(b"\x03\xed", 8), PROTOCOL),
    "close with code 0": (frame(b"\0\0", 8), PROTOCOL),
    "close with a reason that is no UTF-8": (frame(b"\x03\xe8\xff", 8), NOT_UTF8),
}

MESSAGES = {  # content of one binary message
    "nothing": b"",
    "not CBOR": b"x",
    "cut short": b"\x83\x01",
    "string cut short": b"\x83\x02\x01\x58\x20abc",
    "length without end": b"\x9f\x01\xff",
    "type in two bytes": b"\x82\x18\x08\x01",
    "number in eight bytes": b"\x82\x08\x1b\0\0\0\0\0\0\0\x01",
    "unknown type": b"\x82\x18\x63\x01",
    "negative type": b"\x82\x20\x01",
    "a relay's own message": b"\x82\x18\x40\x58\x20" + bytes(32),
    "too few fields": b"\x82\x02\x01",
    "too many fields": b"\x84\x02\x01\x40\x01",
    "no array": b"\xa1\x01\x02",
    "tag": b"\xc1\x82\x08\x01",
    "half-precision number": b"\x82\x08\xf9\x3c\0",
    "true": b"\x82\x08\xf5",
    "deep nesting": b"\x81" * 4000,
    "claimed: a string of four gigabytes": b"\x83\x02\x01\x5a\xff\xff\xff\xff",
    "claimed: 2^64 items": b"\x9b" + b"\xff" * 8,
    "subscribe before the login": b"\x82\x08\x01",
    "put before the login": b"\x84\x07\x01\x58\x20" + bytes(32) + b"\x41a",
    "ack before the login": b"\x82\x09\x81\x01",
    "something after a message": b"\x82\x08\x01x",
}

BEYOND = ("claimed: 2^64 items",)
IN_FRAMES = {name: (frame(data), TOO_BIG if name in BEYOND else PROTOCOL)
             for name, data in MESSAGES.items()}

REQUESTS = {  # instead of the upgrade, and the status that they bring
    "no HTTP": (b"\x16\x03\x01 what is this\r\n\r\n", b"400"),
    "another path": (b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
    "another method": (b"POST /signet HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
    "no upgrade": (b"GET /signet HTTP/1.1\r\nHost: a\r\n\r\n", b"426"),
    "a head without end": (b"GET /signet HTTP/1.1\r\nA: " + b"a" * 8000, b"431"),
    "a foreign origin": (b"GET /signet HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
                         b"Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAA"
                         b"AAAAAAAAAA==\r\nSec-WebSocket-Protocol: signet.v1\r\nOrigin: https://"
                         b"mallory.example\r\n\r\n", b"403"),
}


class Neighbour:
    """bob, who is connected all the time and must not notice anything."""

    def __init__(self, alice, bob):
        self.alice, self.bob = alice, bob
        self.process = self.bob.start("receive", "--follow", "--json", stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.count = 0
        self.check()

    def check(self):
        text = f"still there {self.count}"
        self.count += 1
        self.alice.send("bob", text)
        equal(json.loads(wait_line(self.process, "."))["text"], text)
        equal(self.process.poll(), None)


def tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def plain(relay):
    return socket.create_connection(("127.0.0.1", relay.port), timeout=TIMEOUT)


def resident(relay):
    with open(f"/proc/{relay.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def rejected(relay):
    """How many lines of the log say that somebody was sent away; none says from where he came."""
    with open(relay.data + ".log", encoding="ascii") as log:
        lines = [line for line in log if " connection.rejected " in line]
    for line in lines:
        assert line.endswith(" logged_in=false\n") and "127.0.0.1" not in line, line
    return len(lines)


def check_sent_away(relay, data, code):
    client = Client(relay.port)
    client.check_challenge()
    with contextlib.suppress(ConnectionError):  # it may be closed before all is sent
        client.socket.sendall(data)
    client.check_closed(code)
    client.close()


def check_all(relay, inputs):
    for name, (data, code) in inputs.items():
        before = rejected(relay)
        try:
            check_sent_away(relay, data, code)
            deadline = time.monotonic() + TIMEOUT
            while rejected(relay) == before and time.monotonic() < deadline:
                time.sleep(0.01)
            equal(rejected(relay), before + 1)
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}") from error
        time.sleep(0.2 * (before > 40))  # so many lines a second are logged


@test
def frames(world):
    """wrong frames end their connection, each with its code and one line in the log"""
    relay, *others = joined(world, "alice", "bob")
    neighbour = Neighbour(*others)
    check_all(relay, FRAMES)
    neighbour.check()


@test
def messages(world):
    """wrong messages end their connection, each with its code and one line in the log"""
    relay, *others = joined(world, "alice", "bob")
    neighbour = Neighbour(*others)
    check_all(relay, IN_FRAMES)
    neighbour.check()


@test
def requests(world):
    """wrong requests, old TLS and no TLS end their connection"""
    relay, *others = joined(world, "alice", "bob")
    neighbour = Neighbour(*others)
    for name, (data, status) in REQUESTS.items():
        with tls().wrap_socket(plain(relay)) as client:
            client.sendall(data)
            answer = client.recv(4096)
            assert answer.startswith(b"HTTP/1.1 " + status), (name, answer)
    old = tls()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        old.wrap_socket(plain(relay))
        raise AssertionError("TLS 1.2 was accepted")
    except ssl.SSLError:
        pass
    for data in (b"GET /signet HTTP/1.1\r\n\r\n", bytes(100),
                 b"\x16\x03\x01\xff\xff" + bytes(70000)):
        with plain(relay) as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(data)
                while client.recv(4096):  # an alert, perhaps
                    pass
    neighbour.check()


@test
def memory(world):
    """what is wrong leaves nothing behind in the relay's memory"""
    relay, *others = joined(world, "alice", "bob")
    with open(f"/proc/{relay.process.pid}/maps", encoding="ascii") as maps:
        if "libasan" in maps.read():
            raise Skip("a sanitizer keeps what is freed")
    neighbour = Neighbour(*others)
    inputs = {**FRAMES, **IN_FRAMES}

    def round_of_all():
        for data, code in inputs.values():
            check_sent_away(relay, data, code)
        for cut in range(1, 200, 20):  # gone in the middle of a frame
            client = Client(relay.port)
            client.socket.sendall(frame(bytes(300))[:cut])
            client.close()

    round_of_all()
    before = resident(relay)
    for _ in range(3):
        round_of_all()
    grown = resident(relay) - before
    assert grown < 2 << 20, f"{3 * len(inputs)} connections left {grown} bytes"
    neighbour.check()


def seconds_until_closed(connection, data):
    """How long the relay listens to somebody who says a byte every second."""
    begun = time.monotonic()
    connection.settimeout(1)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
            while connection.recv(4096):
                pass
            break
        except TimeoutError:  # nothing to read in this second
            pass
        except OSError:
            break
    connection.close()
    return time.monotonic() - begun


@test
def slow(world):
    """who says a byte every second is closed at the deadline of the login, wherever he is"""
    relay, *others = joined(world, "alice", "bob")
    neighbour = Neighbour(*others)
    hello = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        tls().wrap_bio(ssl.MemoryBIO(), hello).do_handshake()
    within_request = tls().wrap_socket(plain(relay))
    within_frame = Client(relay.port)
    within_frame.check_challenge()
    slow_ones = {"handshake": (plain(relay), hello.read()),
                 "request": (within_request, b"GET /signet HTTP/1.1\r\nHost: " + 2 * LOGIN_S * b"a"),
                 "frame": (within_frame.socket, frame(bytes(1000)))}
    took = {}

    def run(name, connection, data):
        took[name] = seconds_until_closed(connection, data)

    threads = [threading.Thread(target=run, args=(name, *parts))
               for name, parts in slow_ones.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    equal(set(took), set(slow_ones))
    for name, seconds in took.items():
        assert seconds < 2 * LOGIN_S, (name, seconds)
    neighbour.check()


if __name__ == "__main__":
    main()
