#!/usr/bin/python3
"""Runs the tests of the build trees and counts their TAP lines.

usage: run.py [long] [unit|attack|e2e|checks|sanitizers|NAME|FILE]...

Meson knows the tests (tests/*/meson.build); here their programs are built in each tree and run,
two at a time, each for a bounded time in a process group of its own. One line per test, all the
output of one that fails. `long` sets SIGNET_TEST_LONG=1 and lets every test take longer.

A NAME is one that Meson knows, a FILE what is in a test, from the root: `outbox` is every test
of that name, `tests/engine/outbox/test_outbox.c` that one. They run in build-test; only what they
need is built. Without such, and without a part, everything runs.
"""

import difflib
import functools
import glob
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = 2
TIMEOUT_MIN = 60  # seconds; a test that asks Meson for more gets it
TIMEOUT_BUILD = 900

SUITES = {
    "unit": {"unit", "vectors", "examples", "fuzz"},
    "attack": {"attack", "fault"},
    "e2e": {"e2e", "start"},
    "checks": {"checks"},
}
SANITIZED = {"unit", "vectors", "examples", "fuzz", "attack", "e2e"}
THREADED = {"connection", "connection_limits", "conversation", "load_clients", "load_crash",
            "relay_commands", "store", "store_threads", "worker", "worker_delivery"}


class Tree:
    """A build tree: its folder, how it is made, what of it is run and how."""

    def __init__(self, folder, compiler="gcc", options=(), wants=None, names=(), whole=False,
                 slower=1, wrapper=(), sanitizer=None):
        self.folder = os.path.join(ROOT, folder)
        self.compiler, self.options, self.names = compiler, ["-Dtests=true", *options], names
        self.wants = wants or (lambda name, suites: False)
        self.whole = whole  # everything is compiled, whoever needs it
        self.slower, self.wrapper, self.sanitizer = slower, list(wrapper), sanitizer

    def patience(self):
        """How many times as long as usual its programs wait, at least."""
        given = os.environ.get("SIGNET_TEST_PATIENCE", "")
        return max(self.slower, int(given) if re.fullmatch(r"[1-9][0-9]?|100", given) else 1)

    def label(self):
        return os.path.basename(self.folder)


class Unknown(Exception):
    """A word on the command line that is no test."""


class Job:
    def __init__(self, title, command, env=None, cwd=ROOT, timeout=TIMEOUT_MIN, tap=True,
                 alone=False, sanitizer=None):
        self.title, self.command, self.env, self.cwd = title, command, env or {}, cwd
        self.timeout, self.tap, self.alone, self.sanitizer = timeout, tap, alone, sanitizer


class Totals:
    """Counts, and prints one line per program."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.lock = threading.Lock()

    def add(self, title, passed, failed, skipped, seconds, details=""):
        counts = f"{passed} passed"
        counts += f", {failed} failed" if failed else ""
        counts += f", {skipped} skipped" if skipped else ""
        with self.lock:
            self.passed, self.failed = self.passed + passed, self.failed + failed
            self.skipped += skipped
            print(f"{'FAIL' if failed else 'ok  '} {title:<34} {counts} ({seconds:.1f} s)")
            if failed:
                self.failures.append(title)
                print("    " + details.rstrip("\n").replace("\n", "\n    "))
            sys.stdout.flush()


running = set()  # processes, each the leader of its group


def end_group(process):
    """End what a program started and left behind: its process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.2)


def execute(job, env):
    """(exit code, or None when it took too long; stdout; stderr)"""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(job.command, cwd=job.cwd, env=env, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=err, start_new_session=True)
        running.add(process)
        try:
            code = process.wait(job.timeout)
        except subprocess.TimeoutExpired:
            code = None
        end_group(process)
        process.wait()
        running.discard(process)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode(errors="backslashreplace"))
    return code, texts[0], texts[1]


TAP_LINE = re.compile(r"^(not )?ok\b(.*)$", re.MULTILINE)
# What is said by the way, of a process that was killed in the middle of its last check, is none.
FINDING = re.compile(r"ERROR: |WARNING: ThreadSanitizer|runtime error: ")
TAP_PLAN = re.compile(r"^1\.\.(\d+)(.*)$", re.MULTILINE)


def count_tap(code, text):
    """(passed, failed, skipped, what is wrong beyond a failed line)"""
    passed = failed = skipped = 0
    for line in TAP_LINE.finditer(text):
        if re.search(r"#\s*skip", line[2], re.IGNORECASE):
            skipped += 1
        elif line[1]:
            failed += 1
        else:
            passed += 1
    planned = 0
    for plan in TAP_PLAN.finditer(text):
        planned += int(plan[1])
        if plan[1] == "0" and re.search(r"#\s*skip", plan[2], re.IGNORECASE):
            return 0, 0, 1, ""
    seen = passed + failed + skipped
    if seen == 0:
        return passed, 1, skipped, "no test line"
    if planned not in (0, seen):
        return passed, failed + 1, skipped, f"{planned} tests planned, {seen} seen"
    if code != 0 and failed == 0:
        return passed, 1, skipped, f"all lines are ok, but the exit code is {code}"
    return passed, failed, skipped, ""


