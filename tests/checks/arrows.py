#!/usr/bin/python3
"""Which file calls which: rooms call those below them, and no files call in a circle. Speaks TAP.

usage: arrows.py ROOT BUILD-TREE PROGRAM...      the programs: as the build tree names them

#include lines show what a file may name (layers.py); the symbols of its object show what it uses.
A symbol is looked up within each program, as the linker does: two programs may both define it.
"""

import collections
import copy
import fnmatch
import json
import os
import subprocess
import sys

# Beside the product.
OTHERS = ("tests", "fuzz", "bench", "examples")

# A room, its files (the first row that matches counts), and the rooms that it may call. A file is
# named by its path without ".c". Within a room everybody may call everybody, but in no circle.
ROOMS = [
    ("base", "lib/base/*", ""),
    ("crypto", "lib/crypto/*", "base"),
    ("wire", "lib/wire/*", "base"),
    ("protocol", "lib/protocol/*", "base crypto wire"),
    ("ciphers", "ciphers/*", "base"),
    ("clock", "io/clock", "base"),
    ("log", "io/log", "base clock"),
    ("io", "io/*", "base clock log"),
    # The relay.
    ("relay-store", "server/store/store", "base"),
    ("sqlite", "server/store/sqlite/*", "base crypto wire protocol relay-store"),
    # Its core, from below.
    ("core-parts", "server/core/connections server/core/limits server/core/message_id "
     "server/core/time server/core/wall_trust server/core/window", "base"),
    ("operations", "server/core/operations", "base relay-store core-parts"),
    ("connection", "server/core/connection", "base wire log core-parts"),
    ("handlers", "server/core/handle_*",
     "base wire protocol log core-parts operations connection"),
    ("dispatch", "server/core/dispatch", "base wire log core-parts connection handlers"),
    ("core", "server/core/core server/core/groups",
     "base crypto log relay-store core-parts operations connection handlers dispatch"),
    ("worker", "server/worker/*", "base crypto wire clock log io relay-store core"),
    ("said", "server/command", "base"),
    ("admin", "server/admin/*", "base crypto wire protocol clock io said relay-store sqlite"),
    ("relay", "server/relay server/run",
     "base crypto wire clock log io said relay-store sqlite core-parts worker admin"),
    ("signetd", "server/main", "said admin relay"),
    # The client.
    # In the engine: what it and its users pass each other; one call; who we and others are; what is
    # kept; what is asked; what comes and what goes. Outbox and inbox never meet.
    ("values", "engine/records engine/output engine/problem engine/contact engine/history/chain "
     "engine/history/message engine/history/verdict", "base crypto wire protocol"),
    ("txn", "engine/txn/*", "base wire protocol values"),
    ("own", "engine/account", "base crypto wire protocol values txn"),
    ("contacts", "engine/contacts", "base crypto wire protocol values txn own"),
    ("conversations", "engine/conversations", "base protocol values txn own contacts"),
    ("history", "engine/history/*", "base wire protocol values txn own"),
    ("sessions", "engine/sessions/*", "base wire protocol values txn own"),
    ("directory", "engine/directory/*",
     "base wire protocol values txn own contacts sessions history conversations"),
    ("recovery", "engine/recovery", "base protocol values txn own contacts sessions"),
    ("login", "engine/login/*",
     "base crypto wire protocol values txn own contacts sessions history"),
    ("inbox", "engine/inbox/*", "base crypto wire protocol values txn own contacts sessions "
     "history conversations directory recovery"),
    ("outbox", "engine/outbox/*", "base wire protocol values txn own contacts sessions history "
     "conversations directory"),
    ("engine", "engine/engine engine/answers", "base wire protocol values txn own contacts "
     "sessions history conversations directory recovery login inbox outbox"),
    ("term", "term/*", "base"),
    ("store", "agent/store/*", "base crypto values"),
    ("home", "agent/home/*", "base crypto store term"),
    ("link", "agent/link/*", "base clock io"),
    ("agent", "agent/*", "base clock values engine store home link term"),
    ("lab", "lab/*", "base crypto ciphers term"),
    # Its commands: main reads a line and runs one; what several of them show is in shared.
    ("editor", "cli/editor/*", "base term"),
    ("line", "cli/command cli/help", "base term"),
    ("shared", "cli/explain cli/history cli/inbox cli/pending cli/people cli/problem cli/show",
     "base protocol values engine term"),
    ("chat", "cli/chat/*", "base protocol clock values engine agent term editor line shared"),
    ("commands", "cli/commands/*",
     "base wire protocol clock values engine store home agent ciphers lab term line shared "
     "chat"),
    ("signet", "cli/main cli/run", "base crypto home term line commands"),
]
# Each of these calls must be refused, or the table does not hold what it promises.
FORBIDDEN = [
    ("lib/base/buffer", "lib/crypto/secret"),
    ("lib/base/buffer", "lib/wire/cose"),
    ("lib/crypto/aead", "lib/wire/cose"),
    ("lib/crypto/aead", "lib/protocol/session"),
    ("lib/wire/cose", "lib/crypto/hash"),
    ("lib/wire/envelope", "lib/protocol/session"),
    ("lib/protocol/session", "io/clock"),
    ("lib/protocol/session", "engine/engine"),
    ("ciphers/crack", "lib/crypto/hash"),
    ("ciphers/crack", "lab/crack"),
    ("io/connection", "lib/wire/relay_message"),
    ("io/connection", "server/worker/worker"),
    ("io/tls", "lib/crypto/hash"),
    ("io/log", "io/connection"),
    ("server/store/store", "server/store/sqlite/db"),
    ("server/store/sqlite/batch", "server/core/core"),
    ("server/core/core", "server/store/sqlite/db"),
    ("server/core/connections", "server/core/connection"),
    ("server/core/operations", "server/core/connection"),
    ("server/core/operations", "server/core/groups"),
    ("server/core/connection", "server/core/operations"),
    ("server/core/connection", "server/core/dispatch"),
    ("server/core/handle_login", "server/core/dispatch"),
    ("server/core/handle_mailbox", "server/core/core"),
    ("server/core/dispatch", "server/core/groups"),
    ("server/core/core", "server/worker/worker"),
    ("server/core/core", "io/clock"),
    ("server/worker/worker", "server/store/sqlite/store_sqlite"),
    ("server/worker/worker", "server/core/dispatch"),
    ("server/worker/worker", "server/admin/config"),
    ("server/worker/worker", "agent/link/link"),
    ("server/worker/worker", "ciphers/cipher"),
    ("server/command", "server/admin/init"),
    ("server/admin/init", "server/core/core"),
    ("server/admin/init", "server/relay"),
    ("server/relay", "server/main"),
    ("engine/records", "engine/txn/records"),
    ("cli/commands/send", "engine/txn/records"),
    ("agent/agent", "engine/outbox/pump"),
    ("engine/txn/events", "engine/account"),
    ("engine/account", "engine/contacts"),
    ("engine/contacts", "engine/sessions/sessions"),
    ("engine/conversations", "engine/history/history"),
    ("engine/history/history", "engine/sessions/sessions"),
    ("engine/sessions/sessions", "engine/recovery"),
    ("engine/sessions/sessions", "engine/contacts"),
    ("engine/directory/lookup", "engine/outbox/queue"),
    ("engine/directory/lookup", "engine/inbox/inbox"),
    ("engine/recovery", "engine/outbox/queue"),
    ("engine/login/login", "engine/outbox/pump"),
    ("engine/inbox/inbox", "engine/outbox/outbox"),
    ("engine/outbox/pump", "engine/inbox/inbox"),
    ("engine/outbox/pump", "engine/recovery"),
    ("engine/outbox/pump", "engine/engine"),
    ("engine/engine", "agent/store/store"),
    ("engine/engine", "io/clock"),
    ("engine/engine", "term/report"),
    ("term/report", "cli/command"),
    ("term/text", "engine/engine"),
    ("agent/store/store", "engine/txn/records"),
    ("agent/store/store", "agent/home/home"),
    ("agent/store/store", "term/report"),
    ("agent/home/home", "agent/agent"),
    ("agent/home/home", "agent/link/link"),
    ("agent/link/link", "agent/agent"),
    ("agent/link/connection", "agent/settle"),
    ("agent/link/connection", "engine/engine"),
    ("agent/link/link", "agent/home/home"),
    ("agent/link/link", "term/report"),
    ("agent/link/link", "server/worker/worker"),
    ("agent/link/link", "cli/command"),
    ("agent/agent", "cli/problem"),
    ("lab/crack", "cli/command"),
    ("lab/crack", "engine/engine"),
    ("cli/editor/editor", "cli/chat/chat"),
    ("cli/editor/editor", "engine/engine"),
    ("cli/command", "cli/show"),
    ("cli/help", "cli/commands/commands"),
    ("cli/show", "cli/chat/show"),
    ("cli/inbox", "agent/settle"),
    ("cli/people", "cli/command"),
    ("cli/chat/chat", "cli/commands/commands"),
    ("cli/chat/chat", "agent/link/link"),
    ("cli/chat/chat", "lab/text"),
    ("cli/commands/send", "cli/run"),
    ("cli/commands/send", "agent/link/link"),
    ("cli/commands/send", "cli/editor/editor"),
    ("cli/run", "agent/agent"),
    ("cli/run", "cli/chat/chat"),
]
# To be opened, one by one; the largest first. None may grow.
CIRCLES = [
]


