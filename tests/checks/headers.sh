#!/bin/sh
# Every header compiles alone, with gcc and with clang, the public ones as C++ as well. Speaks TAP.
#
# usage: headers.sh ROOT [COMPILER FLAG...]      the flags: what the libraries' headers need
set -u

cd "$1" || exit 1
shift
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# compile HEADERS COMPILER FLAG...: each of them twice, so that a missing guard shows
compile() {
    headers=$1
    shift
    for header in $(cat "$headers"); do
        printf '#include "%s"\n#include "%s"\nint main(void)\n{\n    return 0;\n}\n' \
            "$PWD/$header" "$PWD/$header" |
            "$@" -fsyntax-only -Wall -Wextra -Werror -Iinclude - 2>"$work/error" && continue
        echo "# $header"
        sed 's/^/#   /' "$work/error"
    done >"$work/report"
}

# check NAME HEADERS COMPILER FLAG...: one TAP line
check() {
    name=$1
    shift
    number=$((number + 1))
    if ! command -v "$2" >/dev/null; then
        echo "ok $number - $name with $2 # SKIP it is not installed"
        return
    fi
    compile "$@"
    if [ ! -s "$work/report" ] && [ -s "$1" ]; then
        echo "ok $number - $name with $2"
    else
        echo "not ok $number - $name with $2"
        cat "$work/report"
        status=1
    fi
}

find include lib ciphers io server engine agent term lab cli tests fuzz bench -name '*.h' 2>/dev/null |
    sort >"$work/headers"
find include -name '*.h' | sort >"$work/public"
echo "1..4"
number=0
status=0
for compiler in gcc clang; do
    check "headers compile alone" "$work/headers" \
        "$compiler" -std=c17 -D_GNU_SOURCE -Ilib -I. "$@" -x c
done
for compiler in g++ clang++; do
    check "public headers compile as C++" "$work/public" "$compiler" -std=c++17 -Wpedantic -x c++
done
exit $status
