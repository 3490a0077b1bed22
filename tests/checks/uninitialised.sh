#!/bin/sh
# A search that is interrupted reads nothing that was not written (MemorySanitizer). Speaks TAP.
#
# usage: uninitialised.sh ROOT
set -u

cd "$1" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
name="an interrupted search reads nothing that was not written"
echo "1..1"
if ! command -v clang >/dev/null; then
    echo "ok 1 - $name # SKIP clang is not installed"
    exit 0
fi
if /usr/bin/python3 ciphers/model/embed.py ciphers/model/english.bin "$work/model_data.c" &&
    clang -std=c17 -O1 -g -fsanitize=memory -D_GNU_SOURCE -DSIGNET_VERSION='""' -Iinclude -Ilib \
        -I. -o "$work/stops" tests/checks/crack_stops.c ciphers/*.c lib/base/*.c \
        "$work/model_data.c" -lm \
        >"$work/report" 2>&1 &&
    "$work/stops" >>"$work/report" 2>&1; then
    echo "ok 1 - $name"
else
    echo "not ok 1 - $name"
    sed 's/^/# /' "$work/report"
    exit 1
fi
