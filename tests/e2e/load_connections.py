#!/usr/bin/python3
"""The relay's limits on connections: memory stays flat, addresses have their share. Speaks TAP.

SIGNET_TEST_LONG=1 opens and closes 100,000 connections instead of 3,000.
"""

import contextlib
import os
import re
import resource
import signal
import socket
import ssl
import time

from harness import SIGNETD, Relay, Skip, equal, main, patience, test
from relay_config import configure

COUNT = 100000 if os.environ.get("SIGNET_TEST_LONG") else 3000
# Bytes that OpenSSL has allocated for an idle connection of the relay (by CRYPTO_malloc's count):
# 13,878 in version 3.0.19, 21,446 in 3.5.9. The key exchange is X25519 in both. Since 3.2 each of
# the two directions has a record layer of 4,424 bytes with room for 32 pipelines, and no call frees
# it. The interpreter is linked with the library that the relay uses.
TLS_BYTES = 21446 if ssl.OPENSSL_VERSION_INFO >= (3, 2) else 13878
UPGRADE = (b"GET /signet HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Protocol: signet.v1\r\n\r\n")

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def connect(relay, source="127.0.0.1"):
    """Connected, upgraded, challenged; None where the relay hangs up."""
    plain = socket.create_connection(("127.0.0.1", relay.port), 20, (source, 0))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        stream = context.wrap_socket(plain)
        stream.sendall(UPGRADE)
        seen = b""
        while b"\r\n\r\n" not in seen or len(seen.split(b"\r\n\r\n", 1)[1]) < 30:
            more = stream.recv(4096)
            if not more:
                return None
            seen += more
    except (ConnectionError, ssl.SSLError):
        plain.close()
        return None
    return stream


def resident(relay):
    """Bytes; sanitizers keep what was freed, so that nothing can be said there."""
    with open(SIGNETD, "rb") as file:
        if re.search(rb"__[at]san_init", file.read()):
            raise Skip("built with a sanitizer")
    with open(f"/proc/{relay.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def ticks(relay):
    """Of processor time, so far."""
    with open(f"/proc/{relay.process.pid}/stat", encoding="ascii") as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))


def source(number):
    return f"127.0.{number % 7}.{1 + number % 200}"


@test
def memory_is_flat(world):
    """connections that never log in leave nothing behind"""
    relay = Relay(world).start()
    for i in range(500):
        connect(relay, source(i)).close()
    before = resident(relay)
    for i in range(COUNT):
        connect(relay, source(i)).close()
    time.sleep(0.5)
    grown = resident(relay) - before
    print(f"# {COUNT} connections left {grown} bytes", flush=True)
    assert grown < 2 << 20, f"{COUNT} connections left {grown} bytes"
    relay.stop()


@test
def little_is_kept_before_login(world):
    """a client that is not logged in costs TLS and one message of 4 KiB, whatever it sends"""
    relay = Relay(world).start()
    for i in range(200):
        connect(relay, source(i)).close()
    before = resident(relay)
    idle = [connect(relay, source(i)) for i in range(400)]
    mute = (resident(relay) - before) / len(idle)
    for one in idle:
        # All but the end of the largest message that is allowed, masked with zeros.
        one.sendall(b"\x82\xfe\x10\x00" + bytes(4) + bytes(4000))
    time.sleep(0.5)
    sending = (resident(relay) - before) / len(idle)
    print(f"# {mute:.0f} bytes each, {sending:.0f} with an unfinished message", flush=True)
    assert sending - mute < 5 << 10, "more than the message and its place"
    assert sending < TLS_BYTES + (10 << 10)
    relay.stop()


def hello():
    """What a client says first."""
    said = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    return said.read()


