#!/usr/bin/python3
"""Our server side of WebSocket against a client that we did not write.

usage: websocket_interop.py WS_ECHO_SERVER

Needs Debian's package python3-websockets; without it every test is skipped. Speaks TAP.
"""

import asyncio
import http.client
import ssl
import subprocess
import sys

from harness import patience

try:
    import websockets
except ImportError:
    print("1..0 # SKIP python3-websockets is not installed")
    sys.exit(0)

TIMEOUT = patience(20)
MESSAGE_MAX = 128 * 1024


def tls():
    """The certificate is self-signed, and pins are another test's affair."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def pattern(length):
    return bytes((i * 7 + i // 251) & 255 for i in range(length))


class Server:
    def __init__(self, program):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline())

    def connect(self, **options):
        options.setdefault("max_size", None)
        return websockets.connect(
            f"wss://127.0.0.1:{self.port}/signet", ssl=tls(), **options)

    def get(self, method="GET", path="/signet", headers=None):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=tls(), timeout=TIMEOUT)
        connection.request(method, path, headers=headers or {})
        status = connection.getresponse().status
        connection.close()
        return status

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(TIMEOUT)


async def messages_of_every_length_form_come_back(server):
    async with server.connect() as socket:
        for length in (0, 1, 125, 126, 127, 65535, 65536, MESSAGE_MAX):
            await socket.send(pattern(length))
            assert await socket.recv() == pattern(length), length


async def many_messages_come_back_in_order(server):
    async with server.connect() as socket:
        for i in range(500):
            await socket.send(b"%d" % i)
        for i in range(500):
            assert await socket.recv() == b"%d" % i


async def fragmented_messages_come_back_whole(server):
    async with server.connect() as socket:
        await socket.send([b"one ", b"two ", b"", b"three"])
        assert await socket.recv() == b"one two three"


async def gathered_messages_come_in_one_frame(server):
    async with server.connect() as socket:
        await socket.send(b"burst")
        assert await socket.recv() == b"burst" * 4
        assert await socket.recv() == b"burst"


async def pings_are_answered_both_ways(server):
    async with server.connect(ping_interval=None) as socket:
        await asyncio.wait_for(await socket.ping(b"payload"), TIMEOUT)
        await asyncio.sleep(1)  # five intervals of the server's own pings
        await socket.send(b"still here")
        assert await socket.recv() == b"still here"


async def the_subprotocol_is_agreed_on(server):
    async with server.connect(subprotocols=["other", "signet.v1"]) as socket:
        assert socket.subprotocol == "signet.v1"
    async with server.connect() as socket:
        assert socket.subprotocol is None


async def closed_with(socket, code):
    try:
        await socket.recv()
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd is not None and closed.rcvd.code == code, closed
        return
    raise AssertionError("a message instead of a close")


async def the_server_closes_with_its_code(server):
    async with server.connect() as socket:
        await socket.send(b"close")
        await closed_with(socket, 1001)


async def the_client_closes_and_is_answered(server):
    socket = await server.connect()
    await socket.close(4000, "done")
    assert socket.close_code == 4000


async def text_is_refused_with_1003(server):
    async with server.connect() as socket:
        await socket.send("text")
        await closed_with(socket, 1003)


async def an_oversized_message_is_refused_with_1009(server):
    async with server.connect() as socket:
        await socket.send(bytes(MESSAGE_MAX + 1))
        await closed_with(socket, 1009)


async def refused(server, status, **options):
    try:
        await server.connect(**options)
    except websockets.InvalidHandshake as error:
        # InvalidStatusCode bears the status itself; of later versions, InvalidStatus has the answer.
        assert getattr(error, "response", error).status_code == status, error
        return
    raise AssertionError("not refused")


async def an_origin_is_refused(server):
    await refused(server, 403, origin="https://evil.example")
    await refused(server, 403, origin="null")


async def other_requests_get_their_status(server):
    assert server.get() == 426
    assert server.get(path="/") == 404
    assert server.get(method="POST") == 405
    assert server.get(headers={"X": "x" * 5000}) == 431


async def fifty_clients_at_once_are_served(server):
    async def one(number):
        async with server.connect() as socket:
            for _ in range(5):
                await socket.send(pattern(number * 100))
                assert await socket.recv() == pattern(number * 100)

    await asyncio.gather(*(one(number) for number in range(50)))


TESTS = [
    messages_of_every_length_form_come_back,
    many_messages_come_back_in_order,
    fragmented_messages_come_back_whole,
    gathered_messages_come_in_one_frame,
    pings_are_answered_both_ways,
    the_subprotocol_is_agreed_on,
    the_server_closes_with_its_code,
    the_client_closes_and_is_answered,
    text_is_refused_with_1003,
    an_oversized_message_is_refused_with_1009,
    an_origin_is_refused,
    other_requests_get_their_status,
    fifty_clients_at_once_are_served,
]


def main():
    failed = False
    server = Server(sys.argv[1])
    print(f"1..{len(TESTS) + 1}", flush=True)
    for number, test in enumerate(TESTS, 1):
        name = test.__name__.replace("_", " ")
        try:
            asyncio.run(asyncio.wait_for(test(server), TIMEOUT))
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # whatever it is, the others still run
            failed = True
            print(f"not ok {number} - {name}\n# {error!r}", flush=True)
    ended = server.stop() == 0
    print(f"{'ok' if ended else 'not ok'} {len(TESTS) + 1} - the server ends cleanly")
    return 1 if failed or not ended else 0


if __name__ == "__main__":
    sys.exit(main())
