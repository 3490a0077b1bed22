#!/usr/bin/python3
"""The way to a relay, by one who stands on it or in its place. Speaks TAP."""

import base64
import contextlib
import hashlib
import os
import re
import socket
import ssl
import struct
import threading

from harness import TIMEOUT, equal, free_port, invitation_parts, invitation_text, main, test


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


def pass_on(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


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
    alice.run("send", "bob", "after", timeout=40).fails(1, "not keep to the protocol", "queued")
    state["is_empty"] = False
    alice.receive()
    equal([one["text"] for one in bob.receive()], ["before", "after"])


main()