def count(job, code, text):
    if code is None:
        passed, failed, skipped, _ = count_tap(0, text)
        return passed, max(failed, 1), skipped, f"ended after {job.timeout} s"
    if job.tap:
        return count_tap(code, text)
    if code == 77:
        return 0, 0, 1, ""
    return (1, 0, 0, "") if code == 0 else (0, 1, 0, f"the exit code is {code}")


def sanitizer_env(kind, folder):
    """Reports go to files, so that those of a program's children are seen, too."""
    log = f"log_path={folder}/report:"
    if kind == "thread":
        # A relay that is told twice to stop leaves at once, and its threads behind.
        return {"TSAN_OPTIONS": log + "second_deadlock_stack=1:exitcode=66:report_thread_leaks=0"}
    if kind == "address":
        return {"ASAN_OPTIONS": log + "detect_stack_use_after_return=1:strict_string_checks=1:"
                                      "allocator_may_return_null=1",
                "UBSAN_OPTIONS": log + "halt_on_error=1:print_stacktrace=1"}
    return {}


def run(job, totals):
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="signet-test-") as folder:
        env = {**os.environ, **job.env, **sanitizer_env(job.sanitizer, folder)}
        code, out, err = execute(job, env)
        reports = ""
        for path in sorted(glob.glob(folder + "/report*")):
            with open(path, errors="backslashreplace") as file:
                reports += file.read()
    passed, failed, skipped, problem = count(job, code, out)
    if FINDING.search(reports) and not failed:
        failed, problem = 1, "a sanitizer reported"
    details = out + err + reports + (f"# {problem}\n" if problem else "")
    command = " ".join(shlex.quote(part) for part in job.command)
    details += "# " + (command if len(command) < 1000 else command[:1000] + " ...")
    totals.add(job.title, passed, failed, skipped, time.monotonic() - started, details)
    return failed == 0


@functools.lru_cache(maxsize=None)
def introspect(folder, what):
    listed = subprocess.run(["meson", "introspect", what, folder], check=True,
                            stdout=subprocess.PIPE).stdout
    return json.loads(listed)


def files_of(tree, test):
    """The files in which a test is written."""
    files = [word for word in test["cmd"] if os.path.isfile(word)]
    for target in introspect(tree.folder, "--targets"):
        if test["cmd"][0] in target["filename"]:
            files += [file for part in target["target_sources"] for file in part["sources"]]
    if "--only" in test["cmd"]:  # one file of a runner
        files = [file for file in files
                 if os.path.splitext(os.path.basename(file))[0] in (test["name"],
                                                                    "test_" + test["name"])]
    return [os.path.relpath(file, ROOT) for file in files]


def unknown(word, tree, tests):
    """What to say of a word that is no test."""
    known = {test["name"] for test in tests}
    if "/" in word:
        known = {file for test in tests for file in files_of(tree, test)}
    near = [name for name in sorted(known) if word in name][:5]
    near += difflib.get_close_matches(word, known - set(near))
    return Unknown(f"no test is called {word}" + (f"; near: {', '.join(near)}" if near else ""))


def named_tests(tree, tests):
    """The numbers, in Meson's list, of those that the command line names."""
    found = set()
    for word in tree.names:
        path = os.path.relpath(os.path.join(ROOT, word), ROOT)
        numbers = {number for number, test in enumerate(tests) if word == test["name"]
                   or "/" in word and path in files_of(tree, test)}
        if not numbers:
            raise unknown(word, tree, tests)
        found |= numbers
    return found


def tests_of(tree):
    """What Meson knows of the tests that are wanted of a tree."""
    tests = introspect(tree.folder, "--tests")
    named = named_tests(tree, tests)
    for number, test in enumerate(tests):
        suites = {suite.rpartition(":")[2] for suite in test["suite"]}
        if number in named or tree.wants(test["name"], suites):
            yield {**test, "title": f"{tree.label()} {min(suites)}/{test['name']}"}


def objects_of(tree):
    """All there are: what is compiled is seen by the compiler's warnings, linked or not."""
    listed = subprocess.run(["ninja", "-C", tree.folder, "-t", "targets", "rule", "c_COMPILER"],
                            check=True, stdout=subprocess.PIPE).stdout
    return listed.decode().split()


def targets_of(tree):
    """The files to be built for them."""
    needed = {target for test in tests_of(tree) for target in test["depends"]}
    return [os.path.relpath(name, tree.folder)
            for target in introspect(tree.folder, "--targets")
            if target["id"] in needed for name in target["filename"]] \
        + (objects_of(tree) if tree.whole else [])


