#!/usr/bin/python3
"""Which part includes what: the #include lines against the table of CONTRIBUTING.md. Speaks TAP.

usage: layers.py ROOT
"""

import fnmatch
import os
import re
import sys

C17 = ("assert ctype errno inttypes limits math stdarg stdatomic stdbool stddef stdint stdio "
       "stdlib string").split()
PUBLIC_OF_THE_RELAY = "attributes buffer bundle card error id library login span".split()

# For the files that match (the first row counts): what they may include, by pattern. A name in
# quotes is relative to lib/ or the root; "c17" stands for the headers of the language's library
# that do no input or output, "system" for everything of the system's C library; "!" forbids.
ROWS = [
    ("include/signet/*", "c17 signet/*"),
    ("lib/base/*", "c17 signet/* base/*"),
    # One lock for the cache of checked keys.
    ("lib/crypto/*.c", "c17 signet/* base/* crypto/* openssl/* pthread.h"),
    ("lib/crypto/*_internal.h", "c17 signet/* base/* crypto/* openssl/* pthread.h"),
    ("lib/crypto/*.h", "c17 signet/* base/* crypto/*.h"),
    ("lib/wire/*.c", "c17 signet/* base/* wire/* cbor.h"),
    ("lib/wire/*", "c17 signet/* base/* wire/*"),
    ("lib/protocol/*", "c17 signet/* base/* crypto/* wire/* protocol/*"),
    ("ciphers/*", "c17 signet/* base/* ciphers/*"),
    ("io/*.c", "c17 system signet/* base/* io/* uv.h openssl/*"),
    ("io/tls_pin.h", "c17 signet/* openssl/*"),  # of the two files that hold OpenSSL's objects
    ("io/*", "c17 system signet/* base/* io/* uv.h"),
    # The relay's core reads no clock and no socket.
    ("server/core/*", "c17 relay base/* wire/* relay-crypto io/log.h server/core/* "
     "server/store/store.h"),
    ("server/store/store.*", "c17 relay base/* server/store/store.h"),
    ("server/store/*", "c17 system relay base/* wire/* relay-crypto server/store/* sqlite3.h"),
    ("server/worker/*", "c17 system relay base/* wire/* relay-crypto io/* server/worker/* "
     "server/core/* server/store/store.h uv.h"),
    ("server/*", "c17 system relay base/* wire/* relay-crypto io/* server/* uv.h ini.h"),
    # The client's engine reads no clock, socket or file, and knows no database.
    ("engine/engine.*", "c17 signet/* base/* client-lib engine/*"),
    ("engine/*", "c17 signet/* base/* client-lib engine/* !engine/engine.h"),
    ("term/*", "c17 system signet/* base/* term/* uv.h"),
    ("agent/store/*", "c17 system signet/* base/* store-crypto "
     "agent/store/* engine/records.h sqlite3.h"),
    ("agent/home/*", "c17 system signet/* base/* store-crypto "
     "agent/home/* agent/store/store.h term/*"),
    ("agent/link/*", "c17 system signet/* base/* io/* agent/link/* wire/invitation.h uv.h"),
    ("agent/*", "c17 system signet/* base/* io/clock.h agent/agent.h agent/online.h agent/reply.h "
     "agent/home/home.h agent/link/link.h engine/* term/* uv.h"),
    ("lab/*", "c17 system signet/* base/* ciphers/* crypto/aead.h crypto/secret.h lab/* term/*"),
    ("cli/editor/*", "c17 system signet/* base/* cli/editor/* term/* uv.h histedit.h"),
    ("cli/chat/*", "c17 system signet/* base/* io/clock.h agent/agent.h engine/* term/* line "
     "shared cli/chat/* cli/editor/editor.h uv.h"),
    ("cli/commands/*", "c17 system signet/* base/* io/clock.h client-lib agent/agent.h "
     "agent/reply.h agent/home/*.h engine/* lab/* ciphers/* term/* line shared cli/chat/chat.h "
     "cli/commands/commands.h uv.h"),
    ("cli/main.c", "c17 system cli/commands/commands.h cli/run.h"),
    ("cli/run.*", "c17 system signet/* base/* agent/home/*.h term/* line cli/run.h"),
    ("cli/command.*", "c17 signet/* base/* agent/agent.h term/* line"),
    ("cli/options.h", "c17 line"),
    ("cli/help.c", "c17 line"),
    ("cli/*", "c17 time.h signet/* base/* agent/agent.h engine/* term/* shared"),
    ("examples/*", "c17 signet/*"),
    # How lib lays out what it keeps to itself is known in one place of the tests.
    ("tests/support/forge*.c", "*.h"),
    ("tests/*", "*.h !lib-internal"),
    ("fuzz/*", "*.h !lib-internal"),
    ("bench/*", "*.h !lib-internal"),
]
NAMES = {
    "c17": [f"{name}.h" for name in C17],
    "relay": [f"signet/{name}.h" for name in PUBLIC_OF_THE_RELAY],
    "relay-crypto": ["crypto/hash.h", "crypto/secret.h"],
    "store-crypto": [f"crypto/{name}.h" for name in ("aead", "hash", "kdf", "secret")],
    "client-lib": "wire/cbor.h wire/invitation.h wire/relay_message.h crypto/aead.h crypto/hash.h "
                  "crypto/kdf.h crypto/secret.h".split(),
    "!lib-internal": [f"!{start}{part}/*_internal.h" for start in ("", "*lib/")
                      for part in ("base", "crypto", "wire", "protocol")],
    "line": ["cli/command.h", "cli/options.h"],
    "shared": [f"cli/{name}.h" for name in "explain history inbox pending people problem "
               "show".split()],
    "system": "arpa/* dirent.h fcntl.h getopt.h libgen.h locale.h netdb.h netinet/* poll.h "
              "pthread.h pty.h signal.h strings.h sys/* termios.h time.h unistd.h wchar.h "
              "langinfo.h".split(),
}
# Each of these must be found, or the table does not hold what it promises.
FORBIDDEN = [
    ("lib/base/buffer.c", "openssl/evp.h"),
    ("lib/wire/cose.c", "crypto/rsa.h"),
    ("lib/protocol/session.c", "openssl/evp.h"),
    ("lib/protocol/session.c", "time.h"),
    ("lib/crypto/rsa.h", "openssl/evp.h"),
    ("io/connection.c", "wire/relay_message.h"),
    ("server/core/handle_mailbox.c", "signet/session.h"),
    ("server/core/handle_mailbox.c", "signet/signet.h"),
    ("server/worker/worker.c", "protocol/ratchet.h"),
    ("server/core/core.c", "uv.h"),
    ("server/core/core.c", "server/worker/worker.h"),
    ("server/core/core.c", "server/store/sqlite/db.h"),
    ("server/core/core.c", "io/clock.h"),
    ("server/worker/worker.c", "sqlite3.h"),
    ("server/worker/worker.c", "server/store/sqlite/store_sqlite.h"),
    ("server/store/sqlite/batch.c", "server/core/core.h"),
    ("server/main.c", "agent/home/home.h"),
    ("engine/outbox/pump.c", "engine/engine.h"),
    ("engine/outbox/pump.c", "agent/store/store.h"),
    ("engine/outbox/pump.c", "io/clock.h"),
    ("engine/outbox/pump.c", "unistd.h"),
    ("agent/store/store.c", "engine/engine.h"),
    ("agent/home/home.c", "agent/agent.h"),
    ("agent/home/home.c", "agent/link/link.h"),
    ("agent/link/link.c", "agent/agent.h"),
    ("agent/link/link.c", "agent/home/home.h"),
    ("agent/link/link.c", "engine/engine.h"),
    ("agent/link/link.c", "term/report.h"),
    ("agent/link/link.c", "cli/command.h"),
    ("agent/agent.c", "agent/link/state.h"),
    ("agent/agent.c", "cli/command.h"),
    ("agent/link/link.c", "sqlite3.h"),
    ("term/report.c", "cli/command.h"),
    ("lab/crack.c", "cli/command.h"),
    ("lab/crack.c", "engine/engine.h"),
    ("cli/commands/send.c", "sqlite3.h"),
    ("cli/commands/send.c", "agent/link/link.h"),
    ("cli/commands/send.c", "agent/online.h"),
    ("cli/commands/send.c", "cli/run.h"),
    ("cli/commands/send.c", "cli/chat/state.h"),
    ("cli/commands/send.c", "cli/editor/editor.h"),
    ("cli/commands/send.c", "protocol/session.h"),
    ("cli/commands/send.c", "server/store/store.h"),
    ("cli/editor/editor.c", "cli/command.h"),
    ("cli/chat/chat.c", "cli/commands/commands.h"),
    ("cli/show.c", "cli/command.h"),
    ("cli/show.c", "cli/chat/chat.h"),
    ("cli/command.c", "cli/show.h"),
    ("cli/command.c", "cli/commands/commands.h"),
    ("cli/run.c", "cli/commands/commands.h"),
    ("tests/lib/wire/test_cose.c", "wire/cose.c"),
    ("tests/lib/protocol/test_bundle.c", "protocol/bundle_internal.h"),
    ("tests/support/forge.h", "lib/protocol/card_internal.h"),
    ("fuzz/fuzz_card.c", "protocol/card_internal.h"),
    ("bench/fill.c", "crypto/rsa_internal.h"),
]
FOLDERS = "include lib ciphers io server engine agent term lab cli examples tests fuzz bench".split()