# ---- the objects ----

def name_of(root, tree, path):
    """lib/base/buffer for that source in ROOT, or generated in the tree."""
    for top in (tree, root):
        name = os.path.relpath(path, top)
        if not name.startswith(".."):
            return os.path.splitext(name)[0]
    return path


def product(root, tree):
    """{object, relative to the tree: file} of all that is compiled and is neither test nor tool"""
    with open(os.path.join(tree, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    files = {each["output"]: name_of(root, tree, os.path.join(each["directory"], each["file"]))
             for each in commands}
    return {path: file for path, file in files.items()
            if file.partition("/")[0] not in OTHERS and path.partition("/")[0] not in OTHERS}


def linked(tree, program):
    """The objects of a program and of the libraries that it is linked with."""
    listing = subprocess.run(["ninja", "-t", "inputs", program], cwd=tree,
                             stdout=subprocess.PIPE, text=True, check=True)
    return {line for line in listing.stdout.split() if line.endswith(".o")}


def symbols(tree, paths):
    """({object: symbols that it defines}, {object: symbols that it uses})"""
    defined, used = collections.defaultdict(set), collections.defaultdict(set)
    listing = subprocess.run(["nm", "-gPA", *sorted(paths)], cwd=tree, stdout=subprocess.PIPE,
                             text=True, check=True)
    for line in listing.stdout.splitlines():
        path, symbol, kind = line.split()[:3]
        (used if kind in "Uwv" else defined)[path.rstrip(":")].add(symbol)
    return defined, used


def arrows(tree, files, programs):
    """{file: {another, of which it uses something: symbols}}"""
    defined, used = symbols(tree, files)
    graph = {file: {} for file in files.values()}
    for objects in programs:
        homes = collections.defaultdict(set)
        for path in objects & files.keys():
            for symbol in defined[path]:
                homes[symbol].add(files[path])
        for path in objects & files.keys():
            for symbol in used[path]:
                for home in homes[symbol] - {files[path]}:
                    graph[files[path]].setdefault(home, set()).add(symbol)
    return graph


# ---- the rules ----

def circles(graph):
    """The strongly connected components of more than one node (Tarjan 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            at = stack.index(node)
            members, stack[at:] = set(stack[at:]), []
            if len(members) > 1:
                found.append(members)

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def room_of(file):
    for room, patterns, _ in ROOMS:
        if any(fnmatch.fnmatchcase(file, each) for each in patterns.split()):
            return room
    return None


def refused(graph):
    """The (caller, callee) that the table does not allow."""
    below = {room: {room, *rooms.split()} for room, _, rooms in ROOMS}
    return [(caller, callee) for caller in sorted(graph) for callee in sorted(graph[caller])
            if room_of(callee) not in below.get(room_of(caller), ())]


def faults_of_the_table(graph):
    rooms = [room for room, _, _ in ROOMS]
    plan = {room: set(below.split()) for room, _, below in ROOMS}
    for room, below in plan.items():
        yield from (f"{room} may call {each}, which is no room" for each in below - set(rooms))
    yield from (f"{each} is in two rows" for each in set(rooms) if rooms.count(each) > 1)
    yield from (f"no file is in {each}" for each in set(rooms) - {room_of(file) for file in graph})
    yield from (f"rooms in a circle: {' '.join(sorted(each))}" for each in circles(plan))


def missed(graph):
    """What is planted and not seen."""
    for caller, callee in FORBIDDEN:
        planted = copy.deepcopy(graph)
        yield from (f"{each} is no file" for each in (caller, callee) if each not in graph)
        planted.setdefault(caller, {})[callee] = {"planted"}
        if (caller, callee) not in refused(planted):
            yield f"{caller} could call {callee}"
    planted = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}}
    if circles(planted) != [{"a", "b", "c"}]:
        yield "a circle of three"


def unseen(files, built, programs):
    """What the graph does not know of."""
    everything = set().union(*programs)
    yield from (f"{path} is not built" for path in sorted(files) if path not in built)
    yield from (f"{path} is in no program" for path in sorted(files) if path not in everything)
    if len(built) < 100:
        yield f"only {len(built)} objects were found"


def check(graph, files, built, programs):
    """[(name of the test, what is wrong)]"""
    known = [set(words.split()) for words in CIRCLES]
    seen = circles(graph)
    inside = set().union(*seen)
    return [
        ("every file of the product has its object in a program",
         list(unseen(files, built, programs))),
        ("every file lies in a room", sorted(each for each in graph if room_of(each) is None)),
        ("rooms call only what is below them",
         [f"{caller} calls {callee}: {' '.join(sorted(graph[caller][callee]))}"
          for caller, callee in refused(graph)]),
        ("the rooms stand in an order", sorted(faults_of_the_table(graph))),
        ("no circle of calls is new",
         [" ".join(sorted(each)) for each in seen if not any(each <= one for one in known)]),
        ("what has left a circle is off the list",
         [each for one in known for each in sorted(one - inside)]),
        ("the check sees what is planted", list(missed(graph))),
    ]


def main(root, tree, *names):
    root, tree = os.path.realpath(root), os.path.realpath(tree)
    files = product(root, tree)
    built = {path: file for path, file in files.items()
             if os.path.exists(os.path.join(tree, path))}
    programs = [linked(tree, os.path.relpath(os.path.join(tree, name), tree)) for name in names]
    results = check(arrows(tree, built, programs), files, built, programs)
    print(f"1..{len(results)}")
    for number, (name, found) in enumerate(results, 1):
        print(f"{'not ok' if found else 'ok'} {number} - {name}")
        for line in found:
            print(f"# {line}")
    return 1 if any(found for _, found in results) else 0


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    sys.exit(main(*sys.argv[1:]))