def uses_script_build(tree):
    """Are there tests that start what script/build leaves?"""
    return any(suite.endswith(":start") for test in tests_of(tree) for suite in test["suite"])


def build(tree, totals):
    """Configure where that is due, and compile; true if that worked."""
    ninja = ["ninja", "--quiet", "-k", "0", "-C", tree.folder]
    configure = [*ninja, "build.ninja"]  # again, where Meson's files have changed
    if not os.path.exists(os.path.join(tree.folder, "build.ninja")):
        configure = ["meson", "setup", tree.folder, *tree.options]
    return run(Job(f"{tree.label()} is configured", configure, env={"CC": tree.compiler},
                   tap=False, timeout=TIMEOUT_BUILD), totals) and \
        run(Job(f"{tree.label()} compiles", [*ninja, *targets_of(tree)], tap=False,
                timeout=TIMEOUT_BUILD), totals) and \
        (not uses_script_build(tree) or
         run(Job("script/build builds", ["script/build"], tap=False, timeout=TIMEOUT_BUILD),
             totals))


def jobs_of(tree, is_long):
    """The programs of a tree that are wanted."""
    for test in tests_of(tree):
        timeout = max(TIMEOUT_MIN, test["timeout"]) * tree.patience() * (10 if is_long else 1)
        yield Job(test["title"], tree.wrapper + test["cmd"],
                  env={**test["env"], "SIGNET_TEST_PATIENCE": str(tree.patience())},
                  cwd=test["workdir"] or tree.folder, timeout=timeout,
                  tap=test["protocol"] == "tap", alone=not test["is_parallel"],
                  sanitizer=tree.sanitizer)


def no_randomization():
    """ThreadSanitizer does not start where addresses are very random."""
    command = ["setarch", "-R"]
    works = subprocess.run(command + ["true"], stderr=subprocess.DEVNULL).returncode == 0
    return command if works else []


def trees_for(parts, names=()):
    """Those to build, each with what is wanted of it."""
    suites = set().union(*(SUITES.get(part, set()) for part in parts))
    compiler = os.environ.get("CC", "gcc")
    if suites or names:
        # Not build-main: who only builds shall not fail at what a newer compiler warns of.
        suffix = "" if compiler == "gcc" else re.sub(r"\W+", "-", "-" + compiler)
        yield Tree("build-test" + suffix, compiler, ["--werror"], names=names,
                   whole="checks" in parts, wants=lambda name, its: bool(its & suites))
    if "sanitizers" in parts:
        # -O1 and no more than the numbers of lines halve the time to compile; no test takes longer.
        quick = ["-Doptimization=1", "-Dc_args=-g1", "-Db_lundef=false"]
        yield Tree("build-asan", options=["-Db_sanitize=address,undefined", *quick],
                   wants=lambda name, its: bool(its & SANITIZED), slower=3, sanitizer="address")
        yield Tree("build-tsan", "clang", ["-Db_sanitize=thread", *quick],
                   wants=lambda name, its: name in THREADED and bool(its & {"unit", "e2e"}),
                   slower=5, wrapper=no_randomization(), sanitizer="thread")
    if "checks" in parts:
        # The other compiler. clang warns of the same with and without optimizing, gcc does not.
        for other, options in (("gcc", []), ("clang", ["-Doptimization=0"])):
            if other != compiler:
                yield Tree(f"build-strict-{other}", other,
                           ["--werror", "-Ddebug=false", *options], whole=True)


def interrupted(number, _frame):
    for process in list(running):
        end_group(process)
    os._exit(128 + number)


def main(words):
    wanted = [word for word in words if word != "long"] or [*SUITES, "sanitizers"]
    parts = [word for word in wanted if word in (*SUITES, "sanitizers")]
    names = [word for word in wanted if word not in parts]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    os.environ["SIGNET_KEY_POOL"] = os.path.join(ROOT, "build-test", "key-pool")
    if "long" in words:
        os.environ["SIGNET_TEST_LONG"] = "1"
    started, totals, jobs = time.monotonic(), Totals(), []
    try:
        for tree in trees_for(parts, names):
            if build(tree, totals):
                jobs += jobs_of(tree, "long" in words)
    except Unknown as problem:
        print(f"test: {problem}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(lambda job: run(job, totals), (job for job in jobs if not job.alone)))
    for job in jobs:
        if job.alone:
            run(job, totals)
    if totals.failures:
        print("failed: " + ", ".join(totals.failures))
    print(f"after {time.monotonic() - started:.0f} s:")
    print(f"{totals.passed} passed, {totals.failed} failed"
          + (f", {totals.skipped} skipped" if totals.skipped else ""))
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
