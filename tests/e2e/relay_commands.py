#!/usr/bin/python3
"""signetd's commands: exit codes, messages, and the life of a running relay.

usage: relay_commands.py SIGNETD          (or SIGNETD in the environment)

Only the standard library. Speaks TAP.
"""

import base64
import ctypes
import errno
import fcntl
import os
import platform
import re
import shutil
import signal
import socket
import ssl
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import traceback

from harness import patience

TIMEOUT = patience(30)
SIGNETD = sys.argv[1] if len(sys.argv) > 1 else os.environ["SIGNETD"]
LINK = re.compile(r"signet://([^/]+):([0-9]+)/([A-Za-z0-9_-]+)\n")
KEYS = ["current.key", "current.crt", "backup.key", "backup.crt"]

tests = []


def test(function):
    tests.append(function)
    return function


def signetd(*arguments):
    return subprocess.run([SIGNETD, *arguments], capture_output=True, text=True, timeout=TIMEOUT)


def check_fails(arguments, code, *words):
    """It fails with that code and says so in one line on stderr, which holds these words."""
    done = signetd(*arguments)
    assert done.returncode == code, (arguments, done)
    assert done.stdout == "", (arguments, done)
    assert re.fullmatch(r"signetd: [^\n]+\n", done.stderr), (arguments, done)
    for word in words:
        assert word in done.stderr, (word, done.stderr)


def check_works(*arguments):
    done = signetd(*arguments)
    assert done.returncode == 0, (arguments, done)
    return done.stdout


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def link_parts(text):
    match = LINK.fullmatch(text)
    assert match, text
    data = base64.urlsafe_b64decode(match[3] + "=" * (-len(match[3]) % 4))
    return match[1], int(match[2]), data


class Relay:
    """A relay that runs on a port that it finds itself."""

    running = []

    def __init__(self, data, *arguments, listen="127.0.0.1:0"):
        self.data = data
        self.process = subprocess.Popen([SIGNETD, "run", "--data", data, "--listen", listen,
                                         *arguments], stderr=subprocess.PIPE, text=True)
        Relay.running.append(self.process)
        self.first = self.process.stderr.readline()
        match = re.search(r" relay\.ready listen=\"(?:127\.0\.0\.1|\[::\]):([0-9]+)\"", self.first)
        assert match, self.first
        self.port = int(match[1])

    def wait_for(self, word):
        """The next line with a word in it; a relay that says no such thing in time is ended."""
        late = threading.Timer(TIMEOUT, self.process.kill)
        late.start()
        try:
            for line in self.process.stderr:
                if word in line:
                    return line
        finally:
            late.cancel()
        raise AssertionError(f"the relay ended without {word}, or did not say it in time")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(TIMEOUT)
        self.process.stderr.close()
        return code


