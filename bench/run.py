#!/usr/bin/python3
"""Runs the benchmark's programs and makes one table of what they say.

usage: run.py TREE [quick]
"""

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time

ACCOUNTS = 18100  # as many idle connections, and those that come first
SECONDS = 4


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, tree, quick):
        self.tree, self.quick = os.path.abspath(tree), quick
        self.template = f"{self.tree}/relay"
        self.data = f"{self.tree}/relay-used"
        self.rows = []
        os.environ["SIGNET_KEY_POOL"] = f"{self.tree}/key-pool"

    def program(self, name):
        folder = {"signetd": "server", "signet": "cli"}.get(name, "bench")
        return f"{self.tree}/{folder}/{name}"

    def run(self, name, *words):
        done = subprocess.run([self.program(name), *map(str, words)], check=True,
                              stdout=subprocess.PIPE, text=True)
        return done.stdout

    def row(self, what, value, unit, **more):
        self.rows.append({"what": what, "value": value, "unit": unit, **more})
        shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
        notes = ", ".join(f"{key.replace('_', ' ')} {one:,.4g}" for key, one in more.items())
        print(f"{what:<52} {shown:>10} {unit:<12} {notes}", flush=True)

    # ---- the relay ----

    def prepare(self):
        """A relay with accounts, made once and copied for each use."""
        mark = f"{self.template}/accounts-{ACCOUNTS}"
        if os.path.exists(mark):
            return
        say(f"making {ACCOUNTS} accounts, once")
        shutil.rmtree(self.template, ignore_errors=True)
        self.run("signetd", "init", "--data", self.template, "--listen", "127.0.0.1:0")
        self.run("bench_fill", self.template, "accounts", ACCOUNTS)
        with open(mark, "w", encoding="utf-8"):
            pass

    def fresh(self):
        """One worker, and no limit in the way."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.template, self.data)
        with open(f"{self.data}/signetd.conf", encoding="utf-8") as file:
            text = file.read()
        values = {"threads": 1, "mailbox_messages": 1000000000, "connections_per_address": 0}
        values.update({f"{what}_per_second": 0
                       for what in ("logins", "publishes", "finds", "takes", "puts")})
        for key, value in values.items():
            text, found = re.subn(f"(?m)^{key} =.*$", f"{key} = {value}", text)
            if found == 0:
                text += f"{key} = {value}\n"
        with open(f"{self.data}/signetd.conf", "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        port = f"{self.data}/port"
        if os.path.exists(port):
            os.unlink(port)
        began = time.monotonic()
        self.relay = subprocess.Popen(
            ["taskset", "-c", "0", self.program("signetd"), "run", "--data", self.data],
            stderr=subprocess.DEVNULL)
        while not (os.path.exists(port) and os.path.getsize(port) > 0):
            if self.relay.poll() is not None:
                sys.exit("bench: the relay does not start")
            time.sleep(0.005)
        with open(port, encoding="utf-8") as file:
            self.port = int(file.read())
        return time.monotonic() - began

    def stop(self):
        self.relay.terminate()
        self.relay.wait()

    def load(self, *words):
        return json.loads(self.run("bench_load", self.data, self.port, self.relay.pid, 1, *words))

    def messages(self, pairs, window, what=None):
        got = self.load("messages", pairs, window, SECONDS)
        self.row(what or f"{pairs:,} pairs, {window} in flight", got["messages_per_second"],
                 "messages/s", p50_ms=got["p50_ms"], p99_ms=got["p99_ms"],
                 relay_busy=got["relay_busy"], load_busy=got["load_busy"],
                 per_core_second=1e6 / got["relay_us_per_message"])
        return {"rate": got["messages_per_second"], "us": got["relay_us_per_message"]}

    # ---- the parts ----

    def machine(self):
        echo, append = {}, {}
        for connections, window in ((200, 1), (200, 32)):
            got = json.loads(self.run("bench_machine", "echo", connections, window, 2))
            echo[window] = got["frames_per_second"]
            self.row(f"TLS echo, {connections} connections, {window} in flight",
                     got["frames_per_second"], "frames/s",
                     per_core_second=1e6 / got["echo_us_per_frame"])
        for group in (32, 128, 1024):
            got = json.loads(self.run("bench_machine", "append", self.tree, group, 2))
            append[group] = got["appended_per_second"]
            self.row(f"append + fdatasync, groups of {group:,}", append[group], "messages/s")
            got = json.loads(self.run("bench_machine", "sqlite", self.tree, group, 2))
            self.row(f"SQLite alone, groups of {group:,}", got["stored_per_second"], "messages/s")
        return append

    def throughput(self, append):
        self.fresh()
        self.row("start-up, nothing waiting", self.start(), "s")
        for pairs in (10, 100, 1000):
            for window in (1, 32):
                rate = self.messages(pairs, window)
                if (pairs, window) == (100, 32):
                    empty = rate
        self.row("  100 pairs, 32 in flight / append + fdatasync of 1,024",
                 empty["rate"] / append[1024], "")
        got = self.load("logins", 32, SECONDS)
        self.row("logins (TLS, upgrade, signature)", got["logins_per_core_second"], "/core second",
                 relay_busy=got["relay_busy"])
        self.stop()
        return empty

    def beside(self):
        """What recipients that do not read, or do not acknowledge, cost the others."""
        p99 = {}
        for kind in ("reader", "deaf", "mute", "reader"):
            self.fresh()
            self.start()
            got = self.load("messages", 100, 4, SECONDS, kind)
            self.stop()
            p99.setdefault(kind, []).append(got["p99_ms"])
            self.row(f"100 pairs, 4 in flight, beside a {kind}", got["messages_per_second"],
                     "messages/s", p50_ms=got["p50_ms"], p99_ms=got["p99_ms"],
                     grown_KiB=got["resident_grown"] / 1024)
        for kind, what in (("deaf", "never reads"), ("mute", "never acknowledges")):
            self.row(f"  p99 beside one that {what} / one that reads",
                     p99[kind][0] / statistics.mean(p99["reader"]), "")

    def memory(self):
        for count in (1000, 5000) if self.quick else (1000, 5000, 18000):
            self.fresh()
            self.start()
            got = self.load("idle", count)
            self.row(f"idle connections, {count:,}", got["bytes_per_connection"] / 1024,
                     "KiB each")
            self.stop()

    def waiting(self, empty):
        for table, count in (("hot", 1000000),) if self.quick else (("hot", 1000000),
                                                                    ("cold", 5000000)):
            self.fresh()
            say(f"filling in {count:,} messages")
            self.run("bench_fill", self.data, table, count)
            self.row(f"start-up, {count:,} waiting ({table} table)", self.start(), "s")
            rate = self.messages(100, 32, f"100 pairs, 32 in flight, {count:,} waiting")
            self.row("  nothing waiting / this", empty["rate"] / rate["rate"], "",
                     processor_time=rate["us"] / empty["us"])
            self.stop()

    def client(self):
        for line in self.run("bench_client", 2).splitlines():
            got = json.loads(line)
            self.row(f"client: {got['operation']}", got["us"], "us", raw=got["raw_us"],
                     ratio=got["ratio"])

    def send(self):
        """`signet send` as a person runs it: a new process each time."""
        self.fresh()
        self.start()
        homes = {name: f"{self.tree}/home-{name}" for name in ("alice", "bob")}
        for name, home in homes.items():
            shutil.rmtree(home, ignore_errors=True)
            link = self.run("signetd", "invite", "--data", self.data).strip()
            self.run("signet", "--home", home, "--quiet", "join", link, "--name", name)
        times = []
        for i in range(11):
            if i == 1:
                used = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.monotonic()
            self.run("signet", "--home", homes["alice"], "--quiet", "send", "bob", f"text {i}")
            times.append(1e3 * (time.monotonic() - began))
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        self.stop()
        self.row("`signet send`, the first to a contact", times[0], "ms")
        self.row("`signet send`, cold (median of 10)", statistics.median(times[1:]), "ms",
                 processor_ms=1e3 * cpu / 10)

    def all(self):
        self.prepare()
        append = self.machine()
        empty = self.throughput(append)
        self.beside()
        self.memory()
        self.waiting(empty)
        self.client()
        self.send()
        shutil.rmtree(self.data, ignore_errors=True)
        with open(f"{self.tree}/bench.json", "w", encoding="utf-8") as file:
            json.dump({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                       "load_average": os.getloadavg(), "rows": self.rows}, file, indent=1)


if __name__ == "__main__":
    Bench(sys.argv[1], "quick" in sys.argv[2:]).all()