def allowed(path):
    """The patterns of what a file may include; None: no row is for it."""
    for pattern, words in ROWS:
        if fnmatch.fnmatchcase(path, pattern):
            return [name for word in words.split() for name in NAMES.get(word, [word])]
    return None


def may_include(path, name):
    patterns = allowed(path) or []
    return any(fnmatch.fnmatchcase(name, each) for each in patterns) and \
        not any(fnmatch.fnmatchcase(name, each[1:]) for each in patterns if each[0] == "!")


def files(root):
    for folder in FOLDERS:
        for place, _, names in os.walk(os.path.join(root, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(place, name), root)


def includes(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
            if match:
                yield number, match[1]


def main(root):
    problems = {folder: [] for folder in FOLDERS}
    count = 0
    for path in files(root):
        for number, name in includes(root, path):
            count += 1
            if not may_include(path, name):
                problems[path.split("/")[0]].append(f"{path}:{number} includes {name}")
    missed = [f"{path} could include {name}" for path, name in FORBIDDEN if may_include(path, name)]
    if count < 100:
        missed.append(f"only {count} #include lines were found")
    results = [(f"the layers of {folder}/ hold", found) for folder, found in problems.items()]
    results.append(("the table forbids what it must", missed))
    print(f"1..{len(results)}")
    for number, (name, found) in enumerate(results, 1):
        print(f"{'not ok' if found else 'ok'} {number} - {name}")
        for line in found:
            print(f"# {line}")
    return 1 if any(found for _, found in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