class Client:
    """TLS and WebSocket, no more: what a client says is up to the test."""

    def __init__(self, port, host="127.0.0.1"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        raw = socket.create_connection((host, port), timeout=TIMEOUT)
        self.socket = context.wrap_socket(raw)
        self.socket.sendall(b"GET /signet HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\n"
                            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                            b"Sec-WebSocket-Protocol: signet.v1\r\n\r\n")
        self.input = b""
        while b"\r\n\r\n" not in self.input:
            self.more()
        head, self.input = self.input.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise EOFError
        self.input += got

    def frame(self):
        """The next frame: opcode and payload, of at most 125 bytes."""
        while len(self.input) < 2 or len(self.input) < 2 + self.input[1]:
            self.more()
        opcode, length = self.input[0] & 15, self.input[1]
        assert length < 126
        payload, self.input = self.input[2:2 + length], self.input[2 + length:]
        return opcode, payload

    def send(self, payload, opcode=2):
        length = len(payload)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        else:
            head += bytes([0x80 | 126]) + length.to_bytes(2, "big")
        self.socket.sendall(head + bytes(4) + payload)

    def check_challenge(self):
        opcode, payload = self.frame()
        assert opcode == 2 and payload[:5] == b"\x82\x18\x40\x58\x20" and len(payload) == 37
        return payload

    def check_closed(self, code):
        opcode, payload = self.frame()
        assert opcode == 8 and int.from_bytes(payload[:2], "big") == code, (opcode, payload)

    def close(self):
        self.socket.close()


def fresh(base):
    data = os.path.join(base, "data")
    check_works("init", "--data", data)
    return data


# ---- the command line ----

@test
def help_and_version_are_told(base):
    text = check_works("--help")
    for command in ("init", "run", "invite", "backup", "check-config"):
        assert f"signetd {command} " in text
    assert re.fullmatch(r"signetd [0-9.]+\n", check_works("--version"))


@test
def wrong_usage_is_2_and_one_line(base):
    check_fails([], 2, "no command")
    check_fails(["serve"], 2, '"serve"')
    check_fails(["serve", "--help"], 2, '"serve"')
    check_fails(["run"], 2, "--data")
    check_fails(["run", "--data"], 2, "--data")
    check_fails(["run", "--nonsense"], 2, "--nonsense")
    check_fails(["run", "--data", base, "extra"], 2, '"extra"')
    check_fails(["init", "--data", base, "--uses", "3"], 2, "--uses")
    check_fails(["init", "--data", base + "/x", "--listen", "nowhere"], 2, "--listen", "nowhere")
    check_fails(["init", "--data", base + "/x", "--name", ""], 2, "--name")
    check_fails(["check-config"], 2, "FILE")
    check_fails(["invite", "--data", base, "--uses", "0"], 2, "--uses")
    check_fails(["invite", "--data", base, "--uses", "-1"], 2, "--uses")
    check_fails(["invite", "--data", base, "--expires", "7"], 2, "--expires")
    check_fails(["invite", "--data", base, "--expires", "0d"], 2, "--expires")
    check_fails(["invite", "--data", base, "--expires", "d"], 2, "--expires")


@test
def control_characters_do_not_reach_the_terminal(base):
    check_fails(["a\x1b[31m\nb"], 2, "a?[31m?b")


# ---- init ----

@test
def init_makes_a_private_relay(base):
    data = fresh(base)
    assert stat.S_IMODE(os.stat(data).st_mode) == 0o700
    files = sorted(os.listdir(data))
    assert set(KEYS + ["relay.db", "signetd.conf", "operator.invitation"]) <= set(files), files
    for name in files:
        assert stat.S_IMODE(os.stat(os.path.join(data, name)).st_mode) == 0o600, name
    host, port, _ = link_parts(read(data + "/operator.invitation"))
    assert (host, port) == ("127.0.0.1", 4710)
    check_works("check-config", data + "/signetd.conf")


@test
def init_takes_name_and_address(base):
    data = base + "/data"
    check_works("init", "--data", data, "--name", "relay.example", "--listen", "[::1]:5000")
    host, port, _ = link_parts(read(data + "/operator.invitation"))
    assert (host, port) == ("relay.example", 5000)
    text = read(data + "/signetd.conf")
    assert "\nname = relay.example\n" in text and "\nlisten = [::1]:5000\n" in text


@test
def init_never_touches_a_relay_that_is_there(base):
    data = fresh(base)
    before = read(data + "/current.key")
    check_fails(["init", "--data", data], 1, "is there already")
    assert read(data + "/current.key") == before


@test
def init_keeps_out_of_another_init_s_way(base):
    os.mkdir(base + "/data")
    with open(base + "/data/lock", "w", encoding="ascii") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        check_fails(["init", "--data", base + "/data"], 1, "another signetd is using")
        assert os.listdir(base + "/data") == ["lock"]
    check_works("init", "--data", base + "/data")


@test
def init_says_what_it_cannot_do(base):
    check_fails(["init", "--data", base + "/no/where"], 1, "No such file")
    write(base + "/file", "")
    check_fails(["init", "--data", base + "/file"], 1, base + "/file")
    check_fails(["init", "--data", base + "/x", "--name", "a b"], 2, '"a b"')
    assert os.listdir(base + "/x") == []


# ---- check-config ----

@test
def check_config_names_file_and_line(base):
    path = base + "/conf"
    write(path, "threads = 2\n\nthreds = 3\n")
    check_fails(["check-config", path], 1, f"{path} line 3", "threds")
    write(path, "registration = maybe\n")
    check_fails(["check-config", path], 1, "line 1", "maybe")
    write(path, "registration = open\n")
    assert check_works("check-config", path) == ""
    check_fails(["check-config", base + "/none"], 1, "No such file")
    check_fails(["check-config", base], 1, base)


# ---- invite ----

@test
def invitations_are_one_line_and_differ(base):
    data = fresh(base)
    first = link_parts(check_works("invite", "--data", data))
    second = link_parts(check_works("invite", "--data", data, "--uses", "5", "--expires", "30m"))
    assert first[:2] == second[:2] == ("127.0.0.1", 4710)
    # [1, [pin, pin], token, null]: only the token differs
    assert len(first[2]) == 2 + 1 + 34 + 34 + 17 + 1
    assert first[2][:71] == second[2][:71] and first[2][71:88] != second[2][71:88]


@test
def invite_works_while_the_relay_runs_and_names_its_port(base):
    data = fresh(base)
    relay = Relay(data)
    assert link_parts(check_works("invite", "--data", data))[1] == relay.port
    assert link_parts(read(data + "/operator.invitation"))[1] == relay.port
    assert relay.stop() == 0
    assert link_parts(check_works("invite", "--data", data))[1] == 4710


@test
def a_backup_made_while_the_relay_runs_is_a_store(base):
    data, copy = fresh(base), base + "/copy.db"
    relay = Relay(data)
    check_works("invite", "--data", data)
    assert check_works("backup", "--data", data, copy) == ""
    assert os.stat(copy).st_mode & 0o777 == 0o600
    check_fails(["backup", "--data", data, copy], 1, copy, "exists")
    relay.stop(signal.SIGKILL)
    for end in ("", "-wal", "-shm"):
        if os.path.exists(data + "/relay.db" + end):
            os.unlink(data + "/relay.db" + end)
    os.rename(copy, data + "/relay.db")
    assert Relay(data).stop() == 0


@test
def commands_say_where_there_is_no_relay(base):
    check_fails(["run", "--data", base], 1, base, "signetd init")
    check_fails(["backup", "--data", base, base + "/copy.db"], 1, "signetd init")
    check_fails(["invite", "--data", base + "/none"], 1, "signetd init")


# ---- run ----

@test
def ready_is_the_first_line(base):
    relay = Relay(fresh(base), "--threads", "3")
    assert relay.first.endswith('name="127.0.0.1" threads=3\n'), relay.first
    assert relay.stop() == 0


@test
def one_relay_at_a_time_uses_the_data(base):
    data = fresh(base)
    relay = Relay(data)
    check_fails(["run", "--data", data, "--listen", "127.0.0.1:0"], 1,
                f"another signetd is using {data} (process {relay.process.pid})")
    assert relay.stop() == 0


@test
def a_port_in_use_is_named(base):
    first = Relay(fresh(base))
    check_works("init", "--data", base + "/second")
    address = f"127.0.0.1:{first.port}"
    check_fails(["run", "--data", base + "/second", "--listen", address], 1,
                address, "Address already in use", "--listen")
    assert first.stop() == 0


def refuse_ipv6():
    """In a process to be: the system has no sockets of IPv6 from now on (seccomp)."""
    number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
    load, equal, give = 0x20, 0x15, 0x06
    program = b"".join(struct.pack("=HBBI", *one) for one in (
        (load, 0, 0, 0), (equal, 0, 3, number),
        (load, 0, 0, 16), (equal, 0, 1, socket.AF_INET6),
        (give, 0, 0, 0x00050000 | errno.EAFNOSUPPORT), (give, 0, 0, 0x7fff0000)))
    held = ctypes.create_string_buffer(program)
    class Filter(ctypes.Structure):
        _fields_ = [("count", ctypes.c_ushort), ("first", ctypes.c_void_p)]
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    filtering = Filter(6, ctypes.addressof(held))
    assert libc.prctl(22, 2, ctypes.byref(filtering), 0, 0) == 0  # PR_SET_SECCOMP


@test
def all_addresses_are_those_of_ipv4_too(base):
    with socket.socket(socket.AF_INET6) as one:
        try:
            one.bind(("::1", 0))
        except OSError:
            print("# there is no IPv6 here")
            return
    relay = Relay(fresh(base), listen="[::]:0")
    for host in ("127.0.0.1", "::1"):
        client = Client(relay.port, host)
        client.check_challenge()
        client.close()
    assert relay.stop() == 0


@test
def without_ipv6_it_says_what_to_listen_on(base):
    done = subprocess.run([SIGNETD, "run", "--data", fresh(base), "--listen", "[::]:0"],
                          capture_output=True, text=True, timeout=TIMEOUT, preexec_fn=refuse_ipv6)
    assert done.returncode == 1, done
    assert re.fullmatch(r"signetd: [^\n]*no IPv6[^\n]*0\.0\.0\.0:PORT[^\n]*\n", done.stderr), done


@test
def run_says_what_it_cannot_read(base):
    data = fresh(base)
    check_fails(["run", "--data", data, "--threads", "0"], 2, "--threads")
    check_fails(["run", "--data", data, "--listen", "x"], 2, "--listen")
    check_fails(["run", "--data", data, "--config", base + "/none"], 1, "No such file")
    write(base + "/bad", "nonsense = 1\n")
    check_fails(["run", "--data", data, "--config", base + "/bad"], 1, "line 1", "nonsense")
    os.rename(data + "/current.key", data + "/kept.key")
    check_fails(["run", "--data", data], 1, "current.key", "No such file")
    write(data + "/current.key", "no key\n")
    check_fails(["run", "--data", data], 1, "current.key")
    os.rename(data + "/kept.key", data + "/current.key")
    write(data + "/relay.db", "no store, but long enough to be looked at\n" * 100)
    check_fails(["run", "--data", data, "--listen", "127.0.0.1:0"], 1, "relay.db")


@test
def a_key_that_is_not_pinned_is_refused(base):
    data = fresh(base)
    check_works("init", "--data", base + "/other")
    write(base + "/conf", f"certificate = {base}/other/current.crt\nkey = {base}/other/current.key\n")
    check_fails(["run", "--data", data, "--config", base + "/conf", "--listen", "127.0.0.1:0"], 1,
                "not pinned")
    write(base + "/conf", f"certificate = {data}/backup.crt\nkey = {data}/backup.key\n")
    relay = Relay(data, "--config", base + "/conf")
    assert relay.stop() == 0


@test
def a_client_is_challenged_each_time_anew(base):
    relay = Relay(fresh(base))
    clients = [Client(relay.port), Client(relay.port)]
    assert clients[0].check_challenge() != clients[1].check_challenge()
    for client in clients:
        client.close()
    assert relay.stop() == 0


@test
def wrong_messages_end_their_connection_only(base):
    relay = Relay(fresh(base))
    other = Client(relay.port)
    other.check_challenge()
    for payload, code in ((b"x", 1002), (b"\x82\x08\x01", 1002), (bytes(4097), 1009)):
        client = Client(relay.port)
        client.check_challenge()
        client.send(payload)
        client.check_closed(code)
        client.close()
    other.send(b"still here", opcode=9)
    assert other.frame() == (10, b"still here")
    other.close()
    assert relay.stop() == 0


@test
def without_login_a_connection_ends(base):
    relay = Relay(fresh(base))
    client = Client(relay.port)
    client.check_challenge()
    client.send(b"", opcode=9)
    assert client.frame()[0] == 10
    client.check_closed(1008)
    client.close()
    assert relay.stop() == 0


@test
def sigterm_says_goodbye_and_is_0(base):
    for number in (signal.SIGTERM, signal.SIGINT):
        directory = tempfile.mkdtemp(dir=base)
        relay = Relay(fresh(directory))
        client = Client(relay.port)
        client.check_challenge()
        relay.process.send_signal(number)
        client.check_closed(1001)
        client.close()
        assert relay.process.wait(TIMEOUT) == 0


@test
def a_port_that_was_found_is_found_again(base):
    data = fresh(base)
    ports = set()
    for _ in range(3):
        relay = Relay(data)
        ports.add(relay.port)
        relay.process.kill()
        relay.process.wait(TIMEOUT)
    assert len(ports) == 1, ports


@test
def a_second_signal_ends_at_once(base):
    relay = Relay(fresh(base))
    client = Client(relay.port)
    client.check_challenge()
    relay.process.send_signal(signal.SIGTERM)
    client.check_closed(1001)  # and the client stays, without an answer
    relay.process.send_signal(signal.SIGTERM)
    assert relay.process.wait(TIMEOUT) == 1
    client.close()


@test
def after_kill_9_it_starts_again_at_once(base):
    data = fresh(base)
    relay = Relay(data)
    client = Client(relay.port)
    client.check_challenge()
    assert relay.stop(signal.SIGKILL) == -9
    again = Relay(data, listen=f"127.0.0.1:{relay.port}")
    assert again.port == relay.port
    client.close()
    assert again.stop() == 0


@test
def sighup_takes_a_good_configuration_and_keeps_the_old_one_otherwise(base):
    data = fresh(base)
    config = read(data + "/signetd.conf")
    relay = Relay(data)
    # A relay that answers is in its loop: ThreadSanitizer keeps a signal back that comes before.
    client = Client(relay.port)
    client.check_challenge()
    client.close()
    write(data + "/signetd.conf", "nonsense = 1\n")
    relay.process.send_signal(signal.SIGHUP)
    relay.wait_for("nonsense")
    relay.wait_for("config.refused")
    write(data + "/signetd.conf", config.replace("log = text", "log = json"))
    relay.process.send_signal(signal.SIGHUP)
    assert relay.wait_for("config.reloaded").startswith("{")
    for message in (b"\xf2\x80\0\0\0\0", b"\x82\x81\0\0\0\0x"):  # a bad frame, a bad message
        client = Client(relay.port)
        client.check_challenge()
        client.socket.sendall(message)
        client.check_closed(1002)
        client.close()
        assert relay.wait_for("connection.rejected").startswith("{")
    assert relay.stop() == 0


def main():
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, function in enumerate(tests, 1):
        base = tempfile.mkdtemp(prefix="signet-relay-")
        name = function.__name__.replace("_", " ")
        try:
            function(base)
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # whatever it is, the test did not pass
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
        while Relay.running:  # ended already, unless the test failed
            process = Relay.running.pop()
            process.kill()
            process.wait()
        shutil.rmtree(base, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