def cost(world, name, count, begin):
    """Bytes that a connection takes in a relay of its own; `begin` makes one and returns it."""
    relay = Relay(world, name).start()
    for i in range(200):
        connect(relay, source(i)).close()
    before = resident(relay)
    held = [begin(relay, source(i)) for i in range(count)]
    time.sleep(0.5)
    each = (resident(relay) - before) / len(held)
    print(f"# {name}: {each:.0f} bytes each", flush=True)
    relay.stop()
    return each


def begin_plain(bytes_sent):
    def begin(relay, address):
        plain = socket.create_connection(("127.0.0.1", relay.port), 20, (address, 0))
        plain.sendall(bytes_sent)
        return plain
    return begin


@test
def a_claimed_length_costs_nothing(world):
    """100 bytes of a handshake cost no more than an honest hello, whatever they claim to begin"""
    honest = cost(world, "honest", 200, begin_plain(hello()[:-1]))
    claim = b"\x16\x03\x01\x00\x5f\x01" + (131000).to_bytes(3, "big") + bytes(91)
    assert cost(world, "claim", 200, begin_plain(claim)) < 1.5 * honest


@test
def a_record_is_the_most_that_tls_keeps(world):
    """a record that does not end costs itself, 16 KiB, and not more"""
    def begin(relay, address):
        stream = connect(relay, address)
        os.write(stream.fileno(), b"\x17\x03\x03\x3f\xff" + bytes(16000))
        return stream
    idle = cost(world, "idle", 200, connect)
    assert cost(world, "record", 200, begin) < idle + (18 << 10)


@test
def addresses_are_limited(world):
    """an address has no more connections than it may, and others have theirs"""
    relay = Relay(world)
    configure(relay, connections_per_address=3, threads=2)
    relay.start()
    held = [connect(relay) for _ in range(3)]
    assert None not in held
    equal(connect(relay), None)
    assert connect(relay, "127.0.0.2") is not None
    held.pop().close()
    deadline = time.monotonic() + patience(20)
    while True:
        one = connect(relay)
        if one is not None:
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    equal(connect(relay), None)
    relay.stop()


@test
def descriptors_run_out(world):
    """without a free descriptor nobody is lost, and new ones come in when there is one again"""
    relay = Relay(world).start()
    held = [connect(relay) for _ in range(20)]
    pid = relay.process.pid
    used = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 2, used + 2))
    held += [connect(relay) for _ in range(2)]
    waiting = socket.create_connection(("127.0.0.1", relay.port), patience(20))
    time.sleep(0.5)
    before = ticks(relay)
    time.sleep(1)
    assert ticks(relay) - before < 50, "it spins while nothing can be accepted"
    for one in held[:5]:
        one.close()
    waiting.settimeout(patience(20))
    stream = context.wrap_socket(waiting)
    stream.sendall(UPGRADE)
    assert stream.recv(4096).startswith(b"HTTP/1.1 101")
    assert all(one.fileno() >= 0 for one in held[5:])
    relay.stop()


def await_event(relay, event):
    deadline = time.monotonic() + patience(20)
    while True:
        with open(relay.data + ".log", encoding="utf-8") as log:
            if event in log.read():
                return
        assert time.monotonic() < deadline, event
        time.sleep(0.02)


@test
def reload_without_descriptors(world):
    """a reload without a free descriptor leaves the limits as they are, and the next one works"""
    # mosquitto, CVE-2017-7652: where the file could not be opened, the defaults were taken.
    relay = Relay(world)
    configure(relay, connections_per_address=3, threads=1)
    relay.start()
    held = [connect(relay) for _ in range(3)]
    pid = relay.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = len(os.listdir(f"/proc/{pid}/fd"))
    configure(relay, connections_per_address=1000)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, before[1]))
    relay.process.send_signal(signal.SIGHUP)
    await_event(relay, "config.refused")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    equal(connect(relay), None)
    relay.process.send_signal(signal.SIGHUP)
    await_event(relay, "config.reloaded")
    held.append(connect(relay))
    assert None not in held
    relay.stop()


if __name__ == "__main__":
    main()
