#!/usr/bin/python3
"""The way to a relay, by one who stands on it or in its place. Speaks TAP."""

import base64
import contextlib
import hashlib
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from harness import (TIMEOUT, equal, free_port, invitation_parts, invitation_text, main, patience,
                     test)


class Way:
    """Listens where a home takes its relay to be; `serve` has each connection in turn."""

    def __init__(self, world, relay, serve):
        self.relay, self.serve = relay, serve
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.listener.settimeout(TIMEOUT)
        world.cleanups.append(self.listener.close)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=[client], daemon=True).start()

    def one(self, client):
        with contextlib.suppress(OSError), client:
            self.serve(client)

    def join(self, world, name):
        home = world.home(name)
        head, data = invitation_parts(self.relay.invite())
        port = self.listener.getsockname()[1]
        home.join(invitation_text(re.sub(r":\d+$", f":{port}", head), data))
        return home


def pass_on(source, target, before=lambda data: None):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            before(data)
            target.sendall(data)


def is_stopped(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "T"


@test
def a_line_while_the_connection_opens(world):
    """what is typed in the moment in which the connection opens goes out by it"""
    relay = world.relay()
    state = {"is_away": False, "client": None}

    def serve(client):
        if state["is_away"]:
            return
        with socket.create_connection(("127.0.0.1", relay.port)) as server:
            asked = []  # the client's second flight has its upgrade: what follows opens it

            def hold(_):
                chat = state["client"]
                if len(asked) < 2 or chat is None:
                    return
                state["client"] = None
                chat.send_signal(signal.SIGSTOP)
                while not is_stopped(chat):
                    time.sleep(0.01)
                chat.stdin.write(b"just now\n")
                chat.stdin.flush()
                threading.Timer(0.5, lambda: chat.send_signal(signal.SIGCONT)).start()

            back = threading.Thread(target=pass_on, args=[server, client, hold], daemon=True)
            back.start()
            pass_on(client, server, asked.append)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join(TIMEOUT)

    way = Way(world, relay, serve)
    alice = way.join(world, "alice")
    bob, = world.joined(relay, "bob")
    alice.send("bob", "before")
    equal([one["text"] for one in bob.receive()], ["before"])
    state["is_away"] = True
    chat = alice.start("chat", "bob", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    told = chat.stderr.readline()
    while b"trying again" not in told:
        assert told, "it was not told that the relay is away"
        told = chat.stderr.readline()
    state["client"], state["is_away"] = chat, False
    equal([one["text"] for one in bob.receive("--count", "1")], ["just now"])
    _, err = chat.communicate(timeout=TIMEOUT)
    equal((chat.returncode, b"outbox" in err), (0, False))


def serve_nothing(relay, client):
    """The relay's own key, and after the upgrade empty messages, one after the other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.load_cert_chain(os.path.join(relay.data, "current.crt"),
                            os.path.join(relay.data, "current.key"))
    with context.wrap_socket(client, server_side=True) as tls:
        request = b""
        while b"\r\n\r\n" not in request:
            request += tls.recv(4096)
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", request)[1]
        accept = base64.b64encode(hashlib.sha1(
            key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        tls.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Protocol: signet.v1\r\n"
                    b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        tls.settimeout(1)
        while True:
            tls.sendall(struct.pack("BB", 0x82, 0))
            try:
                if not tls.recv(4096):
                    return
            except TimeoutError:
                pass


@test
def empty_messages(world):
    """a relay that says nothing in as many messages as it likes is not waited for"""
    relay = world.relay()
    state = {"is_empty": False}

    def serve(client):
        if state["is_empty"]:
            serve_nothing(relay, client)
            return
        with socket.create_connection(("127.0.0.1", relay.port)) as server:
            threading.Thread(target=pass_on, args=[server, client], daemon=True).start()
            pass_on(client, server)

    way = Way(world, relay, serve)
    alice = way.join(world, "alice")
    bob, = world.joined(relay, "bob")
    alice.send("bob", "before")
    state["is_empty"] = True
    alice.run("send", "bob", "after", timeout=patience(40)).fails(1, "not keep to the protocol", "queued")
    state["is_empty"] = False
    alice.receive()
    equal([one["text"] for one in bob.receive()], ["before", "after"])


main()
